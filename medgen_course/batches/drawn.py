"""Batches drawn with replacement, each image as often as its weight says: few labels among many images."""

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.pixels import Pixels
from medgen_course.batches.sampling import derive_seed
from medgen_course.batches.transforms import to_unit


def even_weights(*groups: Sequence[int] | np.ndarray) -> np.ndarray:
    """Weights with which every combination of groups that occurs is drawn equally often.

    Args:
        groups: of every image its group, (N,) each: its class, say, and whether it is real.
    Returns:
        float64 (N,), with sum 1.
    """
    _, which, counts = np.unique(np.stack(groups), axis=1, return_inverse=True, return_counts=True)
    return 1 / (counts[which.reshape(-1)] * len(counts))


class DrawnSampler:
    """A given number of batches an epoch, drawn with replacement; `training.fit` takes it.

    Args:
        images: uint8 (N, C, H, W).
        labels: classes (N,).
        steps: batches an epoch, in each process.
        batch_size: images in a batch; not capped by N.
        weights: how often each image is drawn, (N,); None draws every class equally often.
        unlabelled: uint8 (U, C, H, W); then every batch holds `batch_size` of these too, drawn evenly.
        transform: batch (B, C, H, W) in [0, 1] -> the same, for the labelled images; augmentation, say.
    Raises:
        ValueError: no images, or a number below 1.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        steps: int,
        batch_size: int = 32,
        weights: np.ndarray | None = None,
        unlabelled: np.ndarray | None = None,
        transform: Callable[[Tensor], Tensor] | None = None,
    ):
        if not len(images) or (unlabelled is not None and not len(unlabelled)):
            raise ValueError(
                "there are no images to draw from; leave `unlabelled` out where all have labels."
            )
        if steps < 1 or batch_size < 1:
            raise ValueError(f"steps is {steps}, batch_size {batch_size}; both must be at least 1.")
        self.images, self.labels = Pixels(images), torch.from_numpy(np.ascontiguousarray(labels))
        self.unlabelled = None if unlabelled is None else Pixels(unlabelled)
        self.weights = torch.from_numpy(even_weights(labels) if weights is None else np.asarray(weights))
        self.steps, self.batch_size, self.transform = steps, batch_size, transform

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.steps

    def batches(self, world_size: int) -> int:
        """Batches in an epoch of each of `world_size` processes."""
        return self.steps

    def epoch(
        self, epoch: int, seed: int, device: torch.device | str = "cpu", rank: int = 0, world_size: int = 1
    ) -> Iterator[dict[str, Tensor]]:
        """Batches of one epoch, of each process its own draws; see `sampling.Sampler.epoch`.

        Yields:
            {"x": float32 (B, C, H, W) in [0, 1], "label": int64 (B,)}, and "unlabelled" (B, C, H, W) where
            there are such images, on `device`.
        """
        draws, size = torch.Generator().manual_seed(derive_seed(seed, epoch, rank)), self.batch_size
        self.labels = self.labels.to(device)
        drawn = torch.multinomial(self.weights, self.steps * size, replacement=True, generator=draws)
        picks, others = drawn.to(device).split(size), repeat(None)
        if self.unlabelled is not None:
            drawn = torch.randint(len(self.unlabelled), (self.steps * size,), generator=draws)
            others = self.unlabelled.batches(drawn.to(device).split(size), device)
        for pick, images, other in zip(picks, self.images.batches(picks, device), others, strict=False):
            x = to_unit(images)
            batch = {"x": x if self.transform is None else self.transform(x), "label": self.labels[pick]}
            yield batch if other is None else batch | {"unlabelled": to_unit(other)}
