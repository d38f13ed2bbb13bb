"""Places on the plane, lesions, and the choice of a strength: each measure sees what it is for."""

import numpy as np
import pytest
import torch

from medgen_course import datasets
from medgen_course.batches.transforms import blur, to_unit
from medgen_course.datasets import sources
from medgen_course.datasets.domains import from_dataset
from medgen_course.metrics import enhancement
from medgen_course.metrics.enhancement import Eye, best_strength, fate, lesion_rows, other_kind, place


@pytest.fixture(scope="module")
def data():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "PHANTOM_COUNTS", {"train": 128, "val": 48, "test": 8})
        return datasets.load("phantom", size=32)


@pytest.fixture(scope="module")
def truth(data):
    return from_dataset(data).val.truth


def floats(images):
    return to_unit(torch.from_numpy(np.ascontiguousarray(images)))


def test_blur_is_far_from_true_images_and_noise_of_the_same_error_is_not_the_same(data):
    eye = Eye(data)
    x = floats(data.val.images)
    rows = {
        "truth": place(x * 0.999, data.val.images, eye),
        "blurred": place(blur(x, 1.0), data.val.images, eye),
        "shuffled": place(x.roll(1, 0), data.val.images, eye),
    }
    assert "random" in eye.about and rows["truth"]["frechet"]["n"] == 24
    for name in ("frechet", "kernel"):
        row = {key: value[name] for key, value in rows.items()}
        assert row["truth"]["high"] < row["blurred"]["low"]
        assert row["shuffled"]["low"] <= row["truth"]["high"]  # other true images look true,
    assert rows["shuffled"]["psnr"]["high"] < rows["blurred"]["psnr"]["low"]  # and are far from the truth
    assert all(r[n]["low"] <= r[n]["value"] <= r[n]["high"] for r in rows.values() for n in r)
    again = eye.distances(blur(x, 1.0))
    assert again["frechet"] == rows["blurred"]["frechet"]


def test_the_healthy_twin_has_lost_its_lesions_and_the_truth_none(truth):
    assert lesion_rows(floats(truth.a), truth)["erased"]["value"] == 0
    assert lesion_rows(floats(truth.healthy_a), truth)["erased"]["value"] == 1
    assert lesion_rows(floats(truth.a), truth)["invented"] == {"value": 0, "low": 0, "high": 0, "best": 0}


def test_the_other_kind_of_lesion_is_as_bright_as_the_usual_one_is_dark(truth):
    other = other_kind(truth)
    usual, opposite = fate(floats(truth.a), truth), fate(floats(other.a), other)
    assert (usual.true_contrast < 0).all() and (opposite.true_contrast > 0).all()
    clipped = other.a[other.masks > 0] == 255
    assert clipped.mean() < 0.2
    assert abs(usual.true_contrast + opposite.true_contrast).mean() < 0.02
    outside = truth.masks == 0
    assert (
        np.abs(other.a.astype(int) - truth.a)[outside].max()
        <= 2 * np.abs(truth.healthy_a.astype(int) - truth.a)[outside].max()
    )
    assert fate(floats(truth.healthy_a), other).erased.all()


def test_the_best_strength_is_that_with_the_least_error(data):
    x = floats(data.val.images[:6])
    assert best_strength(lambda guess, strength: strength * guess, (0.2, 0.5, 0.9), x, 0.48 * x) == 0.5


def test_shipped_features_are_used_for_the_images_that_they_belong_to(monkeypatch, data):
    asked = []
    monkeypatch.setattr(enhancement.pretrained, "fits", lambda *words: asked.append(words) or False)
    Eye(data)
    assert asked == [(data, "classifier")]
