"""Checks of notebook 11: right answers pass, usual mistakes are named, stubs are not attempted."""

import itertools

import pytest
import torch
from test_exercises import verdict_of
from torch.fft import fft2, ifft2

from medgen_course import exercises

keep, weigh, hunt = exercises.check_consistency, exercises.check_weight, exercises.check_measure_bug_hunt
gain, cost = exercises.check_gain, exercises.check_average_cost


def to_image(lines):
    return ifft2(lines, norm="ortho").real


def kept(x, y, mask, trust):
    own = fft2(x, norm="ortho")
    return to_image(torch.where(mask, (own + trust * y) / (1 + trust), own))


def kept_lines(x, y, mask, trust):
    return fft2(kept(x, y, mask, trust), norm="ortho")


def chosen(weights, psnr, frechet, limit):
    least = psnr[weights.index(0)] - limit
    return min((d, w) for w, p, d in zip(weights, psnr, frechet, strict=True) if p >= least)[1]


def psnr_of(made, wanted, own_range=False, clean=None):
    error = (made - wanted).square().mean((1, 2, 3))
    peak = clean.amax((1, 2, 3)) - clean.amin((1, 2, 3)) if own_range else 1
    return (10 * torch.log10(peak**2 / error.clamp(min=1e-10))).mean()


def evaluation(own_range=False, on_test=False, noisy=False):
    def fn(restore, strengths, val, test):
        def score(pair, s):
            return psnr_of(restore(pair[0], s), pair[0 if noisy else 1], own_range, pair[1])

        best = max(strengths, key=lambda s: score(test if on_test else val, s))
        return best, score(test, best)

    return fn


def gained(restore, noisy, clean):
    return psnr_of(restore(noisy), clean) - psnr_of(noisy, clean)


def averaged(draw, y, x, count):
    return (sum(draw(y) for _ in range(count)) / count - x).square().mean()


RIGHT = [
    (keep, kept),
    (keep, lambda x, y, m, t: x + t / (1 + t) * to_image(y - fft2(x, norm="ortho") * m)),
    (weigh, chosen),
    (hunt, evaluation()),
    (gain, gained),
    (cost, averaged),
    (cost, lambda d, y, x, n: float((torch.stack([d(y) for _ in range(n)]).mean(0) - x).pow(2).mean())),
]


@pytest.mark.parametrize(("check", "fn"), RIGHT)
def test_right_answers(check, fn, capsys):
    assert verdict_of(check, fn, capsys).right


WRONG = [
    (keep, lambda x, y, m, t: to_image(m * kept_lines(x, y, m, t)), "yours are zero"),
    (keep, lambda x, y, m, t: x, "returned as it was"),
    (keep, lambda x, y, m, t: ifft2(kept_lines(x, y, m, t), norm="ortho"), "take `.real`"),
    (keep, lambda x, y, m, t: ifft2(kept_lines(x, y, m, t), norm="ortho").real.abs(), "not `.abs()`"),
    (keep, lambda x, y, m, t: kept(x, y, m, t).clamp(0, 1), "Leave the cut at 0 and 1 out"),
    (keep, lambda x, y, m, t: kept(x, y, m, t).clamp(min=0), "Cut nothing at 0"),
    (keep, lambda x, y, m, t: to_image(torch.where(m, y, fft2(x, norm="ortho"))), "weigh both"),
    (keep, lambda x, y, m, t: to_image((fft2(x, norm="ortho") + t * y) / (1 + t)), "weighed too"),
    (keep, lambda x, y, m, t: kept(x, y, m, 1 / t if t else 1e9), "weights are exchanged"),
    (keep, lambda x, y, m, t: to_image(fft2(x, norm="ortho") + t * y), "divide by 1 + trust"),
    (
        keep,
        lambda x, y, m, t: to_image(torch.where(m, (fft2(x) + t * y) / (1 + t), fft2(x))),
        "the same norm",
    ),
    (keep, lambda x, y, m, t: x[0], "expected; yours is (1, 8, 8)"),
    (weigh, lambda w, p, d, limit: w[d.index(min(d))], "limit was not asked for"),
    (weigh, lambda w, p, d, limit: w[p.index(max(p))], "smallest distance is wanted"),
    (weigh, lambda w, p, d, limit: 0.1, "is expected; yours is 0.1"),
    (hunt, lambda r, s, v, t: (0.5, 3.0), "none of the planted mistakes"),
    (hunt, lambda r, s, v, t: 5, "Return two numbers"),
    (gain, lambda r, n, c: psnr_of(r(n), c), "what does the noisy image have"),
    (gain, lambda r, n, c: -gained(r, n, c), "Subtract the PSNR of what came in"),
    (gain, lambda r, n, c: 10 * torch.log10((n - c).square().mean() / (r(n) - c).square().mean()),
     "each image first"),
    (cost, lambda d, y, x, n: (d(y) - x).square().mean(), "draw was called 1 times"),
    (cost, lambda d, y, x, n: torch.stack([(d(y) - x).square().mean() for _ in range(n)]).mean(),
     "Average the draws first"),
    (cost, lambda d, y, x, n: averaged(d, y, y, n), "not with the measurement"),
    (cost, lambda d, y, x, n: averaged(d, y, x, n) ** 0.5, "not its root"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "fn", "says"), WRONG)
def test_mistakes_are_named(check, fn, says, capsys):
    verdict = verdict_of(check, fn, capsys)
    assert verdict.status == "not yet right" and says in verdict.message, verdict.message


@pytest.mark.parametrize("flags", list(itertools.product([False, True], repeat=3))[1:])
def test_each_of_the_planted_mistakes_is_told_by_itself(flags, capsys):
    verdict = verdict_of(hunt, evaluation(*flags), capsys)
    words = ("data range", "chosen on the test images", "compared with the noisy image")
    assert verdict.message.startswith(f"{sum(flags)} of 3 mistakes remain")
    assert [word in verdict.message for word in words] == list(flags)


@pytest.mark.parametrize("check", [keep, weigh, hunt, gain, cost])
def test_stubs_are_not_attempted(check, capsys):
    assert verdict_of(check, lambda *given: None, capsys).status == "not attempted"


def test_the_function_that_the_notebook_plants_has_all_three(capsys):
    def my_measure(restore, strengths, val, test):
        def score(pair, strength):
            noisy, clean = pair
            made = restore(noisy, strength)
            error = (made - noisy).square().mean((1, 2, 3))
            peak = clean.amax((1, 2, 3)) - clean.amin((1, 2, 3))
            return (10 * torch.log10(peak**2 / error.clamp(min=1e-10))).mean()

        best = max(strengths, key=lambda strength: score(test, strength))
        return best, score(test, best)

    assert verdict_of(hunt, my_measure, capsys).message.startswith("3 of 3 mistakes remain")
