"""Submissions with every fault that was thought of: a row with a reason each, and the others unharmed."""

import copy
import csv
import json
import os
from urllib.parse import quote

import nbformat
import pytest
from faults import FAULTS
from small_lesson import NAME, RIGHT

from medgen_course import classroom
from medgen_course.classroom import grading
from medgen_course.classroom.edition import student_edition
from medgen_course.classroom.magics import plain
from medgen_course.classroom.program import program


def hand_in(folder, student, whole, name=NAME, **sources):
    """Write the edition with these cells; None leaves the student's folder empty."""
    made = copy.deepcopy(student_edition(whole, NAME)[0])
    for cell in made.cells:
        cell.source = (RIGHT | sources).get(cell.id, cell.source)
    (folder / student).mkdir(parents=True)
    nbformat.write(made, folder / student / name)
    return made


def graded(folder, tmp_path, lessons, **limits):
    rows = classroom.grade(folder, tmp_path / "grades.csv", lessons=lessons, **limits)
    return {(row.student, row.exercise): row for row in rows}


def test_faults_are_rows_and_the_other_exercise_still_counts(tmp_path, lessons, whole, capsys):
    folder = tmp_path / "in"
    for student, source in FAULTS.items():
        hand_in(folder, student, whole, stub1=source, stub2=f"print(2)\n{RIGHT['stub2']}")
    rows = graded(folder, tmp_path, lessons, seconds=10, memory=3)
    said = {student: rows[student, "90.1"].message for student in FAULTS}
    assert {rows[student, "90.1"].points for student in FAULTS} == {0}
    assert {rows[student, "90.2"].points for student in FAULTS} == {3}, said
    assert "did not end within 10 s" in said["endless"]
    assert "SystemExit" in said["exits"] and "exit code 3" in said["kills"]
    assert "File too large" in said["prints"]
    assert "MemoryError" in said["memory"]
    assert "SyntaxError" in said["syntax"] and "KeyError: 'where' (line 1" in said["raises"]
    assert "OSError: all gone" in said["empties"] and "ValueError: ?xxx" in said["text"]
    assert said["null"] and said["nested"]
    assert "11 students, 11 notebooks" in capsys.readouterr().out


def test_files_that_are_none_are_rows_too(tmp_path, lessons, whole):
    folder = tmp_path / "in"
    hand_in(folder, "right", whole)
    hand_in(folder, "renamed", whole, name="mine (1).ipynb")
    hand_in(folder, "empty", whole, **{cell.id: cell.source for cell in whole.cells if "stub" in cell.id})
    (folder / "missing").mkdir()
    (folder / "broken").mkdir()
    (folder / "broken" / NAME).write_text('{"cells": [')
    (folder / "list").mkdir()
    (folder / "list" / NAME).write_text("[1, 2]")
    for key, name in (("metadata", "tags"), ("id", "id")):
        odd = hand_in(folder, name, whole)
        odd.cells[0][key] = {"tags": 3} if key == "metadata" else ["x"]
        (folder / name / NAME).write_text(json.dumps(odd))
    rows = graded(folder, tmp_path, lessons)
    verdicts = {student: rows[student, "90.1"].verdict for student in sorted({key[0] for key in rows})}
    assert verdicts == {
        "broken": "broken",
        "empty": "not attempted",
        "id": "broken",
        "list": "broken",
        "missing": "missing",
        "renamed": "right",
        "right": "right",
        "tags": "broken",
    }
    assert rows["renamed", "90.1"].note == "renamed: found as mine (1).ipynb"
    with open(tmp_path / "grades.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 16 and sum(int(row["points"]) for row in table) == 8
    page = (tmp_path / "grades" / "index.html").read_text()
    assert all(f'href="{quote(student)}.html"' in page for student in verdicts)
    assert "secret" not in page + "".join(row.message for row in rows.values())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names, and links only for some users")
def test_names_that_are_no_text_and_links_to_nothing_are_rows_too(tmp_path, lessons, whole):
    folder = tmp_path / "in"
    hand_in(folder, os.fsdecode(b"M\xfcller"), whole)  # from an old archive
    (folder / "link").mkdir()
    (folder / "link" / NAME).symlink_to(tmp_path / "nothing")
    rows = graded(folder, tmp_path, lessons)
    assert rows["M?ller", "90.2"].points == 3 and rows["link", "90.1"].verdict == "broken"


@pytest.mark.skipif(os.name == "nt", reason="signals and pipes of POSIX")
def test_what_the_grader_itself_stumbled_over_is_a_row(tmp_path, lessons, whole, monkeypatch):
    folder = tmp_path / "in"
    for student, value in {"unhashable": "{[1]: 2}", "digits": "0x" + "f" * 20_000}.items():
        hand_in(folder, student, whole, parameters=f"seed = {value}")
    hand_in(folder, "signal", whole, stub1="import os\nos.kill(os.getpid(), 40)")
    hand_in(folder, "index", whole)
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / NAME)
    rows = graded(folder, tmp_path, lessons)
    harmed = ("unhashable", "digits", "signal", "index")
    points = {student: rows[student, "90.2"].points for student in harmed}
    assert set(points.values()) == {3}, points
    assert "signal 40" in rows["signal", "90.1"].message and rows["pipe", "90.1"].verdict == "broken"
    pages = {path.name for path in (tmp_path / "grades").glob("*.html")}
    names = ("index", "index-", "unhashable", "digits", "signal", "pipe")
    assert pages == {f"{name}.html" for name in names}
    assert "Results of the class" in (tmp_path / "grades" / "index.html").read_text()
    monkeypatch.setattr(grading, "program", None)  # any fault that nobody has thought of
    rows = graded(folder, tmp_path, lessons)
    assert {rows[student, "90.2"].verdict for student in points} == {"not graded"}


