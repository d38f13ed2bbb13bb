"""What to know about images before learning from them: repeats, leaks between splits, balance, range."""

from hashlib import blake2b
from itertools import combinations

import numpy as np

from medgen_course.datasets.mapped import blocks
from medgen_course.datasets.sources import Dataset, Split

BLOCK_PIXELS = 1 << 20  # counted at a time, so that memory stays small (8 bytes each)


def audit(dataset: Dataset) -> dict:
    """Count what can go wrong with a data set.

    Returns:
        {"splits": {split: {"count": images,
                            "classes": {label name: images with this label},
                            "grey": {"min", "max", "mean", "std"}}},     grey levels, 0 to 255
         "audit": {"doubts": sentences of `doubts`,
                   "repeats": {split: copies beyond the first, bit for bit, within the split},
                   "shared": {"train-val", "train-test", "val-test": distinct images that stand in both}}}
        Plain ints and floats, ready for JSON. In multi-label data an image counts in several classes or none.
    """
    prints = {
        name: [fingerprint(image) for part in blocks(split.images) for image in part]
        for name, split in dataset.splits().items()
    }
    distinct = {name: set(marks) for name, marks in prints.items()}
    return {
        "splits": {
            name: {
                "count": len(split),
                "classes": _classes(split.labels, dataset.label_names),
                "grey": _grey(split),
            }
            for name, split in dataset.splits().items()
        },
        "audit": {
            "doubts": doubts(dataset),
            "repeats": {name: len(marks) - len(distinct[name]) for name, marks in prints.items()},
            "shared": {f"{a}-{b}": len(distinct[a] & distinct[b]) for a, b in combinations(distinct, 2)},
        },
    }


def doubts(dataset: Dataset) -> list[str]:
    """What is probably a mistake in the images, a sentence each: blank ones, or only grey levels 0 and 1."""
    found = []
    for name, split in dataset.splits().items():
        flat = (part.reshape(len(part), -1) for part in blocks(split.images))  # (n, C * H * W) each
        low, high = np.concatenate([[part.min(1), part.max(1)] for part in flat], 1)
        black, even = int((high == 0).sum()), int(((low == high) & (high > 0)).sum())
        for count, what in ((black, "are all black"), (even, "have one grey level only")):
            if count:
                found.append(f"{name}: {count:,} of {len(split):,} images {what}. Leave them out.")
        if high.max() == 1:
            found.append(
                f"{name}: no grey level is above 1, where uint8 goes to 255: all will look black. Multiply "
                "masks, and floats from 0 to 1 before they become uint8, by 255."
            )
    return found


def fingerprint(image: np.ndarray) -> bytes:
    """16 bytes that two images share only if they are the same, but for one chance in about 10^38."""
    return blake2b(np.ascontiguousarray(image), digest_size=16).digest()


def _classes(labels: np.ndarray, label_names: tuple[str, ...]) -> dict[str, int]:
    counts = labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels, minlength=len(label_names))
    return {name: int(count) for name, count in zip(label_names, counts, strict=True)}


def _grey(split: Split) -> dict[str, int | float]:
    histogram = np.zeros(256, np.int64)
    for part in blocks(split.images):
        for row in np.array_split(part.reshape(-1), -(-part.size // BLOCK_PIXELS)):
            histogram += np.bincount(row, minlength=256)
    levels = np.arange(256)
    present = np.flatnonzero(histogram)
    mean = float((levels * histogram).sum() / histogram.sum())
    variance = float((((levels - mean) ** 2) * histogram).sum() / histogram.sum())
    return {"min": int(present[0]), "max": int(present[-1]), "mean": mean, "std": variance**0.5}
