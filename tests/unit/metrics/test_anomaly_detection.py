"""AUROC, average precision, Dice, FROC and the detection limit, beside scikit-learn and known cases."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from medgen_course.metrics.anomaly import detection, lesions

RNG = np.random.default_rng(0)
HEALTHY, SICK = RNG.standard_normal(150), RNG.standard_normal(90) + 1
TRUTH = np.repeat([0, 1], [150, 90])


@pytest.mark.parametrize(
    ("measure", "reference"),
    [(detection.auroc, roc_auc_score), (detection.average_precision, average_precision_score)],
)
def test_image_measures_are_scikit_learns_with_an_interval(measure, reference):
    row = measure(HEALTHY, SICK)
    assert row["value"] == pytest.approx(reference(TRUTH, np.concatenate([HEALTHY, SICK])))
    assert row["worst"] < row["low"] < row["value"] < row["high"] < row["best"] == 1
    assert row["worst"] == (0.5 if measure is detection.auroc else pytest.approx(90 / 240))
    assert measure(HEALTHY, SICK) == row and measure(HEALTHY, SICK, seed=1)["low"] != row["low"]


def test_the_interval_of_auroc_is_as_wide_as_hanley_and_mcneil_say():
    row, a = detection.auroc(HEALTHY, SICK), roc_auc_score(TRUTH, np.concatenate([HEALTHY, SICK]))
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    error = np.sqrt((a * (1 - a) + 89 * (q1 - a * a) + 149 * (q2 - a * a)) / (90 * 150))
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_what_the_resamples_compute_is_scikit_learns_with_ties_too():
    for scores in (np.concatenate([HEALTHY, SICK]), np.concatenate([HEALTHY, SICK]).round(1)):
        weights = RNG.integers(0, 4, 240)
        steps = -np.unique(-scores)
        counts = [[(weights * (scores == s))[TRUTH == kind].sum() for s in steps] for kind in (0, 1)]
        pair = [np.array(kind, float)[None] for kind in counts]
        for ours, reference in (
            (detection._areas, roc_auc_score),
            (detection._precisions, average_precision_score),
        ):
            assert ours(*pair)[0] == pytest.approx(reference(TRUTH, scores, sample_weight=weights))


def delong(first, second):
    """Standard error of the difference of two AUROCs on the same images: DeLong et al. 1988."""
    parts = []
    for healthy, sick in (first, second):
        wins = (sick[None] > healthy[:, None]) + 0.5 * (sick[None] == healthy[:, None])
        parts.append((wins.mean(1), wins.mean(0)))
    by_healthy, by_sick = (a - b for a, b in zip(*parts, strict=True))
    return np.sqrt(by_healthy.var(ddof=1) / len(by_healthy) + by_sick.var(ddof=1) / len(by_sick))


def test_the_difference_of_two_scores_is_as_wide_as_delong_says_and_sees_what_intervals_hide():
    rng = np.random.default_rng(5)
    second = HEALTHY + 0.3 * rng.standard_normal(150), SICK - 0.25 + 0.3 * rng.standard_normal(90)
    row = detection.difference((HEALTHY, SICK), second)
    alone = [detection.auroc(HEALTHY, SICK), detection.auroc(*second)]
    assert row["value"] == pytest.approx(alone[0]["value"] - alone[1]["value"])
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * delong((HEALTHY, SICK), second), rel=0.15)
    assert alone[1]["high"] > alone[0]["low"] and row["low"] > 0  # intervals overlap, the difference is sure
    back = detection.difference(second, (HEALTHY, SICK))
    assert (back["low"], back["high"]) == pytest.approx((-row["high"], -row["low"]))
    assert set(detection.difference(second, second).values()) == {0.0}


@pytest.mark.parametrize(("measure", "of"), [("auroc", roc_auc_score),
                                             ("average_precision", average_precision_score)])  # fmt: skip
def test_twins_are_drawn_together(measure, of):
    anatomy = 3 * RNG.standard_normal(60)
    first = anatomy + 0.3 * RNG.standard_normal(60), anatomy + 1 + 0.3 * RNG.standard_normal(60)
    second = anatomy + RNG.standard_normal(60), anatomy + 1 + RNG.standard_normal(60)
    row = detection.difference(first, second, twins=True, measure=measure)
    drawn, truth = [], np.repeat([0, 1], [60, 60])
    for _ in range(1000):
        pick = RNG.integers(0, 60, 60)
        two = (of(truth, np.concatenate([h[pick], s[pick]])) for h, s in (first, second))
        drawn.append(np.subtract(*two))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=0.12 * (high - low))
    together, apart = (detection.auroc(*first, twins=twins) for twins in (True, False))
    assert together["high"] - together["low"] < 0.6 * (apart["high"] - apart["low"])


def test_scores_of_other_images_have_no_difference_and_no_twins():
    with pytest.raises(ValueError, match="the same images for both"):
        detection.difference((HEALTHY, SICK), (HEALTHY[:-1], SICK))
    with pytest.raises(ValueError, match="twins come in equal numbers"):
        detection.auroc(HEALTHY, SICK, twins=True)


def test_a_change_between_two_sets_has_the_spread_of_both():
    later = HEALTHY[:70] + 0.1, SICK[:60]
    row = detection.change((HEALTHY, SICK), later)
    rows = detection.auroc(HEALTHY, SICK), detection.auroc(*later)
    widths = [each["high"] - each["low"] for each in rows]
    assert row["value"] == pytest.approx(rows[1]["value"] - rows[0]["value"])
    assert row["high"] - row["low"] == pytest.approx(np.hypot(*widths), rel=0.15)


@pytest.mark.parametrize("healthy", [[], [0.0, np.nan], [np.inf]])
def test_scores_that_are_no_numbers_are_refused_in_one_line(healthy):
    with pytest.raises(ValueError, match="expected numbers") as error:
        detection.auroc(np.array(healthy), SICK)
    assert "\n" not in str(error.value)


def test_threshold_and_counts():
    healthy = np.arange(100.0)
    threshold = detection.threshold_at(healthy, 0.05)
    assert threshold == 94 and (healthy > threshold).mean() == 0.05
    counts = detection.confusion(healthy, np.array([0.0, 96.0, 200.0]), threshold)
    assert counts == {"found": 2, "missed": 1, "false_alarms": 5, "left_alone": 95}


def maps(count=40, side=16, seed=0):
    """Noise with a bright square, and where it stands."""
    rng = np.random.default_rng(seed)
    made, masks = rng.standard_normal((count, side, side)), np.zeros((count, 1, side, side), np.uint8)
    for i, (y, x) in enumerate(rng.integers(0, side - 4, (count, 2))):
        masks[i, 0, y : y + 4, x : x + 4] = 1
    return made + 2 * masks[:, 0], masks


def test_pixel_average_precision_is_scikit_learns():
    made, masks = maps()
    row = detection.pixel_average_precision(made, masks).row
    assert row["value"] == pytest.approx(average_precision_score(masks.ravel(), made.ravel()))
    assert row["worst"] == pytest.approx(masks.mean())
    assert row["low"] < row["value"] < row["high"] and row["high"] - row["low"] < 0.1


def test_two_maps_are_compared_on_shared_slices():
    made, masks = maps()
    worse = made + 0.3 * np.random.default_rng(3).standard_normal(made.shape)
    drawn = [detection.pixel_average_precision(m, masks) for m in (made, worse)]
    row, alone = drawn[0].minus(drawn[1]), [each.row for each in drawn]
    assert row["value"] == pytest.approx(alone[0]["value"] - alone[1]["value"])
    assert 0 < row["low"] < row["value"] < row["high"]
    assert row["high"] - row["low"] < min(each["high"] - each["low"] for each in alone)


def test_the_interval_of_pixels_holds_where_few_of_many_are_anomalous():
    made, masks = maps(60, 48, 1)
    masks[:, :, ::2] = 0  # half of the bright pixels do not count
    row = detection.pixel_average_precision(made + 2.0 * masks[:, 0], masks).row
    middle = (row["low"] + row["high"]) / 2
    assert masks.mean() < 0.005 and abs(middle - row["value"]) < 0.25 * (row["high"] - row["low"])


def test_dice_is_the_f1_score_and_the_chosen_threshold_is_a_good_one():
    made, masks = maps()
    chosen = detection.dice_threshold(made, masks)
    row = detection.dice(made, masks, chosen)
    by_hand = [f1_score(m.ravel(), a.ravel() > chosen) for a, m in zip(made, masks[:, 0], strict=True)]
    assert row["value"] == pytest.approx(np.mean(by_hand)) and row["low"] < row["value"] < row["high"]
    for other in np.linspace(made.min(), made.max(), 25):
        assert row["value"] >= detection.dice(made, masks, other)["value"] - 0.01


def test_slices_without_a_lesion_do_not_count_for_dice():
    made, masks = maps()
    twice = np.concatenate([made, made]), np.concatenate([masks, np.zeros_like(masks)])
    assert detection.dice(*twice, 1.0) == detection.dice(made, masks, 1.0)


@pytest.mark.parametrize("fault", ["shape", "nan", "no lesion"])
def test_maps_that_cannot_be_measured_are_refused_in_one_line(fault):
    made, masks = maps(4)
    if fault == "shape":
        made = made[:, :8]
    elif fault == "nan":
        made[0, 0, 0] = np.nan
    else:
        masks[:] = 0
    with pytest.raises(ValueError, match="expected") as error:
        detection.pixel_average_precision(made, masks)
    assert "\n" not in str(error.value)


def spikes(*heights, side=24):
    """Flat maps with one spike each, far from the edges."""
    made = np.zeros((len(heights), side, side))
    made[:, 12, 12] = heights
    return made


def test_froc_counts_peaks_of_healthy_slices_and_lesions_above_them():
    healthy, sick, masks = spikes(1, 2, 3, 4), spikes(2.5, 9, 0.5), np.zeros((3, 1, 24, 24))
    masks[:, 0, 11:14, 11:14] = 1
    found = lesions.froc(healthy, sick, masks)
    assert found.alarms.tolist() == [4, 3, 2, 1] and found.lesions.tolist() == [2.5, 9, 0.5]
    assert found.threshold(0.5) == 2 and found.false_alarms(2) == 0.5
    assert found.curve(np.array([0.0, 0.5, 1.0])).tolist() == pytest.approx([1 / 3, 2 / 3, 1])
    for rate in (0, 0.25, 0.5, 0.75):
        assert found.false_alarms(found.threshold(rate)) <= rate


def test_two_peaks_are_two_alarms_and_one_blob_is_one():
    healthy = spikes(0.0)
    healthy[0, 4, 4], healthy[0, 18, 18], healthy[0, 5, 5] = 5, 4, 3  # the third is no peak
    found = lesions.froc(healthy, healthy, np.ones((1, 1, 24, 24)))
    assert found.alarms.tolist() == [5, 4]


def test_a_lesion_without_a_pixel_is_refused():
    with pytest.raises(ValueError, match="a mask with a pixel or more"):
        lesions.froc(spikes(1), spikes(1), np.zeros((1, 1, 24, 24)))


def test_shares_by_place_are_means_with_intervals():
    found, place = np.array([1, 0, 1, 1], bool), np.array(["front", "front", "back", "back"])
    rows = lesions.by_place(found, place)
    assert list(rows) == ["front", "back"] and (rows["front"]["value"], rows["back"]["low"]) == (0.5, 1.0)


def test_the_detection_limit_lies_where_half_are_found():
    contrast = np.repeat([0.1, 0.3, 0.5], 40)
    found = np.concatenate([np.zeros(40), np.arange(40) < 10, np.ones(40)]).astype(bool)
    row = lesions.detection_limit(found, contrast)
    assert row["value"] == pytest.approx(0.3 + 0.2 * (0.25 / 0.75))
    assert 0.3 < row["low"] < row["value"] < row["high"] < 0.5
    assert lesions.detection_limit(found & False, contrast)["value"] == np.inf
    assert lesions.detection_limit(found | True, contrast)["value"] == 0.1
    dip = np.concatenate([np.arange(40) < 30, np.arange(40) < 10, np.ones(40)]).astype(bool)
    assert 0.1 <= lesions.detection_limit(dip, contrast)["value"] <= 0.3  # a dip is evened out
