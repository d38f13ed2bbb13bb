"""The shipped translators: they load without images, fit their cards, and do what the course claims."""

from itertools import pairwise

import numpy as np
import pytest

from medgen_course import datasets, pretrained
from medgen_course.datasets.domains import from_dataset, phantom_domains
from medgen_course.metrics.translation import gap_closed
from medgen_course.metrics.translators import against_truth, class_change, known

CARDS = [("phantom", "cyclegan"), ("pneumoniamnist", "cyclegan"), ("phantom", "pix2pix"), ("phantom", "lab")]


@pytest.fixture(scope="module")
def domains():
    return phantom_domains(32, counts=(8, 512, 512))


def ssim(pair, part, to):
    return against_truth(pair.translate(known(part, to)[0], to), part, to)["ssim"]["value"]


@pytest.mark.parametrize(("name", "model"), CARDS)
def test_cards_say_data_licence_attribution_and_recipe(name, model):
    card = pretrained.card(name, model)
    assert card["data"]["name"] == name and card["data"]["licence"] and card["data"]["attribution"]
    assert card["recipe"]["images"] and card["recipe"]["steps"] and "seed" in card["recipe"]
    assert "not for diagnosis" in card["use"] and card["recipe"]["domains"]


@pytest.mark.parametrize("name", ["phantom", "pneumoniamnist"])
def test_every_moment_of_training_loads(name):
    recorded = pretrained.load_translators(name)
    assert list(recorded) == sorted(recorded) == pretrained.card(name, "cyclegan")["recipe"]["moments"]
    size = recorded[max(recorded)].size
    image = np.full((1, 1, size, size), 90, np.uint8)
    made = [pair.translate(image, "b") for pair in recorded.values()]
    assert all(not np.allclose(a, b) for a, b in pairwise(made))


def test_cards_and_weights_of_the_phantom_agree(domains):
    shipped = pretrained.load_translators("phantom")
    pairs = {"cyclegan": shipped[max(shipped)], "pix2pix": pretrained.load_pix2pix()}
    for model, pair in pairs.items():
        card = pretrained.card("phantom", model)["test"]["test"]
        for to, way in (("b", "ab"), ("a", "ba")):
            assert ssim(pair, domains.test, to) == pytest.approx(card[f"ssim_{way}"]["value"], abs=1e-3)


@pytest.mark.parametrize("way", ["ab", "ba"])
def test_most_of_the_way_from_the_lookup_to_pix2pix_without_a_pair(way):
    card, paired = pretrained.card("phantom", "cyclegan"), pretrained.card("phantom", "pix2pix")
    for split in ("val", "test"):
        rows = card["test"][split], card["test"]["baselines"][split]["lookup"], paired["test"][split]
        assert gap_closed(*(row[f"ssim_{way}"]["value"] for row in rows)) >= 0.85, split
    assert paired["recipe"]["seconds_on_one_thread_each_way"] >= card["recipe"]["seconds_on_one_thread"]


def test_the_translated_films_convince_a_classifier_that_never_saw_the_generators():
    try:
        data = datasets.load("pneumoniamnist", download=False)
    except datasets.DatasetUnavailable:
        pytest.skip("pneumoniamnist.npz is not on this machine; set MEDMNIST_ROOT to the folder with it")
    recorded = pretrained.load_translators("pneumoniamnist")
    eye, card = pretrained.load_classifier(data.name), pretrained.card(data.name, "cyclegan")["test"]["test"]
    rows = class_change(recorded[max(recorded)], from_dataset(data), eye)
    for name, row in rows.items():
        assert row["value"] == pytest.approx(card[name]["value"], abs=2e-3)
    assert rows["domain_auc"]["value"] > 0.9 and rows["domain_auc_translated"]["value"] < 0.1


def test_the_lab_has_three_seeds_of_each_prevalence_and_erases_where_there_were_no_lesions(domains):
    table, lab = pretrained.load_lab_table(), pretrained.load_lab()
    assert {*zip(table["prevalence_b"], table["seed"], strict=True)} == {
        (share, seed) for share in lab for seed in range(3)
    }
    erased = {share: table["erased_ab"][table["prevalence_b"] == share] for share in lab}
    assert erased[0.0].min() > erased[0.5].max()
    for share, moments in lab.items():
        pair = moments[max(moments)]
        row = against_truth(pair.translate(known(domains.test, "b")[0], "b"), domains.test, "b")
        [stored] = table["erased_ab"][(table["prevalence_b"] == share) & (table["seed"] == 0)]
        assert row["erased"]["value"] == pytest.approx(stored, abs=0.02)
