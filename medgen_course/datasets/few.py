"""Few labels: training images that stand nowhere else, and which of them are labelled."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medgen_course.datasets.audit import fingerprint
from medgen_course.datasets.sources import Dataset, Split


def distinct(data: Dataset) -> Dataset:
    """The data set without training images that are copies: of an earlier one, or of one in val or test.

    Bit for bit; PneumoniaMNIST loses 26 of 4,708. Val and test stay as they are.

    Returns:
        The same object where there is nothing to take out.
    """
    seen = {fingerprint(image) for part in (data.val, data.test) for image in part.images}
    kept = []
    for i, image in enumerate(data.train.images):
        mark = fingerprint(image)
        if mark not in seen:
            seen.add(mark)
            kept.append(i)
    return data if len(kept) == len(data.train) else replace(data, train=subset(data.train, np.array(kept)))


def subset(split: Split, chosen: np.ndarray) -> Split:
    """Some images of a split with all that goes with them; `chosen` are their numbers."""
    return Split(split.images[chosen], split.labels[chosen], {k: x[chosen] for k, x in split.extras.items()})


def draw_labelled(labels: Sequence[int] | np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    """Which images are labelled: as many of each class, the first classes one more where n leaves a rest.

    Draws of one seed are nested: those of n = 10 are among those of n = 30.

    Args:
        labels: class of every training image, integers (N,).
        n: labelled images, at least one a class; all there are if n is N or more, whatever their classes.
        seed: of the draw.
    Returns:
        Their numbers, int64 (n,), rising.
    Raises:
        ValueError: several labels an image, n below the number of classes, or too few images of a class.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(f"labels have shape {labels.shape}; one class for each image is wanted, (N,).")
    if n >= len(labels):
        return np.arange(len(labels))
    classes, counts = np.unique(labels, return_counts=True)
    if n < len(classes):
        raise ValueError(
            f"n is {n}; with {len(classes)} classes give at least {len(classes)} labelled images."
        )
    wanted = n // len(classes) + (np.arange(len(classes)) < n % len(classes))
    for label, have, want in zip(classes, counts, wanted, strict=True):
        if have < want:
            raise ValueError(
                f"class {label} has {have} images, {want} are wanted: give at most {have * len(classes)}."
            )
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(np.flatnonzero(labels == label)) for label in classes]
    return np.sort(np.concatenate([order[:want] for order, want in zip(orders, wanted, strict=True)]))
