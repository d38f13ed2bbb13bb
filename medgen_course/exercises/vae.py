"""Checks for notebook 02_vae: the KL divergence and the ELBO."""

import itertools
import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted

Terms = dict[str, Tensor]  # what is wrong with a form ("" where nothing is) -> its values

_KL_REDUCTIONS = {
    "": lambda kl: kl.sum(1).mean(),
    "It averages over latents: sum over them, average over the batch alone. ": lambda kl: kl.mean(),
    "It sums over the batch too: average over images. ": lambda kl: kl.sum(),
    "It averages over latents and sums over the batch: the other way round. ": lambda kl: kl.mean(1).sum(),
    "It averages over the batch and leaves out the sum: add up all latents. ": lambda kl: kl[:, 0].mean(),
}


def check_kl(fn: Callable[[Tensor, Tensor], Tensor]) -> Verdict:
    """Check fn(mu, logvar) -> KL(q(z|x) || N(0, I)), summed over latents, averaged over the batch.

    Args:
        fn: takes two float tensors (B, latent_dim) and returns a scalar tensor that carries a gradient.
    Returns:
        The verdict, after showing it.
    """
    return judge("KL divergence", fn, _examine_kl, "Nats per image, as torch.distributions has it.")


def check_elbo(fn: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]) -> Verdict:
    """Check fn(x_hat, x, sigma, mu, logvar) -> the ELBO in nats per image, with a Gaussian likelihood.

    Args:
        fn: takes mean images and images (B, C, H, W), sigma (a scalar tensor, the standard deviation of a
            pixel), mu and logvar (B, latent_dim); returns a scalar tensor that carries a gradient.
    Returns:
        The verdict, after showing it.
    """
    praise = "log N(x; x_hat, sigma^2) - KL: nats per image, higher is better."
    return judge("ELBO", fn, _examine_elbo, praise)


def _examine_kl(fn: Callable) -> None:
    generator = torch.Generator().manual_seed(0)
    for shape in ((3, 5), (4, 7)):
        mu, logvar = torch.randn(2, *shape, generator=generator)
        found = call(fn, mu.clone().requires_grad_(), logvar.clone().requires_grad_())
        kinds = itertools.product(_FACTORS.items(), _kl_terms(mu, logvar).items(), _KL_REDUCTIONS.items())
        mistakes = [(a + b + c, f * reduce(kl)) for (a, f), (b, kl), (c, reduce) in kinds]
        advice = "Use (mu^2 + exp(logvar) - 1 - logvar) / 2 for each latent."
        _compare(found, mistakes, f"For mu and logvar {shape}", shape[0], advice)


_FACTORS = {
    "": 1.0,
    "The factor 1/2 is missing. ": 2.0,
    "The sign is wrong: a KL divergence is never negative. ": -1.0,
    "The sign is wrong, and the factor 1/2 is missing. ": -2.0,
}


def _kl_terms(mu: Tensor, logvar: Tensor) -> Terms:
    """KL of every latent (B, latent_dim), right and with the usual mistakes."""
    square, variance = mu.square(), logvar.exp()
    return {
        "": (square + variance - 1 - logvar) / 2,
        "It has sigma where the variance belongs: exp(logvar), not exp(logvar / 2). ": (
            square + variance.sqrt() - 1 - logvar
        )
        / 2,
        "It takes logvar for log sigma: the variance is exp(logvar), not exp(2 logvar). ": (
            square + variance**2 - 1 - 2 * logvar
        )
        / 2,
        "The exponential is missing: the variance is exp(logvar). ": (square - 1) / 2,
        "mu is not squared. ": (mu + variance - 1 - logvar) / 2,
        "logvar enters with the wrong sign. ": (square + variance - 1 + logvar) / 2,
        "The -1 is missing. ": (square + variance - logvar) / 2,
        "These are the two distributions swapped, KL(p || q). ": ((1 + square) / variance - 1 + logvar) / 2,
    }


