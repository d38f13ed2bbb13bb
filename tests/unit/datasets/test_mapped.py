"""Images that are read from disk: the same as those in memory, unpacked once, whole or not at all."""

import json
import mmap
import shutil
from collections import namedtuple

import numpy as np
import pytest

from medgen_course import datasets
from medgen_course.batches import memory as pages
from medgen_course.batches import pixels
from medgen_course.batches.domains import UnpairedSampler
from medgen_course.batches.sampling import Sampler
from medgen_course.cli import main
from medgen_course.datasets import DatasetError, mapped, memory
from medgen_course.datasets.audit import audit


@pytest.fixture(params=["grey", "rgb"])
def own(request, tmp_path):
    rng, end = np.random.default_rng(0), () if request.param == "grey" else (3,)
    arrays = {}
    for split, count in (("train", 50), ("val", 9), ("test", 7)):
        arrays[f"{split}_images"] = rng.integers(0, 255, (count, 12, 12, *end), np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % 2)[:, None]
    np.savez_compressed(tmp_path / "own.npz", **arrays)
    return tmp_path / "own.npz"


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)


def test_the_same_images_from_disk(own, capsys):
    here, there = datasets.load(own), datasets.load(own, in_memory=False)
    for name, split in here.splits().items():
        assert np.array_equal(split.images, there.splits()[name].images)
        assert np.array_equal(split.labels, there.splits()[name].labels)
    assert isinstance(there.train.images, np.memmap) and not isinstance(here.train.images, np.memmap)
    assert here.checksum == there.checksum and audit(here) == audit(there)
    assert "unpacking" in capsys.readouterr().err


def test_what_does_not_fit_is_unpacked_once(own, little_memory, monkeypatch, capsys):
    datasets.load(own)
    assert capsys.readouterr().err.count("unpacking") == 1
    monkeypatch.setattr(mapped.npz, "read_rows", None)  # what is called now would fail
    assert isinstance(datasets.load(own).train.images, np.memmap)
    assert capsys.readouterr().err == ""


def test_what_fits_is_read_into_memory(own):
    assert not isinstance(datasets.load(own).train.images, np.memmap)
    assert not list(own.parent.glob("*unpacked*"))


def test_another_file_under_the_name_is_unpacked_anew(own):
    first = datasets.load(own, in_memory=False).train.images.copy()
    arrays = dict(np.load(own))
    np.savez_compressed(own, **arrays | {"train_images": 255 - arrays["train_images"]})
    assert np.array_equal(datasets.load(own, in_memory=False).train.images, 255 - first)


def test_a_damaged_file_leaves_nothing_behind(own):
    arrays = dict(np.load(own))
    np.savez(own, **arrays)  # uncompressed, so that a byte in the middle is a pixel
    content = bytearray(own.read_bytes())
    content[content.find(arrays["train_images"].tobytes()[:64]) + 50] ^= 1
    own.write_bytes(content)
    with pytest.raises(DatasetError, match="damaged"):
        datasets.load(own, in_memory=False)
    assert [path.name for path in own.parent.iterdir()] == ["own.npz"]


def test_a_folder_that_was_cut_off_is_made_anew(own):
    datasets.load(own, in_memory=False)
    folder = own.with_name("own.npz.unpacked")
    (folder / "contents.json").write_text("{")
    (folder / "train_images.npy").write_bytes(b"")
    assert datasets.load(own, in_memory=False).train.images.any()
    assert json.loads((folder / "contents.json").read_text())


def test_no_room_on_the_disk(own, monkeypatch):
    usage = namedtuple("usage", "total used free")(10**6, 10**6, 5)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DatasetError, match="5 bytes free on the disk; expected room beside the file"):
        datasets.load(own, in_memory=False)


def test_fortran_order_is_refused_with_a_way_out(own):
    arrays = {k: np.asfortranarray(v) for k, v in np.load(own).items()}
    np.savez_compressed(own, **arrays)
    assert datasets.load(own).train.images.any()
    with pytest.raises(DatasetError, match="ascontiguousarray"):
        datasets.load(own, in_memory=False)


