"""The bug hunt of notebook 11: mistakes in a measurement, told apart by the number they make."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted, remaining

Pair = tuple[Tensor, Tensor]  # noisy and clean, (N, 1, H, W) each
STRENGTHS = (0.2, 0.5, 1.0)
ADVICE = {
    "range": "The data range is taken from each image. Dark images then score worse than bright ones with "
    "the same error, and no two papers agree: it is 1 for all of them.",
    "test": "The strength is chosen on the test images, so the figure is the best of three tries on them: "
    "choose on validation.",
    "noisy": "The answer is compared with the noisy image. That is best when nothing is done: compare with "
    "the clean one.",
    "pooled": "The logarithm is taken of the error over all images together, so the worst image decides: "
    "take the PSNR of each image first, then their mean.",
    "decibel": "A tenth of the squared error counts 20 dB here; it is 10 dB.",
    "reported": "The figure is not that of the test images, on which the strength had no say.",
}


Evaluation = Callable[[Callable, tuple[float, ...], Pair, Pair], tuple[float, float]]


def check_measure_bug_hunt(fn: Evaluation) -> Verdict:
    """Look for each mistake of the pool (`hunts/measure.py`) by itself; three of them are planted.

    Args:
        fn: (restore, strengths, val, test) to the chosen strength and the mean PSNR in dB on test.
            `restore(noisy, strength)` returns images; val and test are pairs (noisy, clean), (N, 1, H, W) in
            [0, 1].
    """
    return judge("bug hunt", fn, _examine, "Range 1, chosen on validation, measured against the clean image.")


def _restore(noisy: Tensor, strength: float) -> Tensor:
    return 0.9 * noisy * strength + 0.05  # so that no strength gives the noisy image back


def _worlds() -> tuple[Pair, Pair]:
    """Validation images like strength 0.5, test images 0.2, and noisy ones themselves 1."""
    draws = torch.Generator().manual_seed(0)
    val, test = 0.6 * torch.rand(2, 5, 1, 6, 6, generator=draws)
    made = []
    for noisy, share in ((val, 0.5), (test, 0.22)):
        made.append((noisy, share * noisy + 0.02 * torch.rand(noisy.shape, generator=draws)))
    return made[0], made[1]


def _psnr(made: Tensor, pair: Pair, mistakes: frozenset[str]) -> float:
    noisy, clean = pair
    wanted = noisy if "noisy" in mistakes else clean
    error = (made - wanted).square().mean(() if "pooled" in mistakes else (1, 2, 3))
    own_range = clean.amax((1, 2, 3)) - clean.amin((1, 2, 3))
    peak = own_range if "range" in mistakes else torch.ones(())
    ratio = torch.log10(peak.square() / error.clamp(min=1e-10))
    return float(((20 if "decibel" in mistakes else 10) * ratio).mean())


def _outcome(mistakes: frozenset[str], val: Pair, test: Pair) -> tuple[float, float]:
    """Strength and figure of an evaluation with these mistakes."""

    def score(pair: Pair, strength: float) -> float:
        return _psnr(_restore(pair[0], strength), pair, mistakes)

    best = max(STRENGTHS, key=lambda strength: score(test if "test" in mistakes else val, strength))
    return best, score(val if "reported" in mistakes else test, best)


def _examine(fn: Callable) -> None:
    val, test = _worlds()
    copies, seen = (tuple(x.clone() for x in pair) for pair in (val, test)), []

    def restore(noisy: Tensor, strength: float) -> Tensor:
        seen.append(noisy.shape == val[0].shape and torch.equal(noisy, val[0]))
        return _restore(noisy, strength)

    found = call(fn, restore, STRENGTHS, *copies)
    if found is None or (isinstance(found, tuple) and None in found):
        raise not_attempted()
    try:
        strength, figure = (float(value) for value in found)
    except (TypeError, ValueError) as error:
        raise Finding("Return two numbers: the chosen strength, and the mean PSNR on test in dB.") from error
    right = _outcome(frozenset(), val, test)
    if strength == right[0] and abs(figure - right[1]) < 0.01:
        return
    kinds = (frozenset(kind) for n in range(1, len(ADVICE) + 1) for kind in itertools.combinations(ADVICE, n))
    fits = [kind for kind in kinds if _same(_outcome(kind, val, test), (strength, figure))]
    if not fits:
        raise Finding(
            f"Strength {right[0]:g} and {right[1]:.2f} dB are expected; yours are {strength:g} and "
            f"{figure:.2f}. It is none of the planted mistakes: PSNR is -10 log10 of an image's mean "
            "squared error, then the mean over images."
        )
    # Against noisy images both choices are 1: then what was looked at first tells on which it was chosen.
    fits.sort(key=lambda kind: (("test" in kind) == (seen[:1] == [True]), len(kind)))
    raise remaining([ADVICE[name] for name in ADVICE if name in fits[0]])


def _same(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] == other[0] and abs(one[1] - other[1]) < 0.01
