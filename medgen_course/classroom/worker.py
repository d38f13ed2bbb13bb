"""The process that runs one submission: `python -P worker.py PROGRAM RESULTS`.

It writes a line of JSON when an exercise begins and one when it has a verdict, so that whoever started it
knows what was running when it stopped. Its limits are set before the first cell.

It is started as a file, not as a module of its room: that would import what only grading needs. `-P` keeps
files that an earlier process of the same submission has left from taking the place of modules.
"""

import ast
import contextlib
import io
import json
import linecache
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

FILE_BYTES = 20_000_000  # that a submission may write into one file, and that a cell may print


def main(program: Path, results: Path) -> None:
    """Run the cells of a program.

    Args:
        program: JSON with `cells` (see `program.program`), `memory` in bytes, and `skip`: exercises that are
            not run again.
        results: takes a line of JSON for each event; it is only added to.
    """
    given = json.loads(program.read_text(encoding="utf-8"))
    with open(results, "a", encoding="utf-8") as file:
        tell = Telling(file)
        checks = _checks()
        sys.path.insert(0, "")  # as in a notebook: a file that a cell writes can be imported
        _limit(given["memory"])
        run(given["cells"], set(given["skip"]), checks, tell)
        tell({"end": True})


class Telling:
    """Writes events; a process that dies has told what it told."""

    def __init__(self, file: Any):
        self.file = file

    def __call__(self, event: dict[str, Any]) -> None:
        """Write one event."""
        self.file.write(json.dumps(event) + "\n")
        self.file.flush()


class Output(io.TextIOBase):
    """What a cell prints goes nowhere; too much of it is an error of that cell, and no other's."""

    size = 0

    def write(self, text: str) -> int:
        """Count characters."""
        self.size += len(text)
        if self.size > FILE_BYTES:
            raise OSError(f"File too large: the cell prints more than {FILE_BYTES / 1e6:.0f} MB")
        return len(text)


def run(cells: list[dict[str, Any]], skip: set[str], checks: dict[str, Any], tell: Any) -> None:
    """Run cells in one namespace; an error is a verdict of the exercise that it happened in."""
    space: dict[str, Any] = {"__name__": "__main__"}
    failed: dict[str, str] = {}
    course = ""
    for number, cell in enumerate(cells):
        exercise, kind = cell["exercise"], cell["kind"]
        if exercise in skip:
            continue
        name, started = f"<cell {number}>", time.perf_counter()
        tell({"begin": exercise or f"a cell of the {kind}", "cell": number})
        verdicts: list[Any] = []
        keep = verdicts.append
        error = execute(cell["source"], name, space, checks if kind == "check" else None, keep)
        seconds = time.perf_counter() - started
        if kind == "course" and error:
            course = course or error
        elif kind == "student" and error:
            failed[exercise or ""] = error
        elif kind == "check":
            told = verdicts[-1] if verdicts else None
            problem = failed.get(exercise) or error or course or "the check gave no verdict"
            message = told.message if told and exercise not in failed else problem
            status = told.status if told and exercise not in failed else "raised an error"
            tell({"exercise": exercise, "status": status, "message": message, "seconds": seconds})


def execute(source: str, name: str, space: dict[str, Any], checks: Any, keep: Any) -> str:
    """Run a cell; what went wrong as one line, or "".

    With `checks`, calls of `exercises.check_…` go to those functions, whatever the student has done to the
    module, and `keep` gets their verdicts.
    """
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        tree = ast.parse(source, name)
        if checks:
            tree = ast.fix_missing_locations(_Recorded().visit(tree))
            space["__medgen_exercises__"] = SimpleNamespace(**{k: _kept(v, keep) for k, v in checks.items()})
        output = Output()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            exec(compile(tree, name, "exec"), space)
    except SystemExit:
        return "SystemExit: the cell ends the program; leave exit() out"
    except BaseException as error:  # a student's cell may raise anything, and all of it is the verdict
        line = next((f.lineno for f in _frames(error) if f.filename == name), getattr(error, "lineno", None))
        at = f" (line {line} of the cell)" if line else ""
        return f"{type(error).__name__}: {str(error)[:500]}{at}"
    return ""


class _Recorded(ast.NodeTransformer):
    """Points `exercises.check_…` to the checks that were there before the student's code."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        if node.attr.startswith("check_") and getattr(node.value, "id", "") == "exercises":
            node.value = ast.Name("__medgen_exercises__", ast.Load())
        return node


def _kept(check: Any, keep: Any) -> Any:
    def called(*given: Any, **named: Any) -> Any:
        verdict = check(*given, **named)
        keep(verdict)
        return verdict

    return called


def _frames(error: BaseException) -> list[Any]:
    import traceback

    return list(reversed(traceback.extract_tb(error.__traceback__)))


def _checks() -> dict[str, Any]:
    import builtins

    from IPython.display import display

    from medgen_course import exercises

    builtins.display = display  # as in a notebook
    return {name: getattr(exercises, name) for name in exercises.__all__ if name.startswith("check_")}


def _limit(memory: int) -> None:
    """Bound what this process may take, where the system knows how (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
