"""Check for notebook 02_vae: z drawn from the posterior."""

from collections.abc import Callable

import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted, show_values


def check_reparameterise(fn: Callable[[Tensor, Tensor], Tensor]) -> Verdict:
    """Check fn(mu, logvar) -> z, a draw from N(mu, exp(logvar)) through which gradients flow.

    Args:
        fn: takes posterior means and the natural log of posterior variances, both (B, latent_dim), and
            returns z of the same shape.
    Returns:
        The verdict, after showing it.
    """
    praise = "z has the mean mu and the variance exp(logvar), and both get a gradient."
    return judge("reparameterisation", fn, _examine_draw, praise)


def _examine_draw(fn: Callable) -> None:
    row_mu, row_logvar = torch.tensor([1.5, -0.7, 3.0]), torch.tensor([-1.5, 0.4, 1.2])
    mu, logvar = (row.repeat(20_000, 1).requires_grad_() for row in (row_mu, row_logvar))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        z, again = call(fn, mu, logvar), call(fn, mu, logvar)
    if z is None:
        raise not_attempted()
    if not isinstance(z, Tensor) or z.shape != mu.shape:
        what = f"shape {tuple(z.shape)}" if isinstance(z, Tensor) else f"a {type(z).__name__}"
        raise Finding(f"It returns {what}; expected a tensor {tuple(mu.shape)}, one z for each mu.")
    values, repeated = z.detach().cpu().double(), again.detach().cpu().double()
    if not values.isfinite().all():
        given = f"For mu {show_values(row_mu)} and logvar {show_values(row_logvar)}"
        raise Finding(f"{given} z holds nan or infinity: a logarithm may be negative and has no root then.")
    _check_noise(values, repeated, row_mu, row_logvar)
    _check_moments(values, row_mu, row_logvar)
    _check_gradients(z, mu, logvar)


def _check_noise(z: Tensor, again: Tensor, mu: Tensor, logvar: Tensor) -> None:
    std = (logvar / 2).exp()
    constant = torch.allclose(z, z[:1].expand_as(z), atol=1e-5)
    if constant and torch.allclose(z, again, atol=1e-5):
        product = any(torch.allclose(z[0].float(), mu * f, atol=1e-4) for f in (std, std**2, logvar))
        slip = " mu and the spread are multiplied: add them, mu + std * epsilon." if product else ""
        raise Finding(f"No noise: every call gives {show_values(z[0])}. Draw epsilon from N(0, 1).{slip}")
    if constant:
        raise Finding("All images of a batch get the same noise: draw epsilon in the shape of mu.")
    if torch.equal(z, again):
        raise Finding("Two calls give the same draw: leave the seed alone inside the function.")
    if torch.corrcoef(z.T).abs()[0, 1] > 0.99:
        raise Finding("All latents of an image get the same noise: draw epsilon in the shape of mu.")


def _check_moments(z: Tensor, mu: Tensor, logvar: Tensor) -> None:
    std, mean, spread = (logvar / 2).exp(), z.mean(0).float(), z.std(0).float()
    near = lambda a, b: torch.allclose(a, b, rtol=0.04, atol=0.04)  # noqa: E731
    if not near(mean, mu):
        hints = [
            (torch.zeros_like(mu), "mu is multiplied by noise, or left out: add it, mu + std * epsilon."),
            (mu * std, "mu is multiplied by the standard deviation: leave mu as it is."),
            (mu + std / 2, "The noise lies between 0 and 1 (torch.rand): use torch.randn, around 0."),
            (mu + std, "The noise has the mean 1: add std * epsilon once, epsilon around 0."),
        ]
        hint = next((text for value, text in hints if near(mean, value)), "Noise must not move the mean.")
        raise Finding(f"The mean of z is {show_values(mean)}; expected mu = {show_values(mu)}. {hint}")
    if not near(spread, std):
        hints = [
            (logvar.exp(), "exp(logvar) is the variance; the standard deviation is exp(logvar / 2)."),
            (logvar.abs(), "logvar is used as the standard deviation: that is exp(logvar / 2)."),
            (logvar.abs() / 2, "The exponential is missing: the standard deviation is exp(logvar / 2)."),
            ((logvar / 4).exp(), "One root too many: exp(logvar / 2) is the standard deviation already."),
            (torch.ones_like(std), "The noise is not scaled: multiply it by exp(logvar / 2)."),
            (1 / std, "The sign of logvar is turned."),
        ]
        hint = next((text for value, text in hints if near(spread, value)), "Take std = exp(logvar / 2).")
        raise Finding(
            f"With logvar {show_values(logvar)} the standard deviation of z is {show_values(spread)}; "
            f"expected {show_values(std)}. {hint}"
        )
    fourth = (((z - mu) / std) ** 4).mean(0).float()  # 3 for a normal distribution
    if not torch.allclose(fourth, torch.full_like(fourth, 3.0), atol=0.4):
        raise Finding("Mean and variance are right, but the noise is not normal: use torch.randn.")


def _check_gradients(z: Tensor, mu: Tensor, logvar: Tensor) -> None:
    grads = torch.autograd.grad(z.sum(), (mu, logvar), allow_unused=True) if z.requires_grad else (None, None)
    cut = [name for name, grad in zip(("mu", "logvar"), grads, strict=True) if grad is None or not grad.any()]
    if cut:
        raise Finding(
            f"The draw is right, but no gradient reaches {' and '.join(cut)}: the encoder cannot learn. "
            "Draw epsilon alone and compute z from it, without torch.normal, sample, detach or no_grad."
        )
