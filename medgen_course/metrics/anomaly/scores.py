"""How anomalous an image is, and where: what autoencoders, VAEs and GANs say. Higher is more anomalous.

Every score is a function of a trained model and images, uint8 (N, C, H, W). The maps are smoothed,
because one pixel of noise is no finding; their scale is that of the score, the same for every image.
"""

import io
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from medgen_course.batches.checks import describe
from medgen_course.batches.parts import parts
from medgen_course.batches.transforms import to_unit
from medgen_course.metrics.likelihood import dequantise, drawn_together, importance_weighted_log_likelihood
from medgen_course.models.fanogan import FAnoGAN, fanogan_distance
from medgen_course.models.segmenter import Segmenter
from medgen_course.models.vae import VAE, elbo, kl_per_dimension

SMOOTH = 1.0  # pixels, standard deviation
PEAK = 0.01  # share of the pixels that `peak` averages
DRAWS = 4  # of z for the ELBO


@dataclass(frozen=True)
class Scored:
    """Scores of N images; higher is more anomalous.

    image: float64 (N,). map: float32 (N, H, W), or None where the score does not say where. local: whether
    the map is this score pixel by pixel, so that its highest pixels may stand for the image.
    """

    image: np.ndarray
    map: np.ndarray | None = None
    local: bool = True

    def peak(self, share: float = PEAK) -> "Scored":
        """The same map; the image's score is the mean of its highest pixels instead of its own.

        A lesion is a small part of an image: a mean over all pixels is a mean over healthy ones.

        Args:
            share: of the pixels, in (0, 1]; at least one is taken.
        Raises:
            ValueError: there is no map, or it is not this score's own (the ELBO's is a squared error).
        """
        if self.map is None:
            raise ValueError("this score has no map, so it has no highest pixels; use `image`.")
        if not self.local:
            raise ValueError("the map is not this score, so its peak is another score; use `image`.")
        flat = self.map.reshape(len(self.map), -1)
        count = max(1, round(share * flat.shape[1]))
        return Scored(np.partition(flat, -count, axis=1)[:, -count:].mean(1).astype(np.float64), self.map)


@dataclass(frozen=True)
class Detector:
    """A score with its name left to a dictionary, and what the image is rebuilt as where that is its way.

    score: images uint8 (N, C, H, W) -> `Scored`. rebuild: the same images -> float32 (N, C, H, W), or None.
    """

    score: Callable[[np.ndarray], Scored]
    rebuild: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def by_peak(self) -> "Detector":
        """The same, but an image counts by the highest percent of its map."""
        return Detector(lambda images: self.score(images).peak(), self.rebuild)


def by_reconstruction(rebuild: Callable[[Tensor], Tensor]) -> Detector:
    """The detector of a network that rebuilds: see `reconstruction_error`."""
    return Detector(
        lambda images: reconstruction_error(rebuild, images), lambda images: rebuilt(rebuild, images)
    )


def smooth(maps: np.ndarray, sigma: float = SMOOTH) -> np.ndarray:
    """Maps (N, H, W) after a Gaussian of `sigma` pixels, in the plane of each image; 0 leaves them."""
    return gaussian_filter(maps.astype(np.float32), (0, sigma, sigma)) if sigma else maps.astype(np.float32)


@torch.no_grad()
def rebuilt(rebuild: Callable[[Tensor], Tensor], images: np.ndarray) -> np.ndarray:
    """Reconstructions, float32 (N, C, H, W), of uint8 images."""
    return torch.cat([rebuild(to_unit(part)).clamp(0, 1) for part in parts(images)]).float().numpy()


def reconstruction_error(
    rebuild: Callable[[Tensor], Tensor], images: np.ndarray, sigma: float = SMOOTH
) -> Scored:
    """|x - x_hat|, averaged over channels: the map, and its mean as the image's score.

    Args:
        rebuild: x (B, C, H, W) in [0, 1] -> x_hat of the same shape: an `Autoencoder`, `vae_mean(vae)`.
        images: uint8 (N, C, H, W).
        sigma: of the smoothing, pixels.
    Raises:
        ValueError: the model returned NaN.
    Source: Baur et al. 2021, "Autoencoders for unsupervised anomaly segmentation in brain MR images".
    """
    error = np.abs(rebuilt(rebuild, images) - images / np.float32(255)).mean(1)
    return _finite(Scored(error.mean((1, 2)).astype(np.float64), smooth(error, sigma)))


def squared_error(rebuild: Callable[[Tensor], Tensor], images: np.ndarray, sigma: float = SMOOTH) -> Scored:
    """(x - x_hat)^2, averaged over channels: the map, and its mean; else as `reconstruction_error`."""
    error = ((rebuilt(rebuild, images) - images / np.float32(255)) ** 2).mean(1)
    return _finite(Scored(error.mean((1, 2)).astype(np.float64), smooth(error, sigma)))


def vae_mean(model: VAE) -> Callable[[Tensor], Tensor]:
    """x -> what the decoder makes of the posterior mean."""
    return lambda x: model.decode(model.encode(x)[0])


