"""The shelf of few labels: whole tables at equal budgets, and networks that reach what their cards say."""

import numpy as np
import pytest

from medgen_course import datasets, pretrained
from medgen_course.metrics.few_labels import ledger
from medgen_course.metrics.few_labels.semi_vae import evaluate_semi_vae
from medgen_course.models.samples import generate
from medgen_course.training.checkpoints import RunNotFound

NAMES = [name for name in ("pneumoniamnist", "phantom") if pretrained.few_recognition_path(name).is_file()]
LEDGERS = [name for name in NAMES if pretrained.ledger_path(name).is_file()]
FIGURES = ("val_auc", "test_auc", "recall_0", "recall_1")


@pytest.mark.parametrize(
    ("load", "name"),
    [(pretrained.load_few_recognition, name) for name in NAMES]
    + [(pretrained.load_ledger, name) for name in LEDGERS],
)
def test_every_cell_has_five_seeds_and_the_same_updates(load, name):
    table = load(name)
    cells = list(zip(table["method"], table["labels"], strict=True))
    for method, labels in set(cells):
        own = np.array([cell == (method, labels) for cell in cells])
        assert sorted(table["seed"][own]) == [0, 1, 2, 3, 4], (method, labels)
    longer = np.char.endswith(table["method"].astype(str), "_longer")
    (equal,) = set(table["updates"][(table["method"] != "probe") & ~longer])
    assert set(table["updates"][longer]) <= {5 * equal}  # what the budget alone explains
    assert all(0 <= table[figure].min() and table[figure].max() <= 1 for figure in FIGURES)


@pytest.mark.parametrize("name", NAMES)
def test_the_honest_generator_stands_at_every_number_of_labels(name):
    table = pretrained.load_few_recognition(name)
    assert ledger.curve(table, "gan_honest").keys() == ledger.curve(table, "scratch").keys()


@pytest.mark.parametrize("name", LEDGERS)
def test_one_training_stands_in_both_tables(name):
    """Real images alone, and real beside drawn ones, are the classifiers of the recognition table."""
    found, account = pretrained.load_few_recognition(name), pretrained.load_ledger(name)
    for one, other in (("scratch", "real"), ("gan_honest", "both_honest"), ("gan_cheat", "both_cheat")):
        a, b = ledger.curve(found, one), ledger.curve(account, other)
        assert a.keys() == b.keys() and all(np.array_equal(a[n], b[n]) for n in a)


@pytest.mark.parametrize("name", LEDGERS)
@pytest.mark.parametrize("figure", FIGURES[1:])
def test_the_account_can_be_drawn_up(name, figure):
    rows = ledger.account(pretrained.load_ledger(name), figure)
    assert {"resampled", "noisy"} <= {row["method"] for row in rows}
    for row in rows:
        assert ("added" in row) != row["method"].startswith("synthetic")
        if row["worth"] is None:
            continue
        assert row["worth"]["low"] <= row["worth"]["value"] <= row["worth"]["high"]


def test_all_labels_are_better_than_the_fewest():
    for name in NAMES:
        curve = ledger.curve(pretrained.load_few_recognition(name), "scratch")
        assert curve[max(curve)].min() > curve[min(curve)].mean()


@pytest.mark.parametrize("name", ["pneumoniamnist", "phantom"])
def test_m2_reaches_what_its_card_says(name, request):
    data = request.getfixturevalue("real_images") if name == "pneumoniamnist" else datasets.load("phantom")
    model, about = pretrained.load_semi_vae(name), pretrained.card(name, "semi_vae")
    assert about["recipe"]["labelled"] == 100
    rows = evaluate_semi_vae(model, data.test)
    assert set(rows) == set(about["test"])
    for figure, row in rows.items():
        assert row["value"] == pytest.approx(about["test"][figure]["value"], rel=1e-3), figure


@pytest.mark.parametrize("name", ["pneumoniamnist", "phantom"])
def test_the_generator_of_few_images_draws_two_classes(name):
    generator = pretrained.load_few_gan(name)
    drawn = [generate(generator, 8, 0, np.full(8, label)).astype(float) for label in (0, 1)]
    assert drawn[0].shape == (8, 1, 28, 28) and np.abs(drawn[0] - drawn[1]).mean() > 1
    assert pretrained.card(name, "few_gan")["recipe"]["images"] == 100


def test_other_images_have_none():
    for load in (pretrained.load_ledger, pretrained.load_few_recognition, pretrained.load_semi_vae):
        with pytest.raises(RunNotFound, match="nothing pretrained"):
            load("mine.npz")
