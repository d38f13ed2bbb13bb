"""The shipped enhancers: they fit their card, and do what notebook 11 and README say of them."""

import numpy as np
import pytest
import torch

from medgen_course import phantom, pretrained
from medgen_course.batches.degradations import Hole
from medgen_course.batches.tasks import degradation
from medgen_course.batches.transforms import to_unit
from medgen_course.metrics import bootstrap_interval, psnr
from medgen_course.models.latent_search import decoder_of
from medgen_course.models.unet import restore

COUNT = 64


@pytest.fixture(scope="module")
def images():
    made = phantom.generate(512, 64, 0, "test")
    return to_unit(torch.from_numpy(made.t1w))


@pytest.fixture(scope="module")
def card():
    return pretrained.card("phantom", "enhancers")


def test_the_card_says_data_licence_attribution_and_recipe(card):
    assert card["data"]["name"] == "phantom" and card["data"]["licence"] and card["data"]["attribution"]
    assert card["recipe"]["images"] and "seed" in card["recipe"] and "not for diagnosis" in card["use"]
    networks = pretrained.load_enhancers()
    assert {f"{task}/{how}" for task, by_loss in networks.items() for how in by_loss} == set(card["test"])
    assert set(networks) == set(card["recipe"]["tasks"])
    seeds = [how for how in networks["superres4"] if how.startswith("squared")]
    assert len(seeds) == 3


def test_figures_are_those_of_the_card_and_better_than_the_first_guess(card, images):
    for task, by_loss in pretrained.load_enhancers().items():
        worse = degradation(*card["recipe"]["tasks"][task])
        y = worse.measure(images, torch.Generator().manual_seed(card["recipe"]["seed"]))
        made = psnr(restore(by_loss["squared"], worse, y), images)
        assert float(made.mean()) == pytest.approx(card["test"][f"{task}/squared"]["psnr"], abs=0.02)
        assert bootstrap_interval(made - psnr(worse.guess(y), images))["low"] > 0, task


def test_all_have_equally_many_updates_and_fit_into_their_share_of_the_course(card):
    recipe = card["recipe"]
    assert 8 <= recipe["epochs"] + recipe["epochs_more"] <= 12
    shelf = pretrained.shelf()
    both = [path for pattern in ("enhance*", "anomaly*") for path in shelf.glob(f"*/{pattern}.safetensors")]
    assert both and sum(path.stat().st_size for path in both) <= 4_000_000


def test_the_shipped_weight_was_chosen_on_validation_as_the_card_says(card):
    curve, chosen = pretrained.load_enhancement_curve("val"), card["recipe"]["lambda_adversarial"]
    least = curve[0.0]["psnr"]["value"] - card["recipe"]["limit_db"]
    allowed = [w for w in curve if w and curve[w]["psnr"]["value"] >= least]
    assert chosen == min(allowed, key=lambda w: curve[w]["frechet"]["value"])
    assert list(curve) == sorted(curve) == list(pretrained.load_enhancement_curve("test"))
    by_seed = pretrained.load_enhancement_seeds("val")
    lines = pretrained.enhancement_curve_path().read_text(encoding="utf-8").splitlines()
    first = [line.split(",")[3] for line in lines if line.startswith("val,0.0,")]  # in the order of the seeds
    assert list(by_seed) == list(curve) and by_seed[0.0]["psnr"] == [float(text) for text in first]
    for rows in curve.values():
        assert all(row["low"] <= row["value"] <= row["high"] for row in rows.values())


def test_the_prior_draws_slices_and_can_be_searched():
    decode, latents = decoder_of(pretrained.load_enhancement_prior())
    with torch.inference_mode():
        drawn = decode(torch.randn(COUNT, latents, generator=torch.Generator().manual_seed(0)))
    assert drawn.shape == (COUNT, 1, 64, 64) and drawn.std(0).mean() > 0.02
    nothing = Hole(0.0)
    assert np.isclose(float(nothing.misfit(drawn, nothing.measure(drawn)).max()), 0)
