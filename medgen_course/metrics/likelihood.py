"""What a VAE is worth: ELBO, bits per dimension, importance-weighted likelihood, use of the code."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medgen_course import metrics
from medgen_course.metrics.reconstruction import too_small_for_ssim
from medgen_course.models.vae import VAE, elbo, kl_per_dimension, reparameterise

NO_LIKELIHOOD = (
    "minus the cross-entropy, which is not normalised over grey levels and so no likelihood: it compares "
    "with Bernoulli VAEs on the same images only"
)


def dequantise(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """uint8 (N, C, H, W) to (grey + u) / 256 with u uniform in [0, 1), so that densities mean something.

    Source: Theis, van den Oord & Bethge 2016, section 3.1.
    """
    return (images.float() + torch.rand(images.shape, generator=generator)) / 256


def bits_per_dim(elbo: float, dimensions: int) -> float:
    """Bits for one pixel value of an 8-bit image: (-elbo / dimensions + ln 256) / ln 2.

    Args:
        elbo: nats per image, of a density on [0, 1] at dequantised pixels.
        dimensions: channels * height * width.
    """
    return (-elbo / dimensions + math.log(256)) / math.log(2)


def drawn_together(images: Tensor) -> int:
    """How many images of this size share a draw of noise: 2,048 of 28 x 28 pixels, fewer of larger ones.

    To change it changes every estimate a little; `batches.parts` is for what draws nothing, and quicker.
    """
    return max(1, 2048 * 28**2 // images[0].numel())


@torch.no_grad()
def importance_weighted_log_likelihood(
    model: VAE, x: Tensor, samples: int = 200, chunk: int | None = None
) -> Tensor:
    """log (1/K) sum_k p(x|z_k) p(z_k) / q(z_k|x): between the ELBO (K = 1) and log p(x) (K to infinity).

    Args:
        model: a VAE.
        x: images (B, C, H, W).
        samples: K.
        chunk: decoder passes at once, so that memory does not grow with K; None takes `drawn_together(x)`.
    Returns:
        Shape (B,), nats.
    Source: Burda, Grosse & Salakhutdinov 2016, equation 8.
    """
    mu, logvar = model.encode(x)
    together, log_weights = max(1, (chunk or drawn_together(x)) // len(x)), []
    for start in range(0, samples, together):
        k = min(together, samples - start)
        m, v = mu.repeat(k, 1), logvar.repeat(k, 1)
        z = reparameterise(m, v)
        log_prior_ratio = 0.5 * (v + (z - m).square() / v.exp() - z.square()).sum(1)  # log p(z) - log q(z|x)
        log_px = model.log_likelihood(model.decoder(z).float(), x.repeat(k, 1, 1, 1))
        log_weights.append((log_px + log_prior_ratio).view(k, len(x)))
    return torch.cat(log_weights).logsumexp(0) - math.log(samples)


def active_units(mu: Tensor, threshold: float = 0.01) -> Tensor:
    """Which latents carry information: the variance of their posterior mean over images exceeds `threshold`.

    Args:
        mu: posterior means (N, latent_dim).
        threshold: 0.01 in the source.
    Returns:
        Booleans, shape (latent_dim,).
    Source: Burda, Grosse & Salakhutdinov 2016, appendix C.
    """
    return mu.var(0) > threshold


@torch.no_grad()
def aggregate_posterior_kl(mu: Tensor, logvar: Tensor, chunk: int = 256) -> float:
    """KL(q(z) || p(z)), q(z) the mean of all N posteriors: how far samples start from codes.

    The average KL of the ELBO splits into this and the information between image and code, which is at most
    ln N here. One z is drawn from every posterior; the estimate uses torch's global random state.

    Args:
        mu, logvar: posteriors of N images (N, latent_dim).
        chunk: rows at once.
    Returns:
        Nats.
    Source: Hoffman & Johnson 2016, equation 9.
    """
    z = reparameterise(mu, logvar)
    q = torch.distributions.Normal(mu, (0.5 * logvar).exp())
    log_q = torch.cat(
        [q.log_prob(part[:, None]).sum(2).logsumexp(1) - math.log(len(mu)) for part in z.split(chunk)]
    )
    log_p = torch.distributions.Normal(0, 1).log_prob(z).sum(1)
    return (log_q - log_p).mean().item()


@torch.no_grad()
def evaluate_vae(
    model: VAE, images: Tensor, importance_samples: int = 200, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """All figures of a VAE on some images.

    Args:
        model: a VAE, on any device.
        images: uint8 (N, C, H, W).
        importance_samples: K of the importance-weighted likelihood; 0 leaves it out.
        seed: of the dequantisation and the draws of z.
    Returns:
        {"elbo", "bits_per_dim", "reconstruction", "kl", "log_likelihood", "psnr", "ssim", "active_units"},
        each {"value", "low", "high"}: nats per image, bits, decibels; PSNR and SSIM are those of the image
        decoded from the posterior mean. Where there is no such figure, {"value": None, "note": why}: SSIM
        below 11 pixels, the active units of one image, bits and likelihood of a Bernoulli VAE, whose `elbo`
        and `reconstruction` have a `note` that they are no likelihoods.
    """
    columns: dict[str, list[Tensor]] = {}
    means, bernoulli = [], model.likelihood == "bernoulli"
    small = too_small_for_ssim(min(images.shape[-2:]))
    device = model.variance.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for part in images.split(max(1, drawn_together(images) // 4)):
            x, part = dequantise(part).to(device), part.to(device)
            mu, _ = model.encode(x)
            means.append(mu)
            x_hat, clean = model.decode(mu), part.float() / 255
            values = elbo(model, x)
            values["psnr"] = metrics.psnr(x_hat, clean)
            if not small:
                values["ssim"] = metrics.ssim(x_hat, clean)
            if importance_samples and not bernoulli:
                values["log_likelihood"] = importance_weighted_log_likelihood(model, x, importance_samples)
            for name, value in values.items():
                columns.setdefault(name, []).append(value)
    dimensions = images[0].numel()
    result = {
        name: metrics.bootstrap_interval(torch.cat(parts).cpu().numpy()) for name, parts in columns.items()
    }
    if small:
        result["ssim"] = {"value": None, "note": small}
    if bernoulli:
        none = {"value": None, "note": "a Bernoulli VAE has no likelihood of grey levels"}
        result |= {"bits_per_dim": none} | ({"log_likelihood": none} if importance_samples else {})
        for name in ("elbo", "reconstruction"):
            result[name]["note"] = NO_LIKELIHOOD
    else:
        bound = result["elbo"]
        low, high = bits_per_dim(bound["high"], dimensions), bits_per_dim(bound["low"], dimensions)
        result["bits_per_dim"] = {"value": bits_per_dim(bound["value"], dimensions), "low": low, "high": high}
    if len(images) > 1:
        count = float(active_units(torch.cat(means)).sum())
        result["active_units"] = {"value": count, "low": count, "high": count}
    else:
        result["active_units"] = {"value": None, "note": "one image; codes vary from two on"}
    return result


@torch.no_grad()
def rate_distortion(model: VAE, images: Tensor, seed: int = 0, draws: int = 4) -> dict[str, float]:
    """Where a model stands between remembering and compressing.

    Args:
        model: a VAE.
        images: uint8 (N, C, H, W).
        seed: of the draws.
        draws: of z for every image, averaged.
    Returns:
        `rate` (KL, nats per image), `rmse` of images decoded from drawn z (grey levels of [0, 1]), `elbo`
        (nats per image), `sigma` and `active_units`.
    Source: Alemi et al. 2018, section 2.
    """
    total, means = torch.zeros(3, dtype=torch.float64), []  # squared error, log p(x|z), KL
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for part in images.split(drawn_together(images)):
            x = dequantise(part)
            mu, logvar = model.encode(x)
            means.append(mu)
            total[2] += kl_per_dimension(mu, logvar).sum()
            for _ in range(draws):
                logits = model.decoder(reparameterise(mu, logvar)).float()
                total[0] += (model.mean(logits) - x).square().flatten(1).mean(1).sum() / draws
                total[1] += model.log_likelihood(logits, x).sum() / draws
    mse, log_px, rate = total / len(images)
    return {
        "rate": rate.item(),
        "rmse": mse.sqrt().item(),
        "elbo": (log_px - rate).item(),
        "sigma": model.variance.sqrt().item(),
        "active_units": float(active_units(torch.cat(means)).sum()),
    }


def rmse_ratios(curve: list[dict[str, float]], separate: list[dict[str, float]]) -> list[float]:
    """How much more one network for every beta errs than separately trained ones, at the rate of each.

    Args:
        curve: `rate_distortion` of the one network at many betas.
        separate: the same of each separately trained model, on the same images.
    Returns:
        RMSE of the curve over that of each model, read between the curve's points at the log of the model's
        rate; 1 is equal. NaN below the curve's lowest rate, where it has no point. Above its highest rate
        its last point counts, although it spends less there.
    """
    rates, errors = np.array(sorted((point["rate"], point["rmse"]) for point in curve)).T
    wanted = [math.log(max(point["rate"], 1e-9)) for point in separate]
    found = np.interp(wanted, np.log(rates), errors, left=np.nan)
    return (found / [point["rmse"] for point in separate]).tolist()


@torch.no_grad()
def kl_by_dimension(model: VAE, x: Tensor) -> Tensor:
    """Mean KL of every latent over images x, shape (latent_dim,), nats."""
    parts = [kl_per_dimension(*model.encode(part)).sum(0) for part in x.split(drawn_together(x))]
    return torch.stack(parts).sum(0) / len(x)
