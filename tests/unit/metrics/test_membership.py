"""Attacks on Gaussians, whose AUC and TPR are known; ROC as sklearn's; nulls around chance."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from sklearn.metrics import roc_auc_score, roc_curve

from medgen_course.metrics import membership
from medgen_course.metrics.membership import null, roc, threshold_at, tpr_at
from medgen_course.metrics.shadows import leave_one_out, lira, shadow_halves


def gaussians(shift, n=6000, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(n) + shift, rng.standard_normal(n)


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_auc_and_tpr_of_two_gaussians_are_those_of_the_formula(shift):
    members, others = gaussians(shift)
    found = membership.auc(members, others)
    assert found["value"] == pytest.approx(norm.cdf(shift / math.sqrt(2)), abs=0.02)
    assert found["low"] <= found["value"] <= found["high"]
    row = tpr_at(members, others, 0.01)
    assert row["value"] == pytest.approx(norm.cdf(shift - norm.ppf(0.99)), abs=0.04)
    assert row["fpr"] == pytest.approx(0.01, abs=1e-9)


def test_the_curve_is_sklearns_ties_included():
    rng = np.random.default_rng(1)
    members, others = rng.integers(0, 12, 300) + 2.0, rng.integers(0, 12, 200) * 1.0
    scores, truth = np.concatenate([members, others]), np.repeat([1, 0], [300, 200])
    fpr, tpr, thresholds = roc_curve(truth, scores, drop_intermediate=False)
    curve = roc(members, others)
    np.testing.assert_allclose(curve.fpr, fpr)
    np.testing.assert_allclose(curve.tpr, tpr)
    np.testing.assert_array_equal(curve.thresholds, thresholds)
    assert membership.auc(members, others)["value"] == pytest.approx(roc_auc_score(truth, scores))
    assert membership._area(members, others) == pytest.approx(roc_auc_score(truth, scores))


def test_never_more_than_the_stated_share_of_others_is_accused():
    others = np.array([3.0] * 5 + [1.0] * 95)  # five share the highest score: 1 % would split them
    assert threshold_at(others, 0.01) == 3.0 and threshold_at(others, 0.05) == 1.0
    row = tpr_at(np.array([3.0, 4.0, 4.0, 0.0]), others, 0.01)
    assert row["value"] == 0.5 and row["fpr"] == 0
    ends = binomtest(2, 4).proportion_ci(0.95, "exact")
    assert (row["low"], row["high"]) == (ends.low, ends.high)
    assert row["fpr_high"] == pytest.approx(binomtest(0, 100).proportion_ci(0.95, "exact").high)


def test_a_threshold_of_other_images_is_measured_on_fresh_ones():
    members, others = gaussians(1.0, 2000)
    lenient = others - 1  # the calibration images look less like members than the others do
    row = tpr_at(members, others, 0.01, calibration=lenient)
    assert row["threshold"] == threshold_at(lenient, 0.01) and row["fpr"] > 0.05


def test_too_few_others_are_refused_with_the_number_that_is_needed():
    with pytest.raises(ValueError, match=r"99 others say nothing.*100 are needed"):
        threshold_at(np.arange(99.0), 0.01)
    with pytest.raises(ValueError, match=r"fpr is 1\.5"):
        threshold_at(np.arange(99.0), 1.5)
    with pytest.raises(ValueError, match="1 of them NaN"):
        roc(np.array([0.0, np.nan]), np.arange(3.0))


def hard_and_easy(n=4000, shadows=64, gap=1.5, seed=0):
    """Losses around each image's own mean, which varies ten times more than training on it changes."""
    rng = np.random.default_rng(seed)
    own = 20 * rng.standard_normal(n)
    draw = lambda shift, k: own - shift + rng.standard_normal((k, n))  # noqa: E731
    return draw(gap, shadows), draw(0, shadows), draw(gap, 1)[0], draw(0, 1)[0]


