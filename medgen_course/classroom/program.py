"""What is run of a submission: the student's cells, the course's own checks, and what both need.

All but the cells that a student writes comes from the course's edition, so a changed check changes nothing.
A cell of the course is run only if an exercise needs what it makes: a function is graded in seconds, an
experiment needs its model. Values of the parameters cell are the student's, because what they report was
measured with them.
"""

import ast
from typing import Any

from medgen_course.classroom.names import UNREADABLE, names
from medgen_course.classroom.tasks import Task


def program(edition: Any, found: list[Task], submitted: Any) -> list[dict[str, Any]]:
    """Cells to be run in order.

    Args:
        edition: the students' edition of the lesson.
        found: its exercises.
        submitted: the student's notebook.
    Returns:
        For each cell its `kind` ("course", "student", "check"), `source`, and the number of its `exercise`
        or None.
    """
    own = {place: task.number for task in found for place in task.own}
    check = {task.check: task.number for task in found}
    cells: list[dict[str, Any]] = []
    matched = _matched(edition, own, submitted)
    added = _added(edition, submitted)
    for place, cell in enumerate(edition.cells):
        if cell.cell_type == "code":
            if place in own:
                source = matched.get(place, "")
                if place in check:
                    source, call = _apart(source, cell.source)
                    cells.append(_cell("student", source, own[place]))
                    cells.append(_cell("check", call, check[place]))
                else:
                    cells.append(_cell("student", source, own[place]))
            elif place in check:
                cells.append(_cell("check", cell.source, check[place]))
            elif "parameters" in cell.metadata.get("tags", []):
                cells.append(_cell("course", _with_values(cell.source, submitted)))
            else:
                cells.append(_cell("course", cell.source))
        cells += [_cell("student", source) for source in added.get(cell.id, [])]
    return _needed(cells)


def _cell(kind: str, source: str, exercise: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "source": source, "exercise": exercise}


def _needed(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Drop the cells of the course that nothing needs."""
    needed: set[str] = set()
    kept = []
    for cell in reversed(cells):
        of = names(cell["source"])
        if cell["kind"] != "course" or needed & (of.bound | of.changed):
            kept.append(cell)
            needed |= of.used
    return kept[::-1]


def _matched(edition: Any, own: dict[int, str], submitted: Any) -> dict[int, str]:
    """The student's source for each cell that is theirs: by its mark and id, by id, by what it binds."""
    theirs = [cell for cell in submitted.cells if cell.get("cell_type") == "code"]
    found = {}
    for place in own:
        cell = edition.cells[place]
        defined = names(cell.source).bound
        by_id = [c for c in theirs if c.get("id") == cell.id]
        by_name = [c for c in theirs if defined and defined <= names(c.source).bound]
        if by_id or by_name:
            found[place] = (by_id or by_name)[-1].source
    return found


def _added(edition: Any, submitted: Any) -> dict[str, list[str]]:
    """Cells that the student has added, under the id of the course's cell that they follow."""
    known = {cell.id for cell in edition.cells}
    if not any(cell.get("id") in known for cell in submitted.cells):
        return {}  # a tool has renamed all cells: none can be told to be new
    after, found = edition.cells[0].id, {}
    stubs = [names(cell.source).bound for cell in edition.cells if cell.cell_type == "code"]
    for cell in submitted.cells:
        if cell.get("id") in known:
            after = cell.id
        elif cell.get("cell_type") == "code" and names(cell.source).bound not in stubs:
            found.setdefault(after, []).append(cell.source)
    return found


def _apart(source: str, original: str) -> tuple[str, str]:
    """The student's part of a cell that ends in a check, and the course's check."""
    first = next(line for line in original.splitlines() if line.startswith("exercises.check_"))
    call = original[original.index(first) :]
    lines = source.splitlines()
    at = next((i for i, line in enumerate(lines) if line.startswith("exercises.check_")), len(lines))
    return "\n".join(lines[:at]), call


def _with_values(source: str, submitted: Any) -> str:
    """The parameters cell with the student's values: literals of the same names, nothing else."""
    cells = [c for c in submitted.cells if "parameters" in c.get("metadata", {}).get("tags", [])]
    known, values = _literals(source), _literals(cells[0].source) if cells else {}
    lines = [f"{name} = {value}" for name, value in values.items() if name in known]
    return "\n".join([source, *lines])


def _literals(source: str) -> dict[str, str]:
    """name -> source of the value, for the assignments of literals in a cell."""
    try:
        statements = ast.parse(source).body
    except UNREADABLE:
        return {}
    found = {}
    for statement in statements:
        targets = getattr(statement, "targets", [getattr(statement, "target", None)])
        if len(targets) == 1 and isinstance(targets[0], ast.Name) and getattr(statement, "value", None):
            try:
                ast.literal_eval(statement.value)
                found[targets[0].id] = ast.unparse(statement.value)
            except UNREADABLE:
                continue
    return found
