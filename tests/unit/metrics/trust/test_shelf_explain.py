"""The tables of security and reasons fit what is said about them, and what is not there says so."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from medgen_course import datasets, pretrained
from medgen_course.metrics.trust import shelf_explain
from medgen_course.metrics.trust.counterfactuals import path
from medgen_course.training.checkpoints import RunNotFound

ON_SHELF = [
    ("phantom", "saliency"),
    ("phantom", "counterfactuals"),
    ("pneumoniamnist", "counterfactuals"),
    ("phantom", "adversarial"),
    ("pneumoniamnist", "adversarial"),
    ("pneumoniamnist", "poison"),
]


@pytest.mark.parametrize(("dataset", "table"), ON_SHELF)
def test_every_figure_lies_in_its_interval_and_says_how_many_images(dataset, table):
    rows = shelf_explain.load_table(dataset, table)
    assert rows and {row["split"] for row in rows} <= {"val", "test"}
    for row in rows:
        assert row["low"] <= row["value"] <= row["high"] and row["images"] >= 48, row
    keys = [tuple(v for k, v in row.items() if k not in ("value", "low", "high")) for row in rows]
    assert len(set(keys)) == len(keys)


def test_settings_on_test_were_chosen_on_val():
    rows = shelf_explain.load_table("phantom", "saliency", measure="average_precision", depth=0.0)
    for method in ("occlusion", "integrated gradients", "Grad-CAM"):
        of = {
            split: [r for r in rows if (r["method"], r["split"]) == (method, split)]
            for split in ("val", "test")
        }
        assert len(of["test"]) == 1 and len(of["val"]) == 6
        best = max(of["val"], key=lambda row: row["value"])
        assert of["test"][0]["setting"] == best["setting"]
    for dataset in ("phantom", "pneumoniamnist"):
        rows = shelf_explain.load_table(dataset, "counterfactuals", measure="flipped")
        for way, settings in shelf_explain.SETTINGS.items():
            (test,) = (row for row in rows if (row["way"], row["split"]) == (way, "test"))
            val = {row["setting"]: row["value"] for row in rows if (row["way"], row["split"]) == (way, "val")}
            assert tuple(val) == settings
            enough = [setting for setting, share in val.items() if share >= 0.5]
            assert test["setting"] == (enough[0] if enough else max(val, key=val.get))


def test_the_ends_of_the_scale_are_nothing_and_the_twin():
    rows = shelf_explain.load_table("phantom", "counterfactuals", split="test")
    found = {(row["way"], row["measure"]): row["value"] for row in rows}
    assert found["nothing", "removed"] == 0 and found["healthy twin", "removed"] == pytest.approx(1)
    assert found["healthy twin", "to_twin"] < 1e-3 < found["nothing", "to_twin"]


def test_no_attack_at_all_is_the_classifier_itself_and_noticed_by_nobody():
    for dataset in ("phantom", "pneumoniamnist"):
        rows = shelf_explain.load_table(dataset, "adversarial", epsilon=0.0)
        for target, measure in (("classifier", "accuracy"), ("classifier", "auc"), ("elbo", "auroc")):
            pair = [r["value"] for r in rows if (r["target"], r["measure"]) == (target, measure)]
            assert len(pair) == 2 and pair[0] == pair[1]
        noticed = [row["value"] for row in rows if row["target"] == "elbo"]
        assert noticed == [0.5, 0.5]


def test_twins_differ_by_the_lesion_alone():
    slices = shelf_explain.lesion_slices("val", 6)
    assert len(slices) == 6 and slices.masks.any((1, 2, 3)).all()
    differ = (slices.images != slices.twins).any((1, 2, 3))
    assert differ.all() and ((slices.images != slices.twins).mean() < 0.05)
    few = slices.at(np.array([2]))
    assert np.array_equal(few.images[0], slices.images[2]) and len(few) == 1


@pytest.fixture(scope="module")
def data() -> datasets.Dataset:
    return datasets.load("phantom")


def test_shipped_ways_turn_answers_and_shipped_explanations_are_maps(data):
    classifier, known = pretrained.load_classifier("phantom"), shelf_explain.parts(data)
    x = shelf_explain.unit(shelf_explain.lesion_slices("val", 2).images)
    made = shelf_explain.shipped_ways(data, classifier, known, controls=True)
    assert list(made) == [*shelf_explain.SETTINGS, "reconstruction", "mean image", "attack"]
    for name, way in made.items():
        walked = path(classifier, way, x, steps=3)
        assert torch.allclose(walked.images[0], x, atol=1e-6) and (walked.end != x).any(), name
    for name, explain in shelf_explain.explainers(known.reference).items():
        maps = explain(classifier, x[:1], 1)
        assert maps.shape == (1, 28, 28) and np.isfinite(maps).all() and maps.any(), name


def test_what_is_not_there_says_what_to_do(data, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="there is no table 'sweep'; choose one of adversarial"):
        shelf_explain.load_table("phantom", "sweep")
    with pytest.raises(ValueError, match="no column colour"):
        shelf_explain.load_table("phantom", "saliency", colour="red")
    with pytest.raises(RunNotFound, match="no VAE is shipped for phantom at 32 pixels"):
        shelf_explain.parts(replace(data, size=32))
    monkeypatch.setattr(pretrained, "shelf", lambda: tmp_path)
    with pytest.raises(RunNotFound, match=r"python recipes/trust_explain.py"):
        shelf_explain.load_table("phantom", "saliency")
