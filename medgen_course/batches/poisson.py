"""Batches as the accountant of differential privacy counts them: each image is drawn by itself."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.sampling import derive_seed
from medgen_course.batches.transforms import to_unit


class PoissonSampler:
    """Every image comes into a batch with the same probability, whoever else is there.

    Batches are of different sizes, and some images come twice before others come once. Shuffled epochs
    would not do: there an image that has come will not come again, which tells something of the others.

    Args:
        split: anything with `images` uint8 (N, C, H, W) and `labels` int64 (N,).
        expected: images in a batch on average, 1 to N.
        updates: batches in an epoch.
    Raises:
        ValueError: `expected` is out of its range.
    """

    def __init__(self, split: Any, expected: int, updates: int):
        if not 1 <= expected <= len(split.images):
            raise ValueError(f"expected is {expected}; give a number from 1 to {len(split.images)} images.")
        self.images = torch.from_numpy(np.ascontiguousarray(split.images))
        self.labels = torch.from_numpy(np.ascontiguousarray(split.labels))
        self.expected, self.updates = expected, updates

    @property
    def rate(self) -> float:
        """Probability of each image to be in a batch."""
        return self.expected / len(self.images)

    def batches(self, world_size: int) -> int:
        """Batches in an epoch; raises ValueError where several processes would share them."""
        if world_size != 1:
            raise ValueError(f"{world_size} processes; batches for private training are drawn by one.")
        return self.updates

    def epoch(self, epoch: int, seed: int, device: torch.device | str = "cpu", *_: int) -> Iterator[dict]:
        """Yields {"x": float32 (B, C, H, W) in [0, 1], "label": int64 (B,)}; B varies and may be 0."""
        generator = torch.Generator().manual_seed(derive_seed(seed, epoch))
        for _ in range(self.updates):
            drawn: Tensor = torch.rand(len(self.images), generator=generator) < self.rate
            yield {"x": to_unit(self.images[drawn]).to(device), "label": self.labels[drawn].to(device)}
