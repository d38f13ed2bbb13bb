"""Every way in which an own file can be wrong: a clear message, no memory taken, the file as it was."""

import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest
from npz_files import (
    OBJECTS,
    arrays,
    changed,
    flipped_crc_file,
    lying_directory,
    npy,
    npy_header,
    with_array,
    with_member,
    without,
)

from medgen_course import datasets
from medgen_course.datasets import layout
from medgen_course.datasets.sources import DatasetError

MANY = np.zeros((6, 1), np.int64)

BROKEN = {
    "empty file": (lambda path: path.write_bytes(b""), ["empty file", "0 bytes", "download the file again"]),
    "not a zip": (lambda path: path.write_bytes(b"hello " * 99), ["594 bytes", "not a complete zip"]),
    "plain npy": (lambda path: path.write_bytes(npy(MANY)), ["not a complete zip", "zip archive of arrays"]),
    "folder": (lambda path: path.mkdir(), ["a folder", "an .npz file"]),
    "truncated zip": (changed(lambda data: data[: len(data) // 2]), ["not a complete zip"]),
    "corrupt CRC": (flipped_crc_file, ["train_images", "damaged data", "CRC", "download the file again"]),
    "corrupt deflate": (
        changed(lambda data: data[:300] + b"\xff" * 64 + data[364:]),
        ["train_images", "damaged", "again"],
    ),
    "missing split": (without("val_images"), ["no val_images", "the file holds", "train_images", "save"]),
    "missing labels": (without("test_labels"), ["no test_labels", "expected the arrays"]),
    "nothing inside": (
        lambda path: zipfile.ZipFile(path, "w").close(),
        ["no train_images", "holds: nothing"],
    ),
    "float images": (with_array("val_images", np.zeros((6, 8, 8))), ["val_images", "float64", "uint8"]),
    "two axes": (with_array("train_images", np.zeros((6, 64), np.uint8)), ["(6, 64)", "(N, H, W)"]),
    "five axes": (
        with_array("train_images", np.zeros((6, 8, 8, 8, 3), np.uint8)),
        ["(6, 8, 8, 8, 3)", "RGB"],
    ),
    "channel first": (
        with_array("train_images", np.zeros((6, 3, 8, 8), np.uint8)),
        ["(6, 3, 8, 8)", "moveaxis"],
    ),
    "not square": (
        with_array("train_images", np.zeros((6, 8, 9), np.uint8)),
        ["8 x 9", "square", "pad or crop"],
    ),
    "no pixels": (with_array("train_images", np.zeros((6, 0, 0), np.uint8)), ["0 x 0", "square"]),
    "differing sizes": (with_array("val_images", np.zeros((6, 9, 9), np.uint8)), ["(N, 9, 9)", "same shape"]),
    "differing counts": (
        with_array("val_labels", MANY[:5]),
        ["6 val_images but 5 val_labels", "one label", "same list"],
    ),
    "empty split": (
        lambda path: np.savez(
            path, **(arrays() | {"test_images": np.zeros((0, 8, 8), np.uint8), "test_labels": MANY[:0]})
        ),
        ["test_images", "empty split", "at least one image"],
    ),
    "float labels": (with_array("train_labels", np.zeros(6)), ["train_labels", "float64", "integer type"]),
    "text labels": (with_array("train_labels", np.array(list("abcdef"))), ["<U1", "class numbers"]),
    "truth values": (with_array("train_labels", np.zeros(6, bool)), ["bool", "astype(numpy.int64)"]),
    "negative labels": (
        with_array("train_labels", MANY - 1),
        ["labels from -1 to -1", "class numbers from 0"],
    ),
    "label too large for int64": (
        with_array("train_labels", np.full(6, 2**64 - 1, np.uint64)),
        ["class numbers from 0"],
    ),
    "identifiers as labels": (with_array("test_labels", MANY + 10**9), ["1000000000", "renumber"]),
    "label matrix with 2": (
        lambda path: np.savez(
            path, **(arrays() | {f"{s}_labels": np.full((6, 3), 2, np.uint8) for s in layout.SPLITS})
        ),
        ["labels from 2 to 2", "zeros and ones"],
    ),
    "label columns differ": (
        with_array("val_labels", np.zeros((6, 3), np.uint8)),
        ["val_labels (N, 3)", "columns"],
    ),
    "labels in three axes": (
        with_array("val_labels", np.zeros((6, 1, 1), np.uint8)),
        ["(6, 1, 1)", "(N, L)"],
    ),
    "pickled images": (
        with_array("train_images", OBJECTS),
        ["train_images", "never unpickled", "plain numbers"],
    ),
    "pickled labels": (with_array("train_labels", OBJECTS), ["train_labels", "never unpickled", "int64"]),
    "a pickle as member": (with_member("train_labels", pickle.dumps([1])), ["train_labels", "damaged array"]),
    "petabytes claimed": (
        with_member("train_images", npy_header((10**12, 32, 32))),
        ["train_images", "1,024,000,000,000,000 bytes", "a claim of the 0 bytes"],
    ),
    "header larger than member": (
        with_member("train_images", npy_header((6, 8, 8)) + bytes(383)),
        ["384 bytes", "383 bytes that the member holds"],
    ),
    "header smaller than member": (
        with_member("train_images", npy_header((6, 8, 8)) + bytes(385)),
        ["384 bytes", "385 bytes that the member holds"],
    ),
    "negative shape": (
        with_member("train_images", npy_header((-6, -8, 8)) + bytes(384)),
        ["(-6, -8, 8)", "again"],
    ),
    "shape too large for 64 bits": (
        with_member("train_images", npy_header((10**30, 8, 8), "|S0")),
        ["train_images", "expected uint8"],
    ),
    "header is nonsense": (
        with_member("train_labels", b"\x93NUMPY\x01\x00\x76\x00" + b"(" * 118),
        ["damaged array"],
    ),
    "directory lies": (
        lying_directory,
        ["train_images", "a claim of 2,000,000,", "at most", "all that such"],
    ),
    "unknown compression": (
        with_member("train_images", npy(arrays()["train_images"]), zipfile.ZIP_BZIP2),
        ["another compression", "numpy.savez_compressed"],
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_file_is_explained_and_left_alone(tmp_path, case):
    write, parts = BROKEN[case]
    path = tmp_path / "own.npz"
    write(path)
    before = path.read_bytes() if path.is_file() else None
    tracemalloc.start()
    with pytest.raises(DatasetError) as caught:
        datasets.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    message = str(caught.value)
    for part in [str(path), "found", "expected", "What to do", *parts]:
        assert part in message
    assert "\n" not in message
    assert peak < 2_000_000
    assert list(tmp_path.iterdir()) == [path]
    assert before is None or path.read_bytes() == before
