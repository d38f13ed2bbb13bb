"""Files in MedMNIST's layout, right and wrong ones, for the tests to read."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from medgen_course.datasets import layout


def write_npz(path: Path, labels: np.ndarray | None = None, count: int = 6, size: int = 28) -> bytes:
    """Write noise in MedMNIST's layout; return the bytes of the file."""
    rng, arrays = np.random.default_rng(count), {}
    for split in ("train", "val", "test"):
        arrays[f"{split}_images"] = rng.integers(0, 256, (count, size, size), dtype=np.uint8)
        arrays[f"{split}_labels"] = np.arange(count)[:, None] % 2 if labels is None else labels
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path.read_bytes()


def arrays(count=6, size=8, rgb=False) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shape = (count, size, size, 3) if rgb else (count, size, size)
    made = {}
    for split in layout.SPLITS:
        made[f"{split}_images"] = rng.integers(0, 256, shape, dtype=np.uint8)
        made[f"{split}_labels"] = (np.arange(count) % 2).astype(np.uint8)[:, None]
    return made


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npy_header(shape: tuple, descr: str = "|u1") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def with_array(key, array):
    return lambda path: np.savez(path, **(arrays() | {key: array}), allow_pickle=True)


def with_member(key, data: bytes, compression=zipfile.ZIP_STORED):
    """Write a good file, but for the raw bytes of one member."""

    def write(path):
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, array in arrays().items():
                archive.writestr(f"{name}.npy", data if name == key else npy(array))

    return write


def without(key):
    return lambda path: np.savez(path, **{name: array for name, array in arrays().items() if name != key})


def changed(change):
    """Write a good file, then change its bytes."""

    def write(path):
        np.savez_compressed(path, **arrays())
        path.write_bytes(change(path.read_bytes()))

    return write


def flipped_crc_file(path):
    np.savez(path, **arrays(count=400))  # 25 kB of images: more than is read with the header
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("train_images.npy").header_offset
    data[start + 20_000] ^= 1
    path.write_bytes(data)


def lying_directory(path):
    """The zip directory claims 2 GB for a member of a few compressed bytes, and its header agrees."""
    claimed = 2_000_000_000
    data = npy_header((claimed // 64, 8, 8))
    with_member("train_images", data, zipfile.ZIP_DEFLATED)(path)
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("train_images.npy")
    old, new = info.file_size.to_bytes(4, "little"), (claimed + len(data)).to_bytes(4, "little")
    content = path.read_bytes()
    at = content.rindex(info.CRC.to_bytes(4, "little"))  # in the directory: CRC, compressed size, size
    assert content[at + 8 : at + 12] == old
    path.write_bytes(content[: at + 8] + new + content[at + 12 :])


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


OBJECTS = np.array([Evil()] * 6, dtype=object)
