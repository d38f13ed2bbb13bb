"""How well masks agree with the truth: pixel by pixel (Dice), lesion by lesion, and in slices without any.

A slice whose truth is empty has no Dice: 0 / 0 where nothing was drawn, and 0 for a single pixel. Such slices
are counted apart, by the share that is left empty (`clean`). Counting them as 1, as is often done, gives a
network that finds nothing a mean Dice of one half where half of the slices are healthy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.ndimage import label

from medgen_course.metrics.reconstruction import bootstrap_interval
from medgen_course.metrics.shares import share_interval

OVERLAP = 0.1  # intersection over union from which a drawn region counts as a lesion's
RESAMPLES = 2000
TOUCHING = np.ones((3, 3))  # pixels that touch at a corner belong together

Row = dict[str, Any]


def dice_each(found: np.ndarray, truth: np.ndarray, empty: Literal["apart", "one"] = "apart") -> np.ndarray:
    """2 |A and B| / (|A| + |B|) of every slice.

    Args:
        found, truth: masks (N, H, W), bool or 0 and 1.
        empty: what a slice with an empty truth counts: "apart" gives NaN; "one" gives 1 where nothing was
            drawn and 0 otherwise, to show what that does to a mean.
    Returns:
        float64 (N,).
    Raises:
        ValueError: the shapes differ, or no such way.
    """
    if empty not in ("apart", "one"):
        raise ValueError(f"empty is {empty!r}; give 'apart' or 'one'.")
    found, truth = _checked(found, truth)
    both, either = (found & truth).sum((1, 2)), found.sum((1, 2)) + truth.sum((1, 2))
    values = np.divide(2 * both, either, out=np.ones(len(truth)), where=either > 0)
    return values if empty == "one" else np.where(truth.any((1, 2)), values, np.nan)


def dice(found: np.ndarray, truth: np.ndarray, seed: int = 0) -> Row:
    """Mean Dice of the slices that have the structure, with a bootstrap interval over slices.

    Returns:
        {"value", "low", "high"}; value None, with a note, where no slice has it.
    Source: Dice 1945; Maier-Hein et al. 2024, "Metrics reloaded", for the empty masks.
    """
    values = dice_each(found, truth)
    values = values[~np.isnan(values)]
    return bootstrap_interval(values, seed=seed) if len(values) else _none("no slice has this structure")


def clean(found: np.ndarray, truth: np.ndarray) -> Row:
    """Share of the slices without the structure in which nothing is drawn, with its Clopper-Pearson interval.

    Returns:
        {"value", "low", "high"}; value None, with a note, where every slice has it.
    """
    found, truth = _checked(found, truth)
    without = ~truth.any((1, 2))
    if not without.any():
        return _none("every slice has this structure")
    return share_interval(~found[without].any((1, 2)))


@dataclass(frozen=True)
class Matches:
    """Which lesions were found, and which drawn regions are lesions; a pair is matched once at most.

    lesions: bool (L,), all true regions, slice after slice. drawn: bool (D,), all drawn ones. lesions_in,
    drawn_in, matched_in: how many there are in each slice, (N,).
    """

    lesions: np.ndarray
    drawn: np.ndarray
    lesions_in: np.ndarray
    drawn_in: np.ndarray
    matched_in: np.ndarray


def match(found: np.ndarray, truth: np.ndarray, overlap: float = OVERLAP) -> Matches:
    """Pair drawn regions with true ones.

    A region is what touches, corners included. Two are a pair if their intersection over union is at least
    `overlap`; of all ways to pair, the one with the largest sum. So one region over the whole slice finds
    nothing, and ten specks on one lesion are one lesion found, at most, and nine false alarms.

    Args:
        found, truth: masks (N, H, W), bool or 0 and 1.
        overlap: in (0, 1]. A small one: whether a lesion was seen, not how well it was traced.
    Raises:
        ValueError: the shapes differ, or overlap is out of its range.
    Source: Jaeger et al. 2020, "Retina U-Net", for the threshold of 0.1.
    """
    from scipy.optimize import linear_sum_assignment

    if not 0 < overlap <= 1:
        raise ValueError(f"overlap is {overlap}; give a share above 0, at most 1.")
    lesions, drawn, matched_in = [], [], []
    for mine, true in zip(*_checked(found, truth), strict=True):
        shared = _intersection_over_union(mine, true)  # (drawn, true)
        rows, columns = linear_sum_assignment(np.where(shared >= overlap, shared, 0.0), maximize=True)
        good = shared[rows, columns] >= overlap
        right, hit = np.zeros(shared.shape[0], bool), np.zeros(shared.shape[1], bool)
        right[rows[good]], hit[columns[good]] = True, True
        lesions.append(hit)
        drawn.append(right)
        matched_in.append(int(good.sum()))
    sizes = (np.array([len(part) for part in parts], dtype=int) for parts in (lesions, drawn))
    none = [np.zeros(0, bool)]
    return Matches(np.concatenate(lesions + none), np.concatenate(drawn + none), *sizes, np.array(matched_in))


def lesion_scores(
    found: np.ndarray, truth: np.ndarray, overlap: float = OVERLAP, seed: int = 0
) -> dict[str, Row]:
    """Precision, recall and F1 of regions, over all slices together; healthy slices add false alarms.

    Returns:
        "precision" (share of drawn regions that are lesions) and "recall" (share of lesions that were found),
        with Clopper-Pearson intervals; "f1", 2 pairs / (lesions + drawn), with a bootstrap interval over
        slices. Value None, with a note, where there is nothing to count.
    """
    pairs = match(found, truth, overlap)
    rows = {
        "precision": share_interval(pairs.drawn) if len(pairs.drawn) else _none("nothing was drawn"),
        "recall": share_interval(pairs.lesions) if len(pairs.lesions) else _none("there is no lesion"),
    }
    counts = np.stack([2 * pairs.matched_in, pairs.lesions_in + pairs.drawn_in], 1)  # (N, 2)
    if not counts[:, 1].any():
        return rows | {"f1": _none("there is no lesion, and nothing was drawn")}
    n = len(counts)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), RESAMPLES) @ counts  # (R, 2)
    drawn = drawn[drawn[:, 1] > 0]
    value = float(counts[:, 0].sum() / counts[:, 1].sum())
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return rows | {"f1": {"value": value, "low": min(float(low), value), "high": max(float(high), value)}}


def figures(found: np.ndarray, truth: np.ndarray, names: Sequence[str]) -> dict[str, Row]:
    """Every figure of every structure.

    Args:
        found, truth: masks (N, K, H, W), bool or 0 and 1.
        names: of the structures, (K,).
    Returns:
        For a structure called "lesion": dice_lesion, clean_lesion, precision_lesion, recall_lesion and
        f1_lesion, rows as above.
    Raises:
        ValueError: shapes that do not fit.
    """
    if np.ndim(found) != 4 or np.shape(found) != np.shape(truth) or np.shape(found)[1] != len(names):
        raise ValueError(
            f"found masks of shape {np.shape(found)}, true ones of {np.shape(truth)} and {len(names)} names; "
            "expected (N, K, H, W) twice and K names."
        )
    rows = {}
    for i, name in enumerate(names):
        mine, true = found[:, i], truth[:, i]
        each = {"dice": dice(mine, true), "clean": clean(mine, true)} | lesion_scores(mine, true)
        rows |= {f"{figure}_{name.replace(' ', '_')}": row for figure, row in each.items()}
    return rows


def _intersection_over_union(mine: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Of every region of one mask (H, W) with every region of another, (drawn, true)."""
    (a, count), (b, number) = label(mine, TOUCHING), label(true, TOUCHING)
    pairs = np.bincount((a * (number + 1) + b).ravel(), minlength=(count + 1) * (number + 1))
    pairs = pairs.reshape(count + 1, number + 1)  # the first of each is what lies outside
    area = pairs.sum(1, keepdims=True) + pairs.sum(0, keepdims=True) - pairs
    return pairs[1:, 1:] / area[1:, 1:]


def _checked(found: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found, truth = np.asarray(found) != 0, np.asarray(truth) != 0
    if found.ndim != 3 or found.shape != truth.shape or not len(found):
        raise ValueError(
            f"found masks of shape {found.shape} and true ones of {truth.shape}; expected (N, H, W) twice, N "
            "at least 1. One structure at a time: masks[:, 0]."
        )
    return found, truth


def _none(note: str) -> Row:
    return {"value": None, "note": note}
