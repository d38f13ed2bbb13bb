"""Checks of notebook 10: right answers in many forms pass, each usual mistake is named."""

import numpy as np
import pytest
from test_exercises import verdict_of

from medgen_course.exercises import (
    check_anomaly_bug_hunt,
    check_scanner,
    check_smoothing,
    check_spot_score,
    check_volume_threshold,
    resampling,
)
from medgen_course.metrics import bootstrap_interval
from medgen_course.metrics.anomaly import detection, scores


@pytest.mark.parametrize("check", [check_spot_score, check_volume_threshold, check_anomaly_bug_hunt])
@pytest.mark.parametrize("stub", [lambda *_: None, None])
def test_a_stub_is_not_attempted(check, stub, capsys):
    assert verdict_of(check, stub, capsys).status == "not attempted"


def top(maps, count=10):
    return np.sort(maps.reshape(len(maps), -1))[:, -count:].mean(1)


@pytest.mark.parametrize(
    "right",
    [
        top,
        lambda maps: scores.smooth(maps).max((1, 2)),
        lambda maps: np.quantile(maps, 0.995, axis=(1, 2)),
        lambda maps: np.sort(maps.reshape(len(maps), -1))[:, -6],
        lambda maps: scores.Scored(np.zeros(len(maps)), maps).peak().image,
    ],
)
def test_a_score_that_finds_a_spot(right, capsys):
    assert verdict_of(check_spot_score, right, capsys).right


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda maps: maps.mean((1, 2)), "nine pixels drown"),
        (lambda maps: np.abs(maps).sum((1, 2)), "nine pixels drown"),
        (lambda maps: maps.max((1, 2)), "one hot pixel decides"),
        (lambda maps: (maps / maps.max((1, 2), keepdims=True)).mean((1, 2)), "its own highest pixel"),
        (lambda maps: -top(maps), "sign is wrong"),
        (lambda maps: top(maps) - top(maps).mean(), "other images"),
        (lambda maps: maps.mean(1), "expected 120 numbers"),
        (lambda maps: np.zeros(len(maps)), "AUROC is 0.50"),
    ],
)
def test_mistakes_of_the_score_are_named(wrong, says, capsys):
    verdict = verdict_of(check_spot_score, wrong, capsys)
    assert not verdict.right and says in verdict.message


@pytest.mark.parametrize(
    "right",
    [
        lambda scores, share: np.quantile(scores.max(1), 1 - share, method="higher"),
        lambda scores, share: np.sort(scores.max(1))[len(scores) - 1 - int(share * len(scores) + 1e-9)],
    ],
)
def test_a_threshold_for_volumes(right, capsys):
    assert verdict_of(check_volume_threshold, right, capsys).right


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda scores, share: np.quantile(scores, 1 - share), "a volume has many"),
        (lambda scores, share: np.quantile(scores, (1 - share) ** (1 / scores.shape[1])), "independent"),
        (lambda scores, share: np.quantile(scores.mean(1), 1 - share), "single slice above"),
        (lambda scores, share: scores.max(), "would do"),
        (lambda scores, share: np.quantile(scores.max(1), 0.95), "would do"),
        (lambda scores, share: scores.mean() + 2 * scores.std(), "of them"),
        (lambda scores, share: np.inf, "is inf"),
        (lambda scores, share: "high", "expected one number"),
    ],
)
def test_mistakes_of_the_threshold_are_named(wrong, says, capsys):
    verdict = verdict_of(check_volume_threshold, wrong, capsys)
    assert not verdict.right and says in verdict.message


def hunted(leak=False, threshold="val", scale="one", method="higher", level=0.9):
    def pipeline(fit, score, train, val, test):
        model = fit(train["images"] if leak else train["images"][train["labels"] == 0])
        maps = {name: score(model, split["images"]) for name, split in (("val", val), ("test", test))}
        means = {name: m.mean((1, 2)) for name, m in maps.items()}
        chosen = {
            "val": means["val"][val["labels"] == 0],
            "all of val": means["val"],
            "test": means["test"][test["labels"] == 0],
        }[threshold]
        cut = np.quantile(chosen, level, method=method)
        limit = {
            "one": maps["val"].max(),
            "cut": np.quantile(maps["val"], 0.9),
            "each": maps["test"].max((1, 2), keepdims=True),
        }[scale]
        return {"threshold": cut, "flagged": means["test"] > cut, "drawn": (maps["test"] / limit).clip(0, 1)}

    return pipeline


@pytest.mark.parametrize("scale", ["one", "cut"])
@pytest.mark.parametrize("method", ["higher", "lower", "linear"])
def test_a_right_pipeline_passes_in_its_forms(scale, method, capsys):
    assert verdict_of(check_anomaly_bug_hunt, hunted(scale=scale, method=method), capsys).right


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ({"leak": True}, "fitted on other images"),
        ({"threshold": "test"}, "The threshold is"),
        ({"threshold": "all of val"}, "The threshold is"),
        ({"level": 0.95}, "The threshold is"),
        ({"level": 0.85}, "The threshold is"),
        ({"scale": "each"}, "same colour"),
    ],
)
def test_each_mistake_is_found_by_itself(faults, says, capsys):
    verdict = verdict_of(check_anomaly_bug_hunt, hunted(**faults), capsys)
    assert verdict.message.startswith("1 of 3 mistakes") and says in verdict.message