def _examine_elbo(fn: Callable) -> None:
    generator = torch.Generator().manual_seed(0)
    for shape, latents, s in (((3, 1, 4, 5), 5, 0.35), ((4, 3, 6, 2), 7, 0.2)):
        x_hat, x = torch.rand(2, *shape, generator=generator)
        mu, logvar = torch.randn(2, shape[0], latents, generator=generator)
        leaves = [t.clone().requires_grad_() for t in (x_hat, mu, logvar)]
        found = call(fn, leaves[0], x.clone(), torch.tensor(s), leaves[1], leaves[2])
        kl = _kl_terms(mu, logvar)[""]
        weighted = {
            **{text: reduce(kl) for text, reduce in _KL_REDUCTIONS.items()},
            "The sign of the KL is wrong: it is subtracted. ": -kl.sum(1).mean(),
            "The KL is missing. ": torch.zeros(()),
            "The factor 1/2 of the KL is missing. ": 2 * kl.sum(1).mean(),
        }
        signs = {"": 1, "This is the loss, the negative ELBO: turn its sign. ": -1}
        kinds = itertools.product(signs.items(), _likelihoods(x_hat, x, s).items(), weighted.items())
        mistakes = [(a + b + c, sign * (r - k)) for (a, sign), (b, r), (c, k) in kinds]
        advice = "Subtract the KL from log N(x; x_hat, sigma^2), summed over pixels."
        _compare(found, mistakes, f"For images {shape} and {latents} latents", shape[0], advice)


def _likelihoods(x_hat: Tensor, x: Tensor, s: float) -> Terms:
    """Gaussian log-likelihood per image (a scalar), right and with the usual mistakes."""
    pixels, scaled, constant = x[0].numel(), (x - x_hat).square() / s**2, math.log(2 * math.pi * s**2)
    total = lambda terms: -terms.flatten(1).sum(1).mean() / 2  # noqa: E731
    right, bare = total(scaled + constant), total(scaled)
    return {
        "": right,
        "It averages over pixels: sum over them, average over the batch alone. ": right / pixels,
        "It sums the likelihood over the batch too: average over images. ": right * len(x),
        "The constant log(2 pi sigma^2) of every pixel is missing. ": bare,
        "It averages over pixels, and the constant log(2 pi sigma^2) is missing. ": bare / pixels,
        "The constant counts once for an image; it belongs to every pixel. ": bare - constant / 2,
        "The 2 pi is missing in the constant. ": total(scaled + 2 * math.log(s)),
        "The sign of the constant is wrong. ": total(scaled - constant),
        "The constant lacks its factor 1/2. ": total(scaled + 2 * constant),
        "sigma^2 stands as sigma in the constant. ": total(scaled + math.log(2 * math.pi * s)),
        "sigma stands where its square belongs: divide by sigma^2. ": total(scaled * s + constant),
        "It takes sigma for the variance: square it. ": total(scaled * s + math.log(2 * math.pi * s)),
        "It is not divided by sigma^2. ": total(scaled * s**2 + constant),
        "It is the squared error alone: divide by 2 sigma^2, add the constant. ": 2 * total(scaled * s**2),
        "The squared error lacks its factor 1/2. ": total(2 * scaled + constant),
    }


def _compare(
    found: object, mistakes: Iterable[tuple[str, Tensor]], case: str, batch: int, advice: str
) -> None:
    """Compare a scalar with the right value and with those that usual mistakes give.

    Args:
        found: what the student's function returned.
        mistakes: what is wrong ("" for the right value) and the value that it gives; the right one first.
        case: for which arguments, the beginning of the message.
        batch: number of images.
        advice: what to say where no usual mistake fits.
    Raises:
        Finding: it is no scalar tensor, has another value, or no gradient.
    """
    if found is None:
        raise not_attempted()
    if not isinstance(found, Tensor):
        raise Finding(f"It returns a {type(found).__name__}; expected a tensor, which carries a gradient.")
    if found.ndim:
        each = "one value an image: average them" if found.shape == (batch,) else "reduce every dimension"
        raise Finding(f"{case} it returns shape {tuple(found.shape)}; expected (), {each}.")
    values = [(text, float(value)) for text, value in mistakes]
    (_, expected), value = values[0], found.item()
    fits = [text for text, other in values if abs(value - other) <= 1e-4 * max(abs(value), abs(other), 1e-6)]
    if "" not in fits:
        reason = min(fits, key=lambda text: text.count(". "), default=advice).strip()
        raise Finding(f"{case} it returns {value:.4g}; expected {expected:.4g}. {reason}")
    if not found.requires_grad:
        raise Finding(
            "The value is right, but no gradient can flow back: leave out detach, item and no_grad."
        )
