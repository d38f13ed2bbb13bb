"""The ledger as a table: both rulers stand in it, and where they disagree is named."""

import numpy as np

from medgen_course.metrics.few_labels import ledger, tables_ledger

SEEDS, NUMBERS = range(5), (10, 100, 1000)
LUCK = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])


def book(beside, labels=100):
    """Real images that rise by 0.1 with every factor of ten, and one entry beside some of them."""
    figure = {("real", n): 0.6 + 0.1 * np.log10(n) + LUCK / 10 for n in NUMBERS}
    figure["both_honest", labels] = np.asarray(beside, float)
    rows = [(m, n, seed, values[seed]) for (m, n), values in figure.items() for seed in SEEDS]
    return {name: np.array(column) for name, column in zip(("method", "labels", "seed", "val_auc"),
                                                           zip(*rows, strict=True), strict=True)}  # fmt: skip


def test_rulers_that_agree_are_not_named():
    made = book(0.85 + LUCK / 10)
    entries = ledger.account(made, "val_auc")
    assert tables_ledger.disagree(entries, made, "val_auc") == []
    line = tables_ledger.page(entries, made, "val_auc", "AUC").rows["both, honest: 100 labels"]
    assert line[3].startswith("gain") and line[4].startswith("ahead: +0.050")


def test_a_gain_in_labels_that_is_none_in_auc_is_named():
    """Four seeds a little up, one hardly: the bootstrap sees a gain, Student's interval does not."""
    made = book(0.8 + LUCK / 10 + np.array([0.001, 0.001, 0.001, 0.001, 0.05]))
    entries = ledger.account(made, "val_auc")
    (told,) = tables_ledger.disagree(entries, made, "val_auc")
    assert told == "both, honest: 100 labels (gain in labels, cannot tell in AUC)"


def test_at_the_end_of_the_curve_a_loss_in_labels_is_not_claimed():
    made = book(0.88 + LUCK / 10, labels=1000)
    entries = ledger.account(made, "val_auc")
    line = tables_ledger.page(entries, made, "val_auc", "AUC").rows["both, honest: 1,000 labels"]
    assert "ends here" in line[3] and line[4].startswith("behind: -0.020")
    assert tables_ledger.disagree(entries, made, "val_auc") == []


def test_an_end_that_is_both_ends_is_said_once():
    made = book(0.5 + LUCK / 10)
    line = tables_ledger.page(ledger.account(made, "val_auc"), made, "val_auc", "AUC").rows
    assert line["both, honest: 100 labels"][2] == "fewer than 10"
    assert "cannot" not in tables_ledger.more({"value": 3.0, "low": -1.0, "high": np.inf})
    assert "nothing can be counted" in tables_ledger.more(None)
