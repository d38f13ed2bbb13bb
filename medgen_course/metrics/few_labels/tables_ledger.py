"""The ledger of notebook 12 as a table: worth in labels beside the plain gap, which may disagree."""

from collections.abc import Mapping, Sequence

import numpy as np

from medgen_course.course.findings import Table, say
from medgen_course.course.tables.few_labels import paired, verdict
from medgen_course.metrics.few_labels import ledger

Entries = Sequence[Mapping[str, object]]
Columns = Mapping[str, np.ndarray]
AGREE = {"gain": "ahead", "loss": "behind"}  # what a verdict in labels is called on the other ruler
NOTE = (
    "Below and beyond the ends of the curve there are no numbers. The band in labels is a bootstrap over the "
    f"seeds and too narrow: with five seeds one of 95 % held the truth in {ledger.COVERED:.0%} of made-up "
    "ledgers. The gap beside it is Student's, seed by seed."
)


def said(number: float) -> str:
    """A number of labels more or fewer, as the ledger prints it."""
    return {np.inf: "beyond the curve", -np.inf: "below the curve"}.get(number, f"{number:+,.0f}")


def more(row: Mapping[str, float] | None) -> str:
    """What was added is worth so many labels more, with its band, or that they cannot be counted."""
    if not row:
        return "more labels do not raise this AUC, so nothing can be counted in them"
    return f"{said(row['value'])} labels ({said(row['low'])} to {said(row['high'])})"


def _title(row: Mapping[str, object]) -> str:
    return f"{str(row['method']).replace('_', ', ')}: {row['labels']:,} labels"


def _pair(row: Mapping[str, object], book: Columns, figure: str) -> tuple[np.ndarray, np.ndarray]:
    """The entry and the same real labels alone, seed by seed."""
    n = row["labels"]
    return ledger.curve(book, str(row["method"]), figure)[n], ledger.curve(book, "real", figure)[n]


def page(entries: Entries, book: Columns, figure: str, title: str) -> Table:
    """The ledger, worth and plain gap side by side.

    Args:
        entries: `ledger.account` of the same table and figure.
        book: `pretrained.load_ledger`.
        figure: "val_auc" or "test_auc".
        title: of its column.
    """
    curve, lines = ledger.curve(book, "real", figure), {}
    for row in entries:
        ends = [ledger.words(end, curve).split(", be")[0] for end in (row["worth"] or {}).values()]
        value, low, high = ends or ["–"] * 3
        band = low if low == high else f"{low} to {high}"
        plus = f"{row['verdict']}: {said(row['added']['value'])}" if row.get("added") else "–"
        if row["labels"] >= max(curve) and row.get("verdict") in ("loss", "none"):
            plus = "the curve ends here: see the gap"
        mine, alone = _pair(row, book, figure)
        gap = f"{verdict(mine, alone)}: {say(paired(mine, alone), '+.3f')}"
        lines[_title(row)] = [f"{row['figure']:.3f}", value, band, plus, gap]
    heads = ["the ledger", title, "worth, real labels", "band", "labels more than its own"]
    return Table([*heads, f"{title}: gap to its own labels alone"], lines, NOTE)


def disagree(entries: Entries, book: Columns, figure: str) -> list[str]:
    """The entries of which the two rulers say different things: names, with both answers."""
    curve, found = ledger.curve(book, "real", figure), []
    for row in entries:
        if not row.get("added") or row["labels"] >= max(curve):
            continue
        gap = verdict(*_pair(row, book, figure))
        if AGREE.get(row["verdict"]) != (gap if gap in AGREE.values() else None):
            found.append(f"{_title(row)} ({row['verdict']} in labels, {gap} in AUC)")
    return found
