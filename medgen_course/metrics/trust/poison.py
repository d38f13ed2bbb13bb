"""What a poisoned training set does: one class partly mislabelled, or a trigger that opens a back door.

A trigger is a small white square near a corner. The same square, with every image of one class and without
a wrong label, is a shortcut: then nobody has attacked, and the network has learnt the square all the same.
"""

import numpy as np

from medgen_course.datasets import Split

SQUARE, PLACE = 3, 2  # pixels: side of the square, distance from the upper left corner


def stamped(images: np.ndarray) -> np.ndarray:
    """Images with the square, uint8 (N, C, H, W); those given stay as they are."""
    made = images.copy()
    made[..., PLACE : PLACE + SQUARE, PLACE : PLACE + SQUARE] = 255
    return made


def square_mask(images: np.ndarray) -> np.ndarray:
    """Where the square is, uint8 (N, 1, H, W)."""
    return (stamped(np.zeros_like(images[:, :1])) != 0).astype(np.uint8)


def mislabelled(split: Split, label: int, share: float, seed: int = 0) -> Split:
    """A share of one class called by the other name; of two classes.

    Args:
        split: images with labels 0 and 1.
        label: the class that is poisoned.
        share: of its images, in [0, 1].
        seed: which of them.
    Raises:
        ValueError: the share is out of range.
    Source: Biggio, Nelson & Laskov 2012, label flips.
    """
    chosen = _some(split, label, share, seed)
    labels = split.labels.copy()
    labels[chosen] = 1 - label
    return Split(split.images, labels)


def triggered(split: Split, label: int, share: float, seed: int = 0) -> Split:
    """A share of one class stamped with the square and called by the other name; see `mislabelled`.

    Source: Gu, Dolan-Gavitt & Garg 2017, "BadNets".
    """
    chosen = _some(split, label, share, seed)
    images = split.images.copy()
    images[chosen] = stamped(images[chosen])
    return Split(images, mislabelled(split, label, share, seed).labels)


def shortcut(split: Split, label: int) -> Split:
    """Every image of one class stamped, all labels true."""
    images = split.images.copy()
    images[split.labels == label] = stamped(images[split.labels == label])
    return Split(images, split.labels)


def _some(split: Split, label: int, share: float, seed: int) -> np.ndarray:
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; give the part of the class that is poisoned, from 0 to 1.")
    known = np.flatnonzero(split.labels == label)
    return np.random.default_rng(seed).permutation(known)[: round(share * len(known))]
