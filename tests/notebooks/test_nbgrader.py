"""One round of nbgrader: release, three submissions, marks, feedback. It has an environment of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from small_lesson import NAME, RIGHT, lesson

from medgen_course import classroom, course
from medgen_course.classroom.edition import CODE_STUB

REPOSITORY = Path(__file__).parents[2]
VERSION = "0.9.6"
BIN, EXE = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")
NAME_OF_IT = NAME.removesuffix(".ipynb")
STUDENTS = ("empty", "right", "wrong")
WRONG = {"stub2": "def my_threshold(healthy_scores, share):\n    return healthy_scores.max()"}
VALIDATE = """\
import sys
from nbgrader import nbgraderformat
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        nbgraderformat.read(file, as_version=4)
    print(path)"""
GENERATE = """\
import os, sys
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config
config = Config()
config.ClearSolutions.code_stub = {"python": sys.argv[1]}
config.CourseDirectory.root = os.getcwd()
api = NbGraderAPI(config=config)
for name in sys.argv[2:]:
    done = api.generate_assignment(name)
    if not done["success"]:
        sys.exit(done["error"] + done["log"])"""
SCORES = """\
import json, sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    found = {student: {grade.name: [grade.auto_score, grade.max_score, grade.needs_manual_grade]
                       for grade in book.find_submission_notebook(sys.argv[1], sys.argv[1], student).grades}
             for student in sys.argv[2:]}
print(json.dumps(found))"""


def call(*command, **more):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python():
    """The Python of nbgrader's environment, made once in build/; never the course's own."""
    place = REPOSITORY / "build" / "nbgrader"
    python = place / BIN / f"python{EXE}"
    ask = [python, "-c", "from importlib.metadata import version; print(version('nbgrader'))"]
    if python.is_file():
        done = subprocess.run(ask, capture_output=True, text=True, check=False)
        if done.stdout.strip() == VERSION:
            return python
    call(sys.executable, "-m", "venv", "--clear", place)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--retries", "1", "install", "--quiet"]
    done = subprocess.run([*pip, f"nbgrader=={VERSION}"], capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(place)
        why = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), "pip failed")
        pytest.skip(f"nbgrader {VERSION} could not be installed ({why})")
    return python


@pytest.fixture(scope="module")
def nbgrader(python, tmp_path_factory):
    """A function: words -> what `nbgrader`, or a script in its environment, prints, in a new class's folder.

    The kernel `python3` is the course's Python.
    """
    place = tmp_path_factory.mktemp("nbgrader")
    kernel = place / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": start, "display_name": "Python 3", "language": "python"}))
    variables = os.environ | {"JUPYTER_PATH": str(kernel.parents[2]), "OMP_NUM_THREADS": "1"}
    variables["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"  # it calls alembic by name
    hers = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    variables |= {name: str(place / name.lower()) for name in hers}

    def run(*words, script=None):
        command = [python, "-c", script] if script else [python, "-m", "nbgrader"]
        return call(*command, *words, cwd=place / "class", env=variables)

    run.folder = place / "class"
    return run


@pytest.fixture(scope="module")
def handed_out(nbgrader, tmp_path_factory):
    """The small lesson as students get it, after generate_assignment."""
    lessons = tmp_path_factory.mktemp("lessons")
    nbformat.write(lesson(), lessons / NAME)
    classroom.release(nbgrader.folder, nbgrader=True, folder=lessons)
    nbgrader("generate_assignment", NAME_OF_IT)
    return nbformat.read(nbgrader.folder / "release" / NAME_OF_IT / NAME, as_version=4)


def test_stubs_stay_as_they_are(handed_out):
    whole = {cell.id: cell.source for cell in lesson().cells}
    for key in ("stub1", "stub2"):
        [cell] = (cell for cell in handed_out.cells if cell.id == key)
        stub = whole[key].split("exercises.check_")[0].rstrip()
        assert cell.source == f"{stub}\n\n{CODE_STUB}"
    assert "SOLUTION" not in nbformat.writes(handed_out) and "secret" not in nbformat.writes(handed_out)


def test_a_round_gives_the_points_that_each_deserves(nbgrader, handed_out):
    answers = {"empty": {}, "right": RIGHT, "wrong": RIGHT | WRONG}
    for student, sources in answers.items():
        made = nbformat.from_dict(handed_out)
        before = {cell.id: cell.source for cell in made.cells}
        for cell in made.cells:
            cell.source = sources.get(cell.id, before[cell.id])
        place = nbgrader.folder / "submitted" / student / NAME_OF_IT / NAME
        place.parent.mkdir(parents=True)
        nbformat.write(made, place)
        for cell in made.cells:
            cell.source = before[cell.id]
    nbgrader("autograde", NAME_OF_IT)
    nbgrader("generate_feedback", NAME_OF_IT)
    scores = json.loads(nbgrader(NAME_OF_IT, *STUDENTS, script=SCORES))
    names = ("exercise-90-1-check", "exercise-90-2-check")
    assert scores == {
        student: dict(zip(names, ([one, 1, False], [two, 3, False]), strict=True))
        for student, one, two in (("empty", 0, 0), ("right", 1, 3), ("wrong", 1, 0))
    }
    pages = {
        student: (nbgrader.folder / "feedback" / student / NAME_OF_IT / NAME).with_suffix(".html").read_text()
        for student in STUDENTS
    }
    assert "Score: 4.0 / 4.0" in pages["right"] and "Score: 1.0 / 4.0" in pages["wrong"]
    assert "not attempted" in pages["empty"] and "AssertionError" in pages["wrong"]


def test_every_lesson_is_accepted(nbgrader, tmp_path):
    """By nbgrader's schema as it is written, and by generate_assignment as it is handed out."""
    names = [notebook.name for notebook in course.find()]
    classroom.release(tmp_path / "all", nbgrader=True)
    paths = [tmp_path / "all" / "source" / name / f"{name}.ipynb" for name in names]
    shutil.copytree(tmp_path / "all" / "source", nbgrader.folder / "source", dirs_exist_ok=True)
    assert nbgrader(*paths, script=VALIDATE).splitlines() == [str(path) for path in paths]
    nbgrader(CODE_STUB, *names, script=GENERATE)
    released = [nbgrader.folder / "release" / name / f"{name}.ipynb" for name in names]
    assert nbgrader(*released, script=VALIDATE).splitlines() == [str(path) for path in released]
