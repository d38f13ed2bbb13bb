"""Checks of notebook 13: right answers in many forms pass, each usual mistake is named."""

import numpy as np
import pytest
import torch
from test_exercises import verdict_of
from torch import nn

from medgen_course.exercises import (
    check_fooled,
    check_leaks,
    check_low_fpr,
    check_private_gradient,
    check_trust_bug_hunt,
)
from medgen_course.exercises.resampling import mean_interval
from medgen_course.exercises.trust import private_gradient
from medgen_course.exercises.trust_experiments import auc_interval


@pytest.mark.parametrize("check", [check_low_fpr, check_private_gradient])
@pytest.mark.parametrize("stub", [lambda *_: None, None])
def test_a_stub_is_not_attempted(check, stub, capsys):
    assert verdict_of(check, stub, capsys).status == "not attempted"


def by_curve(members, held, most):
    from sklearn.metrics import roc_curve

    truth = np.repeat([1, 0], [len(members), len(held)])
    false, true, _ = roc_curve(truth, np.concatenate([members, held]), drop_intermediate=False)
    return true[false <= most + 1e-9].max()


@pytest.mark.parametrize(
    "right",
    [
        by_curve,
        lambda m, h, most: (m > np.sort(h)[::-1][int(most * len(h) + 1e-9)]).mean(),
        lambda m, h, most: (m > np.quantile(h, 1 - most, method="higher")).mean(),
        lambda m, h, most: max((m > cut).mean() for cut in h if (h > cut).mean() <= most + 1e-9),
    ],
)
def test_a_rate_at_few_false_alarms(right, capsys):
    verdict = verdict_of(check_low_fpr, right, capsys)
    assert verdict.right, verdict.message


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda m, h, most: (m > np.quantile(h, 1 - most)).mean(), "Of so few others not one"),
        (lambda m, h, most: (m > np.quantile(m, 1 - most)).mean(), "from the members' scores"),
        (lambda m, h, most: (m > np.quantile(np.concatenate([m, h]), 1 - most)).mean(), "both groups"),
        (lambda m, h, most: (m > np.median(h)).mean(), "half of the others"),
        (lambda m, h, most: 1 - by_curve(m, h, most), "below the threshold"),
        (lambda m, h, most: (m < np.quantile(h, most)).mean(), "at the other end"),
        (lambda m, h, most: (m >= np.quantile(h, 1 - most, method="higher")).mean(), "score alike"),
        (lambda m, h, most: by_curve(m, h, 0.01), "is expected"),
        (lambda m, h, most: "many", "expected one number"),
    ],
)
def test_mistakes_of_the_rate_are_named(wrong, says, capsys):
    verdict = verdict_of(check_low_fpr, wrong, capsys)
    assert not verdict.right and says in verdict.message


def by_loop(gradients, clip, sigma, noise):
    total = torch.zeros(gradients.shape[1])
    for gradient in gradients:
        length = float(gradient.norm())
        total += gradient * (clip / length) if length > clip else gradient
    return (total + sigma * clip * noise) / len(gradients)


def by_division(gradients, clip, sigma, noise):
    shorter = gradients / (gradients.norm(dim=1, keepdim=True) / clip).clamp(min=1)
    return shorter.mean(0) + sigma * clip / len(gradients) * noise


FORMS = (by_loop, by_division, private_gradient)


@pytest.mark.parametrize("right", FORMS)
def test_a_private_gradient(right, capsys):
    assert verdict_of(check_private_gradient, right, capsys).right


def of_parts(clipped, noise_scale=lambda clip, sigma, count: sigma * clip / count):
    return lambda g, clip, sigma, noise: clipped(g, clip) + noise_scale(clip, sigma, len(g)) * noise


def right_part(g, clip):
    return private_gradient(g, clip, 0.0, torch.zeros(g.shape[1]))


def length(g):
    return g.norm(dim=1, keepdim=True).clamp(min=1e-12)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (of_parts(lambda g, c: g.mean(0) * min(1, c / g.mean(0).norm())), "twice the clip"),
        (
            of_parts(lambda g, c: g.sum(0) * min(1, c / g.sum(0).norm()) / len(g)),
            "sum of the batch is clipped",
        ),
        (of_parts(lambda g, c: g.clamp(-c, c).mean(0)), "Each number is clipped"),
        (of_parts(lambda g, c: g.mean(0)), "Nothing is clipped"),
        (of_parts(lambda g, c: (g * c / length(g)).mean(0)), "were stretched"),
        (of_parts(lambda g, c: (g * (c / length(g) ** 2).clamp(max=1)).mean(0)), "root of the sum"),
        (of_parts(right_part, lambda *_: 0.0), "noise is missing"),
        (of_parts(right_part, lambda c, s, n: s / n), "must grow with the clip"),
        (of_parts(right_part, lambda c, s, n: s * c), "divided by B too"),
        (of_parts(right_part, lambda c, s, n: s**0.5 * c / n), "not a variance"),
        (lambda g, c, s, n: len(g) * by_loop(g, c, s, n), "expects a mean"),
        (of_parts(lambda g, c: (g * (c / g.norm(dim=1, keepdim=True)).clamp(max=1) * 0 / 0).mean(0)), "nan"),
        (lambda g, c, s, n: g, "is expected"),
    ],
)
def test_mistakes_of_the_private_gradient_are_named(wrong, says, capsys):
    verdict = verdict_of(check_private_gradient, wrong, capsys)
    assert not verdict.right and says in verdict.message


