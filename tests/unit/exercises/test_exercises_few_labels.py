"""Checks of notebook 12: right answers in many forms pass, each usual mistake is named."""

import numpy as np
import pytest
import torch
from test_exercises import verdict_of
from torch.nn.functional import cross_entropy, one_hot

from medgen_course.exercises import (
    check_few_labels_bug_hunt,
    check_m2_cost,
    check_mean_dice,
    check_silence,
    check_which_labels,
)
from medgen_course.exercises.few_labels_bug_hunt import _outcome, _World
from medgen_course.metrics import bootstrap_interval
from medgen_course.metrics.shares import share_interval
from medgen_course.models import semi_vae


@pytest.mark.parametrize("check", [check_mean_dice, check_m2_cost, check_few_labels_bug_hunt])
@pytest.mark.parametrize("stub", [lambda *_: None, None])
def test_a_stub_is_not_attempted(check, stub, capsys):
    assert verdict_of(check, stub, capsys).status == "not attempted"


def parts(found, truth):
    return (found & truth).sum((1, 2)), found.sum((1, 2)) + truth.sum((1, 2)), truth.any((1, 2))


def measured(found, truth, empty=None, doubled=2, pooled=False, union=False, clean=None):
    both, sizes, full = parts(found, truth)
    each = doubled * both / np.maximum(sizes - (both if union else 0), 1)
    if pooled:
        dice = 2 * both.sum() / sizes.sum()
    elif empty is None:
        dice = each[full].mean() if full.any() else np.nan
    elif empty == "invented":
        dice = each[sizes > 0].mean()
    else:
        dice = np.where(sizes > 0, each, empty).mean()
    left = ~found.any((1, 2))
    share = left[~full].mean() if (~full).any() else np.nan
    return dice, share if clean is None else clean(left, full)


@pytest.mark.parametrize(
    "right",
    [
        measured,
        lambda found, truth: np.array(measured(found, truth)),
        lambda found, truth: [torch.tensor(value) for value in measured(found, truth)],
    ],
)
def test_a_right_dice(right, capsys):
    assert verdict_of(check_mean_dice, right, capsys).right


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"empty": 1}, "count as 1"),
        ({"empty": 0}, "count as 0"),
        ({"empty": "invented"}, "something is invented, count as 0"),
        ({"pooled": True}, "large lesions decide"),
        ({"doubled": 1, "union": True}, "intersection over union"),
        ({"doubled": 1}, "intersection counts twice"),
        ({"clean": lambda left, full: (~left)[~full].mean()}, "is invented"),
        ({"clean": lambda left, full: (left & ~full).mean()}, "not by all"),
        ({"clean": lambda left, full: left.mean()}, "of all slices"),
    ],
)
def test_mistakes_of_dice_are_named(wrong, says, capsys):
    verdict = verdict_of(check_mean_dice, lambda found, truth: measured(found, truth, **wrong), capsys)
    assert verdict.status == "not yet right" and says in verdict.message, verdict.message


def test_one_number_is_not_enough(capsys):
    assert "two numbers" in verdict_of(check_mean_dice, lambda f, t: 0.5, capsys).message


def m2(bounds, logits, label, alpha):
    known = label >= 0
    labelled = bounds[known].gather(1, label[known, None])[:, 0]
    without = semi_vae.unlabelled_bound(logits[~known], bounds[~known])
    return semi_vae.cost(labelled, without, logits[known], label[known], alpha)


def by_hand(bounds, logits, label, alpha, q=None, entropy=1.0, sign=1, cross=1):
    known, q = label >= 0, logits.softmax(1) if q is None else q(logits)
    labelled = (bounds * one_hot(label.clamp(min=0), 3)).sum(1)[known]
    without = (q * (bounds - entropy * logits.log_softmax(1))).sum(1)[~known]
    term = cross * alpha * cross_entropy(logits[known], label[known])
    return term - sign * (labelled.mean() + without.mean())


