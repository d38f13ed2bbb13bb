"""DP-SGD against a plain loop and against opacus; the accountant; what one image can change."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from medgen_course.batches.poisson import PoissonSampler
from medgen_course.datasets import Split
from medgen_course.models import private_vae
from medgen_course.models.private_vae import (
    ConditionalVAE,
    PrivateVAEAlgorithm,
    clip_and_noise,
    noise_for,
    per_image_gradients,
    spent,
)
from medgen_course.training import fit


def squared(forward, x, y):
    return (forward(x)[:, 0] - y).square()


@pytest.fixture
def linear():
    torch.manual_seed(0)
    return nn.Linear(5, 1), torch.randn(8, 5), torch.randn(8)


def by_a_loop(network, x, y, max_norm, expected):
    """Image by image with autograd, as one would write it first."""
    totals = [torch.zeros_like(p) for p in network.parameters()]
    for i in range(len(x)):
        network.zero_grad()
        squared(network, x[i : i + 1], y[i : i + 1])[0].backward()
        length = math.sqrt(sum(float(p.grad.square().sum()) for p in network.parameters()))
        for total, p in zip(totals, network.parameters(), strict=True):
            total += p.grad * min(1.0, max_norm / length)
    return [total / expected for total in totals]


@pytest.mark.parametrize("max_norm", [0.5, 2.0, math.inf])
def test_clipped_gradients_are_those_of_a_loop_over_images(linear, max_norm):
    network, x, y = linear
    gradients, losses = per_image_gradients(network, squared, x, y)
    torch.testing.assert_close(losses, squared(network, x, y).detach())
    found = clip_and_noise(gradients, max_norm, 0.0, 16)
    for one, other in zip(found.values(), by_a_loop(network, x, y, max_norm, 16), strict=True):
        torch.testing.assert_close(one, other)


def test_clipped_gradients_are_those_of_opacus(linear):
    from opacus import GradSampleModule
    from opacus.optimizers import DPOptimizer

    network, x, y = linear
    found = clip_and_noise(per_image_gradients(network, squared, x, y)[0], 0.7, 0.0, 8)
    watched = GradSampleModule(network)
    plain = torch.optim.SGD(watched.parameters(), lr=1.0)
    optimizer = DPOptimizer(plain, noise_multiplier=0.0, max_grad_norm=0.7, expected_batch_size=8)
    squared(watched, x.requires_grad_(), y).mean().backward()
    optimizer.pre_step()
    for one, parameter in zip(found.values(), watched.parameters(), strict=True):
        torch.testing.assert_close(one, parameter.grad, rtol=1e-4, atol=1e-6)


def test_gradients_through_convolutions_are_those_of_opacus():
    from opacus import GradSampleModule

    torch.manual_seed(0)
    model = ConditionalVAE(1, 8, 2, latent_dim=3, width=4)
    x, y, epsilon = torch.rand(6, 1, 8, 8), model.one_hot(torch.arange(6) % 2), torch.randn(6, 3)
    found, losses = per_image_gradients(model, private_vae.elbo, x, y, epsilon)
    watched = GradSampleModule(model, loss_reduction="sum")
    values = private_vae.elbo(watched, x.requires_grad_(), y, epsilon)
    values.sum().backward()
    torch.testing.assert_close(losses, values.detach(), rtol=1e-4, atol=1e-3)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad_sample, rtol=1e-3, atol=0.02)


def test_one_image_moves_the_sum_by_at_most_the_clipping_length(linear):
    network, x, y = linear
    x[0] *= 1000
    parts = [per_image_gradients(network, squared, x[i:], y[i:])[0] for i in (0, 1)]
    with_it, without = (clip_and_noise(part, 0.5, 0.0, 1) for part in parts)
    moved = math.sqrt(sum(float((with_it[k] - without[k]).square().sum()) for k in with_it))
    assert moved == pytest.approx(0.5, rel=1e-4)


def test_noise_has_the_stated_size_and_falls_on_an_empty_batch_too():
    gradients = {"w": torch.zeros(0, 400, 500)}
    found = clip_and_noise(gradients, 2.0, 1.5, 10, torch.Generator().manual_seed(0))["w"]
    assert found.std().item() == pytest.approx(1.5 * 2.0 / 10, rel=0.01) and abs(found.mean()) < 0.003
    with pytest.raises(ValueError, match="max_norm is 0"):
        clip_and_noise(gradients, 0, 1, 10)
    with pytest.raises(ValueError, match="which is infinite"):
        clip_and_noise(gradients, math.inf, 1, 10)


def test_epsilon_grows_with_steps_and_rate_and_falls_with_noise():
    base = spent(1.0, 0.02, 500, 1e-5)
    assert spent(1.0, 0.02, 1000, 1e-5) > base > spent(1.5, 0.02, 500, 1e-5)
    assert spent(1.0, 0.04, 500, 1e-5) > base > spent(1.0, 0.02, 500, 1e-3)
    assert spent(0.0, 0.02, 500, 1e-5) == math.inf
    with pytest.raises(ValueError, match="delta 0"):
        spent(1.0, 0.02, 500, 0)


def test_epsilon_without_subsampling_is_that_of_the_gaussian_mechanism():
    alphas, sigma, steps, delta = np.linspace(1.01, 200, 40_000), 4.0, 10, 1e-5
    curve = steps * alphas / (2 * sigma**2) - (np.log(delta) + np.log(alphas)) / (alphas - 1)
    expected = (curve + np.log((alphas - 1) / alphas)).min()
    assert spent(sigma, 1.0, steps, delta) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("epsilon", [1.0, 10.0])
def test_noise_for_is_the_least_that_keeps_within_epsilon(epsilon):
    noise = noise_for(epsilon, 0.03, 600, 1e-5)
    assert spent(noise, 0.03, 600, 1e-5) <= epsilon < spent(noise - 0.01, 0.03, 600, 1e-5)
    assert noise_for(math.inf, 0.03, 600, 1e-5) == 0
    with pytest.raises(ValueError, match="epsilon is 0"):
        noise_for(0, 0.03, 600, 1e-5)


def test_epsilon_far_outside_the_useful_range_is_a_number_without_a_warning():
    assert 100 < spent(0.2, 0.15, 200, 1e-5) < math.inf
    assert 0 < spent(500.0, 0.001, 10, 1e-5) < 0.05


def images(n=40):
    rng = np.random.default_rng(0)
    return Split((rng.random((n, 1, 8, 8)) * 60).astype(np.uint8), np.arange(n) % 2)


def test_poisson_batches_draw_each_image_by_itself():
    sampler = PoissonSampler(images(), 4, 2000)
    sizes = np.array([len(batch["x"]) for batch in sampler.epoch(0, seed=1)])
    assert sizes.mean() == pytest.approx(4, abs=0.2) and sizes.min() == 0
    assert sizes.var() == pytest.approx(40 * 0.1 * 0.9, rel=0.15)  # binomial
    again = [len(batch["x"]) for batch in sampler.epoch(0, seed=1)]
    assert again == sizes.tolist() != [len(batch["x"]) for batch in sampler.epoch(1, seed=1)]
    with pytest.raises(ValueError, match="expected is 41"):
        PoissonSampler(images(), 41, 1)
    with pytest.raises(ValueError, match="2 processes"):
        sampler.batches(2)


def trained(noise, max_norm=20.0, seed=0):
    torch.manual_seed(0)
    algorithm = PrivateVAEAlgorithm(ConditionalVAE(1, 8, 2, 2, 4), max_norm, noise, 8, 5e-3)
    sampler = PoissonSampler(images(), 8, 25)
    history = fit(algorithm, sampler, 2, seed, "cpu", "float32", progress=False)
    return algorithm.model, history.columns["loss"]


def test_training_learns_with_empty_batches_too_and_noise_is_in_the_way():
    (_, clean), (model, noisy) = trained(0.0), trained(30.0)
    assert clean[-1] < clean[0] - 5 and clean[-1] < noisy[-1]
    assert model.decode(torch.randn(3, 2), torch.eye(2)[[0, 1, 0]]).shape == (3, 1, 8, 8)
    algorithm = PrivateVAEAlgorithm(model.requires_grad_(True), 1.0, 1.0, 8)
    empty = {"x": torch.zeros(0, 1, 8, 8), "label": torch.zeros(0, dtype=torch.int64)}
    before = model.encoder.head.weight.clone()
    assert algorithm.step(empty, None)["loss"] == 0
    assert not torch.equal(before, model.encoder.head.weight)  # nobody may see that nobody was drawn
