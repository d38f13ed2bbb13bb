"""`medgen release`: the notebooks as students get them."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medgen_course import course
from medgen_course.classroom.edition import CODE_STUB, nbgrader_edition, student_edition
from medgen_course.files import check_place, write_text

CONFIG = f'''"""nbgrader for this course: stubs stay as they are, this line is put under them."""

c = get_config()  # noqa: F821
c.ClearSolutions.code_stub = {{"python": "{CODE_STUB}"}}
c.ExecutePreprocessor.timeout = 3600
'''


def release(
    out: Path,
    notebooks: Sequence[str] = (),
    nbgrader: bool = False,
    roster: Path | None = None,
    folder: Path | None = None,
) -> list[str]:
    """Write the students' edition.

    Args:
        out: a folder that is empty or not there.
        notebooks: numbers, names or files; none takes all.
        nbgrader: write `source/NAME/NAME.ipynb` with nbgrader's metadata, and its configuration.
        roster: a CSV file with a column `student` (or one column): each gets a folder, and a bug hunt of
            their own.
        folder: where the notebooks are; None takes the course's.
    Returns:
        A line for each notebook: name, exercises, points.
    Raises:
        ValueError: `out` holds something, the roster cannot be used, or both kinds of edition are wanted.
    """
    import nbformat

    if nbgrader and roster:
        raise ValueError(
            "nbgrader hands out one edition to all; give --nbgrader or --seed-by-student, not both."
        )
    check_place(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} is not an empty folder; name a new one, so that nothing is overwritten.")
    students = read_roster(roster) if roster else [None]
    told = []
    for lesson in course.select(course.find(folder), notebooks):
        whole = nbformat.read(lesson.path, as_version=4)
        for student in students:
            made, found = student_edition(whole, lesson.path.name, _seed(student))
            if nbgrader:
                made, place = nbgrader_edition(made, found), out / "source" / lesson.name
            else:
                place = out / student if student else out
            write_text(place / lesson.path.name, nbformat.writes(made) + "\n")
        told.append(f"{lesson.name}: {len(found)} exercises, {sum(task.points for task in found)} points")
    if nbgrader:
        write_text(out / "nbgrader_config.py", CONFIG)
    return told


def _seed(student: str | None) -> int | None:
    from medgen_course.exercises import hunts

    return None if student is None else hunts.seed_of(student)


def read_roster(path: Path) -> list[str]:
    """The students of a CSV file, in its order.

    Raises:
        ValueError: it is empty, has neither a column `student` nor only one, or a name is there twice or
            cannot be the name of a folder.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
        columns = list(rows[0]) if rows else []
    if not rows or ("student" not in columns and len(columns) != 1):
        raise ValueError(
            f"{path}: found columns {', '.join(map(str, columns)) or 'none'}; expected a first line with "
            "`student` and a line for each."
        )
    found = [(row["student" if "student" in columns else columns[0]] or "").strip() for row in rows]
    for name in found:
        if not re.fullmatch(r"[\w][\w.@+-]*", name):
            raise ValueError(
                f"{path}: {name!r} cannot name a folder; use letters, digits, and . _ - + @ between them."
            )
    if twice := sorted({name for name in found if found.count(name) > 1}):
        raise ValueError(f"{path}: {', '.join(twice)} stands there twice; give each student one line.")
    return found