@pytest.mark.parametrize("right", [m2, by_hand, lambda *given: float(by_hand(*given))])
def test_the_right_cost_is_that_of_the_model(right, capsys):
    assert verdict_of(check_m2_cost, right, capsys).right


def together(bounds, logits, label, alpha):
    known = label >= 0
    each = torch.where(known, bounds.gather(1, label.clamp(min=0)[:, None])[:, 0],
                       semi_vae.unlabelled_bound(logits, bounds))  # fmt: skip
    return alpha * cross_entropy(logits[known], label[known]) - each.mean()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda *given: -by_hand(*given), "bounds enter with a minus"),
        (lambda *given: by_hand(*given, entropy=0.0), "own entropy is missing"),
        (lambda *given: by_hand(*given, entropy=-1.0), "entropy has the wrong sign"),
        (lambda *g: by_hand(*g, q=lambda z: one_hot(z.argmax(1), 3).float()), "likeliest one alone"),
        (lambda *given: by_hand(*given, cross=0), "cross-entropy of the labelled images is missing"),
        (together, "Take two means"),
        (lambda *given: 0.0, "the cost is"),
    ],
)
def test_mistakes_of_the_cost_are_named(wrong, says, capsys):
    verdict = verdict_of(check_m2_cost, wrong, capsys)
    assert verdict.status == "not yet right" and says in verdict.message, verdict.message


def study(unlike=(), augment=True, order=("without", "with")):
    """A right study in other words, or one with a mistake of its own."""

    def fn(generate, fit, segment, cuts, few, val, test):
        drawn = generate(few["images"], few["masks"])
        pair = few["images"], few["masks"]
        if augment:
            pair = tuple(np.concatenate([part, part[:, ::-1], part[..., ::-1]]) for part in pair)
        models = {}
        for name in order:
            given = (
                pair if name == "without" else [np.concatenate(two) for two in zip(pair, drawn, strict=True)]
            )
            models[name] = fit(*given, updates=900)
        dice = {}
        for name, model in models.items():

            def score(split, cut, model=model):
                made, full = segment(model, split["images"]) > cut, split["masks"].any((1, 2))
                if "silent" in unlike:
                    full[:] = True
                return measured(made[full], split["masks"][full])[0] + 0.1 * ("more" in unlike)

            dice[name] = score(test, max(cuts, key=lambda cut: score(val, cut)))
        return dice

    return fn


@pytest.mark.parametrize("right", [study(), study(augment=False), study(order=("with", "without"))])
def test_a_right_study_passes_in_its_forms(right, capsys):
    assert verdict_of(check_few_labels_bug_hunt, right, capsys).right


def test_other_mistakes_of_a_study_are_told(capsys):
    assert "is another" in verdict_of(check_few_labels_bug_hunt, study(("more",)), capsys).message
    assert (
        "Fit two networks"
        in verdict_of(check_few_labels_bug_hunt, lambda *g: {"without": 0, "with": 0}, capsys).message
    )
    assert "Return a dictionary" in verdict_of(check_few_labels_bug_hunt, lambda *g: 5, capsys).message


def test_every_mistake_of_the_measure_gives_numbers_of_its_own():
    for seed in (0, 1):
        world = _World.make(seed)
        for drawn in (world.few, {"images": world.drawn[0], "masks": world.drawn[1]}):
            world.fit(drawn["images"], drawn["masks"])
        kinds = [frozenset(kind) for kind in ((), ("empty",), ("cut",), ("empty", "cut"))]
        made = [_outcome(world, {"without": 0, "with": 1}, kind) for kind in kinds]
        assert len({round(each["with"], 4) for each in made}) == len(kinds)
        assert made[0]["with"] != made[0]["without"]


def scores(gap=0.05, spread=0.01):
    def measure(way, seed):
        rng = np.random.default_rng(seed)
        hard, own = rng.normal(0, 0.15), rng.normal(0, spread, 2)
        return 0.8 + hard + (gap + own[0] if way == "balanced" else own[1])

    return measure


