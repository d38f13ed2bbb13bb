"""A submission run in processes of its own: what does not end is ended, what comes after it still counts."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from medgen_course.classroom import worker
from medgen_course.course.kernel import environment

RAISED = "raised an error"
MESSAGE = 5000  # characters
STARTING = 120.0  # seconds until the first cell, on a busy machine


def attempt(cells: list[dict[str, Any]], seconds: float, memory: int) -> dict[str, dict[str, Any]]:
    """Run the cells of a submission.

    Args:
        cells: see `program.program`.
        seconds: wall-clock that an exercise may take, with the cells that it needs.
        memory: bytes that the process may take.
    Returns:
        For each exercise `status`, `message` and `seconds`.
    """
    wanted = [cell["exercise"] for cell in cells if cell["kind"] == "check"]
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        left = list(cells)
        while todo := [number for number in wanted if number not in found]:
            known = len(found)
            running, ended = _process(Path(place), left, found, seconds, memory)
            if ended is None:
                break
            cell = left[running] if running is not None and 0 <= running < len(left) else {}
            if cell.get("kind") == "student" and not cell["exercise"]:
                del left[running]  # the student has added it: what follows is tried without
            elif cell.get("exercise") in todo:
                found[cell["exercise"]] = _verdict(f"the cell {ended}", seconds)
            elif len(found) == known:
                found |= {n: _verdict(f"a cell before this exercise {ended}", seconds) for n in todo}
    missing = _verdict("the exercise was not reached", 0.0)
    return {number: found.get(number, missing) for number in wanted}


def _verdict(message: str, seconds: float, status: str = RAISED) -> dict[str, Any]:
    return {"status": status, "message": writable(message[:MESSAGE]), "seconds": seconds}


def writable(text: str) -> str:
    """Text for a file: half a surrogate, of an error message or an old file name, becomes a "?"."""
    return text.encode("utf-8", "replace").decode()


def _process(
    place: Path, cells: list[dict[str, Any]], found: dict[str, Any], seconds: float, memory: int
) -> tuple[int | None, str | None]:
    """Run one process and add its verdicts to `found`.

    Returns the place of the cell in which it stopped (None: before the first) and how; twice None if it came
    to the end.
    """
    program, results, output = place / "program.json", place / "results.jsonl", place / "output.txt"
    work = place / "work"  # a cell that empties its folder takes nothing else
    work.mkdir(parents=True, exist_ok=True)
    given = {"cells": cells, "memory": memory, "skip": sorted(found)}
    program.write_text(json.dumps(given), encoding="utf-8")
    results.write_text("", encoding="utf-8")
    command = [sys.executable, "-P", worker.__file__, str(program), str(results)]
    with open(output, "wb") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            cwd=work,
            env=_variables(),
            start_new_session=True,
        )
        try:
            running, late = _watch(process, results, seconds)
        finally:
            _end(process)
    done = False
    for event in _events(results):
        done = done or bool(event.get("end"))
        if "status" in event:
            found[event["exercise"]] = _verdict(event["message"], event["seconds"], event["status"])
    if done:
        return None, None
    if late:
        return running, f"did not end within {seconds:g} s and was stopped"
    return running, f"ended the process ({_how(process.returncode)})"


def _watch(process: subprocess.Popen, results: Path, seconds: float) -> tuple[int | None, bool]:
    """Wait for the process; the place of the cell that runs at its end, and whether its time was over.

    Time counts from the first cell, and anew after each verdict; what is imported before has `STARTING` more.
    """
    running, seen, since = None, 0, time.monotonic() + STARTING
    while True:
        ended = process.poll() is not None
        new = _events(results)[seen:]
        if any("status" in event for event in new) or (new and not seen):
            since = time.monotonic()
        seen += len(new)
        running = next((event["cell"] for event in reversed(new) if "begin" in event), running)
        if ended or time.monotonic() - since > seconds:
            return running, not ended
        time.sleep(0.05)


def _events(results: Path) -> list[dict[str, Any]]:
    """Whole lines of JSON; a student's code that writes into the file can only spoil its own."""
    found = []
    if not results.is_file():
        return []
    for line in results.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        if line.endswith("\n"):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and _is_one(event):
                found.append(event)
    return found


def _is_one(event: dict[str, Any]) -> bool:
    kinds = {"exercise": str | None, "status": str, "message": str, "seconds": float, "begin": str}
    kinds |= {"cell": int}
    wanted = {"exercise", "message", "seconds"} if "status" in event else set()
    wanted |= {"cell"} if "begin" in event else set()
    known = all(isinstance(event[key], kind) for key, kind in kinds.items() if key in event)
    return known and wanted <= set(event)


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        known = {int(of): of.name for of in signal.Signals}
        return f"signal {known.get(-code, -code)}"
    return f"exit code {code}"


def _variables() -> dict[str, str]:
    """As of a kernel with one thread, but for pictures, which nobody sees."""
    return environment(1) | {"MPLBACKEND": "agg", "PYTHONUNBUFFERED": "1"}


def _end(process: subprocess.Popen) -> None:
    """End the process and those that it has started."""
    if os.name == "posix":
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    else:
        process.kill()
    process.wait()
