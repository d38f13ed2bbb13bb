"""Tables of notebook 03 as Markdown: what was measured beside the ends that it is read between."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from IPython.display import Markdown

Reports = Mapping[str, Mapping[str, Mapping[str, float]]]
ENDS = {"best": "real, held out", "blurred": "the same, blurred", "worst": "noise"}


def table(head: Sequence[str], rows: Iterable[Sequence[object]], below: str = "") -> Markdown:
    """A table with a sentence below it; cells are written as they are."""
    lines = [_row(head), _row(["---"] * len(head)), *map(_row, rows)]
    return Markdown("\n".join([*lines, "", below]))


def fidelity(reports: Reports, below: str = "", extra: Iterable[Sequence[object]] = ()) -> Markdown:
    """A row for each measure, a column for each report, then the ends of the first report.

    Args:
        reports: column to measure to a row with `value`, `low`, `high`, and the ends `best`, `blurred`,
            `worst`; see `metrics.fidelity.evaluate_samples`.
        below: a sentence below the table.
        extra: further rows: a name and one cell for each report, such as budgets.
    """
    first = next(iter(reports.values()))
    rows = [[name, *cells, *[""] * len(ENDS)] for name, *cells in extra]
    for measure, own in first.items():
        cells = [interval(report[measure]) for report in reports.values()]
        rows.append([measure, *cells, *(f"{own[end]:.3g}" for end in ENDS)])
    return table(["", *reports, *ENDS.values()], rows, below)


def interval(row: Mapping[str, float]) -> str:
    """A value with the lowest and the highest that it was averaged over, where it has them."""
    ends = f" ({row['low']:.3g} to {row['high']:.3g})" if row["low"] < row["high"] else ""
    return f"{row['value']:.3g}{ends}"


def over_seeds(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Measures of several seeds as one column: the median, the lowest and the highest of each."""
    numbers = [name for name, value in rows[0].items() if isinstance(value, float)]
    columns = {name: [float(row[name]) for row in rows] for name in numbers}
    return {n: {"value": median(v), "low": min(v), "high": max(v)} for n, v in columns.items()}


def games(rows: Sequence[Mapping[str, Any]], which: str) -> Markdown:
    """The games on eight Gaussians: median of the seeds, lowest and highest in brackets, and the budget.

    Args:
        rows: as `pretrained.load_games` gives them.
        which: "same" or "published".
    """
    chosen = [row for row in rows if row["table"] == which]
    groups = {(row["objective"], row["settings"]): [] for row in chosen}
    for row in chosen:
        groups[row["objective"], row["settings"]].append(row)
    lines = [[name, settings, *_outcome(own)] for (name, settings), own in groups.items()]
    head = ["game", "both players", "updates of G, of D", "modes found", "points within 3σ of one"]
    seeds = sorted({row["seed"] for row in chosen})
    return table(head, lines, f"Median of {len(seeds)} seeds, lowest and highest in brackets.")


def _outcome(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    modes, near = ([row[name] for row in rows] for name in ("modes", "near"))
    updates = f"{rows[0]['generator_updates']:,}, {rows[0]['discriminator_updates']:,}"
    return [
        updates,
        f"{median(modes):.0f} ({min(modes)} to {max(modes)})",
        f"{median(near):.0%} ({min(near):.0%} to {max(near):.0%})",
    ]


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
