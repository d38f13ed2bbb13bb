"""Tables of notebook 12: differences seed by seed against scipy, ties called ties, curves with bands."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from medgen_course.course import findings
from medgen_course.course.tables import few_labels as tables

RNG = np.random.default_rng(0)
HARD = RNG.normal(0, 0.05, 5)
BY = {
    "scratch": {10: 0.7 + HARD, 100: 0.9 + HARD / 5},
    "probe": {10: 0.8 + HARD + RNG.normal(0, 0.005, 5), 100: 0.9 + HARD / 5 + RNG.normal(0, 0.01, 5)},
    "m2": {10: 0.6 + HARD},
}


def test_the_interval_of_the_gap_is_that_of_a_paired_t_test():
    row = tables.paired(BY["probe"][10], BY["scratch"][10])
    known = ttest_rel(BY["probe"][10], BY["scratch"][10]).confidence_interval()
    assert (row["low"], row["high"]) == pytest.approx((known.low, known.high))
    with pytest.raises(ValueError, match="5 and 4 seeds"):
        tables.paired(HARD, HARD[:4])


def test_ahead_behind_tie_and_not_trained():
    table = tables.gaps(BY, "scratch", "five seeds")
    assert table.columns == ["beside scratch", "10 labels", "100 labels"]
    assert table.rows["probe"][0].startswith("ahead: +0.10") and table.rows["probe"][1].startswith("a tie")
    assert table.rows["m2"][0].startswith("behind") and table.rows["m2"][1] == "–"
    assert tables.ahead_at(BY, "probe", "scratch") == [10] and tables.ahead_at(BY, "m2", "scratch") == []


def test_few_seeds_that_agree_about_the_sign_cannot_tell_and_are_no_tie():
    far, near = [0.30, 0.40, 0.56], [0.21, 0.22, 0.27]
    assert tables.paired(far, near)["low"] < 0
    assert tables.verdict(far, near) == tables.verdict(near, far) == "cannot tell"
    assert tables.verdict([0.1, 0.2, 0.3], [0.2, 0.2, 0.2]) == "a tie"
    assert tables.verdict([0.5, 0.6, 0.7], [0.1, 0.2, 0.3]) == "ahead"
    assert tables.verdict([0.1, 0.2, 0.3], [0.5, 0.6, 0.7]) == "behind"


def test_where_a_method_stands_names_both_sides():
    assert tables.standing(BY, "probe", "scratch") == "ahead at 10 labels, behind nowhere"
    assert tables.standing(BY, "m2", "scratch") == "ahead nowhere, behind at every number of labels"
    assert tables.seeds_in_words(BY) == "5" and tables.seeds_in_words({"a": {1: [0, 1], 3: [0]}}) == "1 to 2"


def test_a_method_that_falls_with_more_labels_or_finds_nothing_is_called_undertrained():
    able, unable = {"pix2pix": {10: [0.3, 0.4]}}, {"pix2pix": {10: [0.01, 0.02], 100: [0.0, 0.0]}}
    falling = {"pix2pix": {1: [0.3, 0.2], 10: [0.5, 0.6], 100: [0.3, 0.3]}}
    mixed = {"pix2pix": {1: [0.3, 0.2], 10: [0.5, 0.6], 100: [0.2, 0.7]}}
    rising = {"pix2pix": {10: [0.3], 100: [0.5]}}
    told = tables.undertrained(able, falling, "pix2pix", 300)
    assert "lesions 0.35 at its best, ventricles 0.55 with 10 and 0.30 with 100. Undertrained" in told
    assert "Undertrained" in tables.undertrained(unable, rising, "pix2pix", 300)
    assert "Undertrained" not in tables.undertrained(able, rising, "pix2pix", 300)
    assert "Undertrained" not in tables.undertrained(able, mixed, "pix2pix", 300)


def test_what_more_updates_alone_explain_is_counted_in_the_gap_to_a_rival():
    by = {
        "short": {1: [0.1, 0.1, 0.1], 10: [0.2, 0.2, 0.2], 100: [0.7, 0.7, 0.7]},
        "long": {10: [0.3, 0.31, 0.29], 100: [0.8, 0.81, 0.82]},
        "rival": {1: [0.1, 0.1, 0.1], 10: [0.6, 0.6, 0.6], 100: [0.6, 0.6, 0.6]},
    }
    same = by | {"long": {10: [0.2, 0.21, 0.19], 100: [0.7, 0.6, 0.8]}}
    told = tables.longer(by, by, "short", "long", "rival", "slices")
    assert told.startswith("long. Lesions: with 10 ahead, 0.20 becomes 0.30, +0.10 (")
    assert ", 25% of the way to rival; with 100 ahead" in told and told.count("of the way") == 2
    assert "rival, which had fewer updates, ahead at 100 slices, behind at 10 slices. Ventricles:" in told
    assert told.endswith("So the budget was what both lacked.")
    half = tables.longer(same, by, "short", "long", "rival", "slices")
    assert "with 10 a tie, 0.20 becomes 0.20" in half and "What the lesions lack it was not" in half
    for hard, easy in ((same, same), (by, same)):
        none = tables.longer(hard, easy, "short", "long", "rival", "slices")
        assert none.endswith("So more updates alone are not what it lacked.")


def test_a_budget_counts_the_last_short_batch():
    told = tables.budget({"images": 100, "epochs": 3, "batch_size": 32})
    assert told == "100 images, repeats included, 3 epochs, 12 updates of 32"


def test_numbers_in_words():
    assert tables.numbers_in_words([], [1, 3]) == "at no number of labels"
    assert tables.numbers_in_words([1, 3], [1, 3]) == "at every number of labels"
    assert tables.numbers_in_words([1000], [1, 1000]) == "at 1,000 labels"
    assert tables.numbers_in_words([1], [1, 3], "labelled slices") == "at 1 labelled slice"
    assert tables.numbers_in_words([1, 3, 9], [1, 3, 9, 27]) == "at 1, 3 and 9 labels"


def test_curves_have_a_point_for_each_number_and_a_band():
    axes = tables.learning_curves(BY, "AUC", "few").axes[0]
    assert [line.get_label() for line in axes.lines] == list(BY)
    assert list(axes.lines[0].get_xdata()) == [10, 100] and axes.get_xscale() == "log"
    assert (
        axes.lines[0].get_ydata()[0] == pytest.approx(BY["scratch"][10].mean()) and len(axes.collections) == 3
    )


def test_statements_say_a_dash_where_nothing_was_counted():
    row, none = {"value": 0.5, "low": 0.25, "high": 0.75}, dict.fromkeys(("value", "low", "high"))
    counted = {"spoken": row, "wrong": none, "wrong_if_forced": row, "all_forced": row}
    assert tables.statements({"tilt": counted}).rows["tilt"][:2] == ["50.0% (25.0% to 75.0%)", "–"]


def test_what_has_fewer_seeds_than_its_rivals_is_left_out():
    made = tables.complete(
        {"a": {1: [1, 2, 3], 3: [1]}, "b": {1: [1, 2], 3: [5]}, "c": {1: [1, 2, 3], 10: [1, 2]}}
    )
    by_seed = tables.complete({"a": {1: {1: 5.0, 0: 4.0}, 3: {0: 1.0}}, "b": {3: {0: 1.0, 1: 2.0}}})
    assert by_seed == {"a": {1: [4.0, 5.0]}, "b": {3: [1.0, 2.0]}}
    assert made == {"a": {1: [1, 2, 3]}, "b": {}, "c": {1: [1, 2, 3], 10: [1, 2]}}


def test_beside_what_was_never_counted_nothing_is_known():
    row, none = {"value": 0.5, "low": 0.25, "high": 0.75}, dict.fromkeys(("value", "low", "high"))
    for two in ((row, none), (none, row)):
        assert findings.than(*two, "more", "fewer") == "not known"


def test_more_updates_are_told_from_what_a_rival_with_as_many_gets():
    low, middle, high = ({10: [x, x + 0.01, x + 0.02]} for x in (0.5, 0.6, 0.7))

    def told(name, more, rival):
        return tables.more_updates({"M": name, "M, longer": more, "R": rival}, "M", "M, longer", "R")

    assert told(low, high, middle).endswith("So the budget was a part of what M lacked.")
    assert "beside M ahead at every number of labels, behind nowhere" in told(low, middle, high)
    ends = "help M at every number of labels, and do not carry it past who has as many."
    assert told(low, middle, high).endswith(ends)
    assert "its lowest seed with 10 labels 0.60, M's 0.50" in told(low, middle, high)
    assert told(middle, low, high).endswith("are not what M lacked.")
    assert "beside R ahead nowhere, behind at every number of labels" in told(middle, low, high)
