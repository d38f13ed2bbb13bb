"""The memory of files that are mapped into it."""

import mmap

import numpy as np


def announce(images: np.ndarray, rows: np.ndarray) -> None:
    """Tell the system which images of a mapped file are read next; other arrays are left alone.

    Without this it reads on behind every page that is looked at: megabytes of images that nobody wants yet.

    Args:
        images: (N, ...).
        rows: their numbers, (B,).
    """
    if (mapping := _mapping(images)) is not None and images[:1].flags.c_contiguous:
        for start, length in places(images, mapping, rows):
            mapping.madvise(mmap.MADV_WILLNEED, start, length)


def places(images: np.ndarray, mapping: mmap.mmap, rows: np.ndarray) -> list[tuple[int, int]]:
    """Where images lie in a mapping: first byte, of a whole page, and number of bytes, for each of `rows`."""
    size, first = images[0].nbytes, images.ctypes.data - np.frombuffer(mapping, np.uint8).ctypes.data
    starts = (first + images.strides[0] * rows).tolist()
    return [(start - start % mmap.PAGESIZE, start % mmap.PAGESIZE + size) for start in starts]


def let_go(images: np.ndarray) -> None:
    """Give back the memory of what was read from a mapped file; other arrays are left alone."""
    if (mapping := _mapping(images)) is not None:
        mapping.madvise(mmap.MADV_DONTNEED)


def _mapping(images: np.ndarray) -> mmap.mmap | None:
    """The mapping behind an array, if it takes advice. Windows has none that do, and trims by itself."""
    owner = images
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner if isinstance(owner, mmap.mmap) and hasattr(owner, "madvise") else None
