"""What drawn images are worth in real ones, on curves whose answer is known."""

import numpy as np
import pytest

from medgen_course.metrics.few_labels import ledger
from medgen_course.metrics.few_labels.ledger import BELOW, BEYOND

NUMBERS = np.array([10, 30, 100, 300, 1000])


def straight(n):
    """A figure that rises by 0.1 with every factor of ten."""
    return 0.6 + 0.1 * np.log10(n)


@pytest.mark.parametrize("n", [10, 12, 55, 300, 777, 1000])
def test_on_a_straight_curve_the_inverse_is_exact(n):
    assert ledger.read_off(NUMBERS, straight(NUMBERS), straight(n)) == pytest.approx(n)


def test_beside_the_curve_no_number_is_made_up():
    assert ledger.read_off(NUMBERS, straight(NUMBERS), 0.69) == BELOW
    assert ledger.read_off(NUMBERS, straight(NUMBERS), 0.91) == BEYOND


def test_a_curve_that_falls_by_chance_is_levelled_and_the_fewest_images_count():
    means = np.array([0.70, 0.82, 0.78, 0.90])  # the middle two average to 0.8
    numbers = np.array([10, 100, 1000, 10_000])
    assert ledger.read_off(numbers, means, 0.8) == 100
    assert ledger.read_off(numbers, means, 0.75) == pytest.approx(10**1.5)
    assert ledger.read_off(numbers, means, 0.85) == pytest.approx(10**3.5)
    flat = np.full(4, 0.8)
    assert ledger.read_off(numbers, flat, 0.8) == 10


def seeds(n, spread, rng):
    return straight(n) + spread * rng.standard_normal(5)


def test_without_spread_the_band_is_the_value_and_with_it_the_value_lies_inside():
    exact = {n: np.full(5, straight(n)) for n in NUMBERS}
    row = ledger.worth(exact, np.full(5, straight(200)))
    assert row == {name: pytest.approx(200) for name in ("value", "low", "high")}
    rng = np.random.default_rng(0)
    real = {n: seeds(n, 0.01, rng) for n in NUMBERS}
    row = ledger.worth(real, seeds(200, 0.01, rng))
    assert row["low"] < row["value"] < row["high"] and row["low"] < 200 < row["high"]


def test_with_five_seeds_the_band_holds_the_truth_less_often_than_it_says(monkeypatch):
    monkeypatch.setattr(ledger, "RESAMPLES", 200)
    rng, held = np.random.default_rng(0), []
    for _ in range(80):
        row = ledger.worth({n: seeds(n, 0.01, rng) for n in NUMBERS}, seeds(150, 0.01, rng))
        held.append(row["low"] <= 150 <= row["high"])
    assert 0.8 < np.mean(held) < 0.93 and abs(np.mean(held) - ledger.COVERED) < 0.1


def test_seeds_are_resampled_together():
    """A hard draw of labels is hard for both: what differs between seeds alone leaves no band."""
    luck = np.array([-0.03, -0.01, 0.0, 0.02, 0.02])
    real = {n: straight(n) + luck for n in NUMBERS}
    row = ledger.worth(real, straight(200) + luck)
    assert row["low"] == pytest.approx(200) and row["high"] == pytest.approx(200)


def test_the_band_can_be_open():
    rng = np.random.default_rng(1)
    real = {n: seeds(n, 0.01, rng) for n in NUMBERS}
    assert ledger.worth(real, seeds(1000, 0.02, rng))["high"] == BEYOND
    assert ledger.worth(real, seeds(10, 0.02, rng))["low"] == BELOW
    assert ledger.words(BEYOND, real) == "more than 1,000, beyond the curve"
    assert ledger.words(BELOW, real) == "fewer than 10, below the curve"
    assert ledger.words(1234.4, real) == "1,234"


def test_what_is_added_is_a_gain_a_loss_or_none():
    rng = np.random.default_rng(2)
    real = {n: seeds(n, 0.005, rng) for n in NUMBERS}
    for other, verdict in ((900, "gain"), (20, "loss")):
        assert ledger.verdict(ledger.added(real, 100, seeds(other, 0.005, rng))) == verdict
    row = ledger.added(real, 100, real[100])
    assert row["value"] == pytest.approx(0, abs=1e-6) and ledger.verdict(row) == "none"


def table():
    """Real images on the straight curve; as many drawn ones beside 100 are worth 200 in all."""
    rows = [("real", n, seed, straight(n)) for n in NUMBERS for seed in range(5)]
    rows += [("both_honest", 100, seed, straight(300)) for seed in (4, 3, 2, 1, 0)]
    rows += [("synthetic_honest", 100, seed, straight(30)) for seed in range(5)]
    method, labels, seed, auc = zip(*rows, strict=True)
    return {"method": np.array(method), "labels": np.array(labels, float), "seed": np.array(seed, float),
            "test_auc": np.array(auc)}  # fmt: skip


def test_the_account_values_every_training_set_that_is_not_real_alone():
    both, alone = ledger.account(table())
    assert both["method"] == "both_honest" and both["labels"] == 100 and both["verdict"] == "gain"
    assert both["worth"]["value"] == pytest.approx(300) and both["added"]["value"] == pytest.approx(200)
    assert alone["worth"]["value"] == pytest.approx(30) and "added" not in alone


def test_another_null_is_joined_where_drawn_images_stand_beside_real_ones():
    more = {"method": np.array(["augmented"] * 3 + ["scratch"]), "labels": np.array([30.0, 100, 100, 100]),
            "seed": np.array([0.0, 0, 1, 0]), "test_auc": np.full(4, 0.5), "other": np.zeros(4)}  # fmt: skip
    book = ledger.joined(table(), more, "augmented")
    assert len(book["method"]) == len(table()["method"]) + 2 and set(book) == set(table())
    assert list(ledger.curve(book, "augmented")) == [100]
    assert len(ledger.joined(table(), more, "magic")["seed"]) == len(table()["seed"])


def test_a_figure_that_does_not_rise_values_nothing():
    rng = np.random.default_rng(0)
    assert ledger.is_currency({n: seeds(n, 0.01, rng) for n in NUMBERS})
    assert not ledger.is_currency({n: 1.5 - seeds(n, 0.01, rng) for n in NUMBERS})
    flat = table()
    flat["test_auc"][flat["method"] == "real"] = 0.7
    both, alone = ledger.account(flat)
    assert both["verdict"] == "no currency" and both["worth"] is both["added"] is alone["worth"] is None


def test_the_curve_keeps_the_seeds_in_order_and_names_what_there_is():
    rows = table()
    rows["test_auc"] = rows["test_auc"] + rows["seed"]
    found = ledger.curve(rows, "both_honest")
    assert np.all(np.diff(found[100]) > 0.99)
    with pytest.raises(KeyError, match="both_honest"):
        ledger.curve(rows, "magic")
    with pytest.raises(KeyError, match="test_auc"):
        ledger.curve(rows, "real", "dice")


def test_one_number_of_images_is_no_curve():
    with pytest.raises(ValueError, match="two or more"):
        ledger.worth({10: [0.5, 0.6]}, [0.5, 0.6])
    with pytest.raises(ValueError, match="as many seeds"):
        ledger.worth({10: [0.5, 0.6], 30: [0.7, 0.7]}, [0.5])
