"""Does a model hand out its training images?

A short distance to a training image is no sign of it: a smooth image lies nearer to every image than a sharp
one does. The sign is one training image that is much nearer than all the others. So a sample is judged by the
distance to its nearest training image over that to the second nearest: 0 for a copy, near 1 for an image that
is merely smooth. Held-out images say how small the ratio gets by chance. Distances are between pixels.

Not seen: a copy that was turned or mirrored, and a retouched copy of an image that has a near twin in the
training split. Seen wrongly: an image that many patients share, such as a blank slice, is a copy wherever it
comes from.

Source: the ratio of Lowe 2004, section 7.1; for memorisation Yoon et al. 2023, section 3, with 1/3 in place
of a threshold from held-out images.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from medgen_course.batches.transforms import to_unit
from medgen_course.datasets.audit import fingerprint
from medgen_course.metrics.neighbours import closest

QUANTILE = 0.05  # of new real images lie below the threshold
FEWEST = 20  # new real images: below 1 / QUANTILE the threshold would be their smallest ratio, or less
SIDE = 32  # larger images are averaged down to it: a copy is as plain there, and memory stays bounded
PART = 1024  # images at a time


@dataclass(frozen=True)
class CopyCheck:
    """What counts as a copy of a training image; see `copy_check`.

    train: pixels of the distinct training images, (N, D).
    marks: fingerprints of the same.
    threshold: ratios below it count; None where there is none.
    known: held-out images that stand in the training split too, bit for bit.
    why_not: why there is no threshold, else "".
    """

    train: Tensor
    marks: frozenset[bytes]
    threshold: float | None
    known: int
    why_not: str

    def exact(self, images: np.ndarray) -> np.ndarray:
        """Which images uint8 (M, C, H, W) are training images, bit for bit; bool (M,)."""
        return np.array([fingerprint(image) in self.marks for image in images], dtype=bool)

    def copied(self, images: np.ndarray) -> np.ndarray:
        """Which images uint8 (M, C, H, W) count as copies, bool (M,): the exact ones, and small ratios.

        Raises:
            ValueError: there is no threshold.
        """
        if self.threshold is None:
            raise ValueError(f"memorisation cannot be measured: {self.why_not}.")
        return self.exact(images) | (ratios(images, self.train) < self.threshold).numpy()


def copy_check(train: np.ndarray, heldout: np.ndarray) -> CopyCheck:
    """Set the threshold: only `QUANTILE` of the held-out images have a smaller ratio.

    Held-out images that are training images too, bit for bit, are left out before it is set: they would make
    copying look honest. An honest model gets about `QUANTILE`.

    Args:
        train, heldout: uint8 (N, C, H, W) and (M, C, H, W).
    Returns:
        A check without a threshold, and with the reason, where fewer than `FEWEST` held-out images are left,
        or where there are not two distinct training images.
    """
    distinct = {fingerprint(image): i for i, image in reversed(list(enumerate(train)))}
    pixels, marks = as_pixels(train[sorted(distinct.values())]), frozenset(distinct)
    check = CopyCheck(pixels, marks, None, 0, "")
    new = ~check.exact(heldout)
    left, why_not = int(new.sum()), ""
    if left < FEWEST:
        why_not = f"{left} of {len(new)} held-out images are not in the training split; {FEWEST} are needed"
    elif len(distinct) < 2:
        why_not = f"{len(distinct)} distinct training image; 2 are needed"
    threshold = None if why_not else ratios(heldout[new], pixels).quantile(QUANTILE).item()
    return CopyCheck(pixels, marks, threshold, len(new) - left, why_not)


def ratios(images: np.ndarray, train: Tensor) -> Tensor:
    """Distance to the nearest training image over that to the second nearest, (M,), in [0, 1].

    Args:
        images: uint8 (M, C, H, W).
        train: pixels of distinct training images, (N, D), N >= 2.
    """
    parts = [images[start : start + PART] for start in range(0, len(images), PART)]
    near = torch.cat([closest(as_pixels(part), train, 2) for part in parts])  # (M, 2)
    return near[:, 0] / near[:, 1].clamp(min=1e-12)


def as_pixels(images: np.ndarray) -> Tensor:
    """uint8 (M, C, H, W) to floats in [0, 1], (M, D), averaged down to `SIDE` where they are larger."""
    parts = [to_unit(part) for part in torch.from_numpy(np.ascontiguousarray(images)).split(PART)]
    if max(images.shape[-2:]) > SIDE:
        parts = [adaptive_avg_pool2d(part, SIDE) for part in parts]
    return torch.cat(parts).flatten(1)
