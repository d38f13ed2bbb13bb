"""Regions, boxes and FROC curves: small maps that can be counted by hand, and scikit-image as a reference."""

import numpy as np
import pytest
from skimage.measure import label as components
from skimage.measure import regionprops

from medgen_course.metrics import detection


def blob(size=16, **squares):
    """A map with squares of three pixels: place -> height."""
    made = np.zeros((size, size))
    for name, height in squares.items():
        row, column = map(int, name[1:].split("_"))
        made[row : row + 3, column : column + 3] = height
    return made


def test_regions_are_those_of_scikit_image():
    noise = np.random.default_rng(0).random((24, 24))
    found = detection.regions(noise, 0.6, 2)
    known = [p for p in regionprops(components(noise > 0.6, connectivity=1), noise) if p.area >= 2]
    assert sorted(r.box for r in found) == sorted(tuple(p.bbox) for p in known)
    centres = [sorted(c) for c in ([r.centre for r in found], [tuple(p.centroid) for p in known])]
    np.testing.assert_allclose(*centres)
    assert sorted(r.score for r in found) == pytest.approx(sorted(p.intensity_max for p in known))
    assert [r.score for r in found] == sorted((r.score for r in found), reverse=True)


def test_small_regions_do_not_count_and_a_mask_is_a_map():
    one = np.zeros((8, 8))
    one[2, 2] = one[5, 5:7] = 1
    assert len(detection.regions(one, 0.5, 1)) == 2 and len(detection.regions(one, 0.5, 2)) == 1
    (region,) = detection.regions(one.astype(bool), 0.5, 2)
    assert region.box == (5, 5, 6, 7) and region.centre == (5.0, 5.5) and region.pixels == 2
    with pytest.raises(ValueError, match=r"one map \(H, W\)"):
        detection.regions(one[None], 0.5)


def test_boxes_overlap():
    first, second, third = (
        detection.Region(b, (0, 0), 1, 1) for b in ((0, 0, 2, 4), (0, 2, 2, 6), (3, 3, 4, 4))
    )
    assert detection.overlap(first, first) == 1
    assert detection.overlap(first, second) == pytest.approx(4 / 12)
    assert detection.overlap(first, third) == 0


def test_what_is_found_and_what_is_a_false_alarm():
    """Two slices with a lesion, one without: a hit, an alarm beside it, a lesion that is missed."""
    masks = np.stack([blob(p2_2=1), blob(p9_9=1), blob()])[:, None]
    maps = np.stack([blob(p2_2=0.9, p10_10=0.5), blob(p2_9=0.7), blob(p5_5=0.3)])
    found = detection.froc(maps, masks, np.array([0.8, 0.6, 0.2]))
    assert found.thresholds.tolist() == [0.2, 0.6, 0.8]
    assert found.hits.tolist() == [[1, 0, 0]] * 3 and found.lesions.tolist() == [1, 1, 0]
    assert found.alarms.tolist() == [[1, 1, 1], [0, 1, 0], [0, 0, 0]]
    assert found.sensitivity.tolist() == [0.5] * 3 and found.rate == pytest.approx([1, 1 / 3, 0])
    assert found.threshold(0.0) == 0.8 and found.curve(np.array([0, 1])).tolist() == [0.5, 0.5]
    row = found.at(0.6)
    assert row["sensitivity"]["value"] == 0.5 and row["false_alarms"]["value"] == pytest.approx(1 / 3)
    assert row["sensitivity"]["low"] < 0.05 and row["sensitivity"]["high"] > 0.95


def test_a_region_that_covers_all_finds_only_what_its_centre_lies_in():
    masks = blob(p1_1=1)[None, None]
    assert detection.froc(np.ones((1, 16, 16)), masks, np.array([0.5])).hits.sum() == 0


def test_no_threshold_is_low_enough_for_a_map_that_cries_wolf():
    maps = np.stack([blob(p2_2=1), blob(p5_5=1)])
    found = detection.froc(maps, np.stack([blob(p2_2=1), blob()])[:, None], np.array([0.5]))
    assert found.threshold(0.1) == np.inf and found.curve(np.array([0.1]))[0] == 0
    nothing = found.at(np.inf)
    assert nothing["sensitivity"]["value"] == nothing["false_alarms"]["value"] == 0
    assert nothing["sensitivity"]["high"] > 0.9  # of one lesion, so nothing is known
    with pytest.raises(ValueError, match="was not tried"):
        found.at(0.7)


def test_the_band_holds_the_curve_and_a_better_map_finds_more():
    rng = np.random.default_rng(0)
    masks = np.zeros((60, 1, 16, 16))
    for i, (row, column) in enumerate(rng.integers(1, 12, (40, 2))):
        masks[i, 0, row : row + 3, column : column + 3] = 1
    noise = rng.random((60, 16, 16))
    rates, found = np.array([0.05, 0.2, 1.0]), {}
    for weight in (0.3, 0.9):
        maps = noise + weight * masks[:, 0]
        found[weight] = detection.froc(maps, masks, detection.usual_thresholds(maps))
        middle, (low, high) = found[weight].curve(rates), found[weight].band(rates)
        assert (low <= middle + 0.05).all() and (middle <= high + 1e-9).all() and (np.diff(middle) >= 0).all()
    assert (found[0.9].curve(rates) >= found[0.3].curve(rates)).all() and found[0.9].curve(rates)[1] == 1


def test_shapes_that_do_not_fit_are_told_apart():
    with pytest.raises(ValueError, match="one mask for each map"):
        detection.froc(np.zeros((2, 8, 8)), np.ones((3, 1, 8, 8)), np.array([0.5]))
    with pytest.raises(ValueError, match="with 0 lesion"):
        detection.froc(np.zeros((2, 8, 8)), np.zeros((2, 1, 8, 8)), np.array([0.5]))
