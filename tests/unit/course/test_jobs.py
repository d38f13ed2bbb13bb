import json
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from medgen_course import cli
from medgen_course.course import kernel, runner
from medgen_course.course.notebooks import CourseError, Result


@pytest.fixture
def machine(monkeypatch):
    def make(cores, memory=1e12):
        monkeypatch.setattr(runner, "cores", lambda: cores)
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=memory))

    return make


@pytest.mark.parametrize(
    ("cores", "memory", "jobs"),
    [(1, 1e12, 1), (2, 1e12, 2), (4, 1e12, 2), (8, 1e12, 4), (64, 1e12, 5), (8, 6e9, 2), (8, 1e9, 1)],
)
def test_what_cores_and_memory_allow_by_default(machine, cores, memory, jobs):
    machine(cores, memory)
    assert runner.jobs_for(5) == jobs
    assert runner.jobs_for(1) == 1


def test_a_number_that_is_wanted_is_bounded_by_the_notebooks_alone(machine):
    machine(1, 1e9)
    assert [runner.jobs_for(5, wanted) for wanted in (1, 4, 9)] == [1, 4, 5]
    for wanted in (0, -1):
        with pytest.raises(CourseError, match=f"jobs is {wanted}; at least one"):
            runner.jobs_for(5, wanted)


def test_kernels_get_their_share_of_threads_unless_the_reader_has_said_otherwise(monkeypatch):
    for name in kernel.THREADS:
        monkeypatch.delenv(name, raising=False)
    assert not set(kernel.THREADS) & set(kernel.environment())
    assert {kernel.environment(3)[name] for name in kernel.THREADS} == {"3"}
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    variables = kernel.environment(3)
    assert [variables.get(name) for name in kernel.THREADS] == ["7", None, None, None]


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """A course of five, executed by nobody: (folder, notebooks in the order of their beginning, threads)."""
    asked = SimpleNamespace(folder=tmp_path, names=[], threads=[])
    for number, budget_s in enumerate((60, 120, None, 180, 120)):
        about = {"cells": [], "metadata": {"medgen": {"budget_s": budget_s}}}
        (tmp_path / f"0{number}_x.ipynb").write_text(json.dumps(about), encoding="utf-8")

    def execute(notebook, out, profile, dataset, kernels):
        asked.names.append(notebook.name)
        asked.threads.append(kernels.threads)
        return Result(notebook, 1.0, ("KeyError: 'a'",) if notebook.name == "01_x" else ())

    monkeypatch.setattr(runner.notebooks, "execute", execute)
    monkeypatch.setattr(runner.page, "write_page", lambda result, out: None)
    return asked


def test_the_slowest_begin_and_the_table_keeps_the_order_of_the_course(asked, machine, tmp_path, capsys):
    machine(8)
    results = runner.run(folder=asked.folder, out=tmp_path / "out", jobs=1)
    assert asked.names == ["03_x", "01_x", "04_x", "00_x", "02_x"]
    assert [result.notebook.name for result in results] == [f"0{number}_x" for number in range(5)]
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "Notebooks: 5, 1 at a time, threads for each: 8"
    assert lines[:2] == ["[1/5] 03_x     1 s  ok", "[2/5] 01_x     1 s  failed"]
    assert [line.split()[0] for line in lines[8:13]] == [f"0{number}_x" for number in range(5)]
    assert "01_x: KeyError: 'a'" in lines and lines[-1].endswith("index.html")
    index = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    places = [index.index(f'"0{number}_x.html"') for number in range(5)]
    assert places == sorted(places)


def test_one_notebook_gets_all_cores_but_is_stored_as_a_whole_run_would_have_it(asked, machine, tmp_path):
    machine(2)
    runner.run(["01"], folder=asked.folder, out=tmp_path / "out")
    left = runner.refresh(["01"], folder=asked.folder, out=tmp_path / "out")
    assert left == ["01_x.ipynb failed and was not stored: KeyError: 'a'"]
    assert asked.threads == [2, 1]


@pytest.mark.parametrize("words", [["--jobs", "0"], ["--in-place", "--jobs", "-3"]])
def test_no_jobs_are_one_line_and_code_2(words, capsys):
    assert cli.main(["run", *words]) == 2
    told = capsys.readouterr().err
    assert told.startswith("medgen: jobs is ") and told.count("\n") == 1


def test_kernels_that_have_ended_twice_or_never_begun_are_no_error():
    kernels = kernel.Kernels()
    kernels.kind(Path())
    kernels.end()
    kernels.end()