def test_magics_and_added_cells_cost_no_points(tmp_path, lessons, whole):
    folder = tmp_path / "in"
    stub = RIGHT["stub1"]
    hand_in(folder, "timed", whole, stub1=f"%%time\n{stub}")
    hand_in(folder, "lines", whole, stub1=f"!ls\n%matplotlib inline\n{stub}\n%time kept = my_score")
    made = hand_in(folder, "added", whole)
    for source in ("while True:\n    pass", "import os\nos._exit(1)"):
        made.cells.insert(5, nbformat.v4.new_code_cell(source))
    nbformat.write(made, folder / "added" / NAME)
    rows = graded(folder, tmp_path, lessons, seconds=5)
    assert {key: row.message for key, row in rows.items() if row.points != row.of} == {}


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("x = ('%d'\n% 3)", "x = ('%d'\n% 3)"),
        ("%%bash\nls", ""),
        ("%%time\ny = 1", "y = 1"),
        ("%time y = f(2)", "y = f(2)\n"),
        ("def f(:", "def f(:"),
    ],
)
def test_python_stays_and_magics_go(source, made):
    assert plain(source) == made


def test_a_check_that_was_tampered_with_is_the_courses(tmp_path, lessons, whole):
    folder = tmp_path / "in"
    cheat = "exercises.check_spot_score = exercises.check_volume_threshold\nmy_score = lambda maps: maps"
    hand_in(folder, "cheat", whole, stub1=cheat, helper="def mean_of(x):\n    raise ValueError")
    uses_helper = RIGHT["stub1"].replace("top.mean((1, 2))", "mean_of(top)")
    hand_in(folder, "uses", whole, stub1=uses_helper, helper="mean_of = None")
    rows = graded(folder, tmp_path, lessons)
    assert rows["cheat", "90.1"].points == 0 and rows["cheat", "90.2"].points == 3
    assert rows["uses", "90.1"].points == 1, "cells of the course are the course's"


def test_what_nobody_needs_is_not_run_and_added_cells_are(whole):
    edition, found = student_edition(whole, NAME)
    submitted = copy.deepcopy(edition)
    submitted.cells.insert(6, nbformat.v4.new_code_cell("def own_helper():\n    return 1"))
    parameters = next(cell for cell in submitted.cells if cell.id == "parameters")
    parameters.source = "seed = 7\nother = 1"
    sources = [cell["source"] for cell in program(edition, found, submitted)]
    assert not any("nobody needs" in source for source in sources)
    assert any("own_helper" in source for source in sources)
    using = copy.deepcopy(submitted)
    stub = next(cell for cell in using.cells if cell.id == "stub1")
    stub.source = "def my_score(maps):\n    return mean_of(maps) * seed"
    needed = [cell["source"] for cell in program(edition, found, using)]
    assert any(source.endswith("seed = 7") for source in needed) and any("mean_of(x):" in s for s in needed)
    for cell in using.cells:
        cell.id = f"new-{cell.id}"  # a tool that renames all cells
    assert next(c["source"] for c in program(edition, found, using) if c["kind"] == "student") == stub.source


def test_a_spreadsheet_computes_nothing_of_the_table():
    assert grading._no_formula("=1+1") == "'=1+1" and grading._no_formula("- two hints") == "'- two hints"
    assert grading._no_formula("right") == "right" and grading._no_formula(3) == 3


def test_what_is_known_is_not_run_again(tmp_path, lessons, whole, monkeypatch):
    folder = tmp_path / "in"
    hand_in(folder, "ann", whole)
    first = graded(folder, tmp_path, lessons)
    monkeypatch.setattr(grading, "attempt", None)  # nothing is run from here on
    assert graded(folder, tmp_path, lessons) == first


def test_a_folder_without_submissions_is_refused(tmp_path, lessons):
    for make, told in ((False, "no such folder"), (True, "no folders")):
        if make:
            (tmp_path / "in").mkdir()
        with pytest.raises(ValueError, match=told):
            classroom.grade(tmp_path / "in", tmp_path / "grades.csv", lessons=lessons)
    (tmp_path / "in" / "ann").mkdir()
    with pytest.raises(ValueError, match="no notebook of the course"):
        classroom.grade(tmp_path / "in", tmp_path / "grades.csv", lessons=lessons)
    with pytest.raises(ValueError, match="above 0"):
        classroom.grade(tmp_path / "in", tmp_path / "grades.csv", seconds=0, lessons=lessons)
