"""PGD reaches the analytic worst case of a linear model, stays in its box, and touches nobody's weights."""

import pytest
import torch
from torch import nn

from medgen_course.models.pgd import noise, pgd

X = 0.2 + 0.6 * torch.rand(3, 1, 6, 5, generator=torch.Generator().manual_seed(1))


def linear(seed: int = 2) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(30, 1), nn.Flatten(0))


@pytest.mark.parametrize("epsilon", [1, 8, 80])
def test_on_a_linear_model_it_is_the_worst_case(epsilon):
    model = linear()
    weight = model[1].weight.detach().view(1, 1, 6, 5)
    worst = (X + epsilon / 255 * weight.sign()).clamp(0, 1)
    found = pgd(model, X, epsilon)
    assert torch.allclose(found, worst, atol=1e-6)
    inner = (model(X + epsilon / 255 * weight.sign()) - model(X)).detach()
    assert torch.allclose(inner, epsilon / 255 * weight.abs().sum().expand(3), rtol=1e-4)


def test_it_stays_in_the_box_of_epsilon_and_of_grey_levels():
    for x in (X, torch.zeros_like(X), torch.ones_like(X)):
        for epsilon in (0, 0.5, 3):
            found = pgd(linear(), x, epsilon, steps=3, step_size=100)
            assert ((found - x).abs() <= epsilon / 255 + 1e-7).all()
            assert found.min() >= 0 and found.max() <= 1
    assert torch.equal(pgd(linear(), X, 0), X)


def test_the_loss_never_falls_even_where_the_gradient_misleads():
    rough = lambda x: -(60 * (x - X)).sin().square().sum((1, 2, 3)) - (x - X).abs().sum((1, 2, 3))  # noqa: E731
    assert torch.equal(pgd(rough, X, 8, steps=2), X)  # X is the best there is


def test_weights_gradients_and_random_state_are_left_alone():
    model = linear()
    model[1].weight.grad = torch.full_like(model[1].weight, 3.0)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    state, x = torch.get_rng_state(), X.clone()
    with torch.no_grad():  # works there too
        first = pgd(model, x, 4)
    assert not first.requires_grad and torch.equal(first, pgd(model, x, 4))
    assert torch.equal(x, X) and torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(p, before[name]) and p.requires_grad for name, p in model.named_parameters())
    assert (model[1].weight.grad == 3).all() and model[1].bias.grad is None


def test_each_image_is_attacked_by_itself():
    model = nn.Sequential(nn.Flatten(), nn.Linear(30, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    together = pgd(model, X, 6)
    start = pgd(model, X[:1], 6)
    assert torch.allclose(model(together)[:1], model(start), atol=1e-4)


def test_noise_is_as_large_and_aims_at_nothing():
    made = noise(X, 5, seed=3)
    assert torch.allclose((made - X).abs(), torch.tensor(5 / 255)) and torch.equal(made, noise(X, 5, seed=3))
    assert 0.2 < (made > X).float().mean() < 0.8 and not torch.equal(made, noise(X, 5, seed=4))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epsilon": -1}, "epsilon must lie"),
        ({"epsilon": 300}, "grey levels"),
        ({"steps": 0}, "steps is 0"),
        ({"x": 255 * X}, "values in \\[0, 1\\]"),
        ({"loss": lambda x: x.sum()}, "one number an image"),
    ],
)
def test_bad_arguments_are_one_clear_line(change, said):
    with pytest.raises(ValueError, match=said):
        pgd(**({"loss": linear(), "x": X, "epsilon": 4} | change))
