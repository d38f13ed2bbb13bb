"""Shares of counts: what none and all of them say, and how often the interval holds the truth."""

import numpy as np
import pytest

from medgen_course.metrics.shares import share_interval


def test_none_and_all_have_an_interval():
    """By hand: of 1 - (0.025)^(1 / N) a share still gives none in N once in forty times."""
    none, every = share_interval(np.zeros(102, bool)), share_interval(np.ones(20, bool))
    assert none["low"] == 0 and none["high"] == pytest.approx(1 - 0.025 ** (1 / 102), abs=1e-6)
    assert every["high"] == 1 and every["low"] == pytest.approx(0.025 ** (1 / 20), abs=1e-6)


def test_the_interval_holds_the_true_share_at_least_as_often_as_it_says():
    rng = np.random.default_rng(0)
    rows = [share_interval(rng.random(30) < 0.05) for _ in range(400)]
    assert np.mean([row["low"] <= 0.05 <= row["high"] for row in rows]) >= 0.95


@pytest.mark.parametrize("wrong", [np.zeros(0, bool), np.zeros(3), np.zeros((2, 2), bool)])
def test_what_is_no_count_says_so(wrong):
    with pytest.raises(ValueError, match="one bool for each thing counted"):
        share_interval(wrong)
