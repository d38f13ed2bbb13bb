"""The detectors of notebook 10: components of the PCA are chosen on val; a borrowed map does not count."""

import numpy as np
import pytest

from medgen_course.datasets.anomalies import Trial
from medgen_course.metrics.anomaly import baselines, shelf
from medgen_course.metrics.anomaly.scores import Scored

RNG = np.random.default_rng(0)


def images(count: int) -> np.ndarray:
    """Two directions, wide apart, and noise, uint8 (count, 1, 8, 8)."""
    ways = np.kron(np.eye(2), np.ones(32))
    drawn = 128 + RNG.standard_normal((count, 2)) * 25 @ ways + 3 * RNG.standard_normal((count, 64))
    return drawn.clip(0, 255).astype(np.uint8).reshape(count, 1, 8, 8)


def test_components_are_those_whose_residual_tells_best():
    healthy = images(60)
    sick = healthy.copy()
    sick[:, 0, 3:5, 3:5] += 20
    train, val = images(200), Trial(healthy, sick)
    by_count = shelf.by_components(train, val, (1, 2, 40))
    assert max(by_count, key=by_count.get) == 2
    residual = baselines.Subspace.fit(train, 2).residual
    pair = residual(healthy), residual(sick)
    ways = [shelf.image_rows({"": pair}, {"": how})[""]["auroc"]["value"] for how in shelf.CHOSEN]
    assert by_count[2] == pytest.approx(max(ways))


def test_the_elbo_has_no_pixel_figures():
    masks = np.zeros((4, 1, 8, 8), np.uint8)
    masks[:, :, 2:4, 2:4] = 1
    pair = tuple(Scored(RNG.random(4), RNG.random((4, 8, 8))) for _ in range(2))
    no_map = (Scored(RNG.random(4)),) * 2
    found = {"VAE, ELBO": pair, "VAE, squared error": pair, "length": no_map}
    assert list(shelf.pixels(found, masks)) == ["VAE, squared error"]
