"""Batches of two domains: unpaired for CycleGAN, paired for pix2pix; both follow `training.Epochs`."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.pixels import Pixels
from medgen_course.batches.sampling import derive_seed
from medgen_course.batches.transforms import to_unit


class UnpairedSampler:
    """Batches of two domains, each shuffled by itself.

    An epoch is as long as the smaller domain. Of the larger one another part comes in each epoch.

    Args:
        a, b: uint8 (N, C, H, W) and (M, C, H, W).
        batch_size: images of each domain in a batch, in each process; at most what there is.
    Raises:
        ValueError: batch_size below 1, or a domain without images.
    """

    paired = False

    def __init__(self, a: np.ndarray, b: np.ndarray, batch_size: int = 8):
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; give at least 1.")
        if not len(a) or not len(b):
            raise ValueError(f"the domains hold {len(a)} and {len(b)} images; both need some.")
        self.a, self.b = Pixels(a), Pixels(b)
        self.batch_size = min(batch_size, len(a), len(b))

    def __len__(self) -> int:
        """Batches in an epoch of a single process."""
        return self.batches(1)

    def batches(self, world_size: int) -> int:
        """Batches in an epoch of each of `world_size` processes; an incomplete one is left out."""
        return self._share(world_size) // min(self.batch_size, self._share(world_size))

    def epoch(
        self, epoch: int, seed: int, device: torch.device | str = "cpu", rank: int = 0, world_size: int = 1
    ) -> Iterator[dict[str, Tensor]]:
        """Batches of one epoch; see `sampling.Sampler.epoch`.

        Yields:
            {"a": float32 (B, C, H, W) in [0, 1], "b": the same} on `device`.
        """
        size, picks = min(self.batch_size, self._share(world_size)), []
        for stream, images in enumerate((self.a, self.b)):
            draws = torch.Generator().manual_seed(derive_seed(seed, epoch, 0 if self.paired else stream))
            order = torch.randperm(len(images), generator=draws)[rank::world_size].to(device)
            picks.append(order[: self.batches(world_size) * size].split(size))
        batches = (pixels.batches(pick, device) for pixels, pick in zip((self.a, self.b), picks, strict=True))
        for a, b in zip(*batches, strict=True):
            yield {"a": to_unit(a), "b": to_unit(b)}

    def _share(self, world_size: int) -> int:
        """Images of each domain for a process."""
        share = min(len(self.a), len(self.b)) // world_size
        if share == 0:
            raise ValueError(
                f"{min(len(self.a), len(self.b))} images cannot feed {world_size} processes; use fewer."
            )
        return share


class PairedSampler(UnpairedSampler):
    """Batches of pairs: a[i] and b[i] belong together and stay together.

    Raises:
        ValueError: the numbers of images differ.
    """

    paired = True

    def __init__(self, a: np.ndarray, b: np.ndarray, batch_size: int = 8):
        if len(a) != len(b):
            raise ValueError(f"{len(a)} images of a and {len(b)} of b are no pairs.")
        super().__init__(a, b, batch_size)
