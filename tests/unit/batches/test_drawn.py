"""Batches drawn with replacement: as many updates as asked for, every group equally often."""

import numpy as np
import pytest
import torch

from medgen_course.batches.drawn import DrawnSampler, even_weights


def images(n):
    return np.arange(n, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 8, 8), np.uint8)


def test_every_class_is_drawn_equally_often_however_rare_it_is():
    labels = np.repeat([0, 1], [5, 95])
    batches = list(DrawnSampler(images(100), labels, 200, 32).epoch(0, 0))
    drawn = torch.cat([batch["label"] for batch in batches])
    assert len(batches) == 200 and len(drawn) == 6400 and abs(drawn.float().mean() - 0.5) < 0.03
    for batch in batches[:3]:
        assert torch.equal((batch["x"][:, 0, 0, 0] * 255).round().long() >= 5, batch["label"] == 1)


def test_groups_weigh_the_same_and_images_in_them_too():
    weights = even_weights([0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 1, 1])
    np.testing.assert_allclose(weights, [1 / 8, 1 / 8, 1 / 4, 1 / 4, 1 / 8, 1 / 8])
    assert even_weights([0, 0, 2]).tolist() == [0.25, 0.25, 0.5]


def test_images_without_labels_come_beside_and_only_labelled_ones_are_transformed():
    sampler = DrawnSampler(
        images(4), np.arange(4) % 2, 3, 5, unlabelled=images(90)[60:], transform=torch.zeros_like
    )
    for batch in sampler.epoch(0, 0):
        assert batch["x"].shape == batch["unlabelled"].shape == (5, 1, 8, 8)
        assert batch["x"].max() == 0 and (batch["unlabelled"] * 255).round().min() >= 60


def test_seed_and_epoch_and_process_decide_the_draws():
    sampler = DrawnSampler(images(50), np.arange(50) % 2, 4, 8, unlabelled=images(50))

    def seen(*which, **where):
        return torch.cat([batch["x"] for batch in sampler.epoch(*which, **where)])

    assert torch.equal(seen(0, 1), seen(0, 1))
    others = (seen(0, 2), seen(1, 1), seen(0, 1, rank=1, world_size=2))
    assert not any(torch.equal(seen(0, 1), other) for other in others)
    assert len(sampler) == sampler.batches(2) == 4


@pytest.mark.parametrize(
    ("count", "options", "message"),
    [(0, {}, "no images"), (4, {"unlabelled": images(0)}, "no images"), (4, {"steps": 0}, "steps is 0")],
)
def test_nothing_to_draw_says_so(count, options, message):
    with pytest.raises(ValueError, match=message):
        DrawnSampler(images(count), np.arange(count) % 2, **{"steps": 1} | options)
