"""Tables of notebook 10: how detectors do, on images, pixels and lesions, and a world with a known answer."""

from collections.abc import Mapping, Sequence

import numpy as np

from medgen_course.course.findings import Row, Table, say

FIGURES = {"auroc": "AUROC", "average_precision": "average precision", "pixel": "pixel AP", "dice": "Dice"}
NOWHERE = "none: at no contrast of the grid are half of them found."


def detectors(
    rows: Mapping[str, Mapping[str, Row]], chosen: Mapping[str, str], note: str = "", caption: str = ""
) -> Table:
    """A line for each detector, the highest AUROC first.

    Args:
        rows: name -> figure -> row; of `FIGURES` those that any of them has are shown.
        chosen: name -> how an image counts, "mean" or "peak"; others were told the answer.
        note, caption: see `Table`.
    """
    order = sorted(rows, key=lambda name: -rows[name]["auroc"]["value"])
    shown = [figure for figure in FIGURES if any(figure in row for row in rows.values())]
    lines = {
        f"{name} ({chosen.get(name, 'told')})": [
            say(rows[name][figure], ".2f") if figure in rows[name] else "-" for figure in shown
        ]
        for name in order
    }
    return Table(["", *(FIGURES[figure] for figure in shown)], lines, note, caption)


def limit_text(row: Row) -> str:
    """A detection limit with its interval; what lies beyond the grid is called none."""
    return "{} ({} to {})".format(
        *("none" if np.isinf(row[end]) else f"{row[end]:.2f}" for end in ("value", "low", "high"))
    )


def limits(found: Mapping[str, Mapping[float, Row]], caption: str) -> Table:
    """Detection limits: name -> radius in mm -> row."""
    radii = list(next(iter(found.values())))
    lines = {name: [limit_text(row) for row in by.values()] for name, by in found.items()}
    note = "Contrast (free-water fraction) at which half of the lesions are found, at 0.1 false alarms a "
    note += f"healthy slice; in brackets the interval over lesions. {NOWHERE.capitalize()}"
    return Table([caption, *(f"{radius:g} mm" for radius in radii)], lines, note)


def worlds(
    proved: Mapping[str, Sequence[tuple[float, Row]]], pick: Sequence[int], tests: Sequence[str], caption: str
) -> Table:
    """Predicted and measured AUROC of some tests in some worlds.

    Args:
        proved: where the shift points -> for each test what is predicted, and the measured row.
        pick: numbers of the tests that are shown.
        tests: their names.
        caption: stands above.
    """
    heads = [text for name in tests for text in (f"{name}: predicted", "measured")]
    lines = {
        place: [text for i in pick for text in (f"{found[i][0]:.3f}", say(found[i][1]))]
        for place, found in proved.items()
    }
    return Table(["the shift points", *heads], lines, caption=caption)


def against(parts: Mapping[str, tuple[Mapping[str, Mapping[str, Row]], set[str], str]], nothing: str) -> str:
    """Markdown: which scores beat the best simple one, part by part.

    Args:
        parts: title -> rows, names of the simple scores, figure.
        nothing: said where there is no other score than simple ones.
    """
    told = []
    for title, (rows, simple, figure) in parts.items():
        found = better({name: row for name, row in rows.items() if figure in row}, simple, figure)
        told.append(f"**{title}.** {'; '.join(found) or nothing}.")
    return "\n\n".join(told)


def better(rows: Mapping[str, Mapping[str, Row]], simple: set[str], figure: str = "auroc") -> list[str]:
    """One sentence for each score that is not simple: it beats the best simple one, ties, or falls behind.

    To beat or to fall behind, the two intervals must have nothing in common.
    """
    best = max(simple & set(rows), key=lambda name: rows[name][figure]["value"])
    floor, told = rows[best][figure], []
    for name in rows:
        if name in simple:
            continue
        row = rows[name][figure]
        word = "ties with"
        if row["low"] > floor["high"]:
            word = "beats"
        elif row["high"] < floor["low"]:
            word = "falls behind"
        told.append(f"{name} {word} {best} ({row['value']:.2f} against {floor['value']:.2f})")
    return told
