"""Checks of notebook 01's experiments: whether a student's measurement measures what it is said to."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, hint, judge, number

LENGTHS = (1, 2, 4, 8)


def check_bits(fn: Callable[[Tensor, Tensor, float], float]) -> Verdict:
    """Check the mean number of bits that a rounded code costs.

    Args:
        fn: (training codes (N, D), codes (B, D), step) to bits an image: rounded to multiples of step, with
            histograms of the training codes, summed over the numbers of a code, averaged over images.
    Returns:
        The verdict, after showing it.
    """
    praise = "Summed over the code, averaged over images, with the histograms of the training codes."
    return judge("bits", fn, _examine_bits, praise)


def check_best_length(fn: Callable[[Callable, Tensor, Tensor, Sequence[int]], int]) -> Verdict:
    """Check the choice of the length of code that brings noisy images nearest to the clean ones.

    Args:
        fn: (rebuild, clean, noisy, lengths) to one of the lengths; `rebuild(images, length)` gives images.
    Returns:
        The verdict, after showing it.
    """
    return judge(
        "best length", fn, _examine_length, "The noisy images go in, the clean ones are the yardstick."
    )


def _examine_bits(fn: Callable) -> None:
    for levels, dim in ((4, 3), (32, 2)):
        step, often = 0.5, 1 + 6 * (torch.arange(levels) < levels // 2)  # the lower half seven times as often
        training, exam = (
            torch.stack([(step * column).roll(i) for i in range(dim)], dim=1).float()
            for column in (torch.arange(levels).repeat_interleave(60 * often), torch.arange(levels).repeat(3))
        )
        expected = dim * float(-torch.log2(often / often.sum()).mean())  # an exam of equal shares
        found = number(fn, training.clone(), exam.clone(), step)
        if abs(found - expected) < 0.03 * expected:
            continue
        usual = {
            "That is for one number of the code: sum over all of them": expected / dim,
            "That is the sum over all images: average": 3 * levels * expected,
            "That is in nats: take log2": expected * np.log(2),
            "The examined codes cost that by their own histograms; the receiver knows only those of training":
                dim * np.log2(levels),
        }  # fmt: skip
        why = hint(usual, lambda value, found=found: abs(value - found) < 0.03 * value)
        raise Finding(
            f"For {dim} numbers with {levels} levels each, half of which are rare in training, it returns "
            f"{found:.3g}; expected about {expected:.3g} bits.{why}"
        )


def _examine_length(fn: Callable) -> None:
    generator = torch.Generator().manual_seed(0)
    clean = torch.rand(6, 1, 8, 8, generator=generator)
    noisy = clean + 0.3 * torch.randn(clean.shape, generator=generator)
    for best in (2, 4):

        def rebuild(x: Tensor, length: int, best: int = best) -> Tensor:
            """Halfway to x for long codes, which keep noise; far from everything for short ones."""
            keeps = min(1.0, length / 8)
            missing = 0.0 if length >= best else 0.5
            return clean + keeps * (x - clean) + missing

        found = number(fn, rebuild, clean.clone(), noisy.clone(), LENGTHS)
        if found == best:
            continue
        why = " Compare with the clean images: the noisy ones like whatever keeps their noise." if (
            found == LENGTHS[-1]
        ) else " The smallest error, not the largest." if found == 1 else ""  # fmt: skip
        raise Finding(f"Of {LENGTHS} it returns {found:g}; expected {best}.{why}")
