"""Does a method know what it does not know? The spread of its answers beside its error against the truth.

Several answers to one measurement (posterior draws, starts of a search, networks of an ensemble) give every
pixel a mean and a standard deviation. A calibrated spread is as large as the error, and an interval of
stated width holds the truth as often as it says.
"""

import math

import numpy as np
from torch import Tensor

from medgen_course.batches.checks import describe

LEVELS = (0.5, 0.8, 0.9, 0.95)


def spread(answers: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (n - 1 in the denominator) over the first dimension, S at least 2.

    Raises:
        ValueError: there is one answer only.
    """
    if len(answers) < 2:
        raise ValueError(f"got {describe(answers)}: one answer has no spread; give (S, ...) with S >= 2.")
    return answers.mean(0), answers.std(0)


def spread_against_error(
    std: Tensor, error: Tensor, bins: int = 10, where: Tensor | None = None
) -> dict[str, np.ndarray]:
    """Pixels in groups of equal number, by their spread: how large it is, and how large the error.

    Args:
        std: of the answers, any shape, >= 0.
        error: mean answer minus truth, the same shape.
        bins: groups.
        where: bool, the same shape: only these pixels.
    Returns:
        `spread` and `rmse`, (bins,): root mean squares of each group, the smallest spread first.
    Raises:
        ValueError: the shapes differ, or there are fewer pixels than groups.
    """
    if std.shape != error.shape or (where is not None and where.shape != std.shape):
        shapes = f"{tuple(std.shape)} and {tuple(error.shape)}"
        raise ValueError(f"spread and error have shapes {shapes}: no pair.")
    spreads, errors = ((x if where is None else x[where]).flatten().numpy() for x in (std, error))
    if len(spreads) < bins:
        raise ValueError(f"{len(spreads)} pixels make no {bins} groups; give fewer.")
    groups = np.array_split(np.argsort(spreads, kind="stable"), bins)
    return {
        name: np.array([math.sqrt(np.square(values[group]).mean()) for group in groups])
        for name, values in (("spread", spreads), ("rmse", errors))
    }


def error_over_spread(std: Tensor, error: Tensor, where: Tensor | None = None) -> float:
    """Root mean square error over root mean square spread, all pixels together.

    Perfect draws, S of them, have sqrt(1 + 1/S): the truth is one more draw, and the mean of S is not exact.
    In groups by spread no small S is perfect: a small spread is often a small one by chance.

    Args:
        std, error, where: as in `spread_against_error`.
    """
    spreads, errors = (x if where is None else x[where] for x in (std, error))
    return math.sqrt(float(errors.square().mean() / spreads.square().mean()))


def coverage(
    std: Tensor, error: Tensor, answers: int, levels: tuple[float, ...] = LEVELS, where: Tensor | None = None
) -> dict[float, float]:
    """How often the truth lies in the interval that few answers give, beside how often it should.

    The truth is taken as one more draw: of S + 1 equally distributed Gaussian numbers, the last minus the
    mean of the others, over their standard deviation · sqrt(1 + 1/S), follows Student's t with S - 1 degrees
    of freedom.

    Args:
        std: over the answers, with S - 1 in the denominator.
        error: mean answer minus truth, the same shape.
        answers: S, how many there were.
        levels: stated shares.
        where: bool, the same shape: only these pixels.
    Returns:
        Stated share -> measured share.
    """
    from scipy.stats import t

    spreads, errors = (x if where is None else x[where] for x in (std, error))
    width = spreads * math.sqrt(1 + 1 / answers)
    return {
        level: float((errors.abs() <= float(t.ppf((1 + level) / 2, answers - 1)) * width).float().mean())
        for level in levels
    }