class Repaired:
    """A right audit that looks like none of the cells."""

    share = 0.95

    def accused(self, known_members, known_held, members, held):
        cut = np.sort(known_held)[int(self.share * len(known_held))]
        return [scores >= cut for scores in (members, held)]

    def gradient(self, gradients, clip, sigma, noise):
        return by_division(gradients, clip, sigma, noise)

    def saliency(self, model, x, label, steps=16):
        maps = []
        for image in x:
            places = torch.linspace(0, 1, steps + 1)[1:, None, None, None]
            at = (places * image).requires_grad_()
            model(at)[:, label].sum().backward()
            maps.append(image * at.grad.mean(0))
        return torch.stack(maps)


def test_right_repairs_of_other_forms_pass(capsys):
    verdict = verdict_of(check_trust_bug_hunt, Repaired, capsys)
    assert verdict.right, verdict.message


def with_method(name, method):
    return type("Other", (Repaired,), {name: staticmethod(method)})


@pytest.mark.parametrize(
    ("cls", "says"),
    [
        (type("Loose", (Repaired,), {"share": 0.9}), "9.8% of the known outsiders"),
        (with_method("accused", lambda km, kh, m, h: (m > 0, m > 0)), "two bool arrays"),
        (with_method("accused", lambda km, kh, m, h: (m > 3, h > 0)), "above one threshold"),
        (with_method("gradient", lambda g, c, s, n: g), "a tensor (30,)"),
        (with_method("gradient", lambda g, c, s, n: by_loop(g, c, s, n) / 2), "is not the mean"),
        (with_method("saliency", lambda model, x, label: x[0]), "same shape"),
        (with_method("saliency", lambda model, x, label: 0 * x), "sums to 0.00"),
    ],
)
def test_other_mistakes_are_found_too(cls, says, capsys):
    verdict = verdict_of(check_trust_bug_hunt, cls, capsys)
    assert verdict.message.startswith("1 of 3") and says in verdict.message


def test_what_is_no_audit_is_refused(capsys):
    assert "Give the function itself" in verdict_of(check_trust_bug_hunt, Repaired(), capsys).message
    assert "Give the class itself" in verdict_of(check_trust_bug_hunt, lambda: None, capsys).message
    assert "no accused" in verdict_of(check_trust_bug_hunt, nn.Identity, capsys).message
    stub = with_method("gradient", lambda *_: None)
    assert verdict_of(check_trust_bug_hunt, stub, capsys).status == "not attempted"


def leaking(updates):
    """Scores of members and others: apart after long training, hardly after a short one."""
    rng = np.random.default_rng(updates + 2)
    return rng.normal({10: 0.02, 100: 0.06, 1000: 1.0}[updates], 1, 200), rng.normal(0, 1, 200)


def as_leaked(change=lambda row: row):
    rows = {updates: auc_interval(*leaking(updates), seed=3) for updates in (10, 100, 1000)}
    return {updates: change((row["value"], row["low"], row["high"])) for updates, row in rows.items()}


def test_the_experiment_on_leaks(capsys):
    found, sure = as_leaked(), {1000}
    assert check_leaks(leaking, found, sure).right
    assert (
        check_leaks(leaking, None, sure).status == check_leaks(leaking, found, None).status == "not attempted"
    )
    above = {updates for updates, row in found.items() if row[0] > 0.5}
    assert above != sure and "is no finding" in check_leaks(leaking, found, above).message
    assert "it is {1,000}" in check_leaks(leaking, found, set()).message
    assert "three or more" in check_leaks(leaking, {10: found[10]}, sure).message
    assert "two ends" in check_leaks(leaking, found | {10: 0.5}, sure).message
    turned = as_leaked(lambda row: tuple(1 - end for end in row))
    assert "Higher must mean member" in check_leaks(leaking, turned, sure).message
    narrow = as_leaked(lambda row: (row[0], row[0], row[0]))
    assert "with replacement" in check_leaks(leaking, narrow, sure).message


def test_an_auc_lies_in_its_interval_and_the_interval_gets_narrow():
    few, many = (auc_interval(*(part[:n] for part in leaking(1000))) for n in (20, 200))
    for row in (few, many):
        assert row["low"] <= row["value"] <= row["high"]
    assert many["high"] - many["low"] < few["high"] - few["low"]


def attacked(level):
    return np.arange(300) < {0.5: 20, 1.0: 26, 2.0: 60}[level]


def noisy(level):
    return np.arange(300) < 20


def test_the_experiment_on_attack_and_noise(capsys):
    found = {level: (attacked(level).mean(), noisy(level).mean()) for level in (0.5, 1.0, 2.0)}

    def told(found, least):
        return check_fooled(attacked, noisy, found, least)

    assert told(found, 1.0).right
    assert told(None, 1.0).status == told(found, None).status == "not attempted"
    assert "image by image" in told(found, 2.0).message
    assert "it is 1" in told(found, 0.5).message
    assert "three or more" in told({1.0: found[1.0]}, 1.0).message
    assert "give two shares" in told(found | {1.0: 0.1}, 1.0).message
    assert "right answers" in told(found | {1.0: (1 - found[1.0][0], found[1.0][1])}, 1.0).message
    assert "wrong under noise" in told(found | {1.0: (found[1.0][0], 0.5)}, 1.0).message
    assert check_fooled(noisy, noisy, {level: (20 / 300,) * 2 for level in (0.5, 1.0, 2.0)}, 0).right
    assert mean_interval(attacked(1.0).astype(float) - noisy(1.0))["low"] > 0
