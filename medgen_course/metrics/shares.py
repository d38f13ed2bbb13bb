"""Shares of counted things, such as lesions that are erased, with an interval that 0 and 1 have too."""

import numpy as np

from medgen_course.batches.checks import describe


def share_interval(hits: np.ndarray, level: float = 0.95) -> dict[str, float]:
    """How many of what was counted are hit, with the Clopper–Pearson interval.

    Resampling (`bootstrap_interval`) gives 0 of 102 the interval from 0 to 0, as if it had seen them all;
    this one says up to 3.6 %. It holds the true share at least as often as `level` says.

    Args:
        hits: bool, (N,), N >= 1.
        level: between 0 and 1.
    Returns:
        {"value": share, "low": lower end, "high": upper end}.
    Raises:
        ValueError: nothing was counted, or hits are not bool of one dimension.
    Source: Clopper & Pearson 1934.
    """
    from scipy.stats import binomtest

    hits = np.asarray(hits)
    if hits.dtype != bool or hits.ndim != 1 or not hits.size:
        raise ValueError(f"expected one bool for each thing counted, (N,), but got {describe(hits)}.")
    count = binomtest(int(hits.sum()), hits.size)
    ends = count.proportion_ci(level, "exact")
    return {"value": float(hits.mean()), "low": float(ends.low), "high": float(ends.high)}
