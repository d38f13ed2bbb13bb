"""The recorded masks from few labels as curves over the number of labelled slices, and as differences."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Rows = Sequence[Mapping[str, Any]]
Row = dict[str, float]


def by_seed(
    rows: Rows, method: str, figure: str, split: str = "val", part: str = "labels"
) -> dict[int, dict[int, float]]:
    """A figure of one method: number of labelled slices -> seed -> value; left out where it has none.

    Args:
        rows: of `pretrained.load_few_segmentation`.
        method, figure, split, part: as they stand in the table.
    Raises:
        ValueError: there is no such line.
    """
    own = [row for row in rows if (row["method"], row["split"], row["part"]) == (method, split, part)]
    if not own or figure not in own[0]:
        methods = ", ".join(dict.fromkeys(row["method"] for row in rows if row["part"] == part))
        raise ValueError(
            f"found no {figure!r} of {method!r} on {split!r}; {part!r} has {methods or 'no line at all'}."
        )
    found: dict[int, dict[int, float]] = {}
    for row in sorted(own, key=lambda row: (row["labels"], row["seed"])):
        if np.isfinite(row[figure]):
            found.setdefault(row["labels"], {})[row["seed"]] = row[figure]
    return found


def curve(rows: Rows, method: str, figure: str, split: str = "val", part: str = "labels") -> dict[int, Row]:
    """Mean over seeds by the number of labelled slices, from the lowest seed to the highest.

    Returns:
        labels -> {"value", "low", "high"}; for differences between methods see `beside`.
    """
    found = {n: list(by.values()) for n, by in by_seed(rows, method, figure, split, part).items()}
    return {
        n: {"value": float(np.mean(each)), "low": min(each), "high": max(each)} for n, each in found.items()
    }


def beside(
    rows: Rows, method: str, rival: str, figure: str, split: str = "val", part: str = "labels"
) -> dict[int, Row]:
    """What a method has more than another, on the same seeds: they had the same labelled slices.

    Returns:
        labels -> {"value", "low", "high"} of the mean difference, where both have two seeds or more in
        common; a tie where the interval holds zero.
    """
    mine, other = (by_seed(rows, name, figure, split, part) for name in (method, rival))
    gaps = {n: [mine[n][s] - other[n][s] for s in mine[n] if s in other.get(n, {})] for n in mine}
    return {n: interval(values) for n, values in gaps.items() if len(values) > 1}


def interval(values: Iterable[float], level: float = 0.95) -> Row:
    """Mean of two or more values, one a seed, and Student's interval of it: {"value", "low", "high"}."""
    from scipy.stats import t

    array = np.array(list(values), dtype=np.float64)
    mean, count = float(array.mean()), len(array)
    reach = float(t.ppf((1 + level) / 2, count - 1) * array.std(ddof=1) / np.sqrt(count))
    return {"value": mean, "low": mean - reach, "high": mean + reach}
