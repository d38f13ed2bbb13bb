"""A hunt accepts any right repair: steps of a GAN that are right and look like none of the cells."""

import pytest
import torch
from test_exercises import verdict_of
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from medgen_course.exercises import check_gan_bug_hunt


def entropy(logits, real):
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def gradients_by_hand(g, d, optimizers, real, z):
    """Both losses on the networks as they were, and no backward for the generator."""
    for optimizer in optimizers.values():
        optimizer.zero_grad()
    fake = g(z).sigmoid()
    held = torch.autograd.grad(entropy(d(fake), True), list(g.parameters()))
    (entropy(d(real), True) + entropy(d(fake.detach()), False)).backward()
    for weights, gradient in zip(g.parameters(), held, strict=True):
        weights.grad = gradient
    for optimizer in (optimizers["generator"], optimizers["discriminator"]):
        optimizer.step()


def scaled_losses(g, d, optimizers, real, z):
    fake = g(z).sigmoid()
    optimizers["discriminator"].zero_grad(set_to_none=False)
    (0.5 * (entropy(d(real), True) + entropy(d(fake.detach()), False))).backward()
    optimizers["discriminator"].step()
    optimizers["generator"].zero_grad(set_to_none=False)
    (2 * entropy(d(fake), True)).backward()
    optimizers["generator"].step()


def frozen_judge(g, d, optimizers, real, z):
    """No graph for D's images, D frozen in G's half, sums for means."""
    with torch.no_grad():
        fake = g(z).sigmoid()
    optimizers["discriminator"].zero_grad()
    entropy(d(real), True).backward()
    entropy(d(fake), False).backward()
    optimizers["discriminator"].step()
    optimizers["generator"].zero_grad()
    d.requires_grad_(False)
    softplus(-d(g(z).sigmoid())).sum().backward()
    d.requires_grad_(True)
    optimizers["generator"].step()


def least_squares(g, d, optimizers, real, z):
    fake = g(z).sigmoid()
    for optimizer in optimizers.values():
        optimizer.zero_grad()
    ((d(real) - 1).square().mean() + d(fake.detach()).square().mean()).backward()
    optimizers["discriminator"].step()
    (d(fake) - 1).square().mean().backward()
    optimizers["generator"].step()


def minimax(g, d, optimizers, real, z):
    fake = g(z).sigmoid()
    for optimizer in optimizers.values():
        optimizer.zero_grad()
    (entropy(d(real), True) + entropy(d(fake.detach()), False)).backward()
    optimizers["discriminator"].step()
    (-entropy(d(fake), False)).backward()
    optimizers["generator"].step()


def steps_at_the_end(g, d, optimizers, real, z):
    for optimizer in optimizers.values():
        optimizer.zero_grad()
    fake = g(z).sigmoid()
    entropy(d(fake), True).backward()
    optimizers["discriminator"].zero_grad()
    (entropy(d(real), True) + entropy(d(fake.detach()), False)).backward()
    for optimizer in optimizers.values():
        optimizer.step()


STEPS = (gradients_by_hand, scaled_losses, frozen_judge, least_squares, minimax, steps_at_the_end)


@pytest.mark.parametrize("step", STEPS)
def test_right_steps_of_other_forms_pass(step, capsys):
    found = verdict_of(check_gan_bug_hunt, step, capsys)
    assert found.right, found.message
