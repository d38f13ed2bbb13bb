"""What the checks of experiments measure by themselves: an AUROC, and intervals by resampling."""

import numpy as np

Two = tuple[np.ndarray, np.ndarray]  # scores of healthy images (N,), and of anomalous ones (M,)
RESAMPLES = 1000


def area(healthy: np.ndarray, anomalous: np.ndarray) -> float:
    """AUROC: how often an anomalous image scores higher than a healthy one; a tie counts half."""
    ranked = np.sort(healthy)
    below = np.searchsorted(ranked, anomalous) + np.searchsorted(ranked, anomalous, side="right")
    return float(below.mean() / (2 * len(healthy)))


def mean_interval(values: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Mean of (N,) values, and its 95 % interval over resamples of them."""
    values, n = np.asarray(values, dtype=float), len(values)
    means = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), RESAMPLES) @ values / n
    return _row(values.mean(), means)


def area_gap(first: Two, second: Two, seed: int = 0) -> dict[str, float]:
    """AUROC of the first minus that of the second, on shared resamples of pairs.

    Args:
        first, second: scores of N healthy images and of the same N with an anomaly, in the same order.
        seed: of the resampling.
    """
    rng, n = np.random.default_rng(seed), len(first[0])
    picks = (rng.integers(0, n, n) for _ in range(RESAMPLES))
    gaps = [area(first[0][i], first[1][i]) - area(second[0][i], second[1][i]) for i in picks]
    return _row(area(*first) - area(*second), gaps)


def _row(value: float, drawn) -> dict[str, float]:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": float(value), "low": float(low), "high": float(high)}
