"""The model card: every section of the paper, every number from the rows, sentences that follow them."""

import copy

import pytest

from medgen_course import pretrained
from medgen_course.metrics.trust.card import model_card

SECTIONS = (
    "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data",
    "Quantitative analyses", "Ethical considerations", "Caveats and recommendations",
)  # fmt: skip


def row(value, wide=0.02):
    return {"value": value, "low": value - wide, "high": value + wide}


def page(change=lambda card: None, groups=None, attacks=None):
    card = copy.deepcopy(pretrained.card("pneumoniamnist", "gan"))
    change(card)
    groups = groups or {"normal": row(0.9), "pneumonia": row(0.97)}
    attacks = attacks or {"discriminator": (row(0.6), row(0.5))}
    return model_card("the GAN", card, 123456, ("normal", "pneumonia"), groups, attacks)


def test_all_sections_in_their_order_and_numbers_of_the_shelf():
    text = page()
    places = [text.index(f"**{name}**") for name in SECTIONS]
    assert places == sorted(places)
    card = pretrained.card("pneumoniamnist", "gan")
    for told in ("123,456", "4,708", "1,214 normal", "3,494 pneumonia", "CC BY 4.0", card["use"], "seed 0"):
        assert told in text
    assert f"{card['test']['test']['recall']['value']:.3g}" in text


def test_a_training_in_two_games_tells_of_both():
    def second(card):
        card["recipe"]["then"] = {"updates": 500, "epochs": 1.7, "batch_size": 16, "objective": "other"}

    assert "14,600 updates of 64 images" in page() and "Then" not in page()
    text = page(second)
    assert "14,600 updates of 64 images. Then: Other. " in text
    assert "; 1.7 epochs, 500 updates of 16 images, seed 0: one run" in text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"attacks": {"d": (row(0.6), row(0.5))}}, "tells members from others"),
        ({"attacks": {"d": (row(0.53), row(0.5))}}, "finds nothing beyond its null"),
        ({"groups": {"normal": row(0.9), "pneumonia": row(0.97)}}, "Samples of *normal* are recognised less"),
        ({"groups": {"normal": row(0.96), "pneumonia": row(0.97)}}, "A tie between the classes"),
    ],
)
def test_sentences_follow_the_measurements(given, says):
    assert says in page(**given)


def test_sentences_follow_the_shelf():
    def worse(card):
        card["test"]["test"]["memorisation"] |= {"value": 0.5, "low": 0.4, "high": 0.6, "exact": 0.25}
        card["test"]["test"]["recall"] |= {"value": 0.9, "low": 0.85, "high": 0.99, "best": 0.91}
        card["test"]["test"]["frechet"]["value"] = 1000.0
        card["test"]["classifier"] = {"real": [0.9, 0.95], "samples": [0.92, 0.93], "both": [0.97, 0.98]}

    before, after = page(), page(worse)
    assert "no more often than new real" in before and "image, more often than new real" in after
    assert "exact copies: 25%" in after
    assert "it misses a part" in before and "no gap that the interval shows" in after
    assert "no praise" in before and "no praise" not in after
    assert "in place of real images are a tie" in after and "they gain." in after


def test_a_card_without_a_use_says_so():
    assert "not stated beside the weights" in page(lambda card: card.pop("use"))
