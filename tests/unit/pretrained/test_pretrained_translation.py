"""The shipped translators: they load without images, fit their cards, and do what the course claims."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from medgen_course import datasets, pretrained
from medgen_course.datasets.domains import from_dataset, phantom_domains
from medgen_course.metrics.translation import gap_closed
from medgen_course.metrics.translators import against_truth, class_change, known
from medgen_course.toys import known_map

OF_PHANTOM = ("cyclegan", "cyclegan_64", "pix2pix", "pix2pix_64", "lab")
CARDS = [("pneumoniamnist", "cyclegan"), *(("phantom", model) for model in OF_PHANTOM)]


@pytest.fixture(scope="module")
def small():
    return phantom_domains(32, counts=(8, 512, 512))


@pytest.fixture(scope="module")
def domains():
    return phantom_domains(64, counts=(8, 512, 512))


@pytest.fixture(scope="module")
def finer():
    recorded = pretrained.load_finer_translators()
    return recorded[max(recorded)]


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


def test_every_moment_at_64_pixels_loads_and_the_first_is_the_coarse_answer_enlarged():
    recorded, image = pretrained.load_finer_translators(), np.full((1, 1, 64, 64), 90, np.uint8)
    moments = pretrained.card("phantom", "cyclegan_64")["recipe"]["moments"]
    assert list(recorded) == sorted(recorded) == moments
    image[..., 20:40, 20:40] = 160
    for to in ("b", "a"):
        made = [pair.translate(image, to) for pair in recorded.values()]
        assert all(not np.allclose(a, b) for a, b in pairwise(made))
        small = recorded[0].coarse.translate(image[..., ::2, ::2], to).logit()
        enlarged = interpolate(small, scale_factor=2, mode="bilinear").sigmoid()
        assert torch.allclose(made[0], enlarged, atol=1e-5)


def test_cards_and_weights_of_the_phantom_agree(small, domains, finer):
    shipped = pretrained.load_translators("phantom")
    pairs = {"cyclegan": (shipped[max(shipped)], small), "pix2pix": (pretrained.load_pix2pix(), small)}
    pairs |= {"cyclegan_64": (finer, domains), "pix2pix_64": (pretrained.load_finer_pix2pix(), domains)}
    for model, (pair, two) in pairs.items():
        card = pretrained.card("phantom", model)["test"]["test"]
        for to, way in (("b", "ab"), ("a", "ba")):
            assert ssim(pair, two.test, to) == pytest.approx(card[f"ssim_{way}"]["value"], abs=1e-3)


@pytest.mark.parametrize("way", ["ab", "ba"])
@pytest.mark.parametrize(("size", "share"), [("", 0.85), ("_64", 0.75)])
def test_most_of_the_way_from_the_lookup_to_pix2pix_without_a_pair(way, size, share):
    card, paired = (pretrained.card("phantom", model + size) for model in ("cyclegan", "pix2pix"))
    for split in ("val", "test"):
        rows = card["test"][split], card["test"]["baselines"][split]["lookup"], paired["test"][split]
        assert gap_closed(*(row[f"ssim_{way}"]["value"] for row in rows)) >= share, split
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


def test_the_count_of_inventions_is_not_saturated(domains, finer):
    """Its ends: true slices have none, and of real translations between a few and most have one."""
    lab = pretrained.load_lab()
    for pair in (finer, *(moments[max(moments)] for moments in lab.values())):
        for to in ("b", "a"):
            row = against_truth(pair.translate(known(domains.val, to)[0], to), domains.val, to)["invented"]
            assert 0.05 < row["value"] < 0.85
    again = pretrained.card("phantom", "cyclegan_64")["test"]["val"]["invented_ab"]["value"]
    made = finer.translate(domains.val.a, "b")
    assert against_truth(made, domains.val, "b")["invented"]["value"] == pytest.approx(again, abs=0.01)


def test_translators_belong_to_the_images_that_they_were_trained_on(tmp_path):
    data = datasets.load("phantom", size=32)
    assert max(pretrained.translators_for(data)) == 7000
    assert pretrained.translators_for(datasets.load("phantom", size=28)) is None
    impostor = dataclasses.replace(data, source="own file phantom.npz, MD5 0")
    assert pretrained.translators_for(impostor) is None
    assert pretrained.translators_for(dataclasses.replace(data, name="mine.npz")) is None


def test_the_ablations_have_every_seed_and_the_adversarial_loss_is_needed():
    record = pretrained.load_known_map()
    recipe = record["recipe"]
    for steps in recipe["steps"]:
        found = known_map.over_seeds(record, "psnr_ab", steps)
        assert {name: len(values) for name, values in found.items()} == dict.fromkeys(
            known_map.ABLATIONS, len(recipe["seeds"])
        )
        assert (found["all three"] > found["no adversarial loss"]).all()
        assert len(known_map.over_seeds(record, "another", steps, "clouds")["no identity loss"]) == 5
        row = known_map.rows(record, steps)["no identity loss"]["psnr_ab"]
        assert row["low"] <= row["value"] <= row["high"]


def test_new_classifiers_were_trained_for_both_translators_with_every_seed():
    record = pretrained.load_tell_apart()
    seeds = record["recipe"]["seeds"]
    for name in ("CycleGAN", "pix2pix"):
        assert [run["seed"] for run in record["runs"] if run["translator"] == name] == seeds
