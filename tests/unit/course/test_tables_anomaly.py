"""What notebook 10 says of its tables: who beats the best simple score, and limits beyond the grid."""

import numpy as np

from medgen_course.course import tables_anomaly as tables


def row(value, spread=0.02):
    return {"auroc": {"value": value, "low": value - spread, "high": value + spread}}


def test_a_score_beats_ties_or_falls_behind_the_best_simple_one():
    rows = {"PCA": row(0.7), "grey": row(0.5), "net": row(0.8), "same": row(0.72), "weak": row(0.6)}
    told = tables.better(rows, {"PCA", "grey"})
    assert [line.split(" PCA")[0] for line in told] == ["net beats", "same ties with", "weak falls behind"]
    alone = {"PCA": row(0.7)}, {"PCA"}, "auroc"
    text = tables.against({"Slices": (rows, {"PCA", "grey"}, "auroc"), "Films": alone}, "no network")
    assert text.startswith("**Slices.** net beats") and text.endswith("**Films.** no network.")


def test_the_table_begins_with_the_highest_and_says_how_an_image_counts():
    table = tables.detectors({"a": row(0.6), "b": row(0.9)}, {"a": "peak"})
    assert list(table.rows) == ["b (told)", "a (peak)"] and table.columns == ["", "AUROC"]


def test_a_limit_beyond_the_grid_is_called_none():
    assert tables.limit_text({"value": 0.5, "low": 0.4, "high": np.inf}) == "0.50 (0.40 to none)"
    limits = tables.limits({"net": {4.0: {"value": np.inf, "low": np.inf, "high": np.inf}}}, "val")
    assert limits.columns == ["val", "4 mm"] and limits.rows["net"] == ["none (none to none)"]
