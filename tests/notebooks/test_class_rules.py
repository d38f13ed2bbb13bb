"""Every rule that a class relies on can be broken."""

import copy
import re

import pytest
from class_rules import broken_class_rules
from nbformat import read
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from test_notebooks import REPOSITORY, each_notebook

from medgen_course.course.hosted import INSTALL
from medgen_course.exercises import hunts
from medgen_course.exercises.quiz import quizzes


def code(source, *tags, **medgen):
    return new_code_cell(source, metadata={"tags": list(tags), **({"medgen": medgen} if medgen else {})})


def good():
    """A notebook 10 that a class can use."""
    hunt = hunts.with_mistakes("anomaly", hunts.pool("anomaly").own).cells[0]
    return new_notebook(
        cells=[
            new_markdown_cell("# 10 · A sample"),
            code(INSTALL, "install"),
            new_markdown_cell("## 1 · An idea"),
            *(code(f'exercises.quiz("10", "{name}")', "quiz") for name in quizzes("10")),
            new_markdown_cell("## 2 · Exercises\n\n### Exercise 1 · add (1 point)\n\nAdd."),
            code("exercises.check_add(add)", exercise="10.1", points=1),
            code("assert exercises.check_add(right).right", "solution"),
            new_markdown_cell("### Exercise 2 · bug hunt (3 points)\n\nFind."),
            code(hunt, exercise="10.2", points=3, hunt=["anomaly", 0]),
            code("exercises.check_anomaly_bug_hunt(my_detector)", check="10.2"),
            code("assert True", "solution"),
        ]
    )


def test_the_sample_keeps_every_rule_and_an_unnumbered_one_needs_none():
    assert broken_class_rules(good()) == []
    assert broken_class_rules(new_notebook(cells=[new_markdown_cell("# A sample")])) == []


def put(place, key, value):
    return lambda cells: cells[place].__setitem__(key, value)


ADD, HUNT = 9, 12
BREAKS = {
    "tagged install": put(1, "source", "print(1)"),
    "not numbered from 1: 3, 2": lambda cells: put(8, "source", "### Exercise 3 · add (1 point)")(cells),
    "no heading": lambda cells: [
        cell.update(source="x") for cell in cells[1:] if cell.cell_type == "markdown"
    ],
    "10.1: its stub cell": put(ADD, "metadata", {}),
    "does not say exercise and 4 points": put(8, "source", "### Exercise 1 · add (4 points)"),
    "10.1: no cell checks it": put(ADD, "source", "add"),
    "or none is tagged solution": put(10, "metadata", {}),
    "not the one of hunts/anomaly.py": put(HUNT, "source", "my_detector"),
    "each once and in its order": lambda cells: cells.__delitem__(3),
    "0 questions for 2 sections": lambda cells: cells.__delitem__(slice(3, 8)),
}


@pytest.mark.parametrize("expected", BREAKS)
def test_every_rule_can_be_broken(expected):
    made = copy.deepcopy(good())
    BREAKS[expected](made.cells)
    assert any(expected in line for line in broken_class_rules(made)), broken_class_rules(made)


@each_notebook
def test_the_table_for_teachers_has_the_exercises_and_points_of_the_notebooks(notebook):
    stubs = [cell.metadata.get("medgen", {}) for cell in read(notebook.path, as_version=4).cells]
    points = [about["points"] for about in stubs if "points" in about]
    text = (REPOSITORY / "docs" / "teaching.md").read_text(encoding="utf-8")
    rows = [
        re.split(r"\s*\|\s*", line) for line in text.splitlines() if line.startswith(f"| `{notebook.name}`")
    ]
    assert [row[5:7] for row in rows] == [[str(len(points)), str(sum(points))]]
