"""Attacks and poison on networks whose weak point is known."""

import numpy as np
import pytest
import torch
from torch import nn

from medgen_course.datasets import Split
from medgen_course.datasets.domains import Truth
from medgen_course.metrics.trust import adversarial, poison
from medgen_course.models.vae import VAE

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1], 40)


class Mean(nn.Module):
    """Class 1 where the mean grey level is above 128."""

    def forward(self, x):
        odds = 500 * (x.mean((1, 2, 3)) - 128 / 255)
        return torch.stack([torch.zeros_like(odds), odds], 1)


def images() -> np.ndarray:
    """Two classes, 6 grey levels apart in their means: an attack of 4 grey levels turns each of them."""
    levels = np.where(LABELS == 1, 131, 125)
    return (levels[:, None, None, None] + RNG.integers(-20, 21, (80, 1, 8, 8))).clip(0, 255).astype(np.uint8)


def test_an_attack_turns_what_noise_of_its_size_does_not():
    shown = images()
    means = shown.mean((1, 2, 3))
    near = np.abs(means - 128) < 8
    shown, labels = shown[near], (means[near] > 128).astype(np.int64)
    tried = adversarial.kept(adversarial.against_classifier(Mean(), shown, labels, steps=5))
    rows = adversarial.robustness(Mean(), tried, labels, (0, 1, 8))
    found = {(row["attack"], row["epsilon"]): row for row in rows}
    assert len(rows) == 6 and all(row["images"] == len(labels) for row in rows)
    assert found["PGD", 0]["accuracy"]["value"] == found["noise", 0]["accuracy"]["value"] == 1
    assert found["PGD", 8]["accuracy"]["value"] == 0 and found["PGD", 8]["auc"]["value"] < 0.1
    assert found["noise", 8]["accuracy"]["value"] > 0.6
    ends = found["PGD", 1]["accuracy"]
    assert ends["low"] <= ends["value"] <= ends["high"]
    assert tried["PGD"](8) is tried["PGD"](8)


@pytest.mark.parametrize("epsilon", [1, 3, 8])
def test_bytes_stay_within_epsilon(epsilon):
    shown = images()
    shown[:5], shown[5:10] = 0, 255
    for attack in adversarial.against_classifier(Mean(), shown, LABELS, steps=3).values():
        made = attack(epsilon)
        assert made.dtype == np.uint8 and made.shape == shown.shape
        far = np.abs(made.astype(int) - shown)
        assert far.max() == epsilon


class Copy(nn.Module):
    """A translator that draws ten times what is beyond 100 grey levels: steep."""

    def translate(self, x):
        return (100 / 255 + 10 * (x - 100 / 255)).clamp(0, 1)


def test_a_lesion_can_be_erased_where_the_translator_is_steep():
    healthy_a, masks = np.full((6, 1, 8, 8), 102, np.uint8), np.zeros((6, 1, 8, 8), np.uint8)
    masks[:, :, 2:4, 2:5] = 1
    a = healthy_a + 4 * masks
    b, healthy_b = (np.asarray(Copy().translate(torch.from_numpy(t) / 255) * 255).round().astype(np.uint8)
                    for t in (a, healthy_a))  # fmt: skip
    truth = Truth(a, b, masks, healthy_a, healthy_b)
    tried = adversarial.against_translator(Copy(), truth, steps=20)
    rows = adversarial.erasure(Copy(), tried, truth, (0, 4))
    erased = {(row["attack"], row["epsilon"]): row["erased"]["value"] for row in rows}
    assert erased == {("PGD", 0): 0, ("PGD", 4): 1, ("noise", 0): 0, ("noise", 4): erased["noise", 4]}
    assert erased["noise", 4] < 1 and (tried["PGD"](4) != a).any((1, 2, 3)).all()


def test_the_likelihood_notices_noise_and_never_what_has_not_changed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = VAE(1, 8, 2, width=4, sigma=0.02).eval().requires_grad_(False)
    shown = np.full((20, 1, 8, 8), 128, np.uint8)
    tried = {"noise": adversarial.against_classifier(Mean(), shown, LABELS[:20])["noise"]}
    still, changed = adversarial.noticed(model, tried, shown, (0, 40))
    assert still["auroc"]["value"] == pytest.approx(0.5) and changed["auroc"]["value"] > 0.95


def test_poison_touches_the_share_of_one_class_and_nothing_of_the_callers():
    split = Split(images(), LABELS.copy())
    before = split.images.copy()
    wrong = poison.mislabelled(split, 1, 0.25)
    assert (wrong.labels[:40] == 0).all() and (wrong.labels[40:] == 0).sum() == 10
    assert np.array_equal(wrong.images, before)
    door = poison.triggered(split, 1, 0.25)
    stamped = (door.images != before).any((1, 2, 3))
    assert (
        np.array_equal(np.flatnonzero(stamped), np.flatnonzero(door.labels != LABELS)) and stamped.sum() == 10
    )
    short = poison.shortcut(split, 1)
    assert np.array_equal((short.images != before).any((1, 2, 3)), LABELS == 1)
    assert np.array_equal(short.labels, LABELS)
    assert np.array_equal(split.images, before) and np.array_equal(split.labels, LABELS)
    mask = poison.square_mask(before)
    assert mask.shape == (80, 1, 8, 8) and mask[0].sum() == poison.SQUARE**2
    assert (short.images[60][mask[60] != 0] == 255).all()
    with pytest.raises(ValueError, match="share is 2"):
        poison.mislabelled(split, 1, 2)
