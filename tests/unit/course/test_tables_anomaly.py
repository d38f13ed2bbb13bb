"""What notebook 10 says of its tables: who beats the best simple score, and limits beyond the grid."""

import numpy as np
from torch import nn

from medgen_course.course.tables import anomaly as tables


def row(value, spread=0.02):
    return {"auroc": {"value": value, "low": value - spread, "high": value + spread}}


def gap(value, spread=0.02):
    return {"value": value, "low": value - spread, "high": value + spread}


GAPS = {"net": gap(0.1), "same": gap(0.01), "weak": gap(-0.1)}


def test_a_score_beats_ties_or_falls_behind_by_the_interval_of_the_difference():
    told = tables.beside("PCA", GAPS)
    assert [line.split(" PCA")[0] for line in told] == ["net beats", "same ties with", "weak falls behind"]
    table = tables.against({"Slices": ("PCA", GAPS), "Films": ("PNG", {"net": gap(0.0)})}, "who")
    assert table.columns[1:] == ["Slices: PCA", "Films: PNG"]
    words = [[cell.split(":")[0] for cell in line] for line in table.rows.values()]
    assert words == [["beats", "a tie"], ["a tie", "-"], ["behind", "-"]]


def test_a_score_is_judged_by_the_columns_that_it_enters():
    nowhere = tables.plainly({"Slices": ("PCA", GAPS), "Films": ("PNG", {"net": gap(0.0)})})
    assert nowhere.startswith("**No generative") and "Who does in some: *net* in 1 of 2." in nowhere
    assert nowhere.endswith("Nobody does: Films.")
    assert tables.plainly({"Films": ("PNG", {"net": gap(0.0)})}).endswith("in any column.**")
    everywhere = tables.plainly({"Slices": ("PCA", GAPS), "Films": ("PNG", {"net": gap(0.3)})})
    assert "enter: net.**" in everywhere and "Nobody" not in everywhere
    in_one = tables.plainly({"Slices": ("PCA", GAPS), "Films": ("PNG", {"same": gap(0.3)})})
    assert "enter: net.**" in in_one and "*net* in 1 of 1; *same* in 1 of 2." in in_one


def test_going_with_the_length_does_not_explain_an_auroc():
    rows = {"PNG": row(0.9), "near": row(0.4), "KL": row(0.2), "PCA": row(0.7), "same": row(0.71)}
    going = {"PNG": -1.0, "near": 0.6, "KL": 0.48, "PCA": 0.46, "same": 0.45}
    told = tables.with_length(going, rows, "PNG")
    assert "most: near +0.60, AUROC 0.40." in told and "KL +0.48, AUROC 0.20; same +0.45, AUROC 0.71" in told
    alone = tables.with_length({"PNG": -1.0, "PCA": 0.46, "same": 0.45}, rows, "PNG")
    assert "most: PCA" in alone and "explain" not in alone


def curve(*means):
    return {2**i: [mean - 0.01, mean, mean + 0.01] for i, mean in enumerate(means)}


def test_the_shape_of_a_curve_needs_every_step():
    assert tables.shape(curve(0.5, 0.6, 0.7)) == "rising"
    assert tables.shape(curve(0.7, 0.6, 0.5)) == "falling"
    assert tables.shape(curve(0.5, 0.7, 0.6)) == "peak"
    assert tables.shape(curve(0.72, 0.65, 0.72, 0.5)) == "none"  # a short code is best, and yet: a dip
    assert tables.shape({1: [0.5, 0.6], 2: [0.6, 0.5]}) == "none"  # the seeds do not agree
    assert tables.steps({1: [0.5, 0.6], 2: [0.6, 0.5], 4: [0.7, 0.7]}) == [0, 1]


def test_a_change_that_is_too_small_to_matter_is_hardly_a_change():
    sweep = {"hidden": np.array([0, 0, 0.05, 0.05]), "latent_dim": np.full(4, 16)}
    sweep |= {"val_mean": np.array([0.6, 0.61, 0.599, 0.609]), "val_peak": np.array([0.6, 0.61, 0.5, 0.52])}
    lines = tables.hidden({"films": sweep}, 16, 0.05, 0.01).rows
    assert lines["films, mean"][2].startswith("hardly changed")
    assert lines["films, peak"][2].startswith("worse")


def test_results_by_place_have_a_column_for_each():
    table = tables.places({"net": {"front": gap(0.5), "back": gap(0.25)}}, "", "by place")
    assert table.columns == ["", "front", "back"]
    assert table.rows["net"] == ["50% (48% to 52%)", "25% (23% to 27%)"]


def test_the_table_begins_with_the_highest_and_says_how_an_image_counts():
    table = tables.detectors({"a": row(0.6), "b": row(0.9)}, {"a": "peak"})
    assert list(table.rows) == ["b (told)", "a (peak)"] and table.columns == ["", "AUROC"]
    cost = tables.budget({"updates": 4096, "images": 2048, "parameters": 40209, "seed": 0})
    counted = tables.budget({"epochs": 3, "images": 70, "batch_size": 16, "seed": 1}, nn.Linear(2, 3))
    assert counted == "12 / 70 / 9 / 1"
    with_cost = tables.detectors({"a": row(0.6), "b": row(0.9)}, {"a": "peak"}, budgets={"b": cost})
    assert [line[-1] for line in with_cost.rows.values()] == ["4,096 / 2,048 / 40,209 / 0", "-"]


def test_a_limit_beyond_the_grid_is_called_none():
    assert tables.limit_text({"value": 0.5, "low": 0.4, "high": np.inf}) == "0.50 (0.40 to none)"
    limits = tables.limits({"net": {4.0: {"value": np.inf, "low": np.inf, "high": np.inf}}}, "val")
    assert limits.columns == ["val", "4 mm"] and limits.rows["net"] == ["none (none to none)"]
    rows = {"net": {4.0: {"value": 0.5, "low": 0.4, "high": np.inf}}}
    limits = tables.limits(rows, "test", {"net": 0.13})
    assert limits.rows["net"] == ["0.50 (0.40 to none)", "0.13"] and "of val" in limits.note
