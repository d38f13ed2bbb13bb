"""Checks for notebook 10_anomaly: the residual score, and a threshold that is chosen on healthy images."""

from collections.abc import Callable

import numpy as np

from medgen_course.exercises.verdict import Finding, Verdict, as_number, call, judge, not_attempted

Residual = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
Choose = Callable[[np.ndarray, float], float]


def check_residual_score(fn: Residual) -> Verdict:
    """Check a residual score: images and reconstructions to a score for each image, and a map.

    Args:
        fn: (x, x_hat), floats in [0, 1], (N, C, H, W) both -> scores (N,) and maps (N, H, W): the absolute
            difference, averaged over channels, is the map, and its mean the score.
    """

    def examine(fn: Residual) -> None:
        rng = np.random.default_rng(0)
        for channels in (1, 3):
            x, x_hat = rng.random((2, 4, channels, 6, 5)).astype(np.float32)
            given = x.copy()
            found = call(fn, x, x_hat)
            if found is None:
                raise not_attempted()
            if not isinstance(found, tuple) or len(found) != 2:
                raise Finding(f"It returns a {type(found).__name__}; expected two arrays: scores, maps.")
            scores, maps = (np.asarray(part, dtype=float) for part in found)
            if scores.shape != (4,) or maps.shape != (4, 6, 5):
                raise Finding(
                    f"For images {x.shape} the scores are {scores.shape} and the maps {maps.shape}; expected "
                    "(4,) and (4, 6, 5): a number for each image, and a map without channels."
                )
            expected = np.abs(given - x_hat).mean(1)
            _same(maps, expected, _usual_maps(given, x_hat), "map")
            usual = {"You sum where a mean is wanted": expected.sum((1, 2)),
                     "You take the highest pixel alone": expected.max((1, 2)),
                     "You average over the images too": np.full(4, expected.mean())}  # fmt: skip
            _same(scores, expected.mean((1, 2)), usual, "score")

    return judge("residual score", fn, examine, "Map and score are the mean absolute difference.")


def _usual_maps(x: np.ndarray, x_hat: np.ndarray) -> dict[str, np.ndarray]:
    difference = x - x_hat
    return {
        "The differences have signs, and what is darker cancels what is brighter": difference.mean(1),
        "The differences are squared": (difference**2).mean(1),
        "You sum over channels": np.abs(difference).sum(1),
        "Each map is divided by its own highest pixel": np.abs(difference).mean(1)
        / np.abs(difference).mean(1).max((1, 2), keepdims=True),
    }


def _same(found: np.ndarray, expected: np.ndarray, usual: dict[str, np.ndarray], what: str) -> None:
    if np.allclose(found, expected, atol=1e-5):
        return
    hint = next((f" {text}." for text, values in usual.items() if np.allclose(found, values, atol=1e-5)), "")
    raise Finding(
        f"The {what} of one case is {found.flat[0]:.3g}; expected {expected.flat[0]:.3g}, the mean absolute "
        f"difference.{hint}"
    )


def check_choose_threshold(fn: Choose) -> Verdict:
    """Check how a threshold is chosen on healthy validation images.

    Args:
        fn: (scores (N,) of healthy images, share of false alarms that is allowed) -> the lowest threshold
            that no more than this share exceeds.
    """

    def examine(fn: Choose) -> None:
        rng = np.random.default_rng(0)
        for scores, share in (
            (rng.permutation(100) / 10, 0.05),
            (rng.standard_normal(37), 0.1),
            (np.repeat([1.0, 2.0, 3.0], 20)[rng.permutation(60)], 0.2),
            (rng.standard_normal(9), 0.0),
        ):
            threshold = call(fn, scores.copy(), share)
            threshold = as_number(threshold)
            above = (scores > threshold).mean()
            told = f"Of {len(scores)} healthy scores, {share:.0%} may exceed the threshold"
            if not np.isfinite(threshold):
                raise Finding(f"{told}; yours is {threshold}.")
            if above > share + 1e-9:
                raise Finding(f"{told}; {above:.1%} exceed yours, {threshold:.3g}.{_hint(scores, threshold)}")
            lower = np.unique(scores[scores < threshold - 1e-9])[-2:]  # one rank more is a rounding
            if len(lower) == 2 and (scores > lower[0]).mean() <= share + 1e-9:
                raise Finding(
                    f"{told}; {above:.1%} exceed yours, {threshold:.3g}, but {lower[0]:.3g} would do, and "
                    f"would find more.{_hint(scores, threshold)}"
                )

    return judge(
        "threshold", fn, examine, "No more false alarms than allowed, and no lower threshold would do."
    )


def _hint(scores: np.ndarray, threshold: float) -> str:
    if np.isclose(threshold, scores.mean() + 2 * scores.std(), rtol=1e-3):
        return " Two standard deviations are a share of 2.3 % only where scores are Gaussian."
    return ""
