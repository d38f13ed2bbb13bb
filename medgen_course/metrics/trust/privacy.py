"""The recorded tables of notebook 13's privacy (recipes/trust_privacy.py)."""

import csv
from pathlib import Path
from typing import Any

from medgen_course import pretrained
from medgen_course.training.checkpoints import RunNotFound

TABLES = ("memory", "membership", "membership_scores", "canaries", "privacy", "protection")


def table_path(table: str, dataset: str = "pneumoniamnist") -> Path:
    """Where one of `TABLES` rests."""
    return pretrained.shelf() / dataset / f"{table}.csv"


def load_table(table: str, dataset: str = "pneumoniamnist") -> list[dict[str, Any]]:
    """The rows of one of `TABLES`; numbers as floats, the rest as text, an empty cell as None.

    Raises:
        RunNotFound: the table is not on the shelf.
    """
    path = table_path(table, dataset)
    if not path.is_file():
        raise RunNotFound(f"{path}: no such table; expected one of {', '.join(TABLES)}, of pneumoniamnist.")
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: _value(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def _value(cell: str) -> float | str | None:
    try:
        return float(cell) if cell else None
    except ValueError:
        return cell
