"""Experiments of notebook 02: a right measurement passes, each wrong one is told its reason."""

import re

import pytest
import torch

from medgen_course import exercises
from medgen_course.models.vae import VAE, kl_divergence, kl_per_dimension


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    made = VAE(1, 8, 5, width=8)
    with torch.no_grad():
        made.encoder.head.weight[:5] *= torch.tensor([30.0, 10, 3, 1, 0.01])[:, None]
        made.decoder.stem[0].weight *= 5
    return made.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def x():
    return torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def errors(model, x, descending=False, root=True):
    mu, logvar = model.encode(x)
    order = kl_per_dimension(mu, logvar).mean(0).argsort(descending=descending)
    found = {}
    for k in range(model.latent_dim + 1):
        code = mu.clone()
        code[:, order[:k]] = 0
        error = (model.decode(code) - x).square().mean()
        found[k] = float(error.sqrt() if root else error)
    return found


def needed(found):
    return max(k for k, error in found.items() if error <= 1.01 * found[0])


def test_latents_needed_accepts_what_the_network_gives(model, x):
    found = errors(model, x)
    assert len({round(error, 5) for error in found.values()}) > 3  # the latents of this network differ
    assert exercises.check_latents_needed(model, x, found, needed(found)).right


def test_latents_needed_says_what_is_off(model, x):
    right = errors(model, x)
    wrong = {
        "highest KL": (errors(model, x, descending=True), 1),
        "take the root": (errors(model, x, root=False), 1),
        r"No RMSE for \[5\]": ({k: right[k] for k in range(5)}, 1),
        "is the largest number": (right, needed(right) + 1),
        "Set them to 0 in mu": (dict.fromkeys(right, 0.5), 1),
    }
    for reason, (measured, removed) in wrong.items():
        verdict = exercises.check_latents_needed(model, x, measured, removed)
        assert not verdict.right and re.search(reason, verdict.message), (reason, verdict.message)
    for nothing in ((None, None), ({}, 1), (right, None)):
        assert exercises.check_latents_needed(model, x, *nothing).status == "not attempted"


def test_fixed_sigma_accepts_the_rate_of_the_network(x):
    torch.manual_seed(0)
    model = VAE(1, 8, 5, width=8, sigma=1.0)
    with torch.no_grad():
        model.encoder.head.weight *= 20
    rate = kl_divergence(*model.encode(x)).item()
    assert rate > 0.5 and exercises.check_fixed_sigma(model, x, rate, 1.0).right
    wrong = {
        "Sum over latents": (model, rate / 5, 1.0),
        "Measure this network": (model, 2 * rate, 1.0),
        "is 1 here": (model, rate, 0.01),
        "optimal sigma": (VAE(1, 8, 5, width=8), rate, 1.0),
        "asks for 1": (VAE(1, 8, 5, width=8, sigma=0.1), rate, 1.0),
    }
    for reason, (network, given, effective) in wrong.items():
        verdict = exercises.check_fixed_sigma(network, x, given, effective)
        assert not verdict.right and reason in verdict.message
    assert exercises.check_fixed_sigma(None, x, None, None).status == "not attempted"
