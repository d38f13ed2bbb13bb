"""README says what was measured: its table and pictures are those that were stored, its counts counted."""

import json
import re
from pathlib import Path

import pytest

from medgen_course import course, pretrained
from medgen_course.course.report import gallery_path, gallery_picture, written
from medgen_course.runs.kinds import kinds_with
from medgen_course.runs.report import number, results_table

REPOSITORY = Path(__file__).parents[3]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
NOTEBOOKS = [notebook.path for notebook in course.find()]
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_the_table_of_readme_is_the_one_that_make_report_wrote():
    results = json.loads(pretrained.results_path().read_text(encoding="utf-8"))
    assert written(README, results_table(results)) == README, "run `make report`"
    kinds = {run["kind"] for run in results.values()}
    assert set(kinds_with("train")) <= kinds


def test_the_measured_figures_are_those_of_the_cards():
    """The recipes and `medgen evaluate` measure the same weights on the same slices."""
    results = json.loads(pretrained.results_path().read_text(encoding="utf-8"))
    shipped = {"phantom/cyclegan": "cyclegan_64", "pneumoniamnist/cyclegan": "cyclegan"}
    shipped |= {f"phantom/pix2pix-{to}": "pix2pix_64" for to in ("a", "b")}
    for run, model in shipped.items():
        card = pretrained.card(run.split("/")[0], model)["test"]["test"]
        for figure, row in results[run]["metrics"].items():
            assert row["value"] == pytest.approx(card[figure]["value"], rel=2e-3, abs=2e-3), figure


def test_the_segmenter_is_measured_on_the_contrast_that_it_learnt():
    """`medgen evaluate` has other test slices than the card, so intervals overlap."""
    card = pretrained.card("phantom", "segmenter")
    run = json.loads(pretrained.results_path().read_text(encoding="utf-8"))["phantom-t2w/segmenter"]
    assert run["measured_on"]["dataset"] == f"phantom-{card['recipe']['contrast']}" == run["dataset"]
    for figure in ("dice_lesion", "f1_lesion", "clean_lesion", "dice_ventricles"):
        row, known = run["metrics"][figure], card["test"][figure]
        if known["value"] is not None:
            assert row["low"] <= known["high"] and known["low"] <= row["high"], figure


@each_notebook
def test_the_gallery_shows_what_the_notebook_shows(path):
    assert gallery_path(path).read_bytes() == gallery_picture(path), "run `make report`"
    assert f"docs/gallery/{path.stem}.png" in README


@each_notebook
def test_the_course_map_counts_minutes_and_exercises(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    solved = ["solution" in cell["metadata"].get("tags", ()) for cell in notebook["cells"]]
    follows = zip([False, *solved], solved, strict=False)  # two cells in a row are one solution
    solutions = sum(now and not before for before, now in follows)
    minutes = notebook["metadata"]["medgen"]["minutes"]
    row = re.search(rf"^\| \[`{path.stem}`\].*\| (\d+) \| (\d+) \|$", README, re.M)
    assert row and (int(row[1]), int(row[2])) == (minutes, solutions)


def test_a_table_by_hand():
    metrics = {"ssim_ab": {"value": 0.9481, "low": 0.94, "high": 0.95, "worst": -0.2, "best": 1.0}}
    run = {"kind": "pix2pix", "title": "pix2pix", "dataset": "phantom", "metrics": metrics}
    row = results_table({"x": run}).splitlines()[-1]
    assert row == "| pix2pix | phantom | SSIM A → B | 0.948 | 0.94 to 0.95 | -0.2 | 1 |"
    assert number(None) == "" and number(1234.5) == "1,234" and number(0.0) == "0"


def test_readme_without_its_marks_and_a_notebook_without_a_picture(tmp_path):
    with pytest.raises(ValueError, match="lacks the marks"):
        written("# A course", "| a |")
    (tmp_path / "x.ipynb").write_text('{"cells": []}')
    with pytest.raises(ValueError, match="0 pictures"):
        gallery_picture(tmp_path / "x.ipynb")
