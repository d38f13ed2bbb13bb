"""What a numbered notebook must fulfil so that a class can use it: numbers, points, quizzes, hunts."""

import re
from collections.abc import Iterator
from typing import Any

from medgen_course.course.hosted import INSTALL
from medgen_course.exercises import hunts
from medgen_course.exercises.quiz import quizzes

SECTIONS_PER_QUIZ = 3
HEADING = re.compile(r"(?m)^### Exercise (\d+) · (.+) \((\d+) points?\)$")
QUIZ = re.compile(r'exercises\.quiz\("(\d\d)", "([\w ]+)"\)')


def broken_class_rules(notebook: Any) -> list[str]:
    """One line for every such rule that a notebook breaks; none where its title has no number."""
    title = re.match(r"# (\d\d) · ", notebook.cells[0].source) if notebook.cells else None
    if not title:
        return []
    return [*_install(notebook), *_exercises(notebook, title[1]), *_quizzes(notebook, title[1])]


def _tags(cell: Any) -> list[str]:
    return cell.metadata.get("tags", [])


def _about(cell: Any) -> dict[str, Any]:
    return cell.metadata.get("medgen", {})


def _install(notebook: Any) -> Iterator[str]:
    first = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    if first is None or "install" not in _tags(first) or first.source != INSTALL:
        yield "the first code cell is not that of course/hosted.py, tagged install"


def _exercises(notebook: Any, number: str) -> Iterator[str]:
    """Headings from 1 upwards; below each a stub with its points, a check, and a solution."""
    parts: list[tuple[str, str, list[Any]]] = []  # number and points of a heading, the code cells below it
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts += [(n, points, []) for n, _, points in HEADING.findall(cell.source)]
        elif parts:
            parts[-1][2].append(cell)
    if [n for n, _, _ in parts] != [str(k) for k in range(1, len(parts) + 1)] or not parts:
        yield f"exercises are not numbered from 1: {', '.join(n for n, _, _ in parts) or 'no heading'}"
    for n, points, code in parts:
        name = f"{number}.{n}"
        stubs = [_about(cell) for cell in code if "exercise" in _about(cell)]
        if stubs and stubs[0].get("hunt"):
            stubs = [{key: value for key, value in stub.items() if key != "hunt"} for stub in stubs]
        if stubs != [{"exercise": name, "points": int(points)}]:
            yield f"exercise {name}: its stub cell does not say exercise and {points} points: {stubs}"
        checked = [
            c for c in code if "exercises.check_" in c.source and {"exercise", "check"} & set(_about(c))
        ]
        if not checked or not any("solution" in _tags(cell) for cell in code):
            yield f"exercise {name}: no cell checks it, or none is tagged solution"
    stated = [_about(cell) for cell in notebook.cells if "hunt" in _about(cell)]
    if stated:
        yield from _hunt(notebook, stated)


def _hunt(notebook: Any, stated: list[dict[str, Any]]) -> Iterator[str]:
    """The hunt of a notebook is one draw of its pool, so another draw fits into its place."""
    cells = [cell.source for cell in notebook.cells if "hunt" in _about(cell)]
    name = stated[0]["hunt"][0]
    own = hunts.with_mistakes(name, hunts.pool(name).own).cells
    if tuple(cells) != own or [about["hunt"] for about in stated] != [[name, k] for k in range(len(own))]:
        yield f"the bug hunt is not the one of hunts/{name}.py"


def _quizzes(notebook: Any, number: str) -> Iterator[str]:
    cells = [cell for cell in notebook.cells if "quiz" in _tags(cell)]
    asked = [QUIZ.fullmatch(cell.source) for cell in cells]
    if None in asked or [match.groups() for match in asked] != [(number, name) for name in quizzes(number)]:
        yield f"the cells tagged quiz are not those of quizzes/{number}.toml, each once and in its order"
    sections = sum(bool(re.match(r"## \d+ · ", cell.source)) for cell in notebook.cells)
    if SECTIONS_PER_QUIZ * len(cells) < sections:
        yield f"{len(cells)} questions for {sections} sections, one for three is the least"
