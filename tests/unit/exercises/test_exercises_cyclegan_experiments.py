"""The checks of notebook 04's experiments: measurements that measure it, and usual mistakes by name."""

import numpy as np
import pytest
from test_exercises import verdict_of

from medgen_course import exercises
from medgen_course.metrics import classification
from medgen_course.metrics.translators import domain_auc

shift, apart = exercises.check_shift_error, exercises.check_tell_apart


def error(translate, x, k):
    return (translate(x.roll(k, 3)) - translate(x).roll(k, 3)).abs().mean()


def learn(real, made, *held_out):
    images, labels = np.concatenate([real, made]), np.repeat([0, 1], [len(real), len(made)])
    judge = classification.train_classifier(images, labels, 2, num_epochs=8)
    return domain_auc(judge, *held_out)["value"]


def brightness(real, made, held_real, held_made):
    """Which side is brighter is learnt; how bright held-out images are is the score."""
    sign = np.sign(made.mean() - real.mean())
    low, high = (sign * x.mean((1, 2, 3)) for x in (held_real, held_made))
    return float((high[:, None] > low).mean())


@pytest.mark.parametrize(("check", "fn"), [
    (shift, error),
    (shift, lambda t, x, k: float((t(x) - t(x.roll(k, 3)).roll(-k, 3)).abs().mean())),
    (apart, learn),
    (apart, brightness),
])  # fmt: skip
def test_right_measurements(check, fn, capsys):
    assert verdict_of(check, fn, capsys).right


WRONG = [
    (shift, lambda t, x, k: (t(x.roll(k, 3)) - t(x)).abs().mean(), "has to be moved too"),
    (shift, lambda t, x, k: (t(x) - x).abs().mean(), "not a translation with its source"),
    (shift, lambda t, x, k: (t(x.roll(k, 2)) - t(x).roll(k, 2)).abs().mean(), "along the last axis"),
    (shift, lambda t, x, k: (t(x.roll(-k, 3)) - t(x).roll(k, 3)).abs().mean(), "same direction"),
    (shift, lambda t, x, k: (t(x.roll(k, 3)) - t(x).roll(k, 3)).square().mean(), "not the square"),
    (shift, lambda t, x, k: 0.0, "is expected; yours is 0.0000"),
    (shift, lambda t, x, k: "much", "return one number"),
    (apart, lambda r, m, hr, hm: learn(r, m, r, m), "knows each by heart"),
    (apart, lambda r, m, hr, hm: 1 - learn(r, m, hr, hm), "made images are the positive class"),
    (apart, lambda r, m, hr, hm: 0.5, "nearly 1 is expected"),
    (apart, lambda r, m, hr, hm: float(hm.mean() > hr.mean()), "yours is"),
    (apart, lambda r, m, hr, hm: 93, "lies between 0 and 1"),
]


@pytest.mark.parametrize(("check", "fn", "says"), WRONG)
def test_mistakes_are_named(check, fn, says, capsys):
    verdict = verdict_of(check, fn, capsys)
    assert verdict.status == "not yet right" and says in verdict.message


@pytest.mark.parametrize("check", [shift, apart])
def test_stubs_are_not_attempted(check, capsys):
    assert verdict_of(check, lambda *given: None, capsys).status == "not attempted"
