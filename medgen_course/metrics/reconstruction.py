"""How near a reconstruction is to its image: MSE, PSNR, SSIM, and means with an interval.

The data range is fixed at 1 for every image. A range taken from each image would make PSNR jump with the
brightest pixel and two images incomparable. Crop padding before measuring: black borders flatter.
"""

from collections.abc import Sequence

import numpy as np
import torch
from kornia.metrics import ssim as kornia_ssim
from torch import Tensor

from medgen_course.batches.checks import check_image, describe

SSIM_WINDOW = 11  # pixels: a Gaussian of 1.5 pixels cut at 3.5 standard deviations
SSIM_CHUNK = 64  # images at a time: SSIM holds ten maps of the size of its input
RESAMPLES = 2000


def mse(x_hat: Tensor, x: Tensor) -> Tensor:
    """Mean squared error, averaged over the channels and pixels of each image.

    Args:
        x_hat: reconstructions, floats in [0, 1], (B, C, H, W).
        x: images, the same.
    Returns:
        (B,), float32, in [0, 1]; 0 is perfect.
    Raises:
        ValueError: the shapes differ, or one of the two is no such batch.
    """
    _check_pair(x_hat, x)
    return (x_hat.float() - x.float()).square().mean((1, 2, 3))


def psnr(x_hat: Tensor, x: Tensor) -> Tensor:
    """Peak signal-to-noise ratio, -10 log10(MSE), with a peak of 1.

    A perfect reconstruction has no error and an infinite PSNR: inf is returned, and the mean over a batch
    that holds one is inf too. Then report the MSE, or the median.

    Args:
        x_hat: reconstructions, floats in [0, 1], (B, C, H, W).
        x: images, the same.
    Returns:
        (B,), float32, decibels, >= 0; more is better.
    Raises:
        ValueError: the shapes differ, or one of the two is no such batch.
    """
    return -10 * torch.log10(mse(x_hat, x))


def ssim(x_hat: Tensor, x: Tensor) -> Tensor:
    """Structural similarity with the window of its authors, averaged over channels and pixels of each image.

    Windows that would reach over the border are left out.

    Args:
        x_hat: reconstructions, floats in [0, 1], (B, C, H, W), H and W at least 11.
        x: images, the same.
    Returns:
        (B,), float32, from -1 to 1; 1 is perfect.
    Raises:
        ValueError: the shapes differ, one of the two is no such batch, or the images are too small.
    Source: Wang, Bovik, Sheikh & Simoncelli 2004, equation 13 (K1 = 0.01, K2 = 0.03).
    """
    _check_pair(x_hat, x)
    if min(x.shape[-2:]) < SSIM_WINDOW:
        raise ValueError(
            f"SSIM needs {SSIM_WINDOW} x {SSIM_WINDOW} pixels or more, but got {describe(x)}. Use mse."
        )
    values = []
    for part in zip(x_hat.float().split(SSIM_CHUNK), x.float().split(SSIM_CHUNK), strict=True):
        similarity = kornia_ssim(*part, SSIM_WINDOW, padding="valid")  # (B, C, H - 10, W - 10)
        values.append(similarity.mean((1, 2, 3)))
    return torch.cat(values)


def too_small_for_ssim(size: int) -> str:
    """Why images of this side in pixels have no SSIM, or "" where they have one."""
    return "" if size >= SSIM_WINDOW else f"images of {size} pixels; SSIM needs {SSIM_WINDOW}"


def bootstrap_interval(
    values: Tensor | np.ndarray | Sequence[float], level: float = 0.95, seed: int = 0
) -> dict[str, float]:
    """Mean over images, with the percentile bootstrap interval of that mean (2,000 resamples).

    The interval says how the mean would vary with other test images of the same kind; it knows nothing of
    another training seed. One value has no spread: low and high are then the value itself. Infinite values
    (the PSNR of a perfect image) count as they are: the value is inf, and so are those ends of the interval
    where nearly every resample holds such an image.

    Args:
        values: one number an image, (N,), N >= 1.
        level: share of the resampled means inside the interval, between 0 and 1.
        seed: seed of the resampling.
    Returns:
        {"value": mean, "low": lower end, "high": upper end}, floats in the unit of `values`.
    Raises:
        ValueError: no values, not one dimension, NaN or -inf among them, or a level outside (0, 1).
    Source: Efron & Tibshirani 1993, chapter 13.
    """
    array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    array = array.astype(np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"expected one number an image, (N,), but got {describe(array)}. Use flatten().")
    bad = np.isnan(array) | (array == -np.inf)
    if bad.any():
        raise ValueError(
            f"{bad.sum()} of {array.size} values are NaN or -inf, the first at {bad.argmax()}. Look there."
        )
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, for example 0.95, but is {level}.")
    rng = np.random.default_rng(seed)
    rows = max(1, 2**18 // array.size)  # resamples at a time: memory stays small for any N
    parts = [min(rows, RESAMPLES - done) for done in range(0, RESAMPLES, rows)]
    means = [array[rng.integers(array.size, size=(part, array.size))].mean(1) for part in parts]
    means = np.sort(np.concatenate(means))
    outside = round(RESAMPLES * (1 - level) / 2)  # resamples beyond each end
    return {
        "value": float(array.mean()),
        "low": float(means[outside]),
        "high": float(means[RESAMPLES - 1 - outside]),
    }


def _check_pair(x_hat: Tensor, x: Tensor) -> None:
    check_image(x_hat)
    check_image(x)
    if x_hat.shape != x.shape:
        raise ValueError(
            f"reconstructions have shape {tuple(x_hat.shape)}, images {tuple(x.shape)}: no pair."
        )
