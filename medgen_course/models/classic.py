"""What needs no training: classic filters of scikit-image, each with one strength, on batches (B, C, H, W).

A bicubic enlargement and zero-filled k-space are the degradations' own `guess`.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.degradations import Degradation

ROUNDS = 8  # of `total_variation_fit`


def gaussian(x: Tensor, sigma: float) -> Tensor:
    """Convolve with a Gaussian of `sigma` pixels."""
    from skimage.filters import gaussian as smooth

    return _each(lambda image: smooth(image, sigma, mode="nearest"), x)


def median(x: Tensor, radius: float) -> Tensor:
    """The median of the square of 2 radius + 1 pixels around each pixel."""
    from skimage.filters import median as middle

    side = 2 * int(radius) + 1
    return _each(lambda image: middle(image, np.ones((side, side))), x)


def nonlocal_means(x: Tensor, strength: float) -> Tensor:
    """Average pixels whose surroundings look alike (Buades, Coll & Morel 2005); `strength` is their h."""
    from skimage.restoration import denoise_nl_means

    settings = {"patch_size": 5, "patch_distance": 6, "fast_mode": True}
    return _each(lambda image: denoise_nl_means(image, h=strength, **settings), x)


def rician_unbiased(m: Tensor, sigma: float) -> Tensor:
    """Filtered magnitudes m without the brightness that Rician noise adds: √max(m² − 2σ², 0).

    The noise is in two channels and only its magnitude is kept, so E y² = x² + 2σ²: what was black is grey.
    That is exact for a mean of squares. A mean of magnitudes has m² ≈ x² + σ² where x ≫ σ, so there twice as
    much is taken away as was added: at σ = 0.1 half of white becomes 0.49.

    Args:
        m: filtered images (B, C, H, W).
        sigma: of the noise in each channel, in units of the grey scale.
    Source: Nowak 1999, equation 7; with non-local means, Wiest-Daesslé et al. 2008.
    """
    return (m.square() - 2 * sigma**2).clamp(min=0).sqrt()


def total_variation(x: Tensor, weight: float) -> Tensor:
    """Less total variation for distance to x (Rudin, Osher & Fatemi 1992), as Chambolle 2004 does it."""
    from skimage.restoration import denoise_tv_chambolle

    return _each(lambda image: denoise_tv_chambolle(image, weight), x)


def total_variation_fit(x: Tensor, weight: float, degradation: Degradation, y: Tensor) -> Tensor:
    """`total_variation` and data consistency in turn, `ROUNDS` times, from a first guess x."""
    for _ in range(ROUNDS):
        x = degradation.project(total_variation(x, weight), y)
    return x


def biharmonic(x: Tensor, known: Tensor) -> Tensor:
    """Fill holes as smoothly as a thin plate would (Damelin & Hoang 2018).

    Args:
        x: images (B, C, H, W).
        known: 1 where x is known, 0 in the hole, (B, 1, H, W).
    """
    from skimage.restoration import inpaint_biharmonic

    filled = [
        [inpaint_biharmonic(channel, hole) for channel in image]
        for image, hole in zip(x.numpy(), known[:, 0].numpy() == 0, strict=True)
    ]
    return torch.from_numpy(np.array(filled, dtype=np.float32)).clamp(0, 1)


DENOISERS: dict[str, tuple[Callable[[Tensor, float], Tensor], tuple[float, ...]]] = {
    "Gaussian": (gaussian, (0.3, 0.4, 0.5, 0.6, 0.7, 1.0)),
    "median": (median, (1, 2)),
    "non-local means": (nonlocal_means, (0.04, 0.06, 0.08, 0.1, 0.14, 0.2)),
    "total variation": (total_variation, (0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.18)),
}  # name -> the filter, and strengths to choose from; the median's smallest is that of 3 x 3 pixels


def _each(change: Callable[[np.ndarray], np.ndarray], x: Tensor) -> Tensor:
    """Every channel of every image by itself, cut to [0, 1]."""
    made = np.array([[change(channel) for channel in image] for image in x.numpy()], dtype=np.float32)
    return torch.from_numpy(made).clamp(0, 1)