def test_all_three_are_found_together(capsys):
    verdict = verdict_of(check_anomaly_bug_hunt, hunted(True, "test", "each"), capsys)
    assert verdict.message.startswith("3 of 3 mistakes")


def scanner(lost=0.0, louder=0.0):
    """Scores at three noises: `louder` moves them all, `lost` blurs what tells the two apart."""
    rng = np.random.default_rng(0)
    anatomy, own = rng.standard_normal(300), rng.standard_normal((2, 300))

    def measure(noise):
        far = noise / 0.02 - 1
        healthy = anatomy + louder * far + (0.2 + lost * abs(far)) * own[0]
        return healthy, healthy + 1 + (0.2 + lost * abs(far)) * own[1]

    return measure


def as_measured(measure, anew=False):
    found, known = {}, np.quantile(measure(0.02)[0], 0.95, method="higher")
    for noise in (0.01, 0.02, 0.04):
        healthy, sick = measure(noise)
        threshold = np.quantile(healthy, 0.95, method="higher") if anew else known
        auroc = detection.auroc(healthy, sick)["value"]
        found[noise] = {"flagged": (healthy > threshold).mean(), "auroc": auroc}
    return found


@pytest.mark.parametrize(
    ("of", "answer"),
    [({"louder": 1}, "threshold"), ({"lost": 3, "louder": 1}, "both"), ({}, "neither")],
)
def test_the_scanner_experiment(of, answer, capsys):
    measure = scanner(**of)
    assert check_scanner(measure, 0.02, 0.05, as_measured(measure), answer).right
    wrong = next(word for word in ("ranking", "both") if word != answer)
    assert f"{answer!r}" in check_scanner(measure, 0.02, 0.05, as_measured(measure), wrong).message


def test_mistakes_of_the_scanner_experiment_are_named(capsys):
    measure = scanner(louder=1)
    found = as_measured(measure)

    def told(found, answer="threshold"):
        return check_scanner(measure, 0.02, 0.05, found, answer)

    assert told(None).status == told(found, None).status == "not attempted"
    assert "chose the threshold anew" in told(as_measured(measure, anew=True)).message
    assert "measure three or more" in told({0.01: found[0.01], 0.04: found[0.04]}).message
    assert "auroc is 0.500" in told({**found, 0.01: found[0.01] | {"auroc": 0.5}}).message
    assert "auroc is nan" in told({**found, 0.01: {"flagged": found[0.01]["flagged"]}}).message


def smoothed(sigma):
    """Which of 200 lesions are found: nearly the same at 1 and 2, fewer elsewhere, never others."""
    return np.arange(200) < {0.0: 40, 1.0: 100, 2.0: 98, 4.0: 88}[sigma]


def with_intervals(ends=bootstrap_interval):
    rows = {sigma: ends(smoothed(sigma).astype(float)) for sigma in (0.0, 1.0, 2.0, 4.0)}
    return {sigma: (row["value"], row["low"], row["high"]) for sigma, row in rows.items()}


def test_the_smoothing_experiment(capsys):
    found = with_intervals()
    assert check_smoothing(smoothed, found, {1.0, 2.0}).right
    assert check_smoothing(smoothed, found, None).status == "not attempted"
    assert "lesion by lesion" in check_smoothing(smoothed, found, {1.0, 2.0, 4.0}).message
    assert "it is {1, 2}" in check_smoothing(smoothed, found, {1.0}).message
    assert "three or more" in check_smoothing(smoothed, {1.0: found[1.0]}, {1.0}).message
    assert "ends of its interval" in check_smoothing(smoothed, found | {1.0: 0.5}, {1.0}).message
    assert "measured again" in check_smoothing(smoothed, found | {1.0: (0.6, 0.5, 0.7)}, {1.0}).message

    def single(values):
        return {"value": values.mean(), "low": values.mean() - values.std(), "high": 1 + values.std()}

    assert "spread of single lesions" in check_smoothing(smoothed, with_intervals(single), {1.0}).message
    narrow = {sigma: (value, value, value) for sigma, (value, *_) in found.items()}
    assert "expected one about" in check_smoothing(smoothed, narrow, {1.0, 2.0}).message


def test_what_the_checks_measure_is_what_the_metrics_measure():
    rng = np.random.default_rng(1)
    draws = rng.standard_normal((2, 2, 120)).round(1)
    first, second = ((healthy, sick + shift) for (healthy, sick), shift in zip(draws, (1, 0.6), strict=True))
    known = detection.auroc(*first)["value"]
    assert resampling.area(*first) == pytest.approx(known)
    gap, metric = resampling.area_gap(first, second), detection.difference(first, second, twins=True)
    assert [gap[k] for k in gap] == pytest.approx([metric[k] for k in gap], abs=0.02)
    mean, row = resampling.mean_interval(first[0]), bootstrap_interval(first[0])
    assert [mean[k] for k in mean] == pytest.approx([row[k] for k in mean], abs=0.02)
