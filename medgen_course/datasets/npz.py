"""Reading `.npz` files without trusting them.

An `.npz` is a zip of `.npy` members, and both layers make claims: the zip directory says how large a member
is, the npy header says which array it holds. Here every claim is checked against the file before one byte of
the array is allocated, pickled objects are never unpickled, and the data go from the zip straight into the
array that is kept, one block at a time, while zip checks the CRC.

Source: NumPy's npy format, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import contextlib
import io
import math
import struct
import tokenize
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from medgen_course.datasets.errors import problem

BLOCK_BYTES = 1 << 16  # read this much at a time
HEADER_BYTES = 1 << 14  # no honest header is longer
DEFLATE_RATIO = 1032  # deflate cannot expand further than this (zlib technical details)
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError)
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".dcm", ".nii", ".gz")
# what to do with pictures
TO_NPZ = "make one of the folder that holds a folder for each class: medgen pack FOLDER --out mine.npz"
# what Python's parser, which NumPy reads headers with, raises on nonsense
BAD_HEADER = (ValueError, TypeError, SyntaxError, tokenize.TokenError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Header:
    """What one member says about itself, checked against the zip directory: shape in file order, dtype."""

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    offset: int  # bytes before the data

    @property
    def count(self) -> int:
        """Number of elements, as an exact Python integer."""
        return math.prod(self.shape)


def open_npz(path: Path) -> zipfile.ZipFile:
    """Open a zip file for reading; DatasetError if it is missing, a folder, empty, unreadable or no zip."""
    remedy = "copy or download the file again, or write it with numpy.savez_compressed"
    if path.is_dir():
        raise problem(path, *_folder(path))
    if path.suffix.lower() in PICTURES:
        raise problem(path, "a picture, or a file that is called like one", "an .npz file", TO_NPZ)
    try:
        size = path.stat().st_size
        if size == 0:
            raise problem(path, "an empty file (0 bytes)", "an .npz file", remedy)
        return zipfile.ZipFile(path)
    except OSError as error:
        meant = Path(f"{path}.npz")
        if meant.is_file():
            raise problem(path, "no such file", "an .npz file", f"give its whole name: {meant}") from error
        found = f"a file that cannot be read ({error.strerror or error})"
        raise problem(path, found, "a readable .npz file", "check the path and its permissions") from error
    except DAMAGED as error:
        found = f"{size:,} bytes that are not a complete zip archive ({_one_line(error)})"
        raise problem(path, found, "an .npz file, which is a zip archive of arrays", remedy) from error


def _folder(path: Path) -> tuple[str, str, str]:
    """What was found in place of a file, what was expected, and what to do."""
    files = [file for file in sorted(path.iterdir()) if file.is_file()]
    archives = [file.name for file in files if file.suffix == ".npz"]
    if archives:
        return "a folder", "an .npz file", f"give the path of a file in it: {', '.join(archives[:5])}"
    endings = Counter(file.suffix.lower() or "no ending" for file in files).most_common(3)
    held = ", ".join(f"{count:,} {ending}" for ending, count in endings) or "no files"
    return f"a folder ({held})", "an .npz file", TO_NPZ if files else "give the path of the file itself"


def read_headers(path: Path, archive: zipfile.ZipFile, keys: Iterable[str]) -> dict[str, Header]:
    """Read and check the headers of the arrays `keys`; nothing is allocated for their data.

    Raises:
        DatasetError: a key is missing, a member is damaged or unreadable, holds pickled objects, or claims
            another size than its bytes can hold.
    """
    keys = tuple(keys)
    names = set(archive.namelist())
    missing = [key for key in keys if f"{key}.npy" not in names]
    if missing:
        there = ", ".join(sorted(name.removesuffix(".npy") for name in names)[:20]) or "nothing"
        raise problem(
            path,
            f"no {', '.join(missing)} (the file holds: {there})",
            f"the arrays {', '.join(keys)}",
            "save the missing arrays under these names with numpy.savez_compressed",
        )
    return {key: _read_header(path, archive, key) for key in keys}


def _read_header(path: Path, archive: zipfile.ZipFile, key: str) -> Header:
    info = archive.getinfo(f"{key}.npy")
    subject = f"{path} [{key}]"
    again = "copy or download the file again, or write it with numpy.savez_compressed"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
        raise problem(
            subject,
            "an encrypted member or another compression than deflate",
            "what numpy.savez or numpy.savez_compressed writes",
            "save the arrays with one of these",
        )
    ratio = DEFLATE_RATIO if info.compress_type == zipfile.ZIP_DEFLATED else 1
    most = ratio * min(info.compress_size, path.stat().st_size)
    if info.file_size > most:
        raise problem(
            subject,
            f"a claim of {info.file_size:,} bytes in {info.compress_size:,} compressed ones",
            f"at most {most:,}, all that such a member can hold",
            again,
        )
    try:
        with archive.open(info) as stream:
            start = io.BytesIO(stream.read(HEADER_BYTES))
        version = np.lib.format.read_magic(start)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(start)
        elif version == (2, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(start)
        else:
            raise ValueError(f"npy format version {version}")
    except (*DAMAGED, *BAD_HEADER) as error:
        raise problem(subject, f"a damaged array ({_one_line(error)})", "an .npy member", again) from error
    if dtype.hasobject:
        raise problem(
            subject,
            "pickled Python objects, which are never unpickled because they can run code",
            "an array of plain numbers",
            "save plain arrays (images uint8, labels int64), each image of the same size",
        )
    header = Header(key, shape, dtype, fortran, start.tell())
    claimed, held = header.count * dtype.itemsize, info.file_size - header.offset
    if min(shape, default=0) < 0 or claimed != held:
        raise problem(
            subject,
            f"a header that claims shape {shape} of {dtype}, {claimed:,} bytes",
            f"a claim of the {held:,} bytes that the member holds",
            again,
        )
    return header


def read_into(path: Path, archive: zipfile.ZipFile, header: Header, target: np.ndarray) -> None:
    """Read the data of one array into `target`, block by block, with the CRC checked at the end.

    Args:
        header: what `read_headers` returned for this array.
        target: array or view of `header.shape` (any strides), overwritten; values are cast to its dtype.
    Raises:
        DatasetError: the data are damaged or end early.
    """
    with _data(path, archive, header) as stream:
        _fill(target.T if header.fortran else target, stream, header.dtype)


def read_rows(path: Path, archive: zipfile.ZipFile, header: Header, rows: int) -> Iterator[np.ndarray]:
    """The data of one array from the first row to the last, `rows` at a time; the CRC is checked at the end.

    Raises:
        DatasetError: the data are damaged or end early, or lie column by column (Fortran's order).
    """
    if header.fortran:
        raise problem(
            f"{path} [{header.key}]",
            "an array in Fortran's order, too large for the memory",
            "one image after the other",
            "save numpy.ascontiguousarray(images) on a machine with more memory",
        )
    with _data(path, archive, header) as stream:
        for start in range(0, header.shape[0], rows):
            block = np.empty((min(rows, header.shape[0] - start), *header.shape[1:]), header.dtype)
            _fill(block, stream, header.dtype)
            yield block


@contextlib.contextmanager
def _data(path: Path, archive: zipfile.ZipFile, header: Header) -> Iterator[BinaryIO]:
    """The bytes of one array, to be read to their end; raises DatasetError where they are damaged."""
    try:
        with archive.open(f"{header.key}.npy") as stream:
            stream.read(header.offset)
            yield stream
            stream.read(1)  # reaching the end is what makes zipfile compare the CRC
    except DAMAGED as error:
        raise problem(
            f"{path} [{header.key}]",
            f"damaged data ({_one_line(error)})",
            "data that match their checksum",
            "copy or download the file again",
        ) from error


def _fill(target: np.ndarray, stream: BinaryIO, dtype: np.dtype) -> None:
    """Fill `target` in C order from the stream, in whole rows of at most BLOCK_BYTES where rows fit."""
    row_bytes = math.prod(target.shape[1:]) * dtype.itemsize
    if row_bytes > BLOCK_BYTES and target.ndim > 1:
        for part in target:
            _fill(part, stream, dtype)
        return
    rows = max(1, BLOCK_BYTES // max(1, row_bytes))
    for start in range(0, len(target), rows):
        part = target[start : start + rows]
        block = stream.read(len(part) * row_bytes)
        if len(block) != len(part) * row_bytes:
            raise EOFError(f"{len(block):,} bytes where {len(part) * row_bytes:,} were announced")
        part[...] = np.frombuffer(block, dtype).reshape(part.shape)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
