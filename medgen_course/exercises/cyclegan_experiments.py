"""Checks of notebook 04's experiments: whether a student's measurement measures what it is said to."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, as_number, call, judge

Translate = Callable[[Tensor], Tensor]
SHIFTS = (1, 2, 3, 4)


def check_shift_error(fn: Callable[[Translate, Tensor, int], float]) -> Verdict:
    """Check a measure of what a moved image changes: mean |translate(moved x) - moved translate(x)|.

    Args:
        fn: (translate, x, shift) to a number. `translate` takes images (B, 1, H, W) in [0, 1] to the same,
            x is such a batch; moved means `torch.roll(x, shift, 3)`: that many pixels to the right.
    """
    praise = "Zero where place makes no difference, and the right size where it does."
    return judge("moved images", fn, _examine_shift, praise)


def check_tell_apart(fn: Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], float]) -> Verdict:
    """Check a measure of how well a new classifier tells made images from real ones.

    Args:
        fn: (real, made, held_out_real, held_out_made), each uint8 (N, 1, H, W), to the area under the ROC
            curve on the held-out images, made images counting as the positive class.
    """
    praise = "About a half where there is nothing to learn, near 1 where there is, on images not seen before."
    return judge("real or made", fn, _examine_apart, praise)


def _columns(x: Tensor) -> Tensor:
    """Brighter by 0.2 in every second column: it knows odd places from even ones."""
    return x + 0.2 * (torch.arange(x.shape[-1]) % 2)


def _ramp(x: Tensor) -> Tensor:
    """Brighter to the right: it knows every place."""
    return x + torch.arange(x.shape[-1]) / x.shape[-1]


def _number(fn: Callable, *arguments: object) -> float:
    return as_number(call(fn, *arguments), "return one number; yours is {}.")


def _examine_shift(fn: Callable) -> None:
    x = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    translators = {
        "that treats every pixel alike": lambda x: 1 - 0.5 * x**2,
        "that knows odd columns from even ones": _columns,
        "that knows every place": _ramp,
    }
    for what, translate in translators.items():
        for shift in SHIFTS:
            found = _number(fn, translate, x.clone(), shift)
            moved = translate(x.roll(shift, 3)) - translate(x).roll(shift, 3)
            expected = float(moved.abs().mean())
            if abs(found - expected) > 1e-4:
                raise Finding(
                    f"For a translator {what}, moved by {shift}, {expected:.4f} is expected; yours is "
                    f"{found:.4f}{_shift_mistake(translate, x, shift, found)}."
                )


def _shift_mistake(translate: Translate, x: Tensor, shift: int, found: float) -> str:
    """What was probably measured instead, for the message; empty where it is none of the usual mistakes."""
    there, moved = translate(x), translate(x.roll(shift, 3))
    usual = {
        "the translation has to be moved too, before the two are compared": (moved - there).abs(),
        "compare two translations, not a translation with its source": (there - x).abs(),
        "move along the last axis, to the right": (translate(x.roll(shift, 2)) - there.roll(shift, 2)).abs(),
        "move both in the same direction": (translate(x.roll(-shift, 3)) - there.roll(shift, 3)).abs(),
        "take the absolute value, not the square": (moved - there.roll(shift, 3)).square(),
        "differences of both signs cancel; take the absolute value first": moved - there.roll(shift, 3),
    }
    same = (text for text, values in usual.items() if abs(float(values.mean()) - found) < 1e-5)
    return next((f": {text}" for text in same), "")


def _examine_apart(fn: Callable) -> None:
    rng = np.random.default_rng(0)

    def images(count: int, low: int, high: int) -> np.ndarray:
        return rng.integers(low, high, (count, 1, 16, 16)).astype(np.uint8)

    alike = [images(n, 0, 256) for n in (24, 24, 100, 100)]
    found = _number(fn, *alike)
    if not 0 <= found <= 1:
        raise Finding(f"an area under the ROC curve lies between 0 and 1; yours is {found:.3f}.")
    if not 0.3 < found < 0.7:
        raise Finding(
            f"real and made images were drawn in the same way, so nothing can tell new ones apart, and "
            f"about 0.5 is expected; yours is {found:.2f}. Learn from the first two, measure on the other "
            "two: on images that it has learnt from, a classifier knows each by heart."
        )
    dark, bright = ([images(n, low, low + 90) for n in (32, 60)] for low in (0, 160))
    for real, made, words in ((dark, bright, "dark and made ones bright"), (bright, dark, "the reverse")):
        found = _number(fn, real[0], made[0], real[1], made[1])
        if found < 0.1:
            raise Finding(
                f"where real images are {words}, yours is {found:.2f}, 1 minus what is expected: made images "
                "are the positive class."
            )
        if found < 0.9:
            raise Finding(
                f"where real images are {words}, anything can tell them apart, and nearly 1 is expected; "
                f"yours is {found:.2f}."
            )
