import json
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from medgen_course import course, home
from medgen_course.course import page as pages
from medgen_course.course import stored
from medgen_course.course.errors import hidden_errors
from medgen_course.course.notebooks import CourseError, Notebook, Result


def write(folder, name, **about):
    content = {"cells": [], "metadata": {"medgen": about}, "nbformat": 4, "nbformat_minor": 5}
    (folder / f"{name}.ipynb").write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "00_data", title="Data", budget_s=60)
    write(tmp_path, "01_autoencoder", quick={"num_epochs": 1})
    write(tmp_path, "scratch")
    return tmp_path


def test_find_reads_numbered_notebooks_in_order(folder):
    first, second = course.find(folder)
    assert (first.name, first.title, first.budget_s, first.quick) == ("00_data", "Data", 60, {})
    assert (second.name, second.title, second.budget_s) == ("01_autoencoder", "01_autoencoder", None)
    assert second.quick == {"num_epochs": 1}


@pytest.mark.parametrize("word", ["1", "01", "autoencoder", "01_autoencoder", "course/01_autoencoder.ipynb"])
def test_select_by_number_name_or_file(folder, word):
    assert [notebook.name for notebook in course.select(course.find(folder), [word])] == ["01_autoencoder"]


def test_select_takes_a_notebook_of_ones_own_and_no_notebook_twice(folder):
    own = str(folder / "scratch.ipynb")
    chosen = course.select(course.find(folder), ["0", own, "data"])
    assert [notebook.name for notebook in chosen] == ["00_data", "scratch"]


def test_mistakes_name_what_is_there(folder, tmp_path):
    with pytest.raises(CourseError, match="no notebook '07'; there are 00_data, 01_autoencoder"):
        course.select(course.find(folder), ["07"])
    with pytest.raises(CourseError, match=r"README\.md"):
        course.find(tmp_path / "elsewhere")
    with pytest.raises(CourseError, match="choose standard or quick"):
        course.run(profile="fast", folder=folder)
    (folder / "02_broken.ipynb").write_text("{")
    with pytest.raises(CourseError, match=r"02_broken\.ipynb: expected a Jupyter notebook"):
        course.find(folder)


def test_a_file_of_images_is_named_in_full_because_a_kernel_works_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cell = new_code_cell('dataset: str = "phantom"  # images', metadata={"tags": ["parameters"]})
    made = new_notebook(cells=[cell], metadata={"kernelspec": stored.KERNELSPEC})
    (tmp_path / "00_a.ipynb").write_text(json.dumps(made), encoding="utf-8")
    [notebook] = course.find(tmp_path)
    assert course.parameters(notebook, dataset="mine.npz") == {"dataset": "mine.npz"}  # there is none
    (tmp_path / "mine.npz").touch()
    assert course.parameters(notebook, dataset="mine.npz") == {"dataset": str(tmp_path / "mine.npz")}
    assert course.parameters(notebook, dataset="breastmnist") == {"dataset": "breastmnist"}


