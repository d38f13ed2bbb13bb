"""The students' edition of a notebook: no solutions, nothing that needs one, numbered exercises."""

import copy
from typing import Any

from medgen_course.classroom.names import names
from medgen_course.classroom.tasks import Task, is_solution, lesson, tasks
from medgen_course.course.stored import source_hash

CODE_STUB = "# your code stands above"
REGION = "\n\n### BEGIN SOLUTION\n### END SOLUTION"


def student_edition(notebook: Any, name: str, seed: int | None = None) -> tuple[Any, list[Task]]:
    """A copy without solutions.

    A cell that uses what only a solution has made goes too, and what uses that cell's names.

    Args:
        notebook: a notebook node with solutions.
        name: of its file, which begins with the lesson's number.
        seed: draws the mistakes of its bug hunt; None leaves the hunt of the course.
    Returns:
        The copy and its exercises. Data, prose and all other outputs are as they were.
    """
    made = copy.deepcopy(notebook)
    gone = _without_solutions(made.cells)
    made.cells = [cell for place, cell in enumerate(made.cells) if place not in gone]
    if seed is not None:
        _plant(made.cells, seed)
    found = tasks(made, lesson(name))
    for task in found:
        for place in {*task.own, task.check}:
            made.cells[place].outputs, made.cells[place].execution_count = [], None
        for place in task.own:
            about = made.cells[place].metadata.setdefault("medgen", {})
            about |= {"exercise": task.number, "points": task.points}
    about = made.metadata.setdefault("medgen", {})
    about |= {"edition": "student", "lesson": name.removesuffix(".ipynb")}
    if "executed_source" in about:
        about["executed_source"] = source_hash(made)
    return made, found


def _without_solutions(cells: list[Any]) -> set[int]:
    """Places of the solutions and of the cells that cannot run without them."""
    gone, there, lost = set(), set(), set()
    for place, cell in enumerate(cells):
        of = names(cell.source) if cell.cell_type == "code" else None
        if is_solution(cell) or (of and lost & of.used):
            gone.add(place)
            lost |= of.bound - there if of else set()
        elif of:
            there |= of.bound
            lost -= of.bound
    return gone


def _plant(cells: list[Any], seed: int) -> None:
    """Put the mistakes that a seed draws into the cells of bug hunts."""
    from medgen_course.exercises import hunts

    for cell in cells:
        if hunt := cell.metadata.get("medgen", {}).get("hunt"):
            name, number = hunt
            cell.source = hunts.plant(name, seed).cells[number]


def nbgrader_edition(notebook: Any, found: list[Task]) -> Any:
    """The same notebook with nbgrader's metadata: stubs to be written in, checks locked and worth points.

    A cell with both is split. The check becomes an assertion, because nbgrader gives the points of a cell
    that raises nothing. nbgrader replaces the text between its two marks, which stand under the stub, so the
    stub stays as it is.

    Source: nbgrader 0.9.6, schema version 3 of its metadata.
    """
    made = copy.deepcopy(notebook)
    for task in reversed(found):
        check, key = made.cells[task.check], f"exercise-{task.number.replace('.', '-')}"
        if task.check in task.own:
            lines, call = _split(check.source)
            new = copy.deepcopy(check)
            check.source, new.source, new.id = lines, call, f"{check.id}-check"[:64]
            made.cells.insert(task.check + 1, new)
            check = new
        check.source = _asserted(check.source)
        check.metadata["nbgrader"] = _metadata(f"{key}-check", grade=True, points=task.points)
        for number, place in enumerate(task.own):
            made.cells[place].source += REGION
            made.cells[place].metadata["nbgrader"] = _metadata(f"{key}-{number}", grade=False)
    return made


def _metadata(key: str, grade: bool, points: int | None = None) -> dict[str, Any]:
    about = {"grade": grade, "grade_id": key, "locked": grade, "schema_version": 3, "solution": not grade}
    about |= {"task": False, "cell_type": "code"}
    return about | ({"points": points} if grade else {})


def _split(source: str) -> tuple[str, str]:
    """A cell that ends in its check: what stands before it, and the check."""
    lines = source.splitlines()
    at = max(i for i, line in enumerate(lines) if line.startswith("exercises.check_"))
    return "\n".join(lines[:at]).rstrip(), "\n".join(lines[at:])


def _asserted(source: str) -> str:
    """The check as an assertion; what follows it in the cell, if anything, is left as it is."""
    lines = source.splitlines()
    at = max(i for i, line in enumerate(lines) if line.startswith("exercises.check_"))
    lines[at:] = [f"verdict = {lines[at]}", *lines[at + 1 :], "assert verdict.right, str(verdict)"]
    return "\n".join(lines)
