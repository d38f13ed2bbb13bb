"""Figures of notebook 13 show what they are given, and say so in words."""

import numpy as np
import pytest

from medgen_course.pictures import plots_trust


def row(value):
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def test_memory_over_the_number_of_images():
    by = {50.0: row(0.2), 800.0: row(0.5)}
    found = {name: {"coverage": by, "memorisation": by} for name in ("vae", "gan", "training images")}
    found["vae"]["gap"] = {50.0: row(30.0), 800.0: row(3.0)}
    figure = plots_trust.grown(found)
    assert [len(axes.lines) for axes in figure.axes] == [3, 4, 2]
    assert figure.axes[2].lines[0].get_ydata().tolist() == [30.0, 3.0]
    assert "memorisation" in figure.alt
    assert [text.get_text() for text in figure.legends[0].get_texts()][:2] == ["VAE", "GAN"]


def test_a_gap_that_may_be_0_has_no_logarithm():
    for low, scale in ((0.2, "log"), (0.05, "linear")):
        figure = plots_trust.over_size({"gap": {50: row(low), 800: row(5.0)}}, "nats", "A title")
        assert figure.axes[0].get_yscale() == scale and figure.axes[0].get_ylabel() == "nats"


def test_attacks_on_logarithmic_axes():
    rates = np.array([0.01, 0.1, 1.0])
    curve = np.array([0, 0.01, 0.1, 1.0]), np.array([0, 0.1, 0.3, 1.0])
    figure = plots_trust.roc({"loss": curve}, (rates, 0.5 * rates, 1.5 * rates), "One attack")
    (axes,) = figure.axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert {"loss", "guessing", "null: 95 % of halves"} <= {
        t.get_text() for t in figure.legends[0].get_texts()
    }
    drawn = next(line for line in axes.lines if line.get_label() == "loss")
    assert (drawn.get_ydata() > 0).all() and "One attack" in figure.alt


def test_levels_of_privacy_stand_in_their_order():
    levels = {"ε = 1": row(0.7), "not private": row(0.9)}
    figure = plots_trust.cost({"auc": levels, "elbo": levels}, {"auc": "AUC", "elbo": "ELBO"})
    assert [axes.get_title("left") for axes in figure.axes] == ["AUC", "ELBO"]
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["ε = 1", "not private"]


def test_strengths_and_depths():
    by = {"PGD": {0: row(0.9), 4: row(0.2)}, "noise": {0: row(0.9), 4: row(0.8)}}
    figure = plots_trust.epsilons({"right": by, "noticed": by}, "A title", 0.5)
    assert len(figure.axes) == 2 and "A title" in figure.alt and len(figure.axes[0].lines) == 3
    deep = plots_trust.depths({"gradients": {0: row(1.0), 4: row(0.0)}})
    assert deep.axes[0].lines[0].get_xdata().tolist() == [0, 4]


@pytest.mark.parametrize("scale", [1, 3])
def test_maps_are_coloured_each_on_its_own_scale_and_their_masks_outlined(scale):
    maps, masks = np.zeros((2, 8, 8)), np.zeros((2, 1, 8, 8), np.uint8)
    maps[0, 2, 2], maps[1, 2, 2], masks[:, 0, 5, 5] = 1.0, -1000.0, 1
    drawn = plots_trust.tinted(maps, masks, scale)
    assert drawn.shape == (2, 3, 8 * scale, 8 * scale) and drawn.dtype == np.uint8
    orange, blue = (drawn[i, :, 2 * scale, 2 * scale].astype(int) for i in (0, 1))
    assert orange[0] > orange[2] and blue[2] > blue[0]
    assert (drawn[:, :, 4 * scale : 7 * scale, 4 * scale : 7 * scale] == 0).any()


def test_protection_draws_hits_beside_utility_and_the_line_that_no_attack_may_pass():
    rows = {"ε = 1": {"value": 0.0, "low": 0.0, "high": 0.01}, "not private": row(0.4)}
    found = {"hits": {"LiRA": rows, "loss threshold": rows}, "allowed": {"ε = 1": 0.02}, "elbo": rows}
    figure = plots_trust.protection(found)
    left, right = figure.axes
    assert left.get_yscale() == "log" and right.get_yscale() == "linear"
    dots = next(line for line in left.lines if line.get_label() == "LiRA")
    assert dots.get_ydata().tolist() == [0.002, 0.4]  # no hits lie on the axis' end
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["LiRA", "loss threshold", "no attack may pass", "guessing"]
    assert "no attack may pass" in figure.alt and "ELBO" in figure.alt
