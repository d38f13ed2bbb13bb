"""Whether lesions are found: against false alarms (FROC), and the faintest contrast that is.

An alarm is a peak of the map: a pixel that is the highest within `WINDOW` pixels. A peak of a healthy slice
above the threshold is a false alarm; a lesion is found when the map exceeds the threshold somewhere in it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter
from sklearn.isotonic import IsotonicRegression

from medgen_course.metrics.reconstruction import bootstrap_interval

WINDOW = 7  # pixels; two alarms are at least 4 apart
RATE = 0.1  # false alarms per healthy slice at which lesions are counted: one in ten slices
RESAMPLES = 200


@dataclass(frozen=True)
class Froc:
    """Sensitivity over false alarms.

    lesions: the map's highest value inside each lesion, (M,). alarms: the height of every peak in the healthy
    slices, from the highest down, (K,). slices: how many of these there were.
    """

    lesions: np.ndarray
    alarms: np.ndarray
    slices: int

    def threshold(self, rate: float = RATE) -> float:
        """The lowest threshold with at most `rate` false alarms per healthy slice."""
        allowed = int(np.floor(rate * self.slices + 1e-9))
        return float(self.alarms[allowed]) if allowed < len(self.alarms) else -np.inf

    def found(self, threshold: float) -> np.ndarray:
        """Which lesions exceed a threshold, bool (M,)."""
        return self.lesions > threshold

    def false_alarms(self, threshold: float) -> float:
        """Peaks of healthy slices above a threshold, per slice."""
        return float((self.alarms > threshold).sum() / self.slices)

    def curve(self, rates: np.ndarray) -> np.ndarray:
        """Share of the lesions found at each rate of false alarms."""
        return np.array([self.found(self.threshold(rate)).mean() for rate in rates])


def froc(healthy: np.ndarray, anomalous: np.ndarray, masks: np.ndarray) -> Froc:
    """Peaks of healthy slices, and how high the map stands in every lesion.

    Args:
        healthy: maps (N, H, W) of slices without a lesion.
        anomalous: maps (M, H, W) of slices with one.
        masks: (M, 1, H, W), non-zero in the lesion.
    Raises:
        ValueError: shapes that do not fit, or a mask without a pixel.
    Source: Bunch et al. 1977, "A free response approach to the measurement and characterization of
        radiographic observer performance".
    """
    inside = np.asarray(masks).reshape(len(masks), *np.shape(masks)[-2:]) != 0
    if inside.shape != anomalous.shape or not inside.any((1, 2)).all() or not len(healthy):
        raise ValueError(
            f"found {len(healthy)} healthy maps, {anomalous.shape} anomalous ones, masks {np.shape(masks)}; "
            "expected at least one healthy map, and a mask with a pixel or more for every anomalous one."
        )
    peaks = (healthy == maximum_filter(healthy, (0, WINDOW, WINDOW))) & (healthy > healthy.min())
    return Froc(np.where(inside, anomalous, -np.inf).max((1, 2)), np.sort(healthy[peaks])[::-1], len(healthy))


def limits(found: np.ndarray, radius: np.ndarray, contrast: np.ndarray) -> dict[float, dict[str, float]]:
    """`detection_limit` for each radius, from which lesions were found; all (M,)."""
    return {float(r): detection_limit(found[radius == r], contrast[radius == r]) for r in np.unique(radius)}


def shares(
    found: np.ndarray, radius: np.ndarray, contrast: np.ndarray
) -> dict[float, list[dict[str, float]]]:
    """Share of the lesions found, with its interval: for each radius one row a contrast; all (M,)."""
    return {
        float(r): [
            bootstrap_interval(found[(radius == r) & (contrast == c)].astype(float))
            for c in np.unique(contrast)
        ]
        for r in np.unique(radius)
    }


def by_place(found: np.ndarray, place: np.ndarray) -> dict[str, dict[str, float]]:
    """Share of the lesions found, with its interval, for each place; both (M,)."""
    return {
        str(where): bootstrap_interval(found[place == where].astype(float)) for where in dict.fromkeys(place)
    }


def detection_limit(found: np.ndarray, contrast: np.ndarray, seed: int = 0) -> dict[str, float]:
    """The contrast at which half of the lesions are found, with a bootstrap interval over lesions.

    The share found is made to rise with the contrast (isotonic regression), then read at one half between the
    contrasts of the grid.

    Args:
        found: bool (M,), of lesions of one size.
        contrast: (M,), of a few values.
        seed: of the resampling.
    Returns:
        {"value", "low", "high"}: the lowest contrast of the grid where half are found there already (the
        limit lies at it or below), inf where half are found nowhere.
    """
    levels = np.unique(contrast)
    groups = [np.asarray(found, float)[contrast == level] for level in levels]
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        drawn.append(_crossing(levels, [rng.choice(group, len(group)).mean() for group in groups]))
    low, high = np.quantile(drawn, [0.025, 0.975], method="nearest")
    return {
        "value": _crossing(levels, [group.mean() for group in groups]),
        "low": float(low),
        "high": float(high),
    }


def _crossing(levels: np.ndarray, shares: list[float]) -> float:
    rising = IsotonicRegression().fit_transform(levels, shares)
    if rising[-1] < 0.5:
        return float("inf")
    first = int(np.argmax(rising >= 0.5))
    if first == 0:
        return float(levels[0])
    below, above = rising[first - 1], rising[first]
    return float(levels[first - 1] + (0.5 - below) / (above - below) * (levels[first] - levels[first - 1]))