def test_notebooks_come_from_the_package_where_there_is_no_checkout_and_stay_as_they_are(
    tmp_path, monkeypatch
):
    package = tmp_path / "medgen_course"
    monkeypatch.setattr(home, "PACKAGE", package)
    (package / "shipped" / "notebooks").mkdir(parents=True)
    write(package / "shipped" / "notebooks", "00_data")
    assert [notebook.path for notebook in course.find()] == [package / "shipped/notebooks/00_data.ipynb"]
    with pytest.raises(CourseError, match="belongs to the installed package"):
        course.refresh(out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def result(name="00_data", seconds=30.0, budget_s=60, **more):
    return Result(Notebook(Path(f"{name}.ipynb"), name, budget_s), seconds, **more)


def test_a_slow_machine_is_no_status():
    assert result().status == result(seconds=61).status == result(budget_s=None).status == "ok"
    assert result(errors=("x",)).status == "failed"


def test_table_shows_every_notebook_error_and_notice_once():
    results = [
        result(sources=("pneumoniamnist: a file",)),
        result("01_autoencoder", 7.25, None, errors=("cell [3]: NameError: x",), notices=("NOTREAL " * 20,)),
        result("02_vae", notices=("NOTREAL " * 20,)),
    ]
    text = pages.table(results)
    lines = text.splitlines()
    assert len({line.index(word) for line, word in zip(lines[2:5], ["pneumo", "-", "-"], strict=True)}) <= 2
    assert lines[2].split() == ["00_data", "30.0", "ok", "pneumoniamnist:", "a", "file"]
    assert lines[3].split() == ["01_autoencoder", "7.2", "failed", "-"]
    assert "01_autoencoder: cell [3]: NameError: x" in lines
    assert text.count("NOTREAL") == 20
    assert max(map(len, lines[6:])) == 80


def test_index_escapes_what_it_shows(tmp_path):
    page = pages.write_index(
        [result(errors=("<b>",), sources=("a & b",), notices=("<i>",))], tmp_path, "quick"
    )
    text = page.read_text(encoding="utf-8")
    assert "failed; &lt;b&gt;" in text and "a &amp; b" in text and "&lt;i&gt;</p>" in text
    assert "Profile quick" in text and "http" not in text and "udget" not in text


@pytest.mark.parametrize(
    ("markdown", "count"),
    [
        ("$x$ and $\\mu_i$", 2),
        ("$$\n\\sum_i x_i^2\n$$", 1),
        ("5 $ or 6 $, US$3 and A$4", 0),
        ("`$x$` and ```\n$y$\n``` but $z$", 1),
        (r"\$5 and \$6", 0),
    ],
)
def test_equations_become_mathml_outside_code(markdown, count):
    equations = []
    marked = pages.set_aside_equations(markdown, equations)
    assert len(equations) == count
    assert all(mathml.startswith("<math") for mathml in equations)
    page = pages.put_back_equations(f'<h1 id="{marked}">{marked}</h1>' if count else marked, equations)
    assert page.count("<math") == count
    assert "MEDGENMATH" not in page


def code_cell(**changes):
    cell = {"cell_type": "code", "source": "f()", "execution_count": 1, "metadata": {}, "outputs": []}
    return {**cell, **changes}


def executed(*cells, outputs=()):
    made = new_notebook()
    made = type(made)({**made, "cells": [type(made)(cell) for cell in cells]})
    state = {"1": {"model_name": "OutputModel", "state": {"outputs": list(outputs)}}}
    made.metadata = {"widgets": {"application/vnd.jupyter.widget-state+json": {"state": state}}}
    return made


def test_hidden_errors_are_found_and_nothing_else():
    fine = code_cell(outputs=[new_output("stream", name="stderr", text="a warning")])
    assert hidden_errors(executed(fine, code_cell(source=" ", execution_count=None))) == []
    thread = new_output("stream", name="stderr", text="Exception in thread T:\n  f()\nKeyError: 3\n")
    assert hidden_errors(executed(code_cell(outputs=[thread]))) == ["cell 0, in a thread: KeyError: 3"]
    assert hidden_errors(executed(code_cell(execution_count=None))) == ["cell 0 was never executed: f()"]
    caught = {"output_type": "error", "ename": "ValueError", "evalue": "no"}
    assert hidden_errors(executed(outputs=[caught])) == ["inside a widget: ValueError: no"]


def test_source_hash_depends_on_code_alone():
    base = executed(code_cell(), {"cell_type": "markdown", "source": "a", "metadata": {}})
    other_text = executed(code_cell(outputs=[1]), {"cell_type": "markdown", "source": "b", "metadata": {}})
    assert stored.source_hash(base) == stored.source_hash(other_text)
    assert stored.source_hash(base) != stored.source_hash(executed(code_cell(source="g()")))
    swapped = [executed(code_cell(source=a), code_cell(source=b)) for a, b in (("a", "b"), ("b", "a"))]
    assert stored.source_hash(swapped[0]) != stored.source_hash(swapped[1])
