"""Checks of notebook 10: right answers in many forms pass, each usual mistake is named."""

import numpy as np
import pytest
from test_exercises import verdict_of

from medgen_course.exercises import (
    check_anomaly_bug_hunt,
    check_blur,
    check_choose_threshold,
    check_residual_score,
    check_smoothing,
)


@pytest.mark.parametrize("check", [check_residual_score, check_choose_threshold, check_anomaly_bug_hunt])
@pytest.mark.parametrize("stub", [lambda *_: None, None])
def test_a_stub_is_not_attempted(check, stub, capsys):
    assert verdict_of(check, stub, capsys).status == "not attempted"


def residual(x, x_hat):
    maps = np.abs(x - x_hat).mean(1)
    return maps.mean((1, 2)), maps


def test_the_residual_score(capsys):
    assert verdict_of(check_residual_score, residual, capsys).right


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda x, x_hat: residual(x, x_hat)[::-1], "the scores are"),
        (lambda x, x_hat: residual(x, x_hat)[0], "expected two arrays"),
        (lambda x, x_hat: ((x - x_hat).mean((1, 2, 3)), (x - x_hat).mean(1)), "signs"),
        (lambda x, x_hat: (((x - x_hat) ** 2).mean((1, 2, 3)), ((x - x_hat) ** 2).mean(1)), "squared"),
        (lambda x, x_hat: (residual(x, x_hat)[0], np.abs(x - x_hat).sum(1)), "sum over channels"),
        (lambda x, x_hat: (residual(x, x_hat)[1].max((1, 2)), residual(x, x_hat)[1]), "highest pixel alone"),
        (lambda x, x_hat: (residual(x, x_hat)[1].sum((1, 2)), residual(x, x_hat)[1]), "sum where a mean"),
    ],
)
def test_mistakes_of_the_residual_score_are_named(wrong, says, capsys):
    verdict = verdict_of(check_residual_score, wrong, capsys)
    assert not verdict.right and says in verdict.message


@pytest.mark.parametrize(
    "right",
    [
        lambda scores, share: np.quantile(scores, 1 - share, method="higher"),
        lambda scores, share: np.sort(scores)[len(scores) - 1 - int(share * len(scores) + 1e-9)],
    ],
)
def test_a_threshold_from_healthy_images(right, capsys):
    assert verdict_of(check_choose_threshold, right, capsys).right


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda scores, share: scores.max(), "would do"),
        (lambda scores, share: np.quantile(scores, share), "exceed yours"),
        (lambda scores, share: scores.mean() + 2 * scores.std(), "Two standard deviations"),
        (lambda scores, share: np.inf, "yours is inf"),
        (lambda scores, share: "high", "expected one number"),
    ],
)
def test_mistakes_of_the_threshold_are_named(wrong, says, capsys):
    verdict = verdict_of(check_choose_threshold, wrong, capsys)
    assert not verdict.right and says in verdict.message


def hunted(leak=False, threshold="val", scale="one", method="higher"):
    def pipeline(fit, score, train, val, test):
        model = fit(train["images"] if leak else train["images"][train["labels"] == 0])
        maps = {name: score(model, split["images"]) for name, split in (("val", val), ("test", test))}
        means = {name: m.mean((1, 2)) for name, m in maps.items()}
        chosen = {
            "val": means["val"][val["labels"] == 0],
            "all of val": means["val"],
            "test": means["test"][test["labels"] == 0],
        }[threshold]
        cut = np.quantile(chosen, 0.9, method=method)
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
        ({"scale": "each"}, "same colour"),
    ],
)
def test_each_mistake_is_found_by_itself(faults, says, capsys):
    verdict = verdict_of(check_anomaly_bug_hunt, hunted(**faults), capsys)
    assert verdict.message.startswith("1 of 3 mistakes") and says in verdict.message


def test_all_three_are_found_together(capsys):
    verdict = verdict_of(check_anomaly_bug_hunt, hunted(True, "test", "each"), capsys)
    assert verdict.message.startswith("3 of 3 mistakes")


def test_the_blur_experiment(capsys):
    shares = {0.5: 0.9, 1.0: 0.95, 2.0: 0.4}
    assert check_blur(shares.get, shares, "differs").right
    assert check_blur(shares.get, None, None).status == "not attempted"
    assert "'differs'" in check_blur(shares.get, shares, "rises").message
    assert "measured again it is 0.9" in check_blur(shares.get, {**shares, 0.5: 0.5}, "differs").message
    assert "three or more" in check_blur(shares.get, {0.5: 0.9}, "rises").message
    up = dict.fromkeys(shares, 0.7)
    assert check_blur(up.get, up, "rises").right


def test_the_smoothing_experiment(capsys):
    shares = {0.0: 0.4, 1.0: 0.55, 2.0: 0.5}
    assert check_smoothing(shares.get, shares, 1.0).right
    assert check_smoothing(shares.get, {}, 1.0).status == "not attempted"
    assert "best is 2" in check_smoothing(shares.get, shares, 2.0).message
    assert "measured again" in check_smoothing(shares.get, {**shares, 2.0: 0.9}, 2.0).message
