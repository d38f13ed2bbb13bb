"""Formulas of the Gaussian world against draws, and the course's own methods against the formulas."""

import pytest
import torch

from medgen_course.metrics.calibration import coverage, error_over_spread, spread, spread_against_error
from medgen_course.models.latent_search import search
from medgen_course.models.unet import EnhancerAlgorithm
from medgen_course.toys.gaussian_world import GaussianWorld

WORLD = GaussianWorld()
COUNT = 4000


@pytest.fixture(scope="module")
def drawn():
    generator = torch.Generator().manual_seed(0)
    x = WORLD.draw(COUNT, generator)
    return x, WORLD.measure(x, generator), generator


def errors(made, x):
    """Mean over images of the squared error per pixel, and the standard error of that mean."""
    values = (made - x).square().mean((1, 2, 3))
    return float(values.mean()), float(values.std() / len(values) ** 0.5)


def test_the_posterior_mean_reaches_the_mmse_and_a_draw_costs_twice(drawn):
    x, y, generator = drawn
    assert abs(float(x.var()) - 1) < 0.02
    mean, se = errors(WORLD.posterior_mean(y), x)
    assert abs(mean - WORLD.mmse) < 4 * se
    draw, se = errors(WORLD.posterior_draw(y, generator), x)
    assert abs(draw - 2 * WORLD.mmse) < 4 * se
    assert 2.9 < 10 * torch.log10(torch.tensor(draw / mean)) < 3.1  # 3 dB
    raw, _ = errors(y, x)
    assert mean < 0.8 * raw


def test_what_looks_true_costs_less_when_it_is_the_mean_stretched(drawn):
    x, y, generator = drawn
    stretched, se = errors(WORLD.stretched(y), x)
    assert abs(stretched - WORLD.best_tradeoff(1.0)[0]) < 4 * se
    assert WORLD.mmse < stretched < 2 * WORLD.mmse
    for share in (0.0, 0.4, 1.0):
        (plain, gap), (best, least) = WORLD.tradeoff(share), WORLD.best_tradeoff(share)
        assert plain == pytest.approx((1 + share**2) * WORLD.mmse)
        assert best <= plain + 1e-9 and gap >= 0 and least >= 0
    assert WORLD.tradeoff(1.0)[1] == pytest.approx(0, abs=1e-9)
    assert WORLD.best_tradeoff(1.0)[1] == pytest.approx(0, abs=1e-9)
    assert WORLD.tradeoff(0.0) == WORLD.best_tradeoff(0.0) and WORLD.tradeoff(0.0)[1] > 0.05
    for made in (WORLD.posterior_draw(y, generator), WORLD.stretched(y)):
        power = torch.fft.fft2(made, norm="ortho").abs().square().mean((0, 1))
        assert ((power / WORLD.power - 1).abs() < 0.15).all()


@pytest.mark.parametrize("distance", ["squared", "absolute"])
def test_a_network_taught_by_code_reaches_the_mmse(drawn, distance):
    """In a Gaussian world the median is the mean: both distances lead to the same filter."""
    x, y, _ = drawn
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = torch.nn.Conv2d(1, 1, 9, padding=4, padding_mode="circular", bias=False)
        algorithm = EnhancerAlgorithm(model, WORLD, distance, learning_rate=0.01, decay_steps=300)
        train = WORLD.draw(512, torch.Generator().manual_seed(1))
        for _ in range(300):
            algorithm.step({"x": train[torch.randint(512, (32,))]}, lambda loss: loss.backward())
    with torch.inference_mode():
        reached, _ = errors(algorithm.average(y), x)
    assert WORLD.mmse * 0.97 < reached < WORLD.mmse * 1.03


def test_a_search_of_the_right_latent_space_finds_the_posterior_mean(drawn):
    _, y, _ = drawn
    found = search(
        WORLD.decode,
        WORLD.size**2,
        WORLD,
        y[:4],
        starts=2,
        steps=400,
        weight=WORLD.noise**2,
        learning_rate=0.1,
    )
    mean = WORLD.posterior_mean(y[:4])
    assert found.images.shape == (2, 4, 1, 16, 16) and found.misfit.shape == (2, 4)
    assert (found.best - mean).square().mean().sqrt() < 0.02 * mean.square().mean().sqrt()


def test_draws_of_the_posterior_are_calibrated_and_half_of_them_are_not(drawn):
    x, y, generator = drawn
    x, y, count = x[:300], y[:300], 5
    answers = torch.stack([WORLD.posterior_draw(y, generator) for _ in range(count)])
    mean, std = spread(answers)
    for stated, measured in coverage(std, mean - x, count).items():
        assert abs(measured - stated) < 0.01
    shy = coverage(std / 2, mean - x, count)
    assert all(measured < stated - 0.1 for stated, measured in shy.items())
    exact = WORLD.posterior_variance.mean() ** 0.5
    groups = spread_against_error(std, mean - x, bins=4)
    assert (groups["spread"][1:] > groups["spread"][:-1]).all()
    assert error_over_spread(std, mean - x) == pytest.approx((1 + 1 / count) ** 0.5, abs=0.03)
    assert error_over_spread(std / 2, mean - x) == pytest.approx(2 * (1 + 1 / count) ** 0.5, abs=0.06)
    # all pixels are equally uncertain here, so a larger spread is chance and the error knows nothing of it
    assert abs(groups["rmse"] / float(exact * (1 + 1 / count) ** 0.5) - 1).max() < 0.05


def test_one_answer_has_no_spread():
    with pytest.raises(ValueError, match="one answer has no spread"):
        spread(torch.zeros(1, 3))
    with pytest.raises(ValueError, match="no pair"):
        spread_against_error(torch.ones(3), torch.ones(4))
    with pytest.raises(ValueError, match="make no 10 groups"):
        spread_against_error(torch.ones(3), torch.ones(3))
