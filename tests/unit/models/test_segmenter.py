"""The ceiling of notebook 10: a U-Net that is told where the anomalies are."""

import numpy as np
import torch

from medgen_course.metrics.anomaly import scores
from medgen_course.models.segmenter import SegmenterAlgorithm, odds
from medgen_course.models.unet import UNet


def pairs(count, seed):
    """Noise with a bright square, and its mask: (N, 2, 16, 16) in [0, 1]."""
    rng = np.random.default_rng(seed)
    made = np.stack([0.3 + 0.1 * rng.standard_normal((count, 16, 16)), np.zeros((count, 16, 16))], 1)
    for i, (y, x) in enumerate(rng.integers(1, 11, (count, 2))):
        made[i, 0, y : y + 4, x : x + 4] += 0.4
        made[i, 1, y : y + 4, x : x + 4] = 1
    return torch.from_numpy(made.clip(0, 1)).float()


def test_it_learns_where_and_the_step_size_falls_to_zero():
    torch.manual_seed(0)
    model, told, new = UNet(1, 16, 4), pairs(32, 0), pairs(16, 1)
    algorithm = SegmenterAlgorithm(model, 1e-2, decay_steps=200)
    losses = [algorithm.step({"x": told}, lambda loss: loss.backward())["loss"].item() for _ in range(200)]
    assert losses[-1] < 0.3 * losses[0] and algorithm.steps == 200
    assert algorithm.optimizers["unet"].param_groups[0]["lr"] < 1e-5
    images = (255 * new[:, :1]).round().byte().numpy()
    found, inside = scores.told_where(model, images, sigma=0), new[:, 1].numpy() > 0
    assert found.map[inside].mean() > 0.4 > 4 * found.map[~inside].mean()
    with torch.no_grad():
        expected = odds(model, torch.from_numpy(images / 255).float()).sigmoid()[:, 0]
    assert np.allclose(found.map, expected, atol=1e-5)
