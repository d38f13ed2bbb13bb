"""Paths begin at the image and end at the other class; edits are measured on twins that are known."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from medgen_course.metrics.trust import counterfactuals as cf
from medgen_course.metrics.trust import edits
from medgen_course.models.vae import VAE

GENERATOR = torch.Generator().manual_seed(0)
X = torch.rand(4, 1, 8, 8, generator=GENERATOR)


class Bright(nn.Module):
    """Class 1 where the mean of the left half is above a half: log odds 40 (mean - 0.5)."""

    def forward(self, x):
        odds = 40 * (x[..., : x.shape[-1] // 2].mean((1, 2, 3)) - 0.5)
        return torch.stack([torch.zeros_like(odds), odds], 1)


def vae(seed: int = 0) -> VAE:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return VAE(1, 8, 4, width=4).eval()


def ways(model: VAE, classifier: nn.Module) -> dict[str, cf.Way]:
    means = torch.stack([torch.full((1, 8, 8), level) for level in (0.1, 0.9)])
    loud = lambda classifier, x, target: (x.mean(1) * (2 * target - 1)).numpy()  # noqa: E731
    return {
        "along": cf.along(model, torch.ones(4), 1.0),
        "search": cf.by_gradient(model, classifier, 0.01, steps=5),
        "infill": cf.infill(model, classifier, loud, 8),
        "reconstruction": cf.reconstruction(model),
        "mean": cf.mean_image(means),
        "attack": cf.adversarial(classifier, 8, steps=3),
    }


@pytest.mark.parametrize("name", ["along", "search", "infill", "reconstruction", "mean", "attack"])
def test_a_path_begins_at_the_image_and_stays_in_range(name):
    model, classifier = vae(), Bright()
    before = [p.detach().clone() for p in model.parameters()]
    state = torch.get_rng_state()
    walked = cf.path(classifier, ways(model, classifier)[name], X, steps=5)
    assert walked.images.shape == (5, 4, 1, 8, 8) and walked.probability.shape == (5, 4)
    assert torch.allclose(walked.images[0], X, atol=1e-6) and not walked.images.requires_grad
    assert walked.images.min() >= -1e-6 and walked.images.max() <= 1 + 1e-6
    assert (walked.end - X).abs().max() > 1e-3
    says = (walked.probability[0] > 0.5).long()
    assert torch.equal(walked.to, 1 - says) and says.unique().numel() == 2  # both directions at once
    assert torch.equal(state, torch.get_rng_state())
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(p, old) for p, old in zip(model.parameters(), before, strict=True))


def test_the_end_turns_the_answer_and_first_says_when():
    walked = cf.path(Bright(), ways(vae(), Bright())["mean"], X, steps=9)
    assert walked.flipped.all()
    there = (walked.probability > 0.5).long() == walked.to
    for i, first in enumerate(walked.first.tolist()):
        assert there[first, i] and not there[:first, i].any() and first > 0
    still = cf.path(Bright(), lambda x, to, amounts: x.expand(len(amounts), *x.shape), X, steps=3)
    assert not still.flipped.any() and still.first.tolist() == [3] * 4


def test_what_the_decoder_lacks_is_kept():
    model, vector = vae(), torch.tensor([1.0, 0.5, -1.0, 0.0])
    walked = cf.path(Bright(), cf.along(model, vector, 2.0), X, steps=2, to=1)
    with torch.no_grad():
        mu, _ = model.encode(X)
        expected = (X + model.decode(mu + 2 * vector) - model.decode(mu)).clamp(0, 1)
    assert torch.allclose(walked.end, expected, atol=1e-5)
    back = cf.path(Bright(), cf.along(model, vector, 2.0), X, steps=2, to=0)
    assert not torch.allclose(back.end, walked.end)


def test_the_direction_is_the_difference_of_class_means():
    model, labels = vae(), torch.tensor([0, 1, 1, 0])
    with torch.no_grad():
        mu, _ = model.encode(X)
    assert torch.allclose(
        cf.class_direction(model, X, labels), (mu[1] + mu[2] - mu[0] - mu[3]) / 2, atol=1e-6
    )


def test_a_search_moves_towards_the_class_and_a_dear_code_stays_nearer():
    model, classifier = vae(), Bright()
    toward = lambda walked: ((2 * walked.to - 1) * (walked.probability[-1] - walked.probability[0])).min()  # noqa: E731
    cheap, dear = (
        cf.path(classifier, cf.by_gradient(model, classifier, w, steps=40), X, 2) for w in (1e-4, 10.0)
    )
    assert toward(cheap) > 0.01
    assert (cheap.end - X).square().sum() > (dear.end - X).square().sum()


def test_infilling_takes_the_loudest_pixels_one_by_one():
    model = vae()
    loud = torch.arange(64.0).view(1, 8, 8).expand(4, 8, 8)
    way = cf.infill(model, Bright(), lambda *_: loud.numpy(), 4)
    images = way(X, 0, torch.tensor([0.0, 0.25, 0.375, 1.0]))
    with torch.no_grad():
        rebuilt = model.decode(model.encode(X)[0])
    assert torch.equal(images[0], X)
    assert torch.allclose(images[1].flatten(1)[:, 63], rebuilt.flatten(1)[:, 63])
    assert torch.equal(images[1].flatten(1)[:, :63], X.flatten(1)[:, :63])
    half = (X + rebuilt).flatten(1)[:, 62] / 2
    assert torch.allclose(images[2].flatten(1)[:, 62], half, atol=1e-6)
    assert ((images[3] != X).flatten(1).sum(1) <= 4).all()


def test_bad_arguments_are_one_clear_line():
    way = cf.reconstruction(vae())
    with pytest.raises(ValueError, match="steps is 1"):
        cf.path(Bright(), way, X, steps=1)
    with pytest.raises(ValueError, match="expected two classes"):
        cf.path(nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), way, X)
    with pytest.raises(ValueError, match="values in"):
        cf.path(Bright(), way, 255 * X)


TWIN = torch.full((3, 1, 8, 8), 0.6)
MASKS = np.zeros((3, 1, 8, 8), np.uint8)
MASKS[:, 0, 2:4, 2:4] = 1
SICK = TWIN - 0.2 * torch.from_numpy(MASKS).float()


def test_the_twin_is_the_best_edit_and_nothing_the_idle_one():
    best, idle = (edits.against_twin(end, SICK, TWIN, MASKS) for end in (TWIN, SICK))
    assert best["removed"]["value"] == pytest.approx(1) and idle["removed"]["value"] == pytest.approx(0)
    assert best["aimed"]["value"] == pytest.approx(1) and idle["aimed"]["value"] == 0
    assert best["to_twin"]["value"] == pytest.approx(0, abs=1e-4)
    assert idle["to_twin"]["value"] == pytest.approx(255 * 0.2 / 4, rel=1e-4)  # 4 of 64 pixels
    assert best["inside"]["value"] == pytest.approx(51, rel=1e-4) and best["outside"]["value"] == 0


def test_a_change_elsewhere_is_seen_as_such():
    end = SICK.clone()
    end[..., 7, :] += 0.1
    row = edits.against_twin(end, SICK, TWIN, MASKS)
    assert row["removed"]["value"] == pytest.approx(0, abs=1e-6) and row["aimed"]["value"] == 0
    assert row["outside"]["value"] == pytest.approx(
        25.5 * 8 / 48, rel=1e-4
    )  # 48 pixels lie beyond the margin
    half = edits.against_twin(SICK + 0.5 * (TWIN - SICK), SICK, TWIN, MASKS)
    assert half["removed"]["value"] == pytest.approx(0.5, rel=1e-4)


def test_an_empty_mask_is_refused():
    with pytest.raises(ValueError, match="leave out slices without a lesion"):
        edits.against_twin(SICK, SICK, TWIN, np.zeros_like(MASKS))


def test_a_second_network_is_asked_only_where_it_agreed():
    walked = cf.path(Bright(), ways(vae(), Bright())["mean"], X, steps=2)
    opposite = lambda x: -Bright()(x)  # noqa: E731
    same = edits.of_path(walked, Bright())
    assert same["second_flipped"]["value"] == same["flipped"]["value"] == 1
    with pytest.raises(ValueError, match="counted"):
        edits.of_path(walked, opposite)  # it agreed nowhere, so nothing can be counted
    deaf = edits.of_path(walked, lambda x: F.one_hot(torch.zeros(len(x), dtype=torch.int64), 2).float())
    assert deaf["second_flipped"]["value"] == 0


def test_intervals_hold_their_value_and_shrink_with_images():
    values = np.random.default_rng(0).random(400)
    few, many = (edits.resampled(lambda i, v=values[:n]: v[i].mean(-1), n) for n in (20, 400))
    assert few["low"] < few["value"] < few["high"]
    assert many["high"] - many["low"] < (few["high"] - few["low"]) / 2