def test_lira_reaches_the_formula_where_a_plain_threshold_sees_nothing():
    inside, outside, member, other = hard_and_easy()
    plain = membership.auc(-member, -other)["value"]
    assert plain < 0.55
    for own_spread in (False, True):
        scores = [lira(inside, outside, x, own_spread) for x in (member, other)]
        found = membership.auc(*scores)["value"]
        assert found == pytest.approx(norm.cdf(1.5 / math.sqrt(2)), abs=0.02)
    row = tpr_at(*[lira(inside, outside, x) for x in (member, other)])
    assert row["value"] == pytest.approx(norm.cdf(1.5 - norm.ppf(0.99)), abs=0.04)
    alone = membership.auc(*[lira(None, outside, x) for x in (member, other)])["value"]
    assert alone == pytest.approx(norm.cdf(1.5 / math.sqrt(2)), abs=0.02)


def test_lira_is_the_ratio_of_two_normal_densities():
    inside, outside = np.array([[1.0, 5.0], [3.0, 9.0]]), np.array([[4.0, 6.0], [6.0, 7.0]])
    observed = np.array([2.5, 6.5])
    expected = norm(inside.mean(0), inside.std(0, ddof=1)).logpdf(observed)
    expected -= norm(outside.mean(0), outside.std(0, ddof=1)).logpdf(observed)
    np.testing.assert_allclose(lira(inside, outside, observed, own_spread=True), expected)
    pooled_in, pooled_out = (np.sqrt(x.var(0, ddof=1).mean()) for x in (inside, outside))
    expected = norm(inside.mean(0), pooled_in).logpdf(observed)
    expected -= norm(outside.mean(0), pooled_out).logpdf(observed)
    np.testing.assert_allclose(lira(inside, outside, observed), expected)


def test_a_model_that_is_missing_for_an_image_is_left_out():
    inside, outside, member, _ = hard_and_easy(50, 4)
    holed = np.concatenate([inside, np.full((1, 50), np.nan)])
    np.testing.assert_allclose(lira(holed, outside, member), lira(inside, outside, member))
    holed[:, 3] = np.nan
    with pytest.raises(ValueError, match="in_losses: 1 of 50 images have no loss"):
        lira(holed, outside, member)
    with pytest.raises(ValueError, match="out_losses: no image has two losses"):
        lira(inside, outside[:1], member)
    with pytest.raises(ValueError, match=r"out_losses: found shape \(4, 49\)"):
        lira(inside, outside[:, 1:], member)


def test_each_image_trains_half_of_the_models_and_each_model_sees_half_of_the_images():
    trained = shadow_halves(40, 8, seed=3)
    assert (trained.sum(0) == 4).all() and (trained.sum(1) == 20).all()
    assert (trained != shadow_halves(40, 8, seed=4)).any()
    losses = np.arange(320.0).reshape(8, 40)
    inside, outside = leave_one_out(losses, trained, 2)
    assert inside.shape == (6, 40) and not np.isin(losses[2:4], inside).any()  # 3 has what 2 has not
    assert ((~np.isnan(inside)).sum(0) == 3).all()
    assert (np.isnan(inside) ^ np.isnan(outside)).all()
    with pytest.raises(ValueError, match="even numbers"):
        shadow_halves(41, 8)


def test_models_that_differ_as_wholes_do_not_tell_members_where_nothing_leaks():
    """Losses are noise, and a level for each model, as private training makes them."""
    rng, found = np.random.default_rng(0), []
    for _ in range(8):
        trained = shadow_halves(400, 8, seed=int(rng.integers(1000)))
        losses = rng.normal(0, 1, (8, 400)) + rng.normal(0, 3, (8, 1))
        inside, outside = leave_one_out(losses, trained, 0)
        scores = lira(inside, outside, losses[0])
        found.append(membership.auc(scores[trained[0]], scores[~trained[0]])["value"])
    assert abs(np.mean(found) - 0.5) < 0.02 and np.ptp(found) < 0.15


def test_the_null_is_around_chance_and_has_no_false_positives_where_halves_are_small():
    found = null(np.random.default_rng(0).standard_normal(1000))
    assert found["auc"]["low"] < 0.5 < found["auc"]["high"] and abs(found["auc"]["value"] - 0.5) < 0.01
    assert found["tpr"]["low"] <= 0.01 <= found["tpr"]["high"] < 0.05
    assert set(null(np.arange(20.0))) == {"auc"}
    one_kind = null(np.zeros(400))  # nothing differs: ties count half, nobody is accused
    assert one_kind["auc"]["value"] == 0.5 and one_kind["tpr"]["high"] == 0
