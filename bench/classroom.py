"""A class of 60 made-up submissions of one lesson, graded: seconds, and whether each fault stayed its own.

`python bench/classroom.py 10` takes another lesson than 00. 25 of the class are right, ten have changed
nothing, ten are wrong; the last fifteen are faults: each one spoils the first exercise or the file, and has
survived if its row gives a reason and the other exercises have their points.
"""

import copy
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from timing import machine

from medgen_course import classroom, course
from medgen_course.classroom.edition import student_edition
from medgen_course.classroom.tasks import checks

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "classroom"))

from class_of import solved
from faults import FAULTS

CLASS, SECONDS, MEMORY = {"right": 25, "empty": 10, "wrong": 10}, 60, 3
FILES = {"broken": '{"cells": [', "list": "[1, 2]"}


def class_of_60(lesson) -> dict[str, str | None]:
    """The file that each student hands in; None for nothing."""
    whole = nbformat.read(lesson.path, as_version=4)
    right, (empty, found) = solved(whole, lesson.path.name), student_edition(whole, lesson.path.name)
    asked = checks(empty.cells[found[0].check].source)[0].args[0].id

    def with_first(source: str) -> str:
        made = copy.deepcopy(right)
        made.cells[found[0].own[-1]].source = source
        return nbformat.writes(made)

    wrong = with_first(f"def {asked}(*given, **named):\n    return 0")
    ways = {"right": nbformat.writes(right), "empty": nbformat.writes(empty), "wrong": wrong}
    files = {f"{way}-{k:02}": ways[way] for way, number in CLASS.items() for k in range(number)}
    files |= {fault: with_first(source) for fault, source in FAULTS.items()}
    return files | {"renamed": ways["right"], "missing": None} | FILES


def main(number: str = "00") -> None:
    [lesson] = course.select(course.find(), [number])
    print(machine())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "in"
        for student, content in class_of_60(lesson).items():
            (folder / student).mkdir(parents=True)
            name = "mine (1).ipynb" if student == "renamed" else lesson.path.name
            if content is not None:
                (folder / student / name).write_text(content, encoding="utf-8")
        started = time.perf_counter()
        rows = classroom.grade(folder, Path(place) / "grades.csv", [number], seconds=SECONDS, memory=MEMORY)
        seconds = time.perf_counter() - started
    students: dict[str, list] = {}
    for row in rows:
        students.setdefault(row.student, []).append(row)
    number_of = len(students)
    print(f"\n{number_of} submissions of {lesson.name}: {seconds:.0f} s, {seconds / number_of:.1f} s each\n")
    print("| submission | points | the first exercise |\n|---|---|---|")
    for name, own in students.items():
        if name[-3:-2] == "-" and name[-2:] != "00":
            continue  # the same as the first of its kind
        why = (own[0].note or f"{own[0].verdict}: {own[0].message}").splitlines()[0][:90]
        print(f"| {name} | {sum(r.points for r in own)} of {sum(r.of for r in own)} | {why} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
