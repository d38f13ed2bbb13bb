"""Learning masks from few slices, and the recorded table of it."""

import numpy as np
import pytest
import torch
from scipy import stats

from medgen_course.datasets.labelled import phantom_slices
from medgen_course.metrics.few_labels import segmentation_shelf as shelf
from medgen_course.metrics.few_labels import segmenters
from medgen_course.metrics.segmentation import dice


@pytest.fixture(scope="module")
def slices():
    return phantom_slices("train", 4, 0, 32)


@pytest.mark.parametrize("method", segmenters.METHODS)
def test_every_method_learns_from_one_slice_and_repeats_itself(slices, method, monkeypatch):
    monkeypatch.setitem(segmenters.GAN, "updates", 3)
    before = torch.random.get_rng_state()
    first, again = (segmenters.learn(slices.first(1), method, 4, seed=1) for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    masks = first.masks(slices.images)
    assert masks.shape == slices.masks.shape and masks.dtype == np.uint8 and set(np.unique(masks)) <= {0, 1}
    assert np.array_equal(masks, again.masks(slices.images)) and first.seconds >= 0
    assert (first.network is None) == (method == "atlas")


def test_a_unet_learns_its_slices_and_the_atlas_never_looks(slices):
    learnt = segmenters.learn(slices, "U-Net", 150)
    found = learnt.masks(slices.images)
    assert dice(found[:, 1], slices.masks[:, 1])["value"] > 0.7
    atlas = segmenters.learn(slices, "atlas").masks(np.zeros_like(slices.images))
    assert np.array_equal(atlas[0], slices.masks.mean(0) >= 0.5) and np.array_equal(atlas[0], atlas[3])
    with pytest.raises(ValueError, match="method is 'V-Net'"):
        segmenters.learn(slices, "V-Net")


def test_pairs_are_drawn_with_their_masks(slices, monkeypatch):
    monkeypatch.setitem(segmenters.GAN, "updates", 3)
    drawn = segmenters.drawn_pairs(slices, 5)
    assert drawn.images.shape == (5, 1, 32, 32) and drawn.images.dtype == np.uint8
    assert drawn.masks.shape == (5, 2, 32, 32) and set(np.unique(drawn.masks)) <= {0, 1}
    assert not np.array_equal(drawn.images[0], drawn.images[1]) and drawn.names == slices.names
    half = segmenters.half_pairs(slices, 5)
    assert half.shape == (5, 3, 16, 16) and half.dtype == np.uint8
    assert abs(half[:, 0].mean() - drawn.images.mean()) < 1  # the same, enlarged


def rows(**values):
    """A table: method -> labels -> one value a seed."""
    return [
        {"part": "labels", "method": method, "split": "val", "labels": n, "seed": seed, "f1": value}
        for method, by in values.items()
        for n, each in by.items()
        for seed, value in enumerate(each)
    ]


def test_curves_are_means_over_seeds_with_their_range():
    table = rows(a={10: [0.1, 0.3, 0.2], 1: [0.5]}, b={10: [np.nan, 0.2, 0.1]})
    found = shelf.curve(table, "a", "f1")
    assert list(found) == [1, 10] and found[1] == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert found[10] == pytest.approx({"value": 0.2, "low": 0.1, "high": 0.3})
    assert shelf.curve(table, "b", "f1")[10]["value"] == pytest.approx(0.15)
    with pytest.raises(ValueError, match="'labels' has a, b"):
        shelf.curve(table, "c", "f1")


def test_methods_are_compared_seed_by_seed():
    table = rows(a={1: [0.9], 10: [0.12, 0.31, 0.52]}, b={10: [0.1, 0.3, 0.5], 100: [1.0]})
    gap = shelf.beside(table, "a", "b", "f1")
    assert list(gap) == [10]  # where both have two seeds
    low, high = stats.t.interval(0.95, 2, 0.05 / 3, stats.sem([0.02, 0.01, 0.02]))
    assert gap[10] == pytest.approx({"value": 0.05 / 3, "low": low, "high": high}) and low > 0
    back = shelf.beside(table, "b", "a", "f1")[10]
    assert back["value"] == pytest.approx(-gap[10]["value"]) and back["high"] < 0
