"""How good a translation is where the truth is known, and what must be beaten; lesions.py counts lesions.

Three baselines need no network: leave the image alone, match histograms, look grey levels up. The lookup is
fitted on pairs, so it knows more than unpaired training does, but no shapes.
"""

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.checks import describe
from medgen_course.batches.transforms import to_unit
from medgen_course.metrics.reconstruction import psnr, ssim

LEVELS = 256


def fit_lookup(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """For every grey level of a the mean grey level that b has in its place: least squares without shapes.

    Args:
        a, b: paired grey images, uint8 (N, 1, H, W).
    Returns:
        (256,), float32 in [0, 1]; levels that a never has lie on the line between their neighbours.
    Raises:
        ValueError: the shapes differ, or the images are not grey uint8.
    """
    if a.shape != b.shape or a.ndim != 4 or a.shape[1] != 1 or a.dtype != np.uint8 or b.dtype != np.uint8:
        raise ValueError(
            f"expected two paired uint8 arrays (N, 1, H, W), got {describe(a)} and {describe(b)}."
        )
    count = np.bincount(a.ravel(), minlength=LEVELS)
    total = np.bincount(a.ravel(), weights=b.ravel(), minlength=LEVELS)
    seen = np.flatnonzero(count)
    return np.interp(np.arange(LEVELS), seen, total[seen] / count[seen] / 255).astype(np.float32)


def apply_lookup(table: np.ndarray, a: np.ndarray) -> Tensor:
    """Grey levels uint8 (N, 1, H, W) through a table (256,) of `fit_lookup`: floats in [0, 1]."""
    return torch.from_numpy(table[a])


def match_histogram(a: np.ndarray, b: np.ndarray) -> Tensor:
    """Give each image of a the grey levels of domain b, in the same order: a monotone map, without pairs.

    Args:
        a: uint8 (N, C, H, W).
        b: images of the other domain, pooled, uint8 (M, C, H, W), as many channels.
    Returns:
        (N, C, H, W), floats in [0, 1].
    Raises:
        ValueError: the channels differ.
    Source: Gonzalez & Woods 2018, section 3.3, as scikit-image does it.
    """
    from skimage.exposure import match_histograms  # late: half a second

    if a.shape[1] != b.shape[1]:
        raise ValueError(f"{a.shape[1]} and {b.shape[1]} channels: histograms cannot be matched.")
    pool = b.transpose(0, 2, 3, 1).reshape(-1, b.shape[3], b.shape[1])  # (M H, W, C)
    images = [match_histograms(image.transpose(1, 2, 0), pool, channel_axis=2) for image in a]
    return torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).astype(np.float32) / 255).clamp(0, 1)


def quality(translated: Tensor, truth: np.ndarray, masks: np.ndarray | None = None) -> dict[str, Tensor]:
    """Distance to the truth, image by image.

    Args:
        translated: floats in [0, 1], (N, C, H, W).
        truth: the same slices in the target domain, uint8 (N, C, H, W).
        masks: uint8 (N, 1, H, W), 1 in the lesion; None leaves the last two out.
    Returns:
        `psnr` in decibels and `ssim`, (N,); `error_outside`, the mean absolute error outside lesions, (N,),
        and `error_inside` that inside, of the K slices with a lesion, (K,); both in [0, 1].
    Raises:
        ValueError: the shapes differ.
    """
    x = to_unit(torch.from_numpy(truth))
    values = {"psnr": psnr(translated, x), "ssim": ssim(translated, x)}
    if masks is not None:
        inside = torch.from_numpy(masks).bool().expand_as(x)
        error, ill = (translated - x).abs(), inside.flatten(1).any(1)
        values["error_outside"] = _mean(error, ~inside)
        values["error_inside"] = _mean(error[ill], inside[ill])
    return values


def gap_closed(value: float, floor: float, reference: float) -> float:
    """Share of the way from a floor (the lookup) to a reference (pix2pix); 1 is all of it, < 0 is below."""
    return (value - floor) / (reference - floor)


def _mean(values: Tensor, where: Tensor) -> Tensor:
    """Mean of each image over some of its pixels, (N,)."""
    return (values * where).sum((1, 2, 3)) / where.sum((1, 2, 3))
