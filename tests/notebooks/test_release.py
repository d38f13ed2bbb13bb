"""What students get of the course's own notebooks: no line of a solution, and it runs."""

import json

import nbformat
import pytest

from medgen_course import classroom, course
from medgen_course.classroom.tasks import is_solution, tasks

LESSONS = course.find()
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


def lines(cells):
    """Lines of code that say something: no blank ones, no single words."""
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return {line.strip() for line in code.splitlines() if len(line.split()) > 1}


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    """The whole course, released."""
    out = tmp_path_factory.mktemp("release") / "student"
    classroom.release(out)
    return out


def secrets(lesson):
    """Lines of a lesson that only its solutions have."""
    whole = nbformat.read(lesson.path, as_version=4).cells
    found = lines(filter(is_solution, whole)) - lines(cell for cell in whole if not is_solution(cell))
    assert len(found) > 5
    return found


@each_lesson
def test_no_line_of_a_solution_is_handed_out(lesson, student):
    handed_out = nbformat.read(student / lesson.path.name, as_version=4)
    assert not secrets(lesson) & lines(handed_out.cells)
    assert not any(map(is_solution, handed_out.cells))


def test_a_released_notebook_runs_and_every_stub_says_so(student, tmp_path):
    [lesson] = (found for found in LESSONS if found.name.startswith("00"))
    result = course.execute(course.read(student / lesson.path.name), tmp_path, "quick", "phantom")
    assert result.errors == ()
    executed = nbformat.read(tmp_path / lesson.path.name, as_version=4)
    found = tasks(executed, "00")
    assert found
    for task in found:
        assert "not attempted" in str(executed.cells[task.check].outputs), task.number
    text = (tmp_path / lesson.path.name).read_text(encoding="utf-8")
    assert not [line for line in secrets(lesson) if json.dumps(line, ensure_ascii=False)[1:-1] in text]
