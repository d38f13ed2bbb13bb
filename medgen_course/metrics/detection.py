"""From a map to things: regions with a box, a centre and a score, and how many lesions they find (FROC).

A map may be a network's probability of a lesion or the grey level itself. At a threshold its connected
regions are what is reported. A lesion is found by the region whose centre lies in the lesion's box (grown by
one pixel); every region that finds none is a false alarm, also in a slice that has a lesion elsewhere.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import find_objects, label

from medgen_course.batches.checks import describe
from medgen_course.metrics.shares import share_interval

SMALLEST = 3  # pixels that a region must have: single ones are noise
GROWN = 1  # pixels by which a lesion's box is grown before a centre must lie in it
RATE = 0.1  # false alarms per slice at which detectors are compared: one in ten slices
RESAMPLES = 1000

Row = dict[str, float]


@dataclass(frozen=True)
class Region:
    """Connected pixels (by edges) of a map above a threshold.

    box: first row, first column, one past the last row, one past the last column.
    centre: mean row and column, pixels. score: the highest value inside. pixels: how many.
    """

    box: tuple[int, int, int, int]
    centre: tuple[float, float]
    score: float
    pixels: int

    def holds(self, place: tuple[float, float], grown: float = GROWN) -> bool:
        """Whether a place, row and column, lies in the box, grown by so many pixels."""
        top, left, bottom, right = self.box
        return top - grown <= place[0] <= bottom - 1 + grown and left - grown <= place[1] <= right - 1 + grown


def regions(score_map: np.ndarray, threshold: float, smallest: int = SMALLEST) -> list[Region]:
    """The regions of a map above a threshold, the highest score first.

    Args:
        score_map: (H, W), higher is more of a lesion; of a mask, take 0.5 as the threshold.
        threshold: pixels above it belong to a region.
        smallest: pixels that a region must have.
    Raises:
        ValueError: not a map of two dimensions.
    """
    values = np.asarray(score_map, dtype=float)
    if values.ndim != 2:
        raise ValueError(f"expected one map (H, W), but got {describe(score_map)}; give one slice at a time.")
    numbers, _ = label(values > threshold)
    made = []
    for number, place in enumerate(find_objects(numbers), 1):
        inside = numbers[place] == number
        rows, columns = np.nonzero(inside)
        if len(rows) < smallest:
            continue
        (top, left), (bottom, right) = ([p.start for p in place], [p.stop for p in place])
        centre = float(top + rows.mean()), float(left + columns.mean())
        score = float(values[place][inside].max())
        made.append(Region((top, left, bottom, right), centre, score, len(rows)))
    return sorted(made, key=lambda region: -region.score)


def overlap(first: Region, second: Region) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    top, left = (max(first.box[i], second.box[i]) for i in (0, 1))
    bottom, right = (min(first.box[i], second.box[i]) for i in (2, 3))
    shared = max(0, bottom - top) * max(0, right - left)
    areas = ((r.box[2] - r.box[0]) * (r.box[3] - r.box[1]) for r in (first, second))
    return shared / (sum(areas) - shared)


@dataclass(frozen=True)
class Froc:
    """What a map finds at each of T thresholds, counted in each of N slices.

    thresholds: rising, (T,). hits: lesions found, (T, N). alarms: regions that find none, (T, N). lesions:
    how many there are, (N,).
    """

    thresholds: np.ndarray
    hits: np.ndarray
    alarms: np.ndarray
    lesions: np.ndarray

    @property
    def sensitivity(self) -> np.ndarray:
        """Share of all lesions that are found, at each threshold, (T,)."""
        return self.hits.sum(1) / self.lesions.sum()

    @property
    def rate(self) -> np.ndarray:
        """False alarms per slice at each threshold, (T,)."""
        return self.alarms.mean(1)

    def threshold(self, rate: float = RATE) -> float:
        """The threshold that finds most, of those with at most `rate` false alarms per slice; inf if none.

        Choose it on validation slices.
        """
        allowed = np.flatnonzero(self.rate <= rate + 1e-9)
        if not len(allowed):
            return float("inf")
        return float(self.thresholds[allowed[self.sensitivity[allowed].argmax()]])

    def curve(self, rates: np.ndarray) -> np.ndarray:
        """The most that is found with at most so many false alarms per slice, for each rate."""
        below = self.rate[None] <= np.asarray(rates)[:, None] + 1e-9
        return np.where(below, self.sensitivity[None], 0.0).max(1)

    def band(self, rates: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of the 95 % interval of `curve`, over resamples of the slices."""
        n, rng = len(self.lesions), np.random.default_rng(seed)
        weights = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES)  # (R, N)
        lesions = np.maximum(weights @ self.lesions, 1)
        found = (weights @ self.hits.T) / lesions[:, None]  # (R, T)
        false = weights @ self.alarms.T / n
        most = [np.where(false <= rate + 1e-9, found, 0.0).max(1) for rate in rates]
        low, high = np.quantile(most, [0.025, 0.975], axis=1)
        return low, high

    def at(self, threshold: float, seed: int = 0) -> dict[str, Row]:
        """Sensitivity (Clopper–Pearson) and false alarms per slice (over slices) at one threshold.

        Args:
            threshold: one of `thresholds`, or inf, where nothing is reported.
            seed: of the resampling.
        Returns:
            {"sensitivity", "false_alarms"}, each {"value", "low", "high"}.
        Raises:
            ValueError: the threshold is not one that was tried.
        """
        if np.isinf(threshold):
            hits, alarms = np.zeros((2, len(self.lesions)))
        else:
            (place,) = np.nonzero(np.isclose(self.thresholds, threshold))
            if len(place) != 1:
                raise ValueError(f"the threshold {threshold:g} was not tried; call `froc` with it.")
            hits, alarms = self.hits[place[0]], self.alarms[place[0]]
        n, rng = len(self.lesions), np.random.default_rng(seed)
        weights = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES)
        return {
            "sensitivity": share_interval(np.arange(self.lesions.sum()) < hits.sum()),
            "false_alarms": _row(float(alarms.mean()), weights @ alarms / n),
        }


