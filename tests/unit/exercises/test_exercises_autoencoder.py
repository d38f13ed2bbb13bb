"""Exercises of notebook 01: right solutions pass, each wrong one is told its reason."""

import pytest
import torch

from medgen_course import exercises
from medgen_course.models.autoencoder import reconstruction_loss

RIGHT_LOSSES = {
    "package": reconstruction_loss,
    "by hand": lambda x_hat, x: ((x - x_hat) ** 2).sum(dim=(1, 2, 3)).mean(),
    "torch": lambda x_hat, x: torch.nn.functional.mse_loss(x_hat, x, reduction="sum") / len(x),
}
WRONG_LOSSES = {
    "mean over pixels": (lambda a, b: ((a - b) ** 2).mean(), "averages over pixels: sum over them"),
    "sum over batch": (lambda a, b: ((a - b) ** 2).sum(), "sums over the batch too"),
    "both": (lambda a, b: ((a - b) ** 2).flatten(1).mean(1).sum(), "the other way round"),
    "channels": (lambda a, b: ((a - b) ** 2).sum((2, 3)).mean(), "averages over channels"),
    "no square": (lambda a, b: (a - b).flatten(1).sum(1).mean(), "square is missing: positive and negative"),
    "no square, turned": (lambda a, b: (b - a).flatten(1).sum(1).mean(), "their sign is turned"),
    "absolute": (lambda a, b: (a - b).abs().flatten(1).sum(1).mean(), "these are absolute errors"),
    "absolute mean": (lambda a, b: (a - b).abs().mean(), "absolute errors. It averages over pixels"),
    "half": (lambda a, b: ((a - b) ** 2).flatten(1).sum(1).mean() / 2, "one half too many"),
    "root": (lambda a, b: (a - b).flatten(1).norm(dim=1).mean(), "takes the root"),
    "no batch mean": (lambda a, b: ((a - b) ** 2).flatten(1).sum(1), "shape (3,); expected ()"),
    "no reduction": (lambda a, b: (a - b) ** 2, "shape (3, 1, 4, 5); expected ()"),
    "item": (lambda a, b: reconstruction_loss(a, b).item(), "returns a float; expected a tensor"),
    "detached": (lambda a, b: reconstruction_loss(a, b).detach(), "no gradient can flow back"),
    "constant": (lambda a, b: torch.tensor(4.0), "Square the errors, sum over pixels"),
    "nan": (lambda a, b: (a - a - 1).log().sum(), "returns nan; expected"),
}


@pytest.mark.parametrize("name", RIGHT_LOSSES)
def test_right_losses_pass(name):
    assert exercises.check_reconstruction_loss(RIGHT_LOSSES[name]).right


@pytest.mark.parametrize("name", WRONG_LOSSES)
def test_wrong_losses_are_told_why(name):
    fn, reason = WRONG_LOSSES[name]
    verdict = exercises.check_reconstruction_loss(fn)
    assert verdict.status == "not yet right" and reason in verdict.message


def step_in_order(model, optimizer, x):
    optimizer.zero_grad()
    loss = reconstruction_loss(model(x), x)
    loss.backward()
    optimizer.step()
    return loss


def step_with_codes(model, optimizer, x):
    loss = reconstruction_loss(model.decode(model.encode(x)), x)
    model.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def step_that_clears_last(model, optimizer, x):
    loss = reconstruction_loss(model(x), x)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


def no_zero_grad(model, optimizer, x):
    loss = reconstruction_loss(model(x), x)
    loss.backward()
    optimizer.step()
    return loss


def no_step(model, optimizer, x):
    optimizer.zero_grad()
    loss = reconstruction_loss(model(x), x)
    loss.backward()
    return loss


def no_backward(model, optimizer, x):
    optimizer.zero_grad()
    loss = reconstruction_loss(model(x), x)
    optimizer.step()
    return loss


def only_the_loss(model, optimizer, x):
    return reconstruction_loss(model(x), x)