def as_measured(measure, seeds=range(20), ends=bootstrap_interval, sign=1):
    both = {way: np.array([measure(way, seed) for seed in seeds]) for way in ("random", "balanced")}
    row = ends(sign * (both["balanced"] - both["random"]))
    means = {way: values.mean() for way, values in both.items()}
    return means | {"gap": (row["value"], row["low"], row["high"])}


@pytest.mark.parametrize(("gap", "answer"), [(0.05, "balanced"), (-0.05, "random"), (0.0, "tie")])
def test_the_experiment_on_labels(gap, answer, capsys):
    measure = scores(gap)
    found = as_measured(measure)
    assert check_which_labels(measure, range(20), found, answer).right
    wrong = next(word for word in ("tie", "balanced") if word != answer)
    assert f"it is {answer!r}" in check_which_labels(measure, range(20), found, wrong).message


def test_a_gap_whose_interval_ends_at_zero_is_judged_by_the_students_own(capsys):
    def measure(way, seed):
        return 1.0 - 0.01 * (seed < 3) * (way == "random")  # most seeds are perfect both ways

    found = as_measured(measure)
    for low, answer in ((0.0, "tie"), (0.0005, "balanced")):
        changed = found | {"gap": (found["gap"][0], low, found["gap"][2])}
        assert check_which_labels(measure, range(20), changed, answer).right


def test_mistakes_of_the_experiment_on_labels_are_named(capsys):
    measure = scores()
    found = as_measured(measure)

    def told(found, answer="balanced"):
        return check_which_labels(measure, range(20), found, answer)

    assert told(None).status == told(found, None).status == "not attempted"
    assert "not the other way round" in told(as_measured(measure, sign=-1)).message
    assert "measured again" in told(found | {"random": 0.5}).message
    assert "measured again" in told(found | {"gap": (0.2, 0.1, 0.3)}).message
    assert "give (value, low, high)" in told(found | {"gap": 0.05}).message

    def single(values):
        low, high = np.quantile(values, [0.025, 0.975])
        return {"value": values.mean(), "low": low, "high": high}

    assert "single seeds" in told(as_measured(measure, ends=single)).message
    value, apart = found["gap"][0], 1.96 * 0.15 * (2 / 20) ** 0.5
    assert "difference first" in told(found | {"gap": (value, value - apart, value + apart)}).message


def speaking(level):
    """Of 300 statements the higher level makes fewer, and fewer of them are wrong."""
    sure = np.linspace(0, 1, 300)
    right = np.ones(300, bool)
    right[:60:3] = False
    return sure > level - 0.5, right


def shares(levels=(0.5, 0.6, 0.7, 0.8)):
    made = {}
    for level in levels:
        spoken, right = speaking(level)
        made[level] = {"silent": (~spoken).mean(), "wrong": (~right)[spoken].mean()}
    return made


def test_the_experiment_on_silence(capsys):
    found = shares()
    upper = {level: share_interval(~speaking(level)[1][speaking(level)[0]])["high"] for level in found}
    answer = next(level for level in found if upper[level] <= 0.05)
    assert check_silence(speaking, found, answer, 0.05).right
    assert check_silence(speaking, found, "none", 0.001).right
    assert check_silence(speaking, found, None, 0.05).status == "not attempted"
    assert "three or more" in check_silence(speaking, {0.5: found[0.5]}, 0.5, 0.05).message
    by_value = next(level for level in found if found[level]["wrong"] <= 0.05)
    assert by_value < answer
    assert "reaches further" in check_silence(speaking, found, by_value, 0.05).message
    spoken, right = speaking(0.6)
    for name, value, says in (
        ("silent", spoken.mean(), "that is said"),
        ("wrong", (spoken & ~right).mean(), "not by all"),
        ("wrong", (~right).mean(), "as if each had been made"),
        ("wrong", right[spoken].mean(), "share that is right"),
        ("wrong", 0.9, "yours is 0.900"),
    ):
        changed = found | {0.6: found[0.6] | {name: value}}
        assert says in check_silence(speaking, changed, answer, 0.05).message