@torch.no_grad()
def negative_elbo(model: VAE, images: np.ndarray, draws: int = DRAWS, seed: int = 0) -> Scored:
    """-ELBO in nats; the map is each pixel's share of -log p(x|z).

    With one variance for all images that map is a squared error, scaled and shifted: see `squared_error`. The
    KL, which the ELBO has beside it, has no place in it.

    Args:
        model: a Gaussian VAE.
        images: uint8 (N, C, H, W); dequantised here.
        draws: of z for every image, averaged.
        seed: of draws and dequantisation.
    Source: An & Cho 2015, "Variational autoencoder based anomaly detection using reconstruction probability".
    """
    values, maps = [], []
    with _seeded(seed):
        for part in _split(images):
            x = dequantise(part)
            values.append(-torch.stack([elbo(model, x)["elbo"] for _ in range(draws)]).mean(0))
            error = (model.decode(model.encode(x)[0]) - x).square().sum(1)
            maps.append(0.5 * (error / model.variance + (2 * math.pi * model.variance).log()))
    return _finite(Scored(_numbers(values), smooth(torch.cat(maps).numpy()), local=False))


def kl(model: VAE, images: np.ndarray) -> Scored:
    """KL(q(z|x) || p(z)) in nats; the map is how fast it would change with each pixel, |dKL/dx|.

    Source: Zimmerer et al. 2019, "Unsupervised anomaly localization using variational auto-encoders".
    """
    values, maps = [], []
    for part in _split(images):
        x = to_unit(part).requires_grad_(True)
        value = kl_per_dimension(*model.encode(x)).sum(1)
        (slope,) = torch.autograd.grad(value.sum(), x)
        values.append(value.detach())
        maps.append(slope.abs().mean(1))
    return _finite(Scored(_numbers(values), smooth(torch.cat(maps).numpy()), local=False))


def importance_weighted(model: VAE, images: np.ndarray, samples: int = 32, seed: int = 0) -> Scored:
    """-log p(x) in nats, estimated with importance weights; no map.

    Source: Burda, Grosse & Salakhutdinov 2016, equation 8.
    """
    with _seeded(seed):
        values = [
            -importance_weighted_log_likelihood(model, dequantise(part), samples) for part in _split(images)
        ]
    return _finite(Scored(_numbers(values)))


def complexity_corrected(likelihood: Scored, images: np.ndarray) -> Scored:
    """-log2 p(x) - L(x) in bits, L the length of the image as a PNG file; no map.

    A simple image gets a high likelihood whatever it shows. So its own complexity is taken off.

    Args:
        likelihood: -log p(x) in nats, of `negative_elbo` or `importance_weighted`, densities on [0, 1].
        images: the same images, uint8 (N, C, H, W).
    Source: Serrà et al. 2020, "Input complexity and out-of-distribution detection", equation 1.
    """
    dimensions = images[0].size
    bits = likelihood.image / math.log(2) + 8 * dimensions  # of 8-bit pixels, not of a density
    return Scored(bits - png_bits(images))


def png_bits(images: np.ndarray) -> np.ndarray:
    """Length of each image as an optimised PNG file, bits, float64 (N,)."""
    lengths = []
    for image in images:
        buffer = io.BytesIO()
        shown = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        Image.fromarray(np.ascontiguousarray(shown)).save(buffer, "PNG", optimize=True)
        lengths.append(8.0 * len(buffer.getvalue()))
    return np.array(lengths)


@torch.no_grad()
def fanogan(model: FAnoGAN, images: np.ndarray, sigma: float = SMOOTH) -> Scored:
    """Distance to what generator and encoder make of an image, in pixels and features; map: in pixels.

    Source: Schlegl et al. 2019, "f-AnoGAN", equation 5.
    """
    values, maps = [], []
    for part in _split(images):
        x = to_unit(part)
        x_hat = model(x)
        values.append(fanogan_distance(model, x, x_hat))
        maps.append((x - x_hat).abs().mean(1))
    return _finite(Scored(_numbers(values), smooth(torch.cat(maps).numpy(), sigma)))


@torch.no_grad()
def told_where(model: Segmenter, images: np.ndarray, sigma: float = SMOOTH) -> Scored:
    """The ceiling: probability of an anomaly at every pixel, by a network that was told where they are."""
    probabilities = model.probabilities(images)[:, 0]
    return _finite(Scored(probabilities.mean((1, 2)).astype(np.float64), smooth(probabilities, sigma)))


def check_images(images: np.ndarray, channels: int, size: int, name: str = "images") -> None:
    """Raise ValueError unless images are uint8 (N, channels, size, size); `name` is what it calls them."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (channels, size, size):
        raise ValueError(
            f"{name}: found {describe(images)}; expected uint8 (N, {channels}, {size}, {size}), as the model "
            "was trained on. What to do: resize the images, or train on images of this size."
        )


def _split(images: np.ndarray) -> tuple[Tensor, ...]:
    x = torch.from_numpy(np.ascontiguousarray(images))
    return x.split(max(1, drawn_together(x) // 4))


def _numbers(parts: list[Tensor]) -> np.ndarray:
    return torch.cat(parts).double().numpy()


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torch's draws from a seed; the caller's random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _finite(scored: Scored) -> Scored:
    for name, values in (("scores", scored.image), ("maps", scored.map)):
        if values is not None and not np.isfinite(values).all():
            bad = int((~np.isfinite(values).reshape(len(values), -1).all(1)).sum())
            raise ValueError(
                f"the {name} of {bad} of {len(values)} images are NaN or infinite; expected numbers: the "
                "model has diverged. What to do: train it again with a smaller step size."
            )
    return scored
