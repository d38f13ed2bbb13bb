"""Checks of notebook 00's experiments: whether a student's measurement measures what it is said to."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, hint, judge, number

SHARES = (0.0, 0.25, 0.5, 1.0)


def check_leak(fn: Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float], float]) -> Verdict:
    """Check the accuracy of a 1-NN when a share of the exam was copied into what it remembers.

    Args:
        fn: (train, train_labels, exam, exam_labels, share) to a share of right answers, 0 to 1. Images are
            floats (N, pixels), labels (N,); the first round(share * len(exam)) exam images are leaked.
    Returns:
        The verdict, after showing it.
    """
    praise = "It remembers both parts, and examines the whole exam."
    return judge("leak", fn, _examine_leak, praise)


def check_dose(fn: Callable[[Tensor, float], float]) -> Verdict:
    """Check the mean PSNR in decibels of a film that was taken with few photons.

    Args:
        fn: (x, photons) to a number; x is (B, 1, H, W) in [0, 1], black is `photons` photons.
    Returns:
        The verdict, after showing it.
    """
    return judge("dose", fn, _examine_dose, "Counted from white downwards, in decibels, mean over images.")


def _right(memory: np.ndarray, known: np.ndarray, exam: np.ndarray, truth: np.ndarray) -> float:
    """Share of exam images whose nearest neighbour in memory has their label."""
    distances = ((exam[:, None] - memory[None]) ** 2).sum(-1)  # (M, N)
    return float((known[distances.argmin(1)] == truth).mean())


def _examine_leak(fn: Callable) -> None:
    rng = np.random.default_rng(0)
    (train, exam), (known, truth) = rng.random((2, 40, 9)), rng.integers(0, 2, (2, 40))
    for share in SHARES:
        leaked = round(share * len(exam))
        memory, labels = np.concatenate([train, exam[:leaked]]), np.concatenate([known, truth[:leaked]])
        expected = _right(memory, labels, exam, truth)
        found = number(fn, train.copy(), known.copy(), exam.copy(), truth.copy(), share)
        if abs(found - expected) < 1e-6:
            continue
        usual = {
            "That is in percent: return a share from 0 to 1": 100 * expected,
            "That is the accuracy without a leak: put the images, and their labels, into what is remembered":
                _right(train, known, exam, truth),
            "The leaked images were taken out of the exam: leave them in": (
                _right(memory, labels, exam[leaked:], truth[leaked:]) if leaked < len(exam) else -1
            ),
            "Only leaked images are remembered: keep the training images too": (
                _right(exam[:leaked], truth[:leaked], exam, truth) if leaked else -1
            ),
        }  # fmt: skip
        why = hint(usual, lambda value, found=found: abs(value - found) < 1e-6)
        raise Finding(f"With {share:.0%} leaked it returns {found:.3f}; expected {expected:.3f}.{why}")


def _examine_dose(fn: Callable) -> None:
    for grey in (0.3, 0.7):
        x = torch.full((4, 1, 64, 64), grey)
        for photons in (200.0, 2000.0):
            expected = -10 * np.log10((1 - grey) / photons)  # the variance of a count is its mean
            found = number(fn, x.clone(), photons)
            if abs(found - expected) < 0.4:
                continue
            usual = {
                "That is near the mean squared error, not the PSNR": 10 ** (-expected / 10),
                "White got the most photons: on a film it is black (`film=True`)":
                    -10 * np.log10(grey / photons),
                "The sign is wrong: less error, more decibels": -expected,
            }  # fmt: skip
            why = hint(usual, lambda value, found=found: abs(value - found) < 0.4)
            raise Finding(
                f"For grey level {grey:g} and {photons:.0f} photons it returns {found:.3g}; expected about "
                f"{expected:.1f} dB.{why}"
            )
