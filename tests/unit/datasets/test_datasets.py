"""What `load` makes of names, fallbacks, the phantom and own files."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from npz_files import write_npz

from medgen_course import datasets, home, phantom
from medgen_course.datasets import fetch, sources
from medgen_course.datasets.sources import DatasetError, DatasetUnavailable, PhantomFallback, load

FILES = ("pneumoniamnist.npz", "breastmnist.npz")
HAVE_REAL = all(any((place.folder / file).is_file() for place in fetch.places()) for file in FILES)
NEEDS_REAL = pytest.mark.skipif(not HAVE_REAL, reason=f"no {' and '.join(FILES)} (set MEDMNIST_ROOT)")


# names and arguments


def test_every_2d_name_has_all_four_sizes_and_the_readme_has_their_checksums():
    info = fetch.medmnist_info()
    official = [name for name in datasets.names() if name not in ("phantom", "phantom-t2w")]
    readme = (Path(__file__).parents[3] / "data" / "README.md").read_text(encoding="utf-8")
    assert len(official) == 12
    for name in official:
        row = next(line for line in readme.splitlines() if line.startswith(f"| {name} |"))
        assert f"| {info[name]['license']} |" in row
        for suffix in ("", "_64", "_128", "_224"):
            assert info[name][f"url{suffix}"].endswith(f"{name}{suffix}.npz?download=1")
            assert f"`{info[name][f'MD5{suffix}']}`" in row


@pytest.mark.parametrize("name", ["organmnist3d", "NoduleMNIST3D"])
def test_volumes_are_refused(name):
    with pytest.raises(DatasetError, match=r"volumes; this course is 2D only.*pneumoniamnist"):
        load(name)


def test_unknown_name_gets_the_nearest_ones():
    with pytest.raises(DatasetError, match="Did you mean pneumoniamnist"):
        load("pnuemoniamnist")
    with pytest.raises(
        DatasetError, match=r"no data set 'x'. Choose one of pathmnist.*phantom-t2w, or give the path"
    ):
        load("x")


def test_wrong_arguments_are_named(world):
    with pytest.raises(DatasetError, match="size is 32; MedMNIST has 28, 64, 128, 224"):
        load("pneumoniamnist", size=32)
    with pytest.raises(DatasetError, match="fallback is 'breastmnist'; expected None or 'phantom'"):
        load("pneumoniamnist", fallback="breastmnist")
    with pytest.raises(DatasetError, match=r"size is 27; the phantom .* from 28 to 224"):
        load("phantom", size=27)
    with pytest.raises(DatasetError, match="no contrast 'flair': it shows T1w as phantom, and T2w as ph"):
        load("phantom-flair")
    with pytest.raises(DatasetError, match="no contrast 't1w': it shows T1w as phantom"):
        load("Phantom-T1w")
    with pytest.raises(DatasetError, match="Did you mean phantom-t2w"):
        load("phantom:t2w")


# fallback and phantom


def test_fallback_warns_and_carries_its_notice_everywhere(world):
    with pytest.warns(PhantomFallback, match=r"NOT REAL IMAGES.*Ways out"):
        data = load("pneumoniamnist", size=28, fallback="phantom")
    assert data.name == "phantom" and data.train.images.shape == (8, 1, 28, 28)
    assert "stands in for pneumoniamnist" in data.notice
    bundle = data._repr_mimebundle_()
    assert data.notice in bundle["text/plain"].splitlines()[0]
    assert "border:3px solid #c00000" in bundle["text/html"] and 'role="alert"' in bundle["text/html"]
    source = bundle["application/vnd.medgen.source+json"]
    assert source == {"name": "phantom", "source": data.source, "notice": data.notice}
    assert json.loads(json.dumps(source)) == source


def test_phantom_has_masks_factors_and_the_paired_contrast(world):
    assert phantom.generate(4, size=32, seed=0, split="val").t1w.shape == (4, 1, 32, 32)
    t1w, t2w = load("phantom", size=32), load("phantom-T2w", size=32)
    assert (t1w.name, t2w.name) == ("phantom", "phantom-t2w") and t1w.drawn and t2w.drawn
    assert "T1w" in t1w.source and "T2w" in t2w.source and t1w.checksum != t2w.checksum
    assert t1w.notice == "" and t1w.label_names == ("healthy", "lesion") and t1w.size == 32
    assert "border" not in t1w._repr_mimebundle_()["text/html"].split("<table")[0]
    for name, split in t1w.splits().items():
        other = t2w.splits()[name]
        np.testing.assert_array_equal(split.images, other.extras["paired"])
        np.testing.assert_array_equal(split.extras["paired"], other.images)
        assert not np.array_equal(split.images, other.images)
        assert split.images.shape == split.extras["mask"].shape == (len(split), 1, 32, 32)
        assert len(split.extras["factors"]) == len(split)
        np.testing.assert_array_equal(split.extras["mask"].any(axis=(1, 2, 3)), split.labels == 1)


def test_phantom_comes_in_the_promised_numbers():
    assert sources.PHANTOM_COUNTS == {"train": 4096, "val": 512, "test": 512}


# own files


def test_own_file_names_its_classes_and_keeps_its_size(world, tmp_path):
    content = write_npz(tmp_path / "mine.npz", labels=np.arange(6) % 3, size=20)
    data = load("mine.npz", size=64)
    assert not data.drawn
    assert (data.name, data.size, data.channels, data.task) == ("mine.npz", 20, 1, "multi-class")
    assert data.label_names == ("class 0", "class 1", "class 2")
    assert data.source == f"own file mine.npz, MD5 {hashlib.md5(content).hexdigest()}"
    assert [len(split) for split in data.splits().values()] == [6, 6, 6]


def test_own_file_is_found_from_the_checkout_and_in_the_places(world, tmp_path, monkeypatch):
    write_npz(tmp_path / "checkout" / "data" / "mine.npz")
    (tmp_path / "checkout" / "pyproject.toml").touch()
    monkeypatch.setattr(home, "PACKAGE", tmp_path / "checkout" / "medgen_course")
    assert load("data/mine.npz").name == "mine.npz"
    write_npz(world.data / "other.npz", count=7)
    assert len(load("other.npz").train) == 7
    write_npz(tmp_path / "elsewhere" / "other.npz", count=9)
    assert len(load("other.npz", root=tmp_path / "elsewhere").train) == 9


def test_missing_own_file_is_an_error_even_with_a_fallback(world, tmp_path):
    with pytest.raises(DatasetUnavailable, match=r"no file mine\.npz.*check the spelling") as caught:
        load("mine.npz", fallback="phantom")
    assert str(tmp_path / "mine.npz") in str(caught.value)


def test_multi_label_data_keep_their_matrix(world, tmp_path):
    matrix = np.eye(6, 14, dtype=np.uint8)
    write_npz(tmp_path / "mine.npz", labels=matrix)
    data = load(tmp_path / "mine.npz")
    assert data.task == "multi-label, binary-class" and len(data.label_names) == 14
    np.testing.assert_array_equal(data.train.labels, matrix)
    assert data.train.labels.dtype == np.int64


def test_what_is_shown_is_escaped_and_short(world, tmp_path):
    write_npz(tmp_path / "<b>mine.npz", labels=np.arange(6) * 100)
    data = load(tmp_path / "<b>mine.npz")
    assert len(data.label_names) == 501
    shown = data._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;mine" in shown and "<b>mine" not in shown
    assert "and 481 more" in shown and len(repr(data)) < 1000 and len(repr(data.train)) < 200


# real files


@NEEDS_REAL
def test_real_files():
    pneumonia, breast = load("pneumoniamnist", download=False), load("breastmnist", download=False)
    assert [len(split) for split in pneumonia.splits().values()] == [4708, 524, 624]
    assert [len(split) for split in breast.splits().values()] == [546, 78, 156]
    assert breast.label_names == ("malignant", "normal, benign")
    assert pneumonia.train.labels.shape == (4708,) and pneumonia.train.images.shape == (4708, 1, 28, 28)
    with np.load(fetch.official_file("breastmnist", 28, None, False)[0]) as file:
        np.testing.assert_array_equal(breast.test.images[:, 0], file["test_images"])
        np.testing.assert_array_equal(breast.test.labels, file["test_labels"][:, 0])


def test_importing_is_light():
    code = (
        "import sys; from medgen_course import datasets; datasets.names(); "
        "print([m for m in ('torch', 'medmnist', 'torchvision', 'pandas', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_first_images_come_with_all_that_goes_with_them():
    data = load("phantom", size=28)
    part = data.val.first(3)
    assert len(part) == 3 and part.images.base is not None
    assert np.array_equal(part.labels, data.val.labels[:3])
    assert {name: len(array) for name, array in part.extras.items()} == dict.fromkeys(data.val.extras, 3)
    assert np.array_equal(part.extras["mask"], data.val.extras["mask"][:3])
    assert len(data.val.first(10**6)) == len(data.val)
    with pytest.raises(ValueError, match="n is 0"):
        data.val.first(0)
