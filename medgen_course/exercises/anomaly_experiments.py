"""Checks for notebook 10_anomaly on what a student measured: another scanner, and the smoothing of maps.

Nobody's numbers are known beforehand: a check measures again and compares.
"""

from collections.abc import Callable, Collection, Mapping

import numpy as np

from medgen_course.exercises.resampling import Two, area, area_gap, mean_interval
from medgen_course.exercises.verdict import Finding, Verdict, judge, not_attempted

Rescan = Callable[[float], Two]
Hits = Callable[[float], np.ndarray]
ANSWERS = ("threshold", "ranking", "both", "neither")
LOST = 0.01  # AUROC; less is no loss that a ward would notice
CLOSE = 0.011  # a share or an AUROC that is measured again may differ by so much
ANEW = " You chose the threshold anew at this noise; on the ward it stays what it was."
HARD = " Compare lesion by lesion: the same lesions are hard at every sigma."


def check_scanner(
    measure: Rescan,
    reference: float,
    share: float,
    found: Mapping[float, Mapping[str, float]] | None,
    answer: str | None,
) -> Verdict:
    """Check an experiment: what of a detector survives on a scanner with other noise?

    Args:
        measure: noise -> scores of healthy slices and of the same slices with a lesion, always the same
            anatomies in the same order.
        reference: the noise at which the threshold is chosen.
        share: of the healthy slices that may be flagged there.
        found: noise -> "flagged", the share of healthy slices above that threshold, and "auroc"; as the
            student measured it, for the reference and two others or more.
        answer: what fails at another noise: "threshold" (the share that is flagged has an interval without
            `share`), "ranking" (the AUROC is lower by more than `LOST`, interval and all), "both", "neither".
    """

    def examine(_) -> None:
        if not found or answer is None:
            raise not_attempted()
        if len(found) < 3 or reference not in found:
            raise Finding(f"{len(found)} noises; measure three or more, {reference:g} among them.")
        scores = {noise: measure(noise) for noise in found}
        threshold = _threshold(scores[reference][0], share)
        for noise, (healthy, anomalous) in scores.items():
            expected = {"flagged": (healthy > threshold).mean(), "auroc": area(healthy, anomalous)}
            anew = (healthy > _threshold(healthy, share)).mean()
            for name, value in expected.items():
                given = found[noise].get(name, np.nan)
                if not abs(given - value) <= CLOSE:
                    known = f"At noise {noise:g}, {name} is {given:.3f}; measured again it is {value:.3f}."
                    own = name == "flagged" and abs(given - anew) <= CLOSE
                    raise Finding(known + ANEW if own else known)
        right = _fails(scores, reference, threshold, share)
        if answer != right:
            raise Finding(
                f"The numbers are right, but your answer is {answer!r}; by their intervals it is {right!r}. "
                f"Give one of {', '.join(ANSWERS)}."
            )

    praise = "One threshold for all scanners, the ranking within each, and an answer that the intervals give."
    return judge("another scanner", lambda: None, examine, praise)


def _threshold(healthy: np.ndarray, share: float) -> float:
    """The lowest score that no more than a share of the healthy ones exceeds."""
    return float(np.quantile(healthy, 1 - share, method="higher"))


def _fails(scores: Mapping[float, Two], reference: float, threshold: float, share: float) -> str:
    """What fails at any noise other than the reference."""
    others = [two for noise, two in scores.items() if noise != reference]
    flagged = [mean_interval((healthy > threshold).astype(float)) for healthy, _ in others]
    off = any(row["low"] > share or row["high"] < share for row in flagged)
    lost = any(area_gap(two, scores[reference])["high"] < -LOST for two in others)
    return ANSWERS[2 if off and lost else 0 if off else 1 if lost else 3]


def check_smoothing(
    measure: Hits,
    found: Mapping[float, tuple[float, float, float]] | None,
    tied: Collection[float] | None,
) -> Verdict:
    """Check an experiment: which smoothing of the map finds most lesions, and which others may do so too?

    Args:
        measure: standard deviation of the smoothing, pixels -> which lesions are found, bool (M,), always
            the same lesions in the same order.
        found: sigma -> share found, and the lower and upper end of its interval over lesions.
        tied: the best sigma, and every other one whose difference from it, lesion by lesion, has an interval
            that holds zero.
    """

    def examine(_) -> None:
        if not found or tied is None:
            raise not_attempted()
        if len(found) < 3:
            raise Finding(f"{len(found)} values of sigma; measure three or more.")
        hits = {sigma: np.asarray(measure(sigma), dtype=float) for sigma in found}
        rows = {sigma: mean_interval(hit) for sigma, hit in hits.items()}
        for sigma, row in rows.items():
            _interval_fits(sigma, found[sigma], row, hits[sigma])
        best = max(rows, key=lambda sigma: rows[sigma]["value"])
        gaps = {sigma: mean_interval(hits[best] - hit) for sigma, hit in hits.items()}
        expected = {sigma for sigma, gap in gaps.items() if gap["low"] <= 0}
        if set(tied) == expected:
            return
        overlap = {sigma for sigma, row in rows.items() if row["high"] >= rows[best]["low"]}
        raise Finding(
            f"The shares are right. You have {_listed(tied)}; by the intervals of the differences from "
            f"{best:g} it is {_listed(expected)}.{HARD if set(tied) == overlap else ''}"
        )

    return judge("smoothing", lambda: None, examine, "Shares, intervals, and which of them are a tie.")


def _interval_fits(sigma: float, given: object, row: Mapping[str, float], hits: np.ndarray) -> None:
    if not isinstance(given, (tuple, list)) or len(given) != 3:
        raise Finding(f"At sigma {sigma:g} you have {given!r}; give the share, and the ends of its interval.")
    value, low, high = map(float, given)
    if not abs(value - row["value"]) <= CLOSE:
        again = f"measured again it is {row['value']:.3g}."
        raise Finding(f"At sigma {sigma:g} you have a share of {value:.3g}; {again}")
    width, wanted = high - low, row["high"] - row["low"]
    if not (abs(low - row["low"]) <= 0.015 and abs(high - row["high"]) <= 0.015):
        spread = " That is the spread of single lesions, not of their mean." if width > hits.std() else ""
        raise Finding(
            f"At sigma {sigma:g} your interval is {low:.3f} to {high:.3f}, {width:.3f} wide; expected one "
            f"about {wanted:.3f} wide, {row['low']:.3f} to {row['high']:.3f}.{spread}"
        )


def _listed(sigmas: Collection[float]) -> str:
    return "{" + ", ".join(f"{sigma:g}" for sigma in sorted(sigmas)) + "}"
