"""The audit counts what was planted, and finds what is known of the real files."""

import json

import numpy as np
import pytest

from medgen_course.datasets import fetch
from medgen_course.datasets.audit import audit
from medgen_course.datasets.sources import Dataset, Split, load

FILES = ("pneumoniamnist.npz", "breastmnist.npz")
HAVE_REAL = all(any((place.folder / file).is_file() for place in fetch.places()) for file in FILES)
NEEDS_REAL = pytest.mark.skipif(not HAVE_REAL, reason=f"no {' and '.join(FILES)} (set MEDMNIST_ROOT)")


def dataset(labels=None, channels=1) -> Dataset:
    """20 / 10 / 10 different images with planted copies."""
    images = np.random.default_rng(0).integers(0, 200, (40, channels, 8, 8), dtype=np.uint8)
    images[[1, 2]] = images[0]  # train: two copies beyond the first
    images[4] = images[3]  # train: one more
    images[20] = images[0]  # one distinct image in train and val, thrice in train
    images[[21, 22]] = images[5]  # another one, twice in val
    images[30] = images[5]  # which also stands in test
    images[31] = images[29]  # one in val and test
    images[35, 0, 0, 0] = 250
    labels = np.arange(40) % 4 // 3 if labels is None else labels
    parts = [slice(0, 20), slice(20, 30), slice(30, 40)]
    names = tuple(f"class {k}" for k in range(labels.shape[1] if labels.ndim == 2 else 3))
    splits = [Split(images[part], labels[part]) for part in parts]
    return Dataset("planted", channels, 8, names, "", "", "", "", *splits)


@pytest.mark.parametrize("channels", [1, 3])
def test_planted_copies_are_counted(channels):
    result = audit(dataset(channels=channels))
    assert result["audit"] == {
        "doubts": [],
        "repeats": {"train": 3, "val": 1, "test": 0},
        "shared": {"train-val": 2, "train-test": 1, "val-test": 2},
    }


def test_classes_and_grey_levels():
    data = dataset()
    result = audit(data)["splits"]
    assert result["train"]["count"] == 20
    assert result["train"]["classes"] == {"class 0": 15, "class 1": 5, "class 2": 0}
    assert result["test"]["grey"]["max"] == 250
    for name, split in data.splits().items():
        grey = result[name]["grey"]
        assert grey["min"] == split.images.min() and grey["max"] == split.images.max()
        assert grey["mean"] == pytest.approx(split.images.mean(), abs=1e-9)
        assert grey["std"] == pytest.approx(split.images.std(), abs=1e-9)


def test_an_image_with_several_labels_counts_in_each():
    labels = np.zeros((40, 2), np.int64)
    labels[:5] = 1
    labels[5:8, 0] = 1
    classes = audit(dataset(labels))["splits"]["train"]["classes"]
    assert classes == {"class 0": 8, "class 1": 5}


def test_the_result_is_plain_json():
    result = audit(dataset())
    assert json.loads(json.dumps(result)) == result


@NEEDS_REAL
def test_known_repeats_of_pneumoniamnist():
    result = audit(load("pneumoniamnist", download=False))
    assert result["audit"]["repeats"] == {"train": 18, "val": 0, "test": 3}
    assert result["audit"]["shared"] == {"train-val": 8, "train-test": 0, "val-test": 0}
    assert result["splits"]["test"]["classes"] == {"normal": 234, "pneumonia": 390}


@NEEDS_REAL
def test_known_leak_of_breastmnist():
    result = audit(load("breastmnist", download=False))
    assert result["audit"]["shared"]["train-test"] == 1
    assert result["splits"]["train"]["classes"] == {"malignant": 147, "normal, benign": 399}
