"""What a VAE does at one beta: its figures, and rows of pictures. The beta explorer and figures draw both."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medgen_course.metrics.likelihood import active_units, dequantise
from medgen_course.models.vae import VAE, kl_per_dimension
from medgen_course.pictures import render
from medgen_course.pretrained import Codes

COLUMNS = 6
TRAVERSED = 3
REACH = 2.5  # a traversal goes so far to both sides, in standard deviations of the prior


@dataclass(frozen=True)
class Figures:
    """A VAE's figures at one beta.

    sigma: of the Gaussian likelihood, in grey levels of [0, 1].
    kl: mean KL of every latent, nats, (latent_dim,).
    active: number of active units (Burda et al. 2016).
    reconstruction: mean E_q[log p(x|z)] with one draw of z, nats; None where there are no images.
    rmse: of images decoded from these draws, on the [0, 1] scale; None where there are no images.
    """

    sigma: float
    kl: np.ndarray
    active: float
    reconstruction: float | None = None
    rmse: float | None = None

    @property
    def rate(self) -> float:
        """The whole KL, nats per image."""
        return float(self.kl.sum())


@torch.no_grad()
def measure(model: VAE, images: np.ndarray, seed: int = 0) -> Figures:
    """All figures on uint8 images (N, C, H, W), as `likelihood.evaluate_vae` defines them."""
    squares, totals, means, kl = [], [], [], []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for part in torch.from_numpy(images).split(128):
            x = dequantise(part)
            logits, mu, logvar = model(x)
            totals.append(model.log_likelihood(logits, x))
            squares.append((model.mean(logits) - x).square().flatten(1).mean(1))
            kl.append(kl_per_dimension(mu, logvar))
            means.append(mu)
    return Figures(
        sigma=float(model.variance.sqrt()),
        kl=torch.cat(kl).mean(0).numpy(),
        active=float(active_units(torch.cat(means)).sum()),
        reconstruction=float(torch.cat(totals).mean()),
        rmse=float(torch.cat(squares).mean().sqrt()),
    )


def from_codes(model: VAE, codes: Codes) -> Figures:
    """What stored posteriors tell without an image: σ, KL and active units."""
    kl = kl_per_dimension(codes.mu, codes.logvar).mean(0).numpy()
    return Figures(float(model.variance.sqrt()), kl, float(active_units(codes.mu).sum()))


def between(figures: Mapping[float, Figures], beta: float, sigma: float) -> Figures:
    """Figures at a beta between measured ones: interpolated in log beta; σ is given, it is known exactly."""
    betas = sorted(figures)
    at = np.log(betas)

    def value(name: str) -> float:
        return float(np.interp(np.log(beta), at, [getattr(figures[b], name) for b in betas]))

    table = np.stack([figures[b].kl for b in betas])  # (betas, latent_dim)
    kl = np.array([np.interp(np.log(beta), at, column) for column in table.T])
    return Figures(sigma, kl, value("active"), value("reconstruction"), value("rmse"))


@torch.inference_mode()
def rows(
    model: VAE, x: Tensor | None, mu: Tensor | None, noise: Tensor, kl: np.ndarray
) -> dict[str, np.ndarray]:
    """Rows of pictures that show what a VAE can do.

    Args:
        model: a VAE on the CPU.
        x: images (COLUMNS, C, H, W) in [0, 1], or None.
        mu: without images, stored codes (COLUMNS, latent_dim) to rebuild; otherwise None.
        noise: draws from the prior (COLUMNS, latent_dim).
        kl: mean KL of every latent (latent_dim,): the TRAVERSED highest are traversed, from the first code,
            between −REACH and REACH.
    Returns:
        Name of a row to its pictures, uint8 (COLUMNS, C, H, W), all decoded in one pass.
    """
    codes = mu if x is None else model.encode(x)[0]
    order = np.argsort(-kl, kind="stable")[:TRAVERSED].tolist()
    parts = [codes, noise]
    for dimension in order:
        path = codes[:1].repeat(COLUMNS, 1)
        path[:, dimension] = torch.linspace(-REACH, REACH, COLUMNS)
        parts.append(path)
    decoded = render.to_bytes(model.decode(torch.cat(parts)))  # ((2 + TRAVERSED) · COLUMNS, C, H, W)
    first = "stored codes,\nrebuilt by the model" if x is None else "reconstructions"
    names = [
        first,
        "samples from\nthe prior",
        *(f"z[{d}], −{REACH} … {REACH}\n{kl[d]:.2f} nats" for d in order),
    ]
    ends = np.cumsum([len(part) for part in parts])[:-1]  # a small data set may give fewer images
    made = dict(zip(names, np.split(decoded, ends), strict=True))
    return made if x is None else {"validation images": render.to_bytes(x), **made}
