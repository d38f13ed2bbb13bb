"""Tables of notebook 03: what was measured, beside the ends that it is read between."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from IPython.display import HTML

from medgen_course.course.findings import over_seeds, than
from medgen_course.course.reading import table

Reports = Mapping[str, Mapping[str, Mapping[str, float]]]
ENDS = {"best": "real, held out", "blurred": "the same, blurred", "worst": "noise"}


def fidelity(reports: Reports, below: str = "", extra: Iterable[Sequence[object]] = ()) -> HTML:
    """A row for each measure, a column for each report, then the ends of the first report.

    Args:
        reports: column to measure to a row with `value`, `low`, `high`, and the ends `best`, `blurred`,
            `worst`; see `metrics.fidelity.evaluate_samples`.
        below: a sentence below the table.
        extra: further rows: a name and one cell for each report, such as budgets.
    """
    first = next(iter(reports.values()))
    rows = [[name, *map(str, cells), *[""] * len(ENDS)] for name, *cells in extra]
    for measure, own in first.items():
        cells = [interval(report[measure]) for report in reports.values()]
        rows.append([measure, *cells, *(short(own.get(end)) for end in ENDS)])
    return table(["", *reports, *ENDS.values()], rows, below)


def interval(row: Mapping[str, Any]) -> str:
    """A value with the lowest and the highest that it was averaged over, where it has them."""
    if row["value"] is None or row["low"] == row["high"]:
        return short(row["value"])
    return f"{short(row['value'])} ({short(row['low'])} to {short(row['high'])})"


def short(value: float | None) -> str:
    """Three digits; a dash where there is no number."""
    return "–" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def games(rows: Sequence[Mapping[str, Any]], which: str) -> HTML:
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


def games_compared(rows: Sequence[Mapping[str, Any]]) -> str:
    """Which games bring more points near a cloud, beyond the spread of the seeds: the best line of the second
    table against the first, with the modes found, because a game may gain points and lose modes."""
    told = []
    for name in dict.fromkeys(row["objective"] for row in rows if row["table"] == "published"):
        own = [row for row in rows if row["objective"] == name]
        same, lines = [row for row in own if row["table"] == "same"], {}
        for row in own:
            if row["table"] == "published":
                lines.setdefault(row["settings"], []).append(row)
        best = max(lines.values(), key=lambda line: median(row["near"] for row in line))
        near, modes = (
            [over_seeds(row[what] for row in line) for line in (same, best)] for what in ("near", "modes")
        )
        ranges = ", then ".join(f"{row['low']:.0%} to {row['high']:.0%}" for row in near)
        found = ", then ".join(f"{row['low']:.0f} to {row['high']:.0f}" for row in modes)
        told.append(f"{name}: {than(near[1], near[0], 'more', 'fewer')} ({ranges}; modes found: {found})")
    return f"Points near a cloud, first table against the best line of the second: {'; '.join(told)}."


def _outcome(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    modes, near = ([row[name] for row in rows] for name in ("modes", "near"))
    updates = f"{rows[0]['generator_updates']:,}, {rows[0]['discriminator_updates']:,}"
    return [
        updates,
        f"{median(modes):.0f} ({min(modes)} to {max(modes)})",
        f"{median(near):.0%} ({min(near):.0%} to {max(near):.0%})",
    ]


def faults(
    noticed: Mapping[str, Mapping[str, float]],
    unspoilt: Sequence[Mapping[str, float]],
    lower_is_better: set[str],
) -> HTML:
    """What became of every measure under each fault, and which measures notice it.

    A measure notices a fault that makes it worse than all unspoilt sets, by more than these differ; or by
    more than a fifth where there is only one of them.

    Args:
        noticed: fault to measure to value.
        unspoilt: the same measures of several sets of images without a fault.
        lower_is_better: measures that are better when low.
    """
    columns = {name: [row[name] for row in unspoilt] for name in unspoilt[0]}
    usual = [f"{short(min(values))} to {short(max(values))}" for values in columns.values()]
    rows = [["no fault", *usual, ""]]
    for fault, row in noticed.items():
        by = [name for name, values in columns.items() if _worse(row[name], values, name in lower_is_better)]
        rows.append([fault, *(short(row[name]) for name in columns), ", ".join(by) or "none"])
    below = f"No fault: lowest and highest of {len(unspoilt)} sets of real images."
    return table(["fault", *columns, "noticed by"], rows, below)


def _worse(value: float, usual: Sequence[float], low_is_better: bool) -> bool:
    low, high = min(usual), max(usual)
    margin = high - low if len(usual) > 1 else 0.2 * abs(high)
    return value > high + margin if low_is_better else value < low - margin
