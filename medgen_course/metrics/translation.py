"""How good a translation is where the truth is known, what must be beaten, and what became of the lesions.

Three baselines need no network: leave the image alone, match histograms, look grey levels up. The lookup is
fitted on pairs, so it knows more than unpaired training does, but no shapes.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import label
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


def gap_closed(value: float, floor: float, ceiling: float) -> float:
    """Share of the way from a floor (the lookup) to a ceiling (pix2pix); 1 is all of it, < 0 is below."""
    return (value - floor) / (ceiling - floor)


@dataclass(frozen=True)
class LesionReport:
    """What became of the lesions.

    lesions: the slices that have one, (K,) indices.
    true_contrast, contrast: mean difference to the healthy twin inside the mask, in truth and as translated,
        (K,), grey levels in [-1, 1].
    erased: (K,) bool. invented: regions in each of the N slices, (N,). regions: where, bool (N, H, W).
    threshold: how far from the truth a pixel must lie to count, half the mean true contrast; signed.
    smallest: how many such pixels an invention must have.
    """

    lesions: np.ndarray
    true_contrast: np.ndarray
    contrast: np.ndarray
    erased: np.ndarray
    invented: np.ndarray
    regions: np.ndarray
    threshold: float
    smallest: int

    @property
    def erased_share(self) -> float:
        """Share of the lesions that are gone."""
        return float(self.erased.mean())

    @property
    def invented_share(self) -> float:
        """Share of the slices in which something stands that is not there."""
        return float((self.invented > 0).mean())


def lesion_report(
    translated: Tensor,
    truth: np.ndarray,
    healthy: np.ndarray,
    masks: np.ndarray,
    smallest: int | None = None,
    threshold: float | None = None,
) -> LesionReport:
    """Count erased and invented lesions.

    Erased: the mean contrast inside the true mask is less than half of the true one. Contrast is measured
    against the slice's healthy twin, which only a phantom has. Invented: a connected region (by edges) of at
    least the smallest lesion's area lies beyond the truth by more than half the lesions' mean contrast, in
    the lesions' direction: brighter in T2w, darker in T1w.

    Args:
        translated: floats in [0, 1], (N, 1, H, W).
        truth, healthy: uint8 (N, 1, H, W), the target domain with and without the lesion.
        masks: uint8 (N, 1, H, W).
        smallest: pixels that an invention must have; None takes the smallest mask that there is.
        threshold: signed distance from the truth that counts; None takes half the mean true contrast. Give
            both, from a report on all slices, to judge a few of them by the same measure.
    Raises:
        ValueError: the shapes differ, or there is no lesion to take one of the two from.
    Source: the question of Cohen, Luck & Honari 2018.
    """
    shapes = [tuple(t.shape) for t in (translated, truth, healthy, masks)]
    if len(set(shapes)) > 1 or shapes[0][1] != 1:
        raise ValueError(f"expected four times (N, 1, H, W), got {', '.join(map(str, shapes))}.")
    made = translated.detach().cpu().float().numpy()[:, 0]
    true, twin, inside = truth[:, 0] / 255, healthy[:, 0] / 255, masks[:, 0].astype(bool)
    area = inside.sum((1, 2))
    lesions = np.flatnonzero(area)
    if not len(lesions) and None in (smallest, threshold):
        raise ValueError("no mask holds a lesion, so none can be erased; give slices with lesions.")
    true_contrast, contrast = (
        ((image - twin) * inside).sum((1, 2))[lesions] / area[lesions] for image in (true, made)
    )
    threshold = float(true_contrast.mean()) / 2 if threshold is None else threshold
    beyond = (made - true) * np.sign(threshold) > abs(threshold)
    smallest = int(area[lesions].min()) if smallest is None else smallest
    regions = np.stack([_large(part, smallest) for part in beyond])
    return LesionReport(
        lesions,
        true_contrast,
        contrast,
        erased=contrast * np.sign(true_contrast) < np.abs(true_contrast) / 2,
        invented=np.array([label(part)[1] for part in regions]),
        regions=regions,
        threshold=threshold,
        smallest=smallest,
    )


def _large(pixels: np.ndarray, smallest: int) -> np.ndarray:
    """Keep the connected regions of (H, W) that have at least `smallest` pixels."""
    numbers, _ = label(pixels)
    sizes = np.bincount(numbers.ravel())
    return pixels & (sizes[numbers] >= smallest)


def _mean(values: Tensor, where: Tensor) -> Tensor:
    """Mean of each image over some of its pixels, (N,)."""
    return (values * where).sum((1, 2, 3)) / where.sum((1, 2, 3))
