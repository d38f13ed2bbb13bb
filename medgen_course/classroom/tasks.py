"""The exercises of a notebook: which cells are the student's, which check them, for how many points."""

import ast
import re
from dataclasses import dataclass
from typing import Any

from medgen_course.classroom.names import UNREADABLE, names


@dataclass(frozen=True)
class Task:
    """One exercise.

    number: such as "02.4"; title: its first words; points: for a right solution.
    check: the cell whose call of `exercises.check_…` decides; own: the cells that the student writes in,
    which may be the same. All are places in the notebook's list of cells.
    """

    number: str
    title: str
    points: int
    check: int
    own: tuple[int, ...]


def is_solution(cell: Any) -> bool:
    """Whether a cell is for teachers."""
    return "solution" in cell.metadata.get("tags", [])


def checks(source: str) -> list[ast.Call]:
    """The calls of `exercises.check_…` in a cell, in their order."""
    try:
        tree = ast.parse(source)
    except UNREADABLE:
        return []
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_check(node)]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _is_check(node: ast.Call) -> bool:
    of = node.func
    return (
        isinstance(of, ast.Attribute)
        and of.attr.startswith("check_")
        and isinstance(of.value, ast.Name)
        and of.value.id == "exercises"
    )


def tasks(notebook: Any, number: str) -> list[Task]:
    """The exercises of a notebook that has its solutions or has none, in their order.

    Args:
        notebook: a notebook node; a cell's `metadata.medgen` may hold `exercise` and `points`.
        number: of the lesson, "02".
    """
    found, seen, cells = [], set(), notebook.cells
    for place, cell in enumerate(cells):
        calls = checks(cell.source) if cell.cell_type == "code" and not is_solution(cell) else []
        if not calls or calls[0].func.attr in seen:
            continue  # a demonstration repeats the check of an exercise
        seen.add(calls[0].func.attr)
        own = _own(cells, place, calls[0])
        about = [cells[i].metadata.get("medgen", {}) for i in (place, *own)]
        told = next((a for a in about if "points" in a), {})
        found.append(
            Task(
                told.get("exercise", f"{number}.{len(found) + 1}"),
                _title(calls[0].func.attr),
                int(told.get("points", 1)),
                place,
                own,
            )
        )
    return found


def _title(check: str) -> str:
    return check.removeprefix("check_").replace("_", " ")


def _own(cells: list[Any], place: int, call: ast.Call) -> tuple[int, ...]:
    """Where the student writes: the check's cell if it binds what is checked, else the cells that do."""
    wanted = {node.id for given in call.args for node in ast.walk(given) if isinstance(node, ast.Name)}
    if wanted & names(cells[place].source).bound:
        return (place,)
    before = [i for i in range(place) if cells[i].cell_type == "code" and not is_solution(cells[i])]
    if hunts := [i for i in before if cells[i].metadata.get("medgen", {}).get("hunt")]:
        return tuple(hunts)
    return tuple([i for i in before if wanted & names(cells[i].source).bound][-1:])


def lesson(name: str) -> str:
    """The two digits that a notebook's file name begins with.

    Raises:
        ValueError: it begins with something else.
    """
    match = re.match(r"\d\d(?=_)", name)
    if not match:
        raise ValueError(f"{name}: the name of a lesson begins with two digits, such as 02_vae.ipynb.")
    return match.group()
