"""Dice and lesion-wise scores against masks made by hand, and against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from medgen_course.metrics import segmentation
from medgen_course.metrics.segmentation import clean, dice, dice_each, figures, lesion_scores, match


def drawn(*boxes, size=16):
    """One mask with boxes (top, bottom, left, right) inside."""
    mask = np.zeros((1, size, size), bool)
    for top, bottom, left, right in boxes:
        mask[0, top:bottom, left:right] = True
    return mask


def random_masks(n=40, seed=0, share=0.2):
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 12, 12)) < share
    return truth ^ (rng.random(truth.shape) < 0.1), truth


def test_dice_is_f1_of_the_pixels():
    found, truth = random_masks()
    expected = [f1_score(b.ravel(), a.ravel()) for a, b in zip(found, truth, strict=True)]
    assert np.allclose(dice_each(found, truth), expected)
    row = dice(found.astype(np.uint8), truth.astype(np.uint8))
    assert row["value"] == pytest.approx(np.mean(expected)) and row["low"] < row["value"] < row["high"]


def test_empty_masks_are_counted_apart_or_as_one_if_asked():
    lesion, none = drawn((2, 6, 2, 6)), drawn()
    truth = np.concatenate([lesion, none, none, lesion])
    found = np.concatenate([lesion, none, lesion, none])
    assert np.array_equal(dice_each(found, truth), [1, np.nan, np.nan, 0], equal_nan=True)
    assert dice_each(found, truth, "one").tolist() == [1, 1, 0, 0]
    assert dice(found, truth)["value"] == 0.5
    row = clean(found, truth)
    assert row["value"] == 0.5 and row["low"] == pytest.approx(0.0126, abs=1e-4)
    with pytest.raises(ValueError, match="'apart' or 'one'"):
        dice_each(found, truth, "zero")


def test_a_network_that_finds_nothing_has_half_a_dice_only_where_empty_slices_count():
    truth = np.concatenate([drawn((2, 6, 2, 6)), drawn()] * 5)
    nothing = np.zeros_like(truth)
    assert dice_each(nothing, truth, "one").mean() == 0.5
    assert dice(nothing, truth)["value"] == 0 and lesion_scores(nothing, truth)["f1"]["value"] == 0
    assert clean(nothing, truth)["value"] == 1


def test_where_there_is_nothing_to_measure_a_note_says_so():
    lesion, none = drawn((2, 6, 2, 6)), drawn()
    assert dice(lesion, none)["value"] is None and "no slice" in dice(lesion, none)["note"]
    assert clean(lesion, lesion)["value"] is None
    rows = lesion_scores(none, none)
    assert all(row["value"] is None and row["note"] for row in rows.values())
    assert lesion_scores(none, lesion)["precision"]["value"] is None
    assert lesion_scores(none, lesion)["recall"]["value"] == 0


def test_regions_are_paired_once_and_have_to_overlap():
    truth = drawn((0, 4, 0, 4), (8, 12, 8, 12))
    both = match(drawn((1, 5, 0, 4), (9, 12, 8, 12), (0, 2, 12, 14)), truth)
    assert both.lesions.tolist() == [True, True] and sorted(both.drawn.tolist()) == [False, True, True]
    specks = match(drawn((0, 2, 0, 2), (0, 2, 3, 4), (3, 4, 0, 2)), truth)  # three on one lesion
    assert specks.lesions.tolist() == [True, False] and specks.drawn.sum() == 1 and len(specks.drawn) == 3
    bridge = match(drawn((0, 4, 0, 4), (4, 8, 4, 8), (8, 12, 8, 12)), truth)  # corners touch: one region
    assert len(bridge.drawn) == 1 and bridge.lesions.sum() == 1
    assert not match(np.ones((1, 16, 16), bool), truth, overlap=0.2).lesions.any()


def test_the_threshold_is_that_of_intersection_over_union():
    truth, found = drawn((0, 4, 0, 4)), drawn((0, 4, 2, 6))  # 8 of 24 pixels
    assert match(found, truth, overlap=1 / 3).lesions.all()
    assert not match(found, truth, overlap=0.34).lesions.any()
    with pytest.raises(ValueError, match="overlap is 0"):
        match(found, truth, overlap=0)


def test_the_best_pairing_is_taken_not_the_first():
    truth = drawn((0, 4, 0, 4), (0, 4, 5, 9))
    found = drawn((0, 4, 0, 9)) & ~drawn((0, 4, 0, 3))  # a quarter of the first, all of the second
    assert match(found, truth).lesions.tolist() == [False, True]


def test_scores_count_over_all_slices_and_hold_the_value():
    lesion, other, none = drawn((2, 6, 2, 6)), drawn((9, 13, 9, 13)), drawn()
    truth = np.concatenate([lesion, lesion, lesion, none])
    found = np.concatenate([lesion, lesion | other, none, other])
    rows = lesion_scores(found, truth)  # 3 lesions, 2 found; 4 drawn, 2 right
    assert (rows["precision"]["value"], rows["recall"]["value"]) == (0.5, pytest.approx(2 / 3))
    assert rows["f1"]["value"] == pytest.approx(2 * 2 / (3 + 4))
    assert all(0 <= row["low"] <= row["value"] <= row["high"] <= 1 for row in rows.values())


def test_lesion_wise_f1_of_single_pixels_is_that_of_pixels():
    rng = np.random.default_rng(1)
    grid = np.zeros((30, 12, 12), bool)
    grid[:, ::3, ::3] = True  # no two of them touch
    truth, found = (grid & (rng.random(grid.shape) < 0.5) for _ in range(2))
    expected = f1_score(truth.ravel(), found.ravel())
    assert lesion_scores(found, truth)["f1"]["value"] == pytest.approx(expected)


def test_figures_name_every_structure_and_shapes_have_to_fit():
    found, truth = random_masks()
    rows = figures(np.stack([found, truth], 1), np.stack([truth, truth], 1), ("lesion", "white matter"))
    assert rows["dice_lesion"] == dice(found, truth) and rows["dice_white_matter"]["value"] == 1
    assert len(rows) == 10 and rows["f1_white_matter"]["value"] == 1
    with pytest.raises(ValueError, match="K names"):
        figures(found[:, None], truth[:, None], ("a", "b"))
    with pytest.raises(ValueError, match="expected"):
        dice_each(found, truth[:3])
    assert segmentation.OVERLAP == 0.1
