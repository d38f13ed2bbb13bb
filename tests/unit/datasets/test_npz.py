"""Good files arrive as they were saved and within memory; bombs and damage do not get through."""

import random
import tracemalloc

import numpy as np
import pytest
from npz_files import OBJECTS, arrays

from medgen_course import datasets
from medgen_course.datasets import layout, memory, npz
from medgen_course.datasets.sources import DatasetError


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
    assert memory.memory_limit() > 0
    monkeypatch.setattr(memory, "memory_limit", lambda: 100)
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
