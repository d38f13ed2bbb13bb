"""Places on the plane, lesions, and the choice of a strength: each measure sees what it is for."""

import numpy as np
import pytest
import torch

from medgen_course import datasets
from medgen_course.batches.tasks import degradation
from medgen_course.batches.transforms import blur, to_unit
from medgen_course.datasets import sources
from medgen_course.datasets.domains import from_dataset
from medgen_course.metrics import enhancement
from medgen_course.metrics.enhancement import (
    Eye,
    best_strength,
    fate,
    fine_detail,
    other_kind,
    place,
)


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


def ill(truth):
    return np.flatnonzero(truth.masks.any((1, 2, 3)))


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


CLEAN = degradation("denoise", 0.0)


def test_an_answer_that_changes_nothing_keeps_all_lesions_and_invents_none(truth):
    rows = fate(lambda y: y, CLEAN, truth).rows()
    assert rows["erased"]["value"] == rows["invented"]["value"] == 0
    assert rows["kept"]["value"] == pytest.approx(1, abs=1e-4) and rows["kept"]["n"] == len(ill(truth))


def test_what_is_done_to_twins_too_is_no_change_of_a_lesion(truth):
    """Darker by half a lesion everywhere: the contrast stays, and healthy places look like lesions."""
    strength = float(np.abs(truth.a / 255 - truth.healthy_a / 255)[truth.masks > 0].mean())
    found = fate(lambda y: y - 0.9 * strength, CLEAN, truth)
    assert not found.erased.any() and np.allclose(found.kept, 1, atol=1e-3)
    assert found.invented.mean() > 0.5


def test_an_answer_that_shows_less_than_half_erases(truth):
    for share, gone in ((0.4, True), (0.6, False)):
        found = fate(lambda y, share=share: share * y, CLEAN, truth)
        assert np.allclose(found.kept, share, atol=1e-3) and (found.erased == gone).all()


def test_noise_is_the_same_for_a_slice_and_its_twin(truth):
    found = fate(lambda y: y, degradation("denoise", 0.1), truth)
    assert found.kept.std() < 0.15  # two draws of 0.1 over a dozen pixels would differ by more


def test_in_a_hole_only_hidden_lesions_count_and_none_of_them_is_kept(truth):
    hole = degradation("inpaint", 0.25)
    found = fate(hole.guess, hole, truth)
    assert 0 < len(found.slices) < len(ill(truth)) and set(found.slices) < set(ill(truth))
    assert found.erased.all()
    assert len(fate(hole.guess, degradation("inpaint", 0.0), truth).slices) == 0
    empty = fate(hole.guess, degradation("inpaint", 0.0), truth).rows()
    assert empty["erased"]["value"] is None and empty["kept"]["n"] == 0


def test_slices_without_a_lesion_say_so(truth):
    healthy = np.flatnonzero(~truth.masks.any((1, 2, 3)))
    with pytest.raises(ValueError, match="no mask holds a lesion"):
        fate(lambda y: y, CLEAN, truth.at(healthy))


def test_made_up_detail_adds_to_the_amount_and_not_to_the_agreement(truth):
    x = floats(truth.a)
    noise = 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    same, less, more = (fine_detail(made, x) for made in (x, blur(x, 1.0), x + noise))
    assert np.allclose(same["amount"], 1) and np.allclose(same["agreement"], 1)
    assert (less["amount"] < 1).all() and (more["amount"] > 1).all()
    assert (more["agreement"] < 0.95).all() and more["amount"].shape == (len(x),)


def test_the_other_kind_of_lesion_is_as_bright_as_the_usual_one_is_dark(truth):
    other, inside = other_kind(truth), truth.masks > 0
    dark, bright = (t.a.astype(int) - t.healthy_a for t in (truth, other))
    assert dark[inside].mean() < -10 and bright[inside].mean() > 10
    unclipped = inside & (other.a < 255)
    assert np.array_equal(dark[unclipped], -bright[unclipped]) and unclipped.sum() > 0.8 * inside.sum()
    kept = fate(lambda y: y, CLEAN, other).kept
    assert np.allclose(kept, 1, atol=1e-4)


def test_the_best_strength_is_that_with_the_least_error(data):
    x = floats(data.val.images[:6])
    assert best_strength(lambda guess, strength: strength * guess, (0.2, 0.5, 0.9), x, 0.48 * x) == 0.5


def test_shipped_features_are_used_for_the_images_that_they_belong_to(monkeypatch, data):
    asked = []
    monkeypatch.setattr(enhancement.pretrained, "fits", lambda *words: asked.append(words) or False)
    Eye(data)
    assert asked == [(data, "classifier")]
