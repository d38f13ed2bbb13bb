"""Pointing, precision and the sanity check on maps whose score is known."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from medgen_course.metrics.trust import explained
from medgen_course.models.classifier import Classifier

MASKS = np.zeros((3, 1, 8, 8), np.uint8)
MASKS[:, 0, 2:4, 3:5] = 1
RNG = np.random.default_rng(0)


def peak(row: int, column: int) -> np.ndarray:
    made = np.zeros((1, 8, 8))
    made[0, row, column] = 1
    return made


def test_a_hit_is_the_highest_pixel_within_the_tolerance():
    maps = np.concatenate([peak(2, 3), peak(4, 5), peak(5, 5)])
    assert explained.pointing(maps, MASKS).tolist() == [1, 1, 0]
    assert explained.pointing(maps, MASKS, tolerance=0).tolist() == [1, 0, 0]


def test_a_constant_map_points_by_chance():
    assert explained.pointing(np.ones((3, 8, 8)), MASKS, 0) == pytest.approx(np.full(3, 4 / 64))
    assert explained.precision(np.ones((3, 8, 8)), MASKS) == pytest.approx(np.full(3, 4 / 64))


def test_precision_is_one_for_the_mask_and_least_for_its_opposite():
    inside = MASKS[:, 0].astype(float)
    assert explained.precision(inside, MASKS).tolist() == [1, 1, 1]
    assert (explained.precision(-inside, MASKS) < 0.1).all()
    drawn = explained.precision(RNG.random((3, 8, 8)), MASKS)
    assert (drawn < 0.7).all()


def test_empty_masks_and_nan_are_refused():
    empty, broken = MASKS.copy(), np.zeros((3, 8, 8))
    empty[1] = 0
    with pytest.raises(ValueError, match="1 of them empty"):
        explained.pointing(np.zeros((3, 8, 8)), empty)
    broken[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="1 of their pixels NaN"):
        explained.precision(broken, MASKS)
    with pytest.raises(ValueError, match=r"\(N, H, W\)"):
        explained.pointing(np.zeros((3, 7, 8)), MASKS)


def test_rank_correlation_is_scipys():
    a, b = RNG.random((2, 3, 8, 8))
    b[0] = -a[0]
    found = explained.rank_correlation(a, b)
    expected = [spearmanr(i.ravel(), j.ravel()).statistic for i, j in zip(a, b, strict=True)]
    assert found == pytest.approx(expected) and found[0] == pytest.approx(-1)
    assert explained.rank_correlation(np.zeros((3, 8, 8)), b).tolist() == [0, 0, 0]


def test_controls_know_the_image_only():
    x = torch.full((2, 1, 8, 8), 0.5)
    x[:, :, 2:4, 3:5] = 0.2
    maps = explained.controls(x)
    assert explained.precision(maps["darkness"], MASKS[:2]).tolist() == [1, 1]
    assert explained.precision(maps["brightness"], MASKS[:2]).max() < 0.2
    assert maps["edges"][0, 6, 6] == 0 and maps["edges"][0, 2, 2] > 0
    assert np.array_equal(maps["random"], explained.controls(x)["random"])
    assert set(map(np.shape, maps.values())) == {(2, 8, 8)}


def test_new_weights_begin_at_the_head_and_leave_the_model_alone():
    model = Classifier(1, 28, 2, width=4).eval().requires_grad_(False)
    x = torch.rand(6, 1, 28, 28)
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    changed = []
    for depth in range(5):
        other = explained.randomised(model, x, depth, seed=1)
        weights = other.state_dict()
        fresh = {name.split(".")[0] + name.split(".")[1] * ("stages" in name)
                 for name, value in kept.items() if name.endswith("weight") and not torch.equal(value, weights[name])}  # fmt: skip # noqa: E501
        changed.append(fresh)
        assert not other.training and all(torch.equal(v, kept[k]) for k, v in model.state_dict().items())
        assert torch.equal(other(x), explained.randomised(model, x, depth, seed=1)(x))
    assert changed == [
        set(),
        {"head"},
        {"head", "stages2"},
        {"head", "stages2", "stages1"},
        {"head", "stages2", "stages1", "stages0"},
    ]
    assert torch.equal(state, torch.get_rng_state())
    with pytest.raises(ValueError, match="depth is 5"):
        explained.randomised(model, x, 5)


def test_maps_with_new_weights_are_compared_draw_by_draw_with_those_of_the_trained_network():
    model, x = Classifier(1, 28, 2, width=4).eval().requires_grad_(False), torch.rand(3, 1, 28, 28)
    masks = np.zeros((3, 1, 28, 28), np.uint8)
    masks[:, 0, 4:9, 4:9] = 1

    def by_head(network, images, target):  # the image, weighed by what the head says first
        return (images[:, 0] * network.head.weight[target, 0]).numpy()

    found = explained.with_new_weights(model, by_head, x, masks, draws=(1, 2, 3))
    assert {name: list(rows) for name, rows in found.items()} == {
        name: [1, 2, 3, 4] for name in ("alike", "alike in size", "pointing")
    }
    for depth, values in found["alike"].items():
        heads = [explained.randomised(model, x, depth, seed).head.weight[1, 0] for seed in (1, 2, 3)]
        assert values == pytest.approx([float(torch.sign(h * model.head.weight[1, 0])) for h in heads])
        assert found["alike in size"][depth] == pytest.approx([1, 1, 1])
        turned = [by_head(explained.randomised(model, x, depth, seed), x, 1) for seed in (1, 2, 3)]
        expected = [explained.pointing(maps, masks).mean() for maps in turned]
        assert found["pointing"][depth] == pytest.approx(expected)
