"""The table of README: what the shipped models reach."""

from typing import Any

from medgen_course.runs.kinds import kind_named


def results_table(results: dict[str, dict[str, Any]]) -> str:
    """Markdown of the figures that each kind shows.

    Args:
        results: run -> {"kind", "dataset", "metrics": figure -> row with `value`, `low`, `high`, `worst`,
            `best`}, as `make report` collects them from the run folders.
    """
    lines = ["| model | images | figure | test split | interval | worst | best |", "|---" * 7 + "|"]
    for run in results.values():
        for figure, name in kind_named(run["kind"]).SHOWN.items():
            row = run["metrics"].get(figure)
            if row is None:
                continue
            ends = f"{number(row['low'])} to {number(row['high'])}" if "low" in row else ""
            cells = (run["title"], run["dataset"], name, number(row["value"]), ends,
                     number(row.get("worst")), number(row.get("best")))  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Three or four digits; nothing where there is no number."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
