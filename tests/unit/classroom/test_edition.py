"""What students get: no solution, nothing that needs one, all else as it was."""

import csv

import nbformat
import pytest
from small_lesson import NAME

from medgen_course import classroom
from medgen_course.classroom.edition import nbgrader_edition, student_edition
from medgen_course.classroom.names import names
from medgen_course.classroom.release import read_roster


def test_names_are_read_from_functions_and_comprehensions_too():
    of = names(
        "import a.b as c\n\ndef f(x):\n    return x + later\n\nd = [k * far for k in near]\nfit(net, d)"
    )
    assert of.bound == {"c", "f", "d"}
    assert {"later", "far", "near", "net", "fit", "d"} <= of.used and not {"x", "k"} & of.used
    assert of.changed == {"net", "d"}
    assert names("def f(:").bound == frozenset()


def test_an_edition_has_no_solution_nor_what_needs_one_and_all_else(whole):
    made, found = student_edition(whole, NAME)
    kept = [cell.id for cell in made.cells]
    assert [cell.id for cell in whole.cells if cell.id not in kept] == ["solution1", "after", "solution2"]
    before = {cell.id: cell.source for cell in whole.cells}
    assert all(cell.source == before[cell.id] for cell in made.cells)
    assert "secret" not in nbformat.writes(made) and "secret" in nbformat.writes(whole)
    assert [(task.number, task.points) for task in found] == [("90.1", 1), ("90.2", 3)]
    marked = [cell.metadata["medgen"]["exercise"] for cell in made.cells if "medgen" in cell.metadata]
    assert marked == ["90.1", "90.2"]


def test_stub_and_check_are_apart_for_nbgrader(whole):
    made = nbgrader_edition(*student_edition(whole, NAME))
    about = [cell.metadata["nbgrader"] for cell in made.cells if "nbgrader" in cell.metadata]
    assert [(a["solution"], a["grade"], a["locked"], a.get("points")) for a in about] == [
        (True, False, False, None),
        (False, True, True, 1),
        (True, False, False, None),
        (False, True, True, 3),
    ]
    assert len({a["grade_id"] for a in about}) == 4
    source = {
        cell.metadata["nbgrader"]["grade_id"]: cell.source
        for cell in made.cells
        if "nbgrader" in cell.metadata
    }
    assert "exercises.check" not in source["exercise-90-1-0"]
    assert source["exercise-90-1-check"].splitlines() == [
        "verdict = exercises.check_spot_score(my_score)",
        "assert verdict.right, str(verdict)",
    ]


def test_release_writes_only_into_an_empty_folder(lessons, tmp_path):
    out = tmp_path / "student"
    assert classroom.release(out, folder=lessons) == ["90_small: 2 exercises, 4 points"]
    stored = (out / NAME).read_bytes()
    with pytest.raises(ValueError, match="not an empty folder"):
        classroom.release(out, folder=lessons)
    assert (out / NAME).read_bytes() == stored
    classroom.release(tmp_path / "graded", nbgrader=True, folder=lessons)
    assert (tmp_path / "graded" / "source" / "90_small" / NAME).is_file()
    assert "code_stub" in (tmp_path / "graded" / "nbgrader_config.py").read_text()


def roster(path, *names, head="student"):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([[head], *([name] for name in names)])
    return path


@pytest.mark.parametrize(
    ("names", "head", "told"),
    [
        ((), "student", "expected a first line"),
        (("ann", "ann"), "student", "twice"),
        (("../ann",), "student", "cannot name a folder"),
        (("",), "student", "cannot name a folder"),
    ],
)
def test_a_roster_that_cannot_be_used_is_refused(tmp_path, names, head, told):
    with pytest.raises(ValueError, match=told):
        read_roster(roster(tmp_path / "roster.csv", *names, head=head))


def test_each_student_gets_a_hunt_that_the_name_decides(tmp_path):
    names = [f"s{i}" for i in range(6)]
    path = roster(tmp_path / "roster.csv", *names)
    classroom.release(tmp_path / "a", ["10"], roster=path)
    classroom.release(tmp_path / "b", ["10"], roster=path)

    def hunt(folder, name):
        cells = nbformat.read(tmp_path / folder / name / "10_anomaly.ipynb", 4).cells
        return [c.source for c in cells if c.metadata.get("medgen", {}).get("hunt")]

    assert all(hunt("a", name) == hunt("b", name) != [] for name in names)
    assert len({tuple(hunt("a", name)) for name in names}) >= 3
    with pytest.raises(ValueError, match="not both"):
        classroom.release(tmp_path / "c", ["10"], nbgrader=True, roster=path)
