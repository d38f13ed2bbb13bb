"""Tables of notebooks 02 and 03: one comparison, trained with several seeds (`recipes/seeds.py`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from medgen_course.course.findings import Row, Table, over_seeds, say

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


def cures(rows: Rows) -> Table:
    """Rate and RMSE after each training against collapse; `cures` of `pretrained.load_seeds`."""
    rate, rmse = (over(rows, "training", figure) for figure in ("rate", "rmse"))
    lines = {name: [say(rate[name], ".2f"), say(rmse[name], ".4f")] for name in rate}
    return Table(["training", "rate on val, nats", "RMSE on val"], lines, f"{_budget(rows)}.")


def _budget(rows: Rows) -> str:
    one, seeds = rows[0], len({row["seed"] for row in rows})
    return (f"Recorded (recipes/seeds.py), mean (lowest to highest) of {seeds} trainings: {one['images']:,} "
            f"images of PneumoniaMNIST, {one['epochs']} epochs")  # fmt: skip