def froc(maps: np.ndarray, masks: np.ndarray, thresholds: np.ndarray, smallest: int = SMALLEST) -> Froc:
    """Count what the regions of maps find, at several thresholds.

    Args:
        maps: (N, H, W), higher is more of a lesion.
        masks: (N, 1, H, W) or (N, H, W), non-zero in lesions; slices without one belong to it.
        thresholds: (T,), any order.
        smallest: pixels that a reported region must have; a true lesion may be smaller.
    Raises:
        ValueError: shapes that do not fit, or no lesion at all.
    Source: Bunch et al. 1977, "A free response approach to the measurement and characterization of
        radiographic observer performance".
    """
    inside = np.asarray(masks).reshape(len(masks), *np.shape(masks)[-2:])
    if inside.shape != np.shape(maps) or not inside.any():
        raise ValueError(
            f"found maps {np.shape(maps)} and masks {np.shape(masks)} with {int((inside != 0).sum())} lesion "
            "pixels; expected one mask for each map, and a lesion in one of them at least."
        )
    steps = np.unique(thresholds)
    true = [regions(mask != 0, 0.5, 1) for mask in inside]
    hits, alarms = np.zeros((2, len(steps), len(maps)), dtype=int)
    for i, threshold in enumerate(steps):
        for j, each in enumerate(maps):
            told = regions(each, threshold, smallest)
            hits[i, j] = sum(any(lesion.holds(r.centre) for r in told) for lesion in true[j])
            alarms[i, j] = sum(not any(lesion.holds(r.centre) for lesion in true[j]) for r in told)
    return Froc(steps, hits, alarms, np.array([len(each) for each in true]))


def usual_thresholds(maps: np.ndarray, count: int = 24) -> np.ndarray:
    """Thresholds over the upper half of a map's values, closer together where the values are high: (count,).

    Args:
        maps: (N, H, W).
        count: how many.
    """
    shares = 1 - np.geomspace(0.5, 1e-4, count)
    return np.unique(np.quantile(np.asarray(maps, dtype=float), shares))


def _row(value: float, drawn: np.ndarray) -> Row:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": value, "low": min(float(low), value), "high": max(float(high), value)}
