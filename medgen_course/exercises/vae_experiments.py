"""Checks for notebook 02_vae on what a student measured: which latents the decoder needs, and a sigma of 1.

Nobody's numbers are known beforehand: a check measures the same network again and compares.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, judge, not_attempted
from medgen_course.models.vae import VAE, kl_divergence, kl_per_dimension

TOLERANCE = 0.02  # relative
FREE = 1.01  # so many times the error of all latents still counts as no harm


def check_latents_needed(
    model: VAE, x: Tensor, measured: Mapping[int, float] | None, removed: int | None
) -> Verdict:
    """Check an experiment: latents are set to 0, those with the lowest KL first; when does the error rise?

    Args:
        model: the network of the experiment.
        x: the images of the experiment (B, C, H, W) in [0, 1].
        measured: number of latents set to 0 -> RMSE of what is decoded from mu, from 0 to latent_dim.
        removed: the largest number that costs at most 1 % of RMSE.
    Returns:
        The verdict, after showing it.
    """

    def examine(_) -> None:
        if not measured or removed is None:
            raise not_attempted()
        if missing := sorted(set(range(model.latent_dim + 1)) - set(measured)):
            raise Finding(f"No RMSE for {missing} latents set to 0; expected 0 to {model.latent_dim}.")
        expected = _errors_without(model, x)
        off = [k for k, error in enumerate(expected) if abs(measured[k] - error) > TOLERANCE * error]
        if off:
            raise Finding(_what_is_off(model, x, measured, expected, off[0]))
        last = max(k for k, error in enumerate(expected) if error <= FREE * expected[0])
        if removed != last:
            raise Finding(
                f"The errors are right, but removed is {removed}: {last} is the largest number with at most "
                f"{FREE} times the RMSE of all latents, {expected[0]:.4f}."
            )

    praise = "Each error is what the network gives, and so is the number that it does without."
    return judge("latents needed", lambda: None, examine, praise)


@torch.no_grad()
def _errors_without(model: VAE, x: Tensor, lowest_first: bool = True) -> list[float]:
    """RMSE with 0, 1, ... latents of the lowest (or highest) KL set to 0 in mu."""
    mu, logvar = model.encode(x)
    order, codes, errors = kl_per_dimension(mu, logvar).mean(0).argsort(descending=not lowest_first), mu, []
    for count in range(model.latent_dim + 1):
        codes = mu.clone()
        codes[:, order[:count]] = 0
        errors.append((model.decode(codes) - x).square().mean().sqrt().item())
    return errors


def _what_is_off(model: VAE, x: Tensor, measured: Mapping[int, float], expected: list[float], k: int) -> str:
    found = f"With {k} latents set to 0 you have an RMSE of {measured[k]:.4f}; expected {expected[k]:.4f}."
    near = lambda values: all(abs(measured[i] - e) <= TOLERANCE * e for i, e in enumerate(values))  # noqa: E731
    if near(_errors_without(model, x, lowest_first=False)):
        return f"{found} You begin with the highest KL: begin with the lowest."
    if near([error**2 for error in expected]):
        return f"{found} These are mean squared errors: take the root."
    return f"{found} Set them to 0 in mu, those with the lowest mean KL first, and decode that mu."


def check_fixed_sigma(
    model: VAE | None, x: Tensor, rate: float | None, effective_beta: float | None
) -> Verdict:
    """Check an experiment: a VAE is trained with sigma = 1 at beta = 1.

    Args:
        model: the network that the student trained.
        x: validation images (B, C, H, W) in [0, 1].
        rate: its mean KL on them, nats per image.
        effective_beta: beta * sigma^2 of this training.
    Returns:
        The verdict, after showing it.
    """

    def examine(_) -> None:
        if model is None or rate is None or effective_beta is None:
            raise not_attempted()
        if model.sigma is None:
            raise Finding("The network has the optimal sigma: make it with VAE(..., sigma=1.0).")
        if not abs(model.sigma - 1) < 1e-6:
            raise Finding(f"The network has sigma = {model.sigma:g}; the experiment asks for 1.")
        with torch.no_grad():
            expected = kl_divergence(*model.encode(x)).item()
        if abs(rate - expected) > TOLERANCE * expected + 0.02:
            by_latent = abs(rate * model.latent_dim - expected) <= TOLERANCE * expected
            hint = " Sum over latents, average over images." if by_latent else " Measure this network on val."
            raise Finding(f"The rate is {rate:.3g} nats; measured again it is {expected:.3g}.{hint}")
        if abs(effective_beta - 1) > 1e-6:
            raise Finding(f"effective_beta is {effective_beta:g}; beta * sigma^2 is 1 here.")

    return judge(
        "sigma of 1", lambda: None, examine, "The rate is that of your network, and beta * sigma^2 is 1."
    )
