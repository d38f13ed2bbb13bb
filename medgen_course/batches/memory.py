"""The memory of files that are mapped into it."""

import mmap

import numpy as np


def let_go(images: np.ndarray) -> None:
    """Give back the memory of what was read from a mapped file; other arrays are left alone."""
    owner = images
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap) and hasattr(owner, "madvise"):  # Windows has none, and trims by itself
        owner.madvise(mmap.MADV_DONTNEED)
