"""Submissions made from a notebook with solutions: right ones, empty ones, and ones with a fault."""

import ast
import copy

from medgen_course.classroom.edition import student_edition
from medgen_course.classroom.tasks import checks, is_solution


def solved(whole, name: str):
    """The students' edition with the teacher's solutions written into it."""
    edition, found = student_edition(whole, name)
    made = copy.deepcopy(edition)
    for task in found:
        call = checks(edition.cells[task.check].source)[0]
        source, theirs = _solution(whole, call.func.attr)
        renamed = [f"{a.id} = {b}" for a, b in _names(zip(call.args, theirs.args, strict=True))]
        last = made.cells[task.own[-1]]
        given = _without(edition.cells[task.own[-1]].source) if task.check in task.own else ""
        last.source = "\n\n".join([given, source, *renamed])
        if task.check in task.own:
            last.source += f"\n\nexercises.{call.func.attr}(None)"  # the grader takes its own
    return made


def _solution(whole, check: str):
    """Sources of the solutions down to the one that a check is called with, and that call."""
    cells = [c.source for c in whole.cells if c.cell_type == "code" and is_solution(c)]
    last = next(i for i, s in enumerate(cells) if any(call.func.attr == check for call in checks(s)))
    before = last - 1 if last and not checks(cells[last - 1]) else last
    return "\n\n".join(map(_without, cells[before : last + 1])), checks(cells[last])[0]


def _without(source: str) -> str:
    """A cell without its checks."""
    kept = [node for node in ast.parse(source).body if not checks(ast.unparse(node))]
    return "\n\n".join(map(ast.unparse, kept))


def _names(pairs):
    for ours, theirs in pairs:
        if isinstance(ours, ast.Name) and ast.unparse(ours) != ast.unparse(theirs):
            yield ours, ast.unparse(theirs)
