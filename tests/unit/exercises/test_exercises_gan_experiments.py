"""The experiments of notebook 03: what was measured is read, and typical slips are named."""

import pytest

from medgen_course import exercises

USUAL = {
    "density": {"value": 1.25, "low": 1.2, "high": 1.3},
    "recall": {"value": 0.75, "low": 0.74, "high": 0.77},
    "memorisation": {"value": 0.04, "low": 0.03, "high": 0.05},
}
RIGHT = {0.5: (1.22, 0.2), 0.75: (1.43, 0.54), 1.0: (1.26, 0.76)}


def figures(pairs):
    return lambda truncation: dict(zip(("density", "recall"), pairs[truncation], strict=True))


def test_a_truncation_that_was_measured_is_told_in_its_own_numbers():
    verdict = exercises.check_truncation(figures(RIGHT), USUAL)
    assert verdict.right and "recall 0.760 at 1, 0.540 at 0.75, 0.200 at 0.5" in verdict.message
    assert "recall falls" in verdict.message
    same = {**RIGHT, 0.5: (1.3, 0.8)}
    assert "recall rises" in exercises.check_truncation(figures(same), USUAL).message


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda truncation: None, "write its body"),
        (lambda truncation: 1.0, "expected a dictionary"),
        (lambda truncation: {"density": 1.25, "recall": 0.75}, "never reached the noise"),
        (figures({**RIGHT, 1.0: (1.26, 0.3)}), "without truncation"),
        (figures({**RIGHT, 0.5: (0.9, 0.95)}), "longer noise"),
        (lambda truncation: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_slips_with_the_truncation_are_named(fn, message):
    verdict = exercises.check_truncation(fn, USUAL)
    assert not verdict.right and message in verdict.message


def test_hidden_copies_count_once_each():
    verdict = exercises.check_hidden_copies(lambda share: 0.04 + 0.96 * share, USUAL["memorisation"])
    assert verdict.right and "0.520 at 50%" in verdict.message
    assert "The first share beyond the samples' spread is 10%" in verdict.message


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda share: None, "write its body"),
        (lambda share: "many", "should be one number"),
        (lambda share: 0.04, "each copy should count"),
        (lambda share: 1.0, "without copies"),
        (lambda share: 0.04 if share == 0 else 1.0, "more than the copies explain"),
        (lambda share: 0.04 if share in (0, 0.5) else 1 - share, "1 - share are copies"),
    ],
)
def test_slips_with_the_copies_are_named(fn, message):
    verdict = exercises.check_hidden_copies(fn, USUAL["memorisation"])
    assert not verdict.right and message in verdict.message