def step_before_backward(model, optimizer, x):
    optimizer.zero_grad()
    loss = reconstruction_loss(model(x), x)
    optimizer.step()
    loss.backward()
    return loss


def cleared_between(model, optimizer, x):
    loss = reconstruction_loss(model(x), x)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss


def two_steps(model, optimizer, x):
    step_in_order(model, optimizer, x)
    return step_in_order(model, optimizer, x)


def nothing_returned(model, optimizer, x):
    step_in_order(model, optimizer, x)


def loss_after(model, optimizer, x):
    step_in_order(model, optimizer, x)
    return reconstruction_loss(model(x), x)


def mean_over_pixels(model, optimizer, x):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(x), x)
    loss.backward()
    optimizer.step()
    return loss


def another_loss_returned(model, optimizer, x):
    optimizer.zero_grad()
    loss = reconstruction_loss(model(x), x)
    (2 * loss).backward()
    optimizer.step()
    return loss


def pair_returned(model, optimizer, x):
    return step_in_order(model, optimizer, x), x


@pytest.mark.parametrize("fn", [step_in_order, step_with_codes, step_that_clears_last])
def test_right_steps_pass(fn):
    assert exercises.check_training_step(fn).right


@pytest.mark.parametrize(
    ("fn", "reason"),
    [
        (no_zero_grad, "zero_grad() is missing"),
        (no_step, "step() is missing"),
        (no_backward, "backward() is missing"),
        (only_the_loss, "backward() is missing"),
        (step_before_backward, "step() comes before loss.backward()"),
        (cleared_between, "between backward and step"),
        (two_steps, "steps 2 times"),
        (nothing_returned, "nothing is returned"),
        (loss_after, "the loss after the step"),
        (mean_over_pixels, "averages over pixels"),
        (another_loss_returned, "after step 1 the weights are not"),
        (pair_returned, "returns a tuple"),
    ],
)
def test_wrong_steps_are_told_why(fn, reason):
    verdict = exercises.check_training_step(fn)
    assert verdict.status == "not yet right" and reason in verdict.message


def walk(z_a, z_b, steps):
    return torch.stack([z_a + (z_b - z_a) * i / (steps - 1) for i in range(steps)])


def weighted(z_a, z_b, t):
    return (1 - t)[:, None] * z_a + t[:, None] * z_b


WRONG_WALKS = {
    "swapped": (lambda a, b, n: walk(b, a, n), "swapped"),
    "last missing": (lambda a, b, n: walk(a, b, n + 1)[:-1], "last of 5 rows must be z_b"),
    "first missing": (lambda a, b, n: walk(a, b, n + 1)[1:], "first of 5 rows must be z_a"),
    "one too many": (
        lambda a, b, n: walk(a, b, n + 1),
        "shape (6, 3); expected (steps, latent_dim) = (5, 3)",
    ),
    "turned": (lambda a, b, n: walk(a, b, n).T, "axes turned round"),
    "extra axis": (lambda a, b, n: walk(a, b, n)[:, None], "shape (5, 1, 3)"),
    "list": (lambda a, b, n: list(walk(a, b, n)), "torch.stack"),
    "uneven": (
        lambda a, b, n: weighted(a, b, torch.linspace(0, 1, n) ** 2),
        "row 1 of 5 is not on the straight",
    ),
    "nan": (lambda a, b, n: walk(a, b, n) * torch.nan, "found [nan, nan, nan]"),
}


def test_right_walks_pass():
    assert exercises.check_interpolate(walk).right
    by_weights = lambda a, b, n: weighted(a, b, torch.linspace(0, 1, n))  # noqa: E731
    assert exercises.check_interpolate(by_weights).right


@pytest.mark.parametrize("name", WRONG_WALKS)
def test_wrong_walks_are_told_why(name):
    fn, reason = WRONG_WALKS[name]
    verdict = exercises.check_interpolate(fn)
    assert verdict.status == "not yet right" and reason in verdict.message
