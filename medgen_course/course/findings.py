"""From figures to tables and sentences: what a notebook says about what it has just measured.

A figure is a row with `value`, `low` and `high`: an interval over images, or the range over seeds. A
difference inside the spread is called a tie.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Row = Mapping[str, float]


@dataclass(frozen=True)
class Table:
    """A table that a notebook shows, or that `reveal` keeps behind its fold.

    columns: headings, the first one over the names of the rows.
    rows: name -> one text for each further column.
    note: stands below: what was measured on what, and with which budget.
    caption: stands above.
    """

    columns: Sequence[str]
    rows: Mapping[str, Sequence[str]]
    note: str = ""
    caption: str = ""

    def _repr_html_(self) -> str:
        lines = ([name, *texts] for name, texts in self.rows.items())
        return table_html(self.columns, lines, self.note, self.caption)

    def __repr__(self) -> str:
        lines = [self.columns, *([name, *texts] for name, texts in self.rows.items())]
        told = [self.caption, *(" | ".join(line) for line in lines), self.note]
        return "\n".join(text for text in told if text)


def table_html(
    columns: Sequence[str], lines: Iterable[Sequence[str]], note: str = "", caption: str = ""
) -> str:
    """HTML of a table whose first column names the lines; `note` stands below, `caption` above."""
    head = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in columns)
    body = "".join(
        f'<tr><th scope="row" style="text-align:left">{html.escape(name)}</th>'
        + "".join(f"<td>{html.escape(text)}</td>" for text in texts)
        + "</tr>"
        for name, *texts in lines
    )
    title = f"<p><b>{html.escape(caption)}</b></p>" if caption else ""
    below = f"<p>{html.escape(note)}</p>" if note else ""
    return f"{title}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def say(row: Row, style: str = ".3g") -> str:
    """A figure with its interval, such as "0.948 (0.947 to 0.949)"; a dash where nothing was counted."""
    if row["value"] is None:
        return "–"
    return "{} ({} to {})".format(*(format(row[end], style) for end in ("value", "low", "high")))


def figures(
    found: Mapping[str, Mapping[str, Row]],
    columns: Mapping[str, str],
    note: str = "",
    caption: str = "",
    style: str = ".3g",
) -> Table:
    """One line for each method: name -> figure -> row, of which `columns` chooses and names some."""
    rows = {name: [say(row[figure], style) for figure in columns] for name, row in found.items()}
    return Table(["", *columns.values()], rows, note, caption)


def over_seeds(values: Iterable[float]) -> dict[str, float]:
    """Mean, lowest and highest over seeds, as a row."""
    array = np.asarray(list(values), dtype=float)
    return {"value": float(array.mean()), "low": float(array.min()), "high": float(array.max())}


def apart(x: Row, y: Row) -> bool:
    """Whether two intervals have nothing in common; if they have, the difference is called a tie."""
    return x["low"] > y["high"] or y["low"] > x["high"]


def differ(row: Row) -> bool:
    """Whether a difference, with its interval, has one sign only."""
    return row["low"] > 0 or row["high"] < 0


def side(row: Row, above: str, below: str) -> str:
    """What a difference says: one of two texts, or that it is a tie, where its interval holds zero."""
    return (above if row["value"] > 0 else below) if differ(row) else "a tie"


def than(x: Row, y: Row, more: str, less: str) -> str:
    """What x is beside y: one of two texts, a tie where intervals overlap; not known if one has no value."""
    if x["value"] is None or y["value"] is None:
        return "not known"
    return (more if x["value"] > y["value"] else less) if apart(x, y) else "a tie"


def gain(x: Sequence[float], y: Sequence[float], unit: str = "dB") -> str:
    """What x has more than y, seed by seed, in words: a tie unless all seeds agree about the sign."""
    row = over_seeds(np.subtract(x, y))
    text = f"{row['value']:+.1f} {unit} ({row['low']:+.1f} to {row['high']:+.1f} over {len(x)} seeds)"
    return text if differ(row) else f"a tie: {text}"


def best_of(values: Mapping[str, Sequence[float]]) -> tuple[str, list[str]]:
    """The name with the highest mean over seeds, and those that it does not beat in every seed."""
    best = max(values, key=lambda name: np.mean(values[name]))
    tied = [name for name in values if name != best and not np.greater(values[best], values[name]).all()]
    return best, tied


def step_letter(measured: float, bounds: Sequence[float]) -> str:
    """The letter of the range that a measurement falls into: "a" below the first bound, and so on."""
    return chr(ord("a") + sum(measured >= bound for bound in bounds))


def sure_letter(row: Row, bounds: Sequence[float]) -> str:
    """The letter of the range that holds a figure's whole interval; the letter after the last range if none.

    Args:
        row: `value`, `low` and `high`.
        bounds: of the ranges, rising: below the first one is "a".
    """
    low, high = (step_letter(row[end], bounds) for end in ("low", "high"))
    return low if low == high else chr(ord("a") + len(bounds) + 1)
