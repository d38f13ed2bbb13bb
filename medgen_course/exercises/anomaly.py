"""Checks for notebook 10_anomaly: a score that finds a small spot, and a threshold for volumes of slices."""

from collections.abc import Callable

import numpy as np

from medgen_course.exercises.resampling import area
from medgen_course.exercises.verdict import Finding, Verdict, as_number, call, judge, not_attempted

Score = Callable[[np.ndarray], np.ndarray]
Choose = Callable[[np.ndarray, float], float]
ENOUGH = 0.95  # AUROC that a score of a clear spot must reach
COUNT, SIDE, SPOT, HOT = 60, 32, 3, 4.0  # maps of each kind, their side, the spot's, a hot pixel's height


def check_spot_score(fn: Score) -> Verdict:
    """Check a score of maps: it finds a small spot, and does not fall for one hot pixel.

    Args:
        fn: maps (N, H, W) -> a score for each, (N,), higher is more anomalous. Healthy maps have a level of
            their own, noise, and a single hot pixel; sick ones a spot of 3 x 3 pixels besides.
    """

    def examine(fn: Score) -> None:
        maps, sick = _spotted()
        found = call(fn, maps.copy())
        if found is None:
            raise not_attempted()
        values = np.asarray(found, dtype=float)
        if values.shape != (len(maps),) or not np.isfinite(values).all():
            raise Finding(f"For maps {maps.shape} it returns {values.shape}; expected {len(maps)} numbers.")
        alone = np.asarray(call(fn, maps[:5].copy()), dtype=float)
        if alone.shape != (5,) or not np.allclose(alone, values[:5], rtol=1e-4, atol=1e-6):
            raise Finding(
                "An image's score changes with the other images that are scored beside it. A threshold for "
                "such scores would hold for one pile of images alone."
            )
        reached = area(values[~sick], values[sick])
        if reached < ENOUGH:
            why = _why(maps, values, reached)
            raise Finding(f"Its AUROC is {reached:.2f}; expected {ENOUGH} or more.{why}")

    praise = "The spot is found, whatever the level of the map, and a hot pixel alone does not count."
    return judge("score of a small spot", fn, examine, praise)


def _spotted() -> tuple[np.ndarray, np.ndarray]:
    """Maps (2 * COUNT, SIDE, SIDE) in a random order, and which of them have the spot."""
    rng = np.random.default_rng(0)
    sick = rng.permutation(np.repeat([False, True], COUNT))
    maps = rng.normal(1, 0.15, (2 * COUNT, 1, 1)) + 0.1 * rng.standard_normal((2 * COUNT, SIDE, SIDE))
    for made, ill in zip(maps, sick, strict=True):
        (y, x), (top, left) = rng.integers(0, SIDE, 2), rng.integers(2, SIDE - 5, 2)
        made[y, x] += HOT + rng.normal(0, 1)
        made[top : top + SPOT, left : left + SPOT] += 2.0 * ill
    return maps.astype(np.float32), sick


def _why(maps: np.ndarray, values: np.ndarray, reached: float) -> str:
    """The usual reason for a low AUROC."""
    if reached < 0.3:
        return " The sign is wrong: higher must mean more anomalous."
    own = maps / maps.max((1, 2), keepdims=True)
    usual = {
        " It goes with the mean: nine pixels drown among a thousand, whose level varies.": maps.mean((1, 2)),
        " It goes with the highest pixel: one hot pixel decides, and every map has one.": maps.max((1, 2)),
        " Each map is divided by its own highest pixel, so a hot one makes all else small.": own.mean((1, 2)),
    }
    near = {text: abs(np.corrcoef(values, known)[0, 1]) for text, known in usual.items() if values.std() > 0}
    text = max(near, key=near.get, default="")
    return text if near.get(text, 0) > 0.9 else " Look at one map of each kind: how large is the spot?"


def check_volume_threshold(fn: Choose) -> Verdict:
    """Check a threshold that limits false alarms for whole volumes, of slices that resemble one another.

    Args:
        fn: (scores (V, S) of V healthy volumes with S slices each, share of the volumes that may be flagged)
            -> the lowest threshold at which no more of them have a slice above it.
    """

    def examine(fn: Choose) -> None:
        rng = np.random.default_rng(0)
        for volumes, slices, share in ((100, 20, 0.05), (60, 30, 0.2), (37, 10, 0.1)):
            scores = rng.standard_normal((volumes, 1)) + 0.7 * rng.standard_normal((volumes, slices))
            threshold = as_number(call(fn, scores.copy(), share))
            told = f"Of {volumes} healthy volumes, {share:.0%} may be flagged"
            if not np.isfinite(threshold):
                raise Finding(f"{told}; your threshold is {threshold}.")
            highest = np.sort(scores.max(1))
            flagged = (highest > threshold).mean()
            why = _usual_threshold(scores, share, threshold)
            if flagged > share + 1e-9:
                raise Finding(f"{told}; at {threshold:.3g} it is {flagged:.0%} of them.{why}")
            lower = highest[highest < threshold - 1e-9][-2:]  # one rank more is a rounding
            if len(lower) == 2 and (highest > lower[0]).mean() <= share + 1e-9:
                raise Finding(
                    f"{told}; at {threshold:.3g} it is {flagged:.1%}, but {lower[0]:.3g} would do, and would "
                    f"find more.{why}"
                )

    praise = "No more healthy volumes than allowed, and no lower threshold would do."
    return judge("threshold for volumes", fn, examine, praise)


def _usual_threshold(scores: np.ndarray, share: float, threshold: float) -> str:
    """The usual reason for a threshold that does not fit."""
    per_slice = 1 - (1 - share) ** (1 / scores.shape[1])
    usual = {
        " That share of the slices is above it: a volume has many.": np.quantile(scores, 1 - share),
        " As if the slices of a volume were independent: they resemble one another, so fewer volumes are "
        "flagged than you reckon.": np.quantile(scores, 1 - per_slice),
        " By the mean of a volume: a single slice above the threshold flags it.": np.quantile(
            scores.mean(1), 1 - share
        ),
        " Two standard deviations of what?": scores.mean() + 2 * scores.std(),
    }
    text = min(usual, key=lambda known: abs(usual[known] - threshold))
    return text if abs(usual[text] - threshold) < 0.03 * scores.std() else ""
