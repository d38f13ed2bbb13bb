"""Small made-up sets of every kind that a notebook may be given."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

COUNTS = {
    "one class, RGB": (160, 32, 32),
    "five classes but 0, 64 px": (200, 40, 40),
    "two small classes": (200, 40, 40),
}
CLASSES = {"one class, RGB": (0,), "five classes but 0, 64 px": (1, 2, 3, 4, 5), "two small classes": (0, 1)}


def made_up(name: str, folder: Path) -> Path:
    """One of the sets as an .npz in MedMNIST's layout, named so that nothing can be learnt from its name."""
    size, channels = (64 if "64" in name else 28), (3 if "RGB" in name else 1)
    rng, arrays = np.random.default_rng(0), {}
    for split, count in zip(("train", "val", "test"), COUNTS[name], strict=True):
        labels = rng.permutation(np.resize(CLASSES[name], count))
        arrays[f"{split}_images"] = _images(rng, labels, size, channels)
        arrays[f"{split}_labels"] = labels[:, None]
    path = folder / f"{name.replace(' ', '_').replace(',', '')}.npz"
    np.savez(path, **arrays)
    return path


def _images(rng: np.random.Generator, labels: Sequence[int], size: int, channels: int) -> np.ndarray:
    """A bright disc whose place wanders and whose width and tint tell the class, over noise: uint8."""
    axis = np.linspace(-1, 1, size)
    x, y = rng.uniform(-0.4, 0.4, (2, len(labels), 1, 1))
    distance = (axis - x[:]) ** 2 + (axis[:, None] - y) ** 2  # (N, H, W)
    width = 0.05 + 0.05 * np.asarray(labels)[:, None, None]
    grey = 0.15 + 0.7 * np.exp(-distance / width) + rng.normal(0, 0.03, distance.shape)
    tinted = grey[..., None] * np.array([1.0, 0.8, 0.7])[:channels]
    images = np.rint(255 * tinted.clip(0, 1)).astype(np.uint8)
    return images if channels == 3 else images[..., 0]
