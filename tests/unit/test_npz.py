"""Every way in which an own file can be wrong: a clear message, no memory taken, the file as it was."""

import io
import pickle
import random
import tracemalloc
import zipfile

import numpy as np
import pytest

from medgen_course import datasets, layout, npz
from medgen_course.datasets import DatasetError


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


def test_real_zip_bomb_is_stopped_by_the_limit(tmp_path):
    """10 MB of zeros are honest in every claim: only the limit stops them, before allocating."""
    path = tmp_path / "bomb.npz"
    zeros = {f"{split}_images": np.zeros((3200, 32, 32), np.uint8) for split in layout.SPLITS}
    labels = {f"{split}_labels": np.zeros(3200, np.uint8) for split in layout.SPLITS}
    np.savez_compressed(path, **zeros, **labels)
    wanted = 3 * 3200 * (32 * 32 + 8)  # labels become int64
    assert path.stat().st_size < wanted / 100
    tracemalloc.start()
    with pytest.raises(
        DatasetError, match=rf"would take {wanted:,} bytes.*at most 9,000,000.*smaller image size"
    ):
        layout.read_splits(path, limit=9_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    assert len(layout.read_splits(path, limit=wanted)["train"][0]) == 3200


def test_the_limit_that_holds_by_default_is_what_is_free_now(tmp_path, monkeypatch):
    np.savez(tmp_path / "own.npz", **arrays())
    assert npz.memory_limit() > 0
    monkeypatch.setattr(npz, "memory_limit", lambda: 100)
    with pytest.raises(DatasetError, match=r"found arrays that would take 1,296 bytes.*at most 100;?"):
        datasets.load(tmp_path / "own.npz")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("rgb", [False, True])
@pytest.mark.parametrize("order", ["C", "F"])
def test_images_arrive_as_they_were_saved_within_memory(tmp_path, save, rgb, order):
    """Growth of memory while loading <= 1.3 x the arrays, for every order in which numpy writes."""
    made = arrays(count=600, size=40, rgb=rgb)
    save(tmp_path / "own.npz", **{key: np.asarray(array, order=order) for key, array in made.items()})
    datasets.names()  # the table of names is read once, whatever is loaded
    tracemalloc.start()
    data = datasets.load(tmp_path / "own.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = 0
    for name, split in data.splits().items():
        want = made[f"{name}_images"]
        want = np.moveaxis(want, 3, 1) if rgb else want[:, None]
        np.testing.assert_array_equal(split.images, want)
        assert split.images.dtype == np.uint8 and split.images.flags["C_CONTIGUOUS"]
        np.testing.assert_array_equal(split.labels, made[f"{name}_labels"][:, 0])
        assert split.labels.dtype == np.int64 and split.labels.shape == (600,)
        size += split.images.nbytes + split.labels.nbytes
    assert peak <= 1.3 * size


def test_labels_of_any_integer_type_and_byte_order(tmp_path):
    for dtype in ("u1", "<i2", ">i4", "<u8", ">i8"):
        made = arrays()
        labels = {key: array.astype(dtype)[:, 0] for key, array in made.items() if key.endswith("labels")}
        np.savez(tmp_path / "own.npz", **(made | labels))
        assert datasets.load(tmp_path / "own.npz").train.labels.tolist() == [0, 1, 0, 1, 0, 1]


def test_other_arrays_in_the_file_are_not_read(tmp_path):
    np.savez(tmp_path / "own.npz", **arrays(), notes=OBJECTS, allow_pickle=True)
    assert len(datasets.load(tmp_path / "own.npz").train) == 6


def test_random_damage_never_gives_other_images(tmp_path):
    """Flip bytes anywhere: either the message of a DatasetError, or the images as they were saved."""
    path, made, draw = tmp_path / "own.npz", arrays(), random.Random(0)
    np.savez_compressed(path, **made)
    good, refused = path.read_bytes(), 0
    for _ in range(300):
        bad = bytearray(good)
        for _ in range(draw.choice((1, 2, 8))):
            bad[draw.randrange(len(bad))] = draw.randrange(256)
        path.write_bytes(bad)
        try:
            splits = layout.read_splits(path)
        except DatasetError:
            refused += 1
        else:
            for split, (images, _) in splits.items():
                np.testing.assert_array_equal(images[:, 0], made[f"{split}_images"])
    assert refused > 200


def test_file_that_may_not_be_read(tmp_path, monkeypatch):
    """Tests may run as root, who may read everything, so the refusal is put in place of open()."""
    path = tmp_path / "own.npz"
    np.savez(path, **arrays())

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(npz.zipfile, "ZipFile", refuse)
    with pytest.raises(DatasetError, match=r"cannot be read \(Permission denied\).*permissions"):
        layout.read_splits(path)
