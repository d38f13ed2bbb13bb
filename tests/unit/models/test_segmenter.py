"""A U-Net that is told where things are: the ceiling of notebook 10, and the segmenter of notebook 12."""

from functools import partial

import numpy as np
import pytest
import torch

from medgen_course import pretrained
from medgen_course.batches.transforms import augment
from medgen_course.metrics.anomaly import scores
from medgen_course.models.segmenter import Segmenter, SegmenterAlgorithm, soft_dice_loss
from medgen_course.models.unet import UNet


def pairs(count, seed, channels=1):
    """Noise with a bright and a dark square, and the mask of each: (N, C + 2, 16, 16) in [0, 1]."""
    rng = np.random.default_rng(seed)
    images = 0.5 + 0.1 * rng.standard_normal((count, channels, 16, 16))
    masks = np.zeros((count, 2, 16, 16))
    for i, (top, a, b) in enumerate(rng.integers(1, 11, (count, 3))):
        masks[i, 0, top : top + 4, a : a + 4] = 1
        masks[i, 1, 15 - top - 3 : 15 - top + 1, b : b + 4] = 1
        images[i] += 0.3 * masks[i, :1] - 0.3 * masks[i, 1:]
    return torch.from_numpy(np.concatenate([images.clip(0, 1), masks], 1)).float()


def learnt(told, masks, change=None, steps=200):
    torch.manual_seed(0)
    model = Segmenter(told.shape[1] - masks, 16, masks, width=4)
    algorithm = SegmenterAlgorithm(model, 1e-2, decay_steps=steps, change=change)
    step = partial(algorithm.step, {"x": told}, lambda loss: loss.backward())
    return model.eval(), algorithm, [step()["loss"].item() for _ in range(steps)]


@pytest.mark.parametrize("channels", [1, 3])
def test_it_learns_where_each_structure_is_and_the_step_size_falls_to_zero(channels):
    model, algorithm, losses = learnt(pairs(32, 0, channels), 2)
    assert losses[-1] < 0.3 * losses[0] and algorithm.steps == 200
    assert algorithm.optimizers["unet"].param_groups[0]["lr"] < 1e-5
    new = pairs(16, 1, channels)
    images, truth = (255 * new[:, :channels]).round().byte().numpy(), new[:, channels:].numpy() > 0
    probable = model.probabilities(images)
    assert probable.shape == (16, 2, 16, 16) and probable.dtype == np.float32
    for i in range(2):
        assert probable[:, i][truth[:, i]].mean() > 0.4 > 4 * probable[:, i][~truth[:, i]].mean()
    assert np.array_equal(model.masks(images), probable > 0.5) and model.masks(images).dtype == np.uint8
    assert model.config["kind"] == "segmenter" and model.config["masks"] == 2


def test_what_changes_a_batch_sees_images_and_masks_together():
    seen = []

    def change(both):
        seen.append(both)
        return augment(both, rotation=0.1, masks=2)

    told = pairs(4, 0)
    *_, losses = learnt(told, 2, steps=2)
    *_, changed = learnt(told, 2, change, steps=2)
    assert torch.equal(seen[0], told) and losses != changed


def test_the_shipped_ceiling_says_what_it_said_as_a_unet():
    """Notebook 10's network was stored when its odds were those of a U-Net of one channel."""
    model = pretrained.load_anomaly("phantom", "anomaly_ceiling")
    card = pretrained.card("phantom", "anomaly_ceiling")
    assert isinstance(model, Segmenter) and card["kind"] == "segmenter"
    old = UNet(1, 64, card["model"]["width"], card["model"]["halvings"]).eval()
    old.load_state_dict(model.state_dict())
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 64, 64), dtype=np.uint8)
    with torch.no_grad():
        expected = old(torch.from_numpy(images / 255).float()).mean(1).sigmoid().numpy()
    assert np.allclose(scores.told_where(model, images, sigma=0).map, expected, atol=1e-6)


def test_the_soft_dice_loss_is_one_minus_dice_of_sure_masks_and_asks_for_empty_ones():
    masks = torch.zeros(2, 2, 8, 8)
    masks[:, 0, 2:6, 2:6] = 1
    sure = torch.where(masks.roll(2, -1) > 0, 40.0, -40.0)
    overlap = (2 * 16 + 1) / (32 + 32 + 1)  # half of each square; the second structure is nowhere
    assert soft_dice_loss(sure, masks).item() == pytest.approx((1 - overlap) / 2, abs=1e-6)
    assert soft_dice_loss(-sure.abs(), masks * 0).item() == pytest.approx(0, abs=1e-6)
    assert soft_dice_loss(sure.abs(), masks * 0).item() > 0.99


def test_a_prior_is_where_learning_starts():
    model = Segmenter(1, 16, 2, width=4, prior=0.02)
    black = model.probabilities(np.zeros((1, 1, 16, 16), np.uint8))
    assert np.allclose(black, 0.02) and "prior" not in model.config
