"""Can one tell who was in the training set? What an attack's scores are worth, and what chance would give.

An attack gives every image one number, higher for "it was in the training set". Members are images that
the model has learnt from, others are images of the same kind that it has not. A mean over all images says
little: an attacker who names one patient in a hundred, and is right, has done harm. So beside the AUC stands
the share of the members that are found while at most 1 % of the others are accused (Carlini et al. 2022,
section 4). Scores that are calibrated image by image: shadows.py.

The null is the same attack where there is nothing to find: members against members, others against others.
"""

from dataclasses import dataclass

import numpy as np

from medgen_course.batches.checks import describe
from medgen_course.metrics.anomaly.detection import auroc
from medgen_course.metrics.shares import share_interval

FPR = 0.01  # share of the others that may be accused wrongly
ROUNDS = 200  # random halves of a null

Row = dict[str, float]


@dataclass(frozen=True)
class Roc:
    """All that an attack can do: whoever has at least `thresholds` is accused.

    fpr, tpr: shares of the others and of the members that are accused, (T,), rising from 0 to 1.
    thresholds: (T,), falling from infinity.
    """

    fpr: np.ndarray
    tpr: np.ndarray
    thresholds: np.ndarray


def roc(members: np.ndarray, others: np.ndarray) -> Roc:
    """Shares of members and others from each score upwards; equal scores are one step.

    Args:
        members, others: scores (N,) and (M,), higher is "more a member".
    Raises:
        ValueError: no scores on a side, or NaN among them.
    """
    members, others = checked(members, "members"), checked(others, "others")
    steps = np.unique(np.concatenate([members, others]))[::-1]  # falling
    tpr, fpr = (1 - np.searchsorted(np.sort(x), steps, "left") / len(x) for x in (members, others))
    return Roc(np.append(0.0, fpr), np.append(0.0, tpr), np.append(np.inf, steps))


def auc(members: np.ndarray, others: np.ndarray, seed: int = 0) -> Row:
    """Probability that a member scores higher than another image: {"value", "low", "high", "worst", "best"}.

    The interval is a bootstrap over images; it knows nothing of another training seed.
    """
    return auroc(checked(others, "others"), checked(members, "members"), seed)


def threshold_at(others: np.ndarray, fpr: float = FPR) -> float:
    """The lowest score that at most `fpr` of the others are above; who is above it is accused.

    Equal scores are never split, so with ties fewer are accused.

    Args:
        others: scores of images that are known not to be members, (M,).
        fpr: in (0, 1).
    Raises:
        ValueError: fewer than 1 / fpr others: not one of them could be accused, so any threshold would be a
            guess.
    """
    others = checked(others, "others")
    if not 0 < fpr < 1:
        raise ValueError(f"fpr is {fpr}; give a share between 0 and 1, for example 0.01.")
    allowed = int(fpr * len(others) + 1e-9)
    if allowed < 1:
        raise ValueError(
            f"{len(others)} others say nothing about a false-positive rate of {fpr:g}; "
            f"{int(np.ceil(1 / fpr))} are needed. What to do: take more, or a larger rate."
        )
    return float(np.sort(others)[len(others) - 1 - allowed])


def tpr_at(
    members: np.ndarray, others: np.ndarray, fpr: float = FPR, calibration: np.ndarray | None = None
) -> Row:
    """Share of the members found where at most `fpr` of the others are accused, with its interval.

    Args:
        members, others: scores (N,) and (M,).
        fpr: in (0, 1).
        calibration: scores of further images that are not members. The threshold comes from these, as an
            attacker would have to find it, and `fpr` is then measured on images that did not choose it.
            None takes `others` for both.
    Returns:
        `value`, `low`, `high`: found members, with Clopper-Pearson's interval at this threshold; `fpr`,
        `fpr_low`, `fpr_high`: the others that are accused; `threshold`; `worst`, what guessing finds, and
        `best`.
    Raises:
        ValueError: see `threshold_at`.
    Source: Carlini et al. 2022, "Membership inference attacks from first principles", section 4.
    """
    members, others = checked(members, "members"), checked(others, "others")
    threshold = threshold_at(others if calibration is None else calibration, fpr)
    wrong = share_interval(others > threshold)
    accused = {"fpr": wrong["value"], "fpr_low": wrong["low"], "fpr_high": wrong["high"]}
    found = share_interval(members > threshold)
    return found | accused | {"threshold": threshold, "worst": fpr, "best": 1.0}


def null(scores: np.ndarray, fpr: float = FPR, rounds: int = ROUNDS, seed: int = 0) -> dict[str, Row]:
    """The attack where there is nothing to find: random halves of members, or of others, play both sides.

    Args:
        scores: of images of one kind, (N,), N >= 2.
        fpr: as for `tpr_at`.
        rounds: random splits into halves.
        seed: of the splits.
    Returns:
        `auc` and `tpr`: `value`, the mean, `low` and `high`, between which 95 % of the rounds lie. `tpr` is
        left out where a half is smaller than 1 / fpr.
    """
    scores = checked(scores, "scores")
    if len(scores) < 2:
        raise ValueError("one score has no two halves; give at least two.")
    rng, half, drawn = np.random.default_rng(seed), len(scores) // 2, {"auc": [], "tpr": []}
    for _ in range(rounds):
        order = rng.permutation(len(scores))
        first, second = scores[order[:half]], scores[order[half:]]
        drawn["auc"].append(_area(first, second))
        if fpr * len(second) >= 1:
            drawn["tpr"].append(float((first > threshold_at(second, fpr)).mean()))
    return {name: _band(values) for name, values in drawn.items() if values}


def _area(members: np.ndarray, others: np.ndarray) -> float:
    """The AUC alone, by ranks (Mann & Whitney 1947)."""
    ranked = np.sort(others)
    below = np.searchsorted(ranked, members, "left") + np.searchsorted(ranked, members, "right")
    return float(below.mean() / (2 * len(others)))


def _band(values: list[float]) -> Row:
    low, high = np.quantile(values, [0.025, 0.975])
    return {"value": float(np.mean(values)), "low": float(low), "high": float(high)}


def checked(scores: np.ndarray, name: str) -> np.ndarray:
    """Scores as floats (N,); raises ValueError where there is none, or NaN among them."""
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 1 or not scores.size or np.isnan(scores).any():
        raise ValueError(
            f"{name}: found {describe(scores)}, {int(np.isnan(scores).sum())} of them NaN; expected one "
            "number an image, (N,). What to do: look at what made the scores."
        )
    return scores