@pytest.mark.parametrize("world_size", [1, 2])
def test_batches_from_disk_are_those_from_memory(own, world_size):
    here, there = datasets.load(own).train, datasets.load(own, in_memory=False).train
    for make in (lambda s: Sampler(s, 8), lambda s: UnpairedSampler(s.images[:20], s.images[20:], 4)):
        pairs = zip(
            make(here).epoch(3, 0, rank=world_size - 1, world_size=world_size),
            make(there).epoch(3, 0, rank=world_size - 1, world_size=world_size),
            strict=True,
        )
        same = [a.keys() == b.keys() and all(a[key].equal(b[key]) for key in a) for a, b in pairs]
        assert len(same) > 1 and all(same)


def test_an_epoch_that_is_left_early_ends_its_reader(own):
    import threading

    before = threading.active_count()
    batches = Sampler(datasets.load(own, in_memory=False).train, 8).epoch(0, 0)
    next(batches)
    batches.close()
    assert threading.active_count() == before


def test_a_run_from_disk_has_the_weights_of_one_from_memory(own, tmp_path, monkeypatch):
    words = ["--num-epochs", "1", "--batch-size", "16", "--latent-dim", "2"]
    assert main(["train", "autoencoder", "--dataset", str(own), "--out", str(tmp_path / "a"), *words]) == 0
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    assert main(["train", "autoencoder", "--dataset", str(own), "--out", str(tmp_path / "b"), *words]) == 0
    assert own.with_name("own.npz.unpacked").is_dir()
    weights = [(tmp_path / run / "model.safetensors").read_bytes() for run in "ab"]
    assert weights[0] == weights[1]


def test_the_cache_is_cleared(own, capsys):
    datasets.load(own, in_memory=False)
    assert main(["data", str(own), "--clear-cache"]) == 0
    assert "own.npz.unpacked: removed" in capsys.readouterr().out
    assert [path.name for path in own.parent.iterdir()] == ["own.npz"]
    assert main(["data", "--clear-cache", "--root", str(own.parent)]) == 0
    assert "nothing is unpacked in" in capsys.readouterr().out
    assert main(["data"]) == 2
    assert "of which images?" in capsys.readouterr().err


def test_a_containers_memory_counts(monkeypatch):
    monkeypatch.setattr(memory, "_container_limits", lambda: ["max", str(8 << 60)])
    whole = memory.available_memory()
    monkeypatch.setattr(memory, "_container_limits", lambda: ["max", str(2 << 30)])
    assert whole > 2 << 30 > memory.available_memory() > 0
    assert mapped.fits(100 << 20) and not mapped.fits(3 << 30)


def test_the_system_is_told_where_the_images_of_a_batch_lie(own):
    images, rows = datasets.load(own, in_memory=False).train.images[7:], np.array([0, 3, 41])
    content = own.with_name("own.npz.unpacked").joinpath("train_images.npy").read_bytes()
    told = pages.places(images, images.base._mmap, rows)
    for row, (start, length) in zip(rows, told, strict=True):
        assert start % mmap.PAGESIZE == 0 and length < images[0].nbytes + mmap.PAGESIZE
        assert content[start : start + length].endswith(images[row].tobytes())


def test_every_batch_is_announced_before_it_is_read(own, monkeypatch):
    train, told = datasets.load(own, in_memory=False).train, []
    monkeypatch.setattr(pixels, "announce", lambda images, rows: told.append((images, rows)))
    drawn = [batch["x"] for batch in Sampler(train, 8).epoch(0, 0)]
    assert all(images is told[0][0] for images, _ in told) and pages._mapping(told[0][0]) is not None
    for x, (images, rows) in zip(drawn, told, strict=True):
        announced, seen = images[rows], (x * 255).round().byte().numpy()
        assert sorted(map(bytes, announced)) == sorted(map(bytes, seen))
