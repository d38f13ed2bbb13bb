"""Tables of notebooks 02 and 03: one comparison, trained with several seeds (`recipes/seeds.py`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from medgen_course.course.findings import Row, Table, best_of, over_seeds, say

Rows = Sequence[Mapping[str, Any]]


def over(rows: Rows, name: str, figure: str) -> dict[str, Row]:
    """Mean, lowest and highest of a figure over the seeds, for each value of the column `name`."""
    return {own: over_seeds(row[figure] for row in rows if row[name] == own)
            for own in dict.fromkeys(row[name] for row in rows)}  # fmt: skip


def generators(rows: Rows, measures: Sequence[str]) -> Table:
    """A line for each way to draw images, with what was trained, and the budget of all below.

    Args:
        rows: `generators` of `pretrained.load_seeds`, all or some.
        measures: the columns.
    """
    found = {measure: over(rows, "model", measure) for measure in measures}
    weights = {row["model"]: f"{row['weights']:,}" for row in rows}
    lines = {model: [weights[model], *(say(found[m][model], ".3g") for m in measures)] for model in weights}
    one = rows[0]
    note = f"{_budget(rows)} in batches of {one['batch_size']}, no labels; {one['n']} images in each row."
    return Table(["images drawn with", "weights trained", *measures], lines, note)


def leaders(rows: Rows, measures: Sequence[str], lower_is_better: set[str]) -> str:
    """Who has the best mean of each measure, and whom it is not ahead of in every seed."""
    told = []
    for measure in measures:
        sign = -1 if measure in lower_is_better else 1
        first, tied = best_of({name: [sign * row[measure] for row in rows if row["model"] == name]
                               for name in dict.fromkeys(row["model"] for row in rows)})  # fmt: skip
        told.append(f"{measure}: {first}, " + (f"a tie with {', '.join(tied)}" if tied else "in every seed"))
    return f"Best mean. {'; '.join(told)}."


def beyond(rows: Rows, measure: str, limit: float) -> str:
    """Which ways to draw lie above a limit in every seed, and which in none."""
    values = {name: [row[measure] for row in rows if row["model"] == name]
              for name in dict.fromkeys(row["model"] for row in rows)}  # fmt: skip
    groups = {"in every seed": [n for n, own in values.items() if min(own) > limit],
              "in no seed": [n for n, own in values.items() if max(own) <= limit]}  # fmt: skip
    sure = {name for names in groups.values() for name in names}
    groups["in some seeds"] = [name for name in values if name not in sure]
    told = "; ".join(f"{when}: {' and '.join(names)}" for when, names in groups.items() if names)
    return f"{measure.capitalize()} above {limit:g} {told}."


def cures(rows: Rows) -> Table:
    """Rate and RMSE after each training against collapse; `cures` of `pretrained.load_seeds`."""
    rate, rmse = (over(rows, "training", figure) for figure in ("rate", "rmse"))
    lines = {name: [say(rate[name], ".2f"), say(rmse[name], ".4f")] for name in rate}
    return Table(["training", "rate on val, nats", "RMSE on val"], lines, f"{_budget(rows)}.")


def _budget(rows: Rows) -> str:
    one, seeds = rows[0], len({row["seed"] for row in rows})
    return (f"Recorded (recipes/seeds.py), mean (lowest to highest) of {seeds} trainings: {one['images']:,} "
            f"images of PneumoniaMNIST, {one['epochs']} epochs")  # fmt: skip
