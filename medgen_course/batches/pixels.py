"""Where a sampler takes its pixels from: a tensor on the device, or a file that is mapped into memory."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.memory import announce, let_go

AHEAD = 2  # batches that are read while the one before is learnt from


class Pixels:
    """Images uint8 (N, C, H, W), from which batches are picked.

    What lies in memory stays uint8 and moves to the device once; a batch is an indexing there, which is some
    fifty times as fast as a DataLoader over single images. What is mapped from a file (`numpy.memmap`) is
    read batch by batch by a thread that is two batches ahead, and its memory is given back at once.

    Args:
        images: uint8 (N, C, H, W).
    """

    def __init__(self, images: np.ndarray):
        self.mapped = isinstance(images, np.memmap)
        self.images = images if self.mapped else torch.from_numpy(np.ascontiguousarray(images))

    def __len__(self) -> int:
        return len(self.images)

    def batches(self, picks: Sequence[Tensor], device: torch.device | str) -> Iterator[Tensor]:
        """Batches uint8 (B, C, H, W) on the device, one for each row of numbers (B,) in `picks`."""
        if not self.mapped:
            self.images = self.images.to(device)
            yield from (self.images[pick] for pick in picks)
            return
        with ThreadPoolExecutor(1) as thread:
            waiting, coming = deque(), iter(picks)
            try:
                while True:
                    while len(waiting) < AHEAD and (pick := next(coming, None)) is not None:
                        waiting.append(thread.submit(self._read, pick.cpu().numpy()))
                    if not waiting:
                        return
                    yield waiting.popleft().result().to(device)
            finally:
                thread.shutdown(wait=True, cancel_futures=True)

    def _read(self, pick: np.ndarray) -> Tensor:
        order = np.argsort(pick)  # as they lie in the file
        announce(self.images, pick[order])
        batch = np.empty((len(pick), *self.images.shape[1:]), np.uint8)
        batch[order] = self.images[pick[order]]
        let_go(self.images)
        return torch.from_numpy(batch)
