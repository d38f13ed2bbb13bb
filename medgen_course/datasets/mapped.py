"""Images that do not fit into memory: unpacked once beside their `.npz`, then read where they lie.

An `.npz` is compressed, so no part of an image can be read without all that stands before it. Unpacked, the
arrays are ordinary files that the operating system maps into memory and takes away again when it needs the
room. They are known by the checksums (CRC-32) that the zip keeps of its members: another file under the same
name is unpacked anew.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from medgen_course.datasets import memory, npz
from medgen_course.datasets.errors import problem
from medgen_course.datasets.npz import Header

ENDING = ".unpacked"
CONTENTS = "contents.json"
BLOCK_BYTES = 1 << 26  # looked at before its memory is given back


def fits(wanted: int) -> bool:
    """Whether arrays of so many bytes take at most half of the memory that is available now."""
    return wanted <= memory.available_memory() // 2


def unpacked(path: Path, archive: ZipFile, headers: Mapping[str, Header]) -> dict[str, np.ndarray]:
    """The images of one file as arrays that are read from disk where they are looked at.

    Args:
        path: the .npz; `path` + ".unpacked" is the folder beside it that holds, or will hold, the arrays.
        archive: the open file.
        headers: of arrays of images that have been checked, uint8 (N, H, W) or (N, H, W, 3), by key.
    Returns:
        Key -> uint8 (N, C, H, W), a `numpy.memmap` of pages that are written to no file.
    Raises:
        DatasetError: the data are damaged, the disk has no room, or the folder cannot be written.
    """
    folder = path.with_name(path.name + ENDING)
    contents = {key: [archive.getinfo(f"{key}.npy").CRC, _shape(header)] for key, header in headers.items()}
    if not _is_whole(folder, contents):
        _unpack(path, archive, headers, folder, contents)
    return {key: np.load(folder / f"{key}.npy", mmap_mode="c", allow_pickle=False) for key in headers}


def blocks(images: np.ndarray) -> Iterator[np.ndarray]:
    """Consecutive parts of images (N, ...), small enough for any memory; mapped ones are let go of after."""
    step = max(1, BLOCK_BYTES // max(1, images[:1].nbytes))
    for start in range(0, len(images), step):
        yield images[start : start + step]
        if isinstance(images, np.memmap):
            from medgen_course.batches.memory import (
                let_go,  # late: with torch, which others need not wait for
            )

            let_go(images)


def clear(folder: Path) -> dict[Path, int]:
    """Remove what was unpacked in a folder; returns what, and how many bytes each had."""
    found = [path for path in sorted(folder.glob(f"*.npz{ENDING}*")) if path.is_dir()]
    sizes = {path: sum(file.stat().st_size for file in path.iterdir()) for path in found}
    for path in found:
        shutil.rmtree(path)
    return sizes


def _shape(header: Header) -> list[int]:
    """As images lie in memory, (N, C, H, W)."""
    count, height, width = header.shape[:3]
    return [count, 1 if len(header.shape) == 3 else 3, height, width]


def _is_whole(folder: Path, contents: dict) -> bool:
    """Whether a folder was unpacked to its end from a file with these contents."""
    try:
        return json.loads((folder / CONTENTS).read_text()) == contents
    except (OSError, ValueError):
        return False


def _unpack(
    path: Path, archive: ZipFile, headers: Mapping[str, Header], folder: Path, contents: dict[str, list]
) -> None:
    """Write the arrays into a folder beside `folder`, then move it there."""
    wanted, free = sum(header.count for header in headers.values()), shutil.disk_usage(path.parent).free
    if wanted > 0.95 * free:
        raise problem(
            path,
            f"images of {wanted:,} bytes, too large for the memory, and {free:,} bytes free on the disk",
            "room beside the file, to unpack them once",
            "make room, move the file to a larger disk, or use a smaller image size",
        )
    print(f"{path.name}: unpacking {wanted / 1e9:.1f} GB, once, into {folder.name}", file=sys.stderr)
    partial = folder.with_name(folder.name + ".partial")
    try:
        for old in (partial, folder):
            shutil.rmtree(old, ignore_errors=True)
        partial.mkdir()
        for key, header in headers.items():
            _write(partial / f"{key}.npy", path, archive, header)
        (partial / CONTENTS).write_text(json.dumps(contents))
        os.replace(partial, folder)
    except OSError as error:
        raise problem(
            folder,
            f"a place that cannot be written ({error.strerror or error})",
            "room beside the file, to unpack images that are more than half of the free memory",
            "copy the file to a folder where you may write, or use a smaller image size",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(target: Path, path: Path, archive: ZipFile, header: Header) -> None:
    """One array as `.npy`, channels first, in blocks."""
    shape = _shape(header)
    about = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    rows = max(1, BLOCK_BYTES // max(1, header.count // shape[0]))
    with open(target, "wb") as file:
        np.lib.format.write_array_header_1_0(file, about)
        for block in npz.read_rows(path, archive, header, rows):
            laid = block[:, None] if block.ndim == 3 else block.transpose(0, 3, 1, 2)
            file.write(np.ascontiguousarray(laid))
        file.flush()
        os.fsync(file.fileno())
