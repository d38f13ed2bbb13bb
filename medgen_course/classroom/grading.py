"""`medgen grade`: every submission run by itself, a table and pages of what came out."""

import hashlib
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medgen_course import course
from medgen_course.classroom import submissions
from medgen_course.classroom.attempt import attempt, writable
from medgen_course.classroom.edition import student_edition
from medgen_course.classroom.program import program
from medgen_course.classroom.report import write_pages
from medgen_course.classroom.tasks import Task
from medgen_course.course.kernel import cores
from medgen_course.files import check_place, write_csv, write_json

RIGHT = "right"


@dataclass(frozen=True)
class Row:
    """One exercise of one student: a line of the table."""

    student: str
    notebook: str
    exercise: str
    title: str
    verdict: str
    points: int
    of: int
    seconds: float
    message: str
    note: str


def grade(
    folder: Path,
    out: Path,
    notebooks: Sequence[str] = (),
    seconds: float = 600.0,
    memory: float = 4.0,
    jobs: int | None = None,
    lessons: Path | None = None,
) -> list[Row]:
    """Grade a folder of submissions.

    Each lesson of each student runs in a process of its own, with limits of time, memory and output. This
    keeps honest mistakes from harming the others. It is no sandbox against malice.

    Args:
        folder: a folder for each student.
        out: the table, a CSV file; beside it, in a folder named like it, go the pages (index.html) and what
            is known already, so that an interrupted run goes on and an unchanged submission is not run again.
        notebooks: lessons to grade; none takes those that at least one student has handed in.
        seconds: wall-clock that an exercise may take, with the cells that it needs.
        memory: GB that a process may take.
        jobs: submissions at a time; None takes one for each core.
        lessons: where the course's notebooks are; None takes the course's own.
    Returns:
        The rows of the table.
    Raises:
        ValueError: no submissions, no such lesson, or a limit that is not above zero.
    """
    import nbformat

    if seconds <= 0 or memory <= 0 or (jobs is not None and jobs < 1):
        raise ValueError(f"seconds {seconds}, memory {memory}, jobs {jobs}: each must be above 0.")
    check_place(out)
    students = submissions.students(folder)
    chosen = course.select(course.find(lessons), notebooks)
    editions = {}
    for lesson in chosen:
        whole = nbformat.read(lesson.path, as_version=4)
        editions[lesson.name] = student_edition(whole, lesson.path.name)
    known = {name: edition for name, (edition, _) in editions.items()}
    found = [submissions.find(folder, student, known) for student in students]
    if not notebooks:
        handed_in = {s.lesson for of_student in found for s in of_student if s.path}
        if not handed_in:
            raise ValueError(
                f"{folder}: no notebook of the course in any folder of {len(students)} students."
            )
        found = [[s for s in of_student if s.lesson in handed_in] for of_student in found]
    todo = [s for of_student in found for s in of_student]
    place = out.with_suffix("")
    started, rows = time.perf_counter(), []
    with ThreadPoolExecutor(jobs or cores()) as pool:
        graded = [pool.submit(_grade, s, *editions[s.lesson], seconds, memory, place) for s in todo]
        try:
            for number, (submission, future) in enumerate(zip(todo, graded, strict=True), 1):
                rows += (new := future.result())
                told = f"{sum(row.points for row in new)} of {sum(row.of for row in new)} points"
                note = f"  ({new[0].note})" if new[0].note else ""
                who = f"{new[0].student}  {submission.lesson}"
                print(f"[{number}/{len(todo)}] {who}  {told}{note}", flush=True)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    write_csv(out, [{key: _no_formula(value) for key, value in asdict(row).items()} for row in rows])
    write_pages(rows, place)
    print(f"{len(students)} students, {len(todo)} notebooks, {time.perf_counter() - started:.0f} s.")
    return rows


def _grade(
    submission: submissions.Submission,
    edition: Any,
    found: list[Task],
    seconds: float,
    memory: float,
    place: Path,
) -> list[Row]:
    """The rows of one submission: run, or as they were found before."""
    if submission.notebook is None:
        nothing = {"status": submission.note.split(":")[0], "message": submission.note, "seconds": 0.0}
        return [_row(submission, task, nothing) for task in found]
    try:
        verdicts = _verdicts(submission, edition, found, seconds, memory, place)
    except Exception as error:  # whatever else is odd about one submission, the class is graded
        told = f"the grader failed on it ({type(error).__name__}: {str(error)[:200]}); grade it by hand"
        verdicts = {task.number: {"status": "not graded", "message": told, "seconds": 0.0} for task in found}
    return [_row(submission, task, verdicts[task.number]) for task in found]


def _verdicts(
    submission: submissions.Submission,
    edition: Any,
    found: list[Task],
    seconds: float,
    memory: float,
    place: Path,
) -> dict[str, Any]:
    """The verdict of each exercise: found by running, or before."""
    cells = program(edition, found, submission.notebook)
    settings = json.dumps([cells, seconds, memory])
    key = hashlib.sha256(settings.encode()).hexdigest()
    kept = place / "known" / submission.student / f"{submission.lesson}.json"
    before = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    if before.get("key") != key:
        before = {"key": key, "verdicts": attempt(cells, seconds, int(memory * 1e9))}
        write_json(kept, before)
    return before["verdicts"]


def _no_formula(value: Any) -> Any:
    """A text that a spreadsheet would compute, as a text that it shows."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _row(submission: submissions.Submission, task: Task, verdict: dict[str, Any]) -> Row:
    return Row(
        writable(submission.student),
        submission.lesson,
        task.number,
        task.title,
        verdict["status"],
        task.points if verdict["status"] == RIGHT else 0,
        task.points,
        round(verdict["seconds"], 1),
        writable(verdict["message"]),
        writable(submission.note),
    )
