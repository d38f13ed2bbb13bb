"""Batches: index one uint8 tensor on the device, shuffle with a seed, scale to [0, 1] there."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.pixels import Pixels
from medgen_course.batches.transforms import to_unit


def derive_seed(seed: int, *stream: int) -> int:
    """A seed of its own for every stream of random numbers, e.g. `derive_seed(0, epoch, rank)`."""
    return int(np.random.SeedSequence([seed, *stream]).generate_state(1, np.uint64)[0] >> 1)


class Sampler:
    """Shuffled batches of one split.

    The order depends on the seed and the epoch alone, so a run that resumes at epoch 7 sees what an
    uninterrupted one would have seen. Where the pixels come from: see `pixels.Pixels`.

    Args:
        split: anything with `images` uint8 (N, C, H, W) and `labels` int64 (N,) or (N, L).
        batch_size: images in a batch, in each process; at most what there is.
        transform: batch (B, C, H, W) in [0, 1] -> the same; augmentation, say.
        drop_last: leave out the incomplete batch at the end of an epoch.
    Raises:
        ValueError: batch_size below 1, or no images.
    """

    def __init__(
        self,
        split: Any,
        batch_size: int = 128,
        transform: Callable[[Tensor], Tensor] | None = None,
        drop_last: bool = True,
    ):
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; give at least 1.")
        if len(split.images) == 0:
            raise ValueError("the split holds no images; there is nothing to draw batches from.")
        self.images = Pixels(split.images)
        self.labels = torch.from_numpy(np.ascontiguousarray(split.labels))
        self.batch_size, self.transform, self.drop_last = (
            min(batch_size, len(self.images)),
            transform,
            drop_last,
        )

    def __len__(self) -> int:
        """Batches in an epoch of a single process."""
        return self.batches(1)

    def batches(self, world_size: int) -> int:
        """Batches in an epoch of each of `world_size` processes."""
        share = len(self.images) // world_size
        size = min(self.batch_size, share)
        if size == 0:
            raise ValueError(f"{len(self.images)} images cannot feed {world_size} processes; use fewer.")
        return share // size if self.drop_last else -(-share // size)

    def epoch(
        self, epoch: int, seed: int, device: torch.device | str = "cpu", rank: int = 0, world_size: int = 1
    ) -> Iterator[dict[str, Tensor]]:
        """Batches of one epoch.

        Args:
            epoch: number of the epoch; another number is another order.
            seed: the run's seed.
            device: where the batches are wanted.
            rank, world_size: this process and how many there are; their shares are disjoint.
        Yields:
            {"x": float32 (B, C, H, W) in [0, 1], "label": int64 (B,) or (B, L)} on `device`.
        """
        self.labels = self.labels.to(device)
        generator = torch.Generator().manual_seed(derive_seed(seed, epoch))
        order = torch.randperm(len(self.images), generator=generator)[rank::world_size].to(device)
        size = min(self.batch_size, len(self.images) // world_size)
        picks = order[: self.batches(world_size) * size].split(size)
        for pick, images in zip(picks, self.images.batches(picks, device), strict=True):
            x = to_unit(images)
            yield {"x": x if self.transform is None else self.transform(x), "label": self.labels[pick]}
