"""What is committed: every notebook keeps the rules, and every rule can be broken."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from rules import broken_rules
from samples import notebook as sample
from samples import save
from test_notebooks import each_notebook

from medgen_course import course
from medgen_course.course import stored
from medgen_course.course.notebooks import SOURCE_MIME, CourseError, Result


@each_notebook
def test_committed_notebook_keeps_the_rules(notebook):
    assert broken_rules(nbformat.read(notebook.path, as_version=4)) == []


def good():
    """A notebook that keeps every rule."""
    made = sample("show()", "# NBVAL_CHECK_OUTPUT\nprint(1)")
    made.cells.insert(1, new_code_cell("from medgen_course import plots\nplots.use_style()"))
    source = {"name": "pneumoniamnist", "source": "a file", "notice": ""}
    figure = {"image/png": "aGVsbG8=", "text/plain": "a figure", SOURCE_MIME: source}
    alt = {"image/png": {"alt": "what it shows"}}
    made.cells[3].outputs = [new_output("display_data", figure, metadata=alt)]
    made.cells[4].outputs = [new_output("stream", text="1\n")]
    for number, cell in enumerate(made.cells[1:], 1):
        cell.execution_count = number
    made.metadata["medgen"]["executed_source"] = stored.source_hash(made)
    return made


def test_the_good_sample_keeps_every_rule():
    assert broken_rules(good()) == []


def _set(path, value):
    def change(made):
        *way, last = path
        for key in way:
            made = made[key]
        made[last] = value

    return change


CODE = ("cells", 3)
BREAKS = {
    "title": _set(("cells", 0, "source"), "no title"),
    "lacks": _set(("metadata", "medgen"), {}),
    "kernelspec": _set(("metadata", "kernelspec", "name"), "python2"),
    "tagged parameters": _set(("cells", 2, "metadata"), {}),
    "without a comment": _set(("cells", 2, "source"), 'dataset: str = "pneumoniamnist"  # x\nseed: int = 0'),
    "not `name: type": _set(("cells", 2, "source"), "seed: int = 1 + 1  # two"),
    "unknown parameters": _set(("metadata", "medgen", "quick"), {"nope": 1}),
    "use_style": _set(("cells", 1, "source"), "import os"),
    "16 lines": _set((*CODE, "source"), "\n".join("abcdefghijklmnop")),
    "nothing stored to compare": _set(("cells", 4, "outputs"), []),
    "no cell is marked": _set(("cells", 4, "source"), "print(1)"),
    "hides errors": _set((*CODE, "metadata", "tags"), ["raises-exception"]),
    "at most 1 MB": _set((*CODE, "outputs", 0, "data", "image/png"), "A" * 1_000_000),
    "widget state": _set(("metadata", "widgets"), {}),
    "papermill's notes": _set((*CODE, "metadata", "papermill"), {}),
    "path of one machine": _set(("cells", 4, "outputs", 0, "text"), "/home/someone/file.npz"),
    "top to bottom": _set((*CODE, "execution_count"), None),
    "an error is stored": _set((*CODE, "outputs"), [new_output("error", ename="E", evalue="", traceback=[])]),
    "on real images": _set((*CODE, "outputs", 0, "data", SOURCE_MIME, "notice"), "the phantom"),
    "no alternative text": _set((*CODE, "outputs", 0, "metadata"), {}),
    "no figure": _set((*CODE, "outputs", 0, "data", "image/png"), None),
    "do not belong to the code": _set((*CODE, "source"), "show(2)"),
}


@pytest.mark.parametrize("expected", BREAKS)
def test_every_rule_can_be_broken(expected):
    made = copy.deepcopy(good())
    BREAKS[expected](made)
    if expected == "no figure":
        del made.cells[3].outputs[0].data["image/png"]
    assert any(expected in line for line in broken_rules(made))


def sections(early, late="x = data.test", heading="## The test split, read once", tags=()):
    """Two sections with a cell each, and an exercise after them."""
    cells = [new_markdown_cell("## Look"), new_code_cell(early, metadata={"tags": list(tags)})]
    cells += [new_markdown_cell(heading), new_code_cell(late)]
    made = copy.deepcopy(good())
    made.cells += [*cells, new_markdown_cell("## Exercises"), new_code_cell("y = data.val")]
    return [line for line in broken_rules(made) if "test split" in line]


def test_only_the_last_section_that_reads_the_test_split_may_and_it_says_so():
    assert sections("x = data.val") == [] == sections("x = 1", "x = 2", "## No test here")
    for early in ("x = data.test.images", "f(d, 'test')", "f(d, split='test')", "x = file.test_images"):
        assert len(sections(early)) == 1 and early in sections(early)[0]
        assert sections(early, tags=["audit"]) == []
    assert "does not say" in sections("x = 1", heading="## At last")[0]


WIDGET = "import ipywidgets\nipywidgets.IntSlider(description='level')"
SHOW = f"""\
from IPython.display import display
display({{"text/plain": "x", "{SOURCE_MIME}": {{"name": "x", "source": "y", "notice": NOTICE}}}}, raw=True)"""


def test_storing_cleans_and_marks_a_notebook(tmp_path):
    where = "import sys, os\nprint(sys.prefix, os.path.expanduser('~'))"
    notebook = save(tmp_path, "00_a", WIDGET, where, SHOW.replace("NOTICE", "''"))
    phantom = save(tmp_path, "01_b", SHOW.replace("NOTICE", "'the phantom'"))
    before = phantom.path.read_bytes()
    left = course.refresh((), tmp_path / "out", tmp_path)
    assert left == ["01_b.ipynb was not stored, because it ran without its images: the phantom"]
    assert phantom.path.read_bytes() == before
    text = notebook.path.read_text(encoding="utf-8")
    kept = nbformat.reads(text, as_version=4)
    assert kept.metadata["medgen"]["executed_source"] == stored.source_hash(kept)
    assert kept.metadata["medgen"]["title"] == "A sample"
    assert "widgets" not in kept.metadata and "papermill" not in text and "view+json" not in text
    assert kept.cells[3].outputs[0].text == "(python) ~\n"
    assert "An explorer stands here" in kept.cells[2].outputs[0]["data"]["text/plain"]
    broken = broken_rules(kept)
    assert not any("stored" in line for line in broken if "figure" not in line)


@pytest.mark.parametrize(
    ("errors", "notices", "expected"),
    [
        (("broken",), (), "failed and was not stored: broken"),
        ((), ("phantom",), "without its images: phantom"),
    ],
)
def test_what_failed_or_ran_on_the_phantom_is_not_stored(tmp_path, errors, notices, expected):
    notebook = save(tmp_path, "00_a")
    before = notebook.path.read_bytes()
    with pytest.raises(CourseError, match=expected):
        stored.store(Result(notebook, 1.0, errors, (), notices), tmp_path)
    assert notebook.path.read_bytes() == before
