"""Slices that somebody has labelled: images, and masks of what is to be found in them."""

from dataclasses import dataclass

import numpy as np

from medgen_course import phantom
from medgen_course.datasets.domains import without_lesions
from medgen_course.datasets.errors import DatasetError
from medgen_course.datasets.sources import CONTRASTS, Dataset

STRUCTURES = ("lesion", "ventricles")  # of the phantom


@dataclass(frozen=True)
class Labelled:
    """Images with their masks; index i is one slice.

    images: uint8 (N, C, H, W). masks: uint8 {0, 1} (N, K, H, W), one for each of K structures. names: (K,).
    """

    images: np.ndarray
    masks: np.ndarray
    names: tuple[str, ...] = STRUCTURES

    def __len__(self) -> int:
        return len(self.images)

    def first(self, n: int) -> "Labelled":
        """The first n slices, or all where there are fewer; raises ValueError below 1."""
        if n < 1:
            raise ValueError(f"n is {n}; give the number of labelled slices, at least 1.")
        return Labelled(self.images[:n], self.masks[:n], self.names)

    @property
    def pairs(self) -> np.ndarray:
        """Images and masks in one array, as `SegmenterAlgorithm` takes them: uint8 (N, C + K, H, W)."""
        return np.concatenate([self.images, 255 * self.masks], 1)


def phantom_slices(split: str, count: int, seed: int = 0, size: int = 64, contrast: str = "t2w") -> Labelled:
    """Phantom slices with masks of lesions and ventricles; every second one, from the first, has a lesion.

    So one labelled slice shows a lesion, and of any number about half do. The same slices come in both
    contrasts.

    Args:
        split: "train", "val" or "test"; no anatomy is in two of them.
        count: number of slices.
        seed: of anatomies, bias fields and noise.
        size: pixels per side.
        contrast: "t1w" or "t2w".
    Raises:
        ValueError: no such contrast, or what `phantom.generate` refuses.
    """
    if contrast not in CONTRASTS:
        raise ValueError(f"contrast is {contrast!r}; the phantom has 't1w' and 't2w'.")
    factors = phantom.draw_factors(count, seed, 1.0, split)
    factors[1::2] = without_lesions(factors[1::2])
    made = phantom.generate(factors=factors, size=size, seed=seed, split=split)
    return Labelled(getattr(made, contrast), np.concatenate([made.masks, made.ventricles], 1))


def from_dataset(data: Dataset) -> dict[str, Labelled]:
    """The labelled slices of a data set by the name of their split.

    Args:
        data: the phantom, or an own file with masks; see `masks`.
    Raises:
        DatasetError: there are no masks.
    """
    if data.drawn:
        return {
            name: Labelled(
                split.images,
                np.concatenate(
                    [split.extras["mask"], phantom.ventricle_masks(split.extras["factors"], data.size)], 1
                ),
            )
            for name, split in data.splits().items()
        }
    if not data.mask_names:
        raise DatasetError(
            f"{data.name} has no masks: a segmenter learns from arrays train_masks, val_masks and test_masks "
            "that stand beside the images in an own .npz, (N, H, W), 1 inside and 0 outside. The phantom "
            "brings its own: --dataset phantom, or phantom-t2w."
        )
    return {
        name: Labelled(split.images, split.extras["masks"], data.mask_names)
        for name, split in data.splits().items()
    }
