"""Exercises of notebook 02: right solutions pass, each wrong one is told its reason."""

import math

import pytest
import torch
from torch.nn import functional as F

from medgen_course import exercises
from medgen_course.models import vae


def draw(mu, logvar, **wrong):
    std = wrong.get("std", (0.5 * logvar).exp())
    return wrong.get("mean", mu) + std * wrong.get("noise", torch.randn_like(mu))


def fixed_seed(mu, logvar):
    torch.manual_seed(1)
    return draw(mu, logvar)


WRONG_DRAWS = {
    "mu": (lambda m, v: m + 0 * v, "No noise"),
    "mu + std": (lambda m, v: m + (v / 2).exp(), "No noise: every call gives [1.97"),
    "article": (lambda m, v: m * (v / 2).exp(), "multiplied: add them"),
    "article with noise": (lambda m, v: draw(m, v, mean=m * (v / 2).exp()), "mu is multiplied by the stand"),
    "all multiplied": (lambda m, v: m * (v / 2).exp() * torch.randn_like(m), "mu is multiplied by noise"),
    "variance as std": (lambda m, v: draw(m, v, std=v.exp()), "exp(logvar) is the variance"),
    "logvar as std": (lambda m, v: draw(m, v, std=v), "logvar is used as the standard deviation"),
    "half logvar": (lambda m, v: draw(m, v, std=v / 2), "exponential is missing"),
    "a root too many": (lambda m, v: draw(m, v, std=(v / 2).exp().sqrt()), "One root too many"),
    "root of logvar": (lambda m, v: draw(m, v, std=v.sqrt()), "a logarithm may be negative"),
    "not scaled": (lambda m, v: draw(m, v, std=1), "not scaled"),
    "sign": (lambda m, v: draw(m, v, std=(-v / 2).exp()), "sign of logvar is turned"),
    "tenth": (lambda m, v: draw(m, v, std=0.1), "Take std = exp(logvar / 2)"),
    "one noise a batch": (lambda m, v: draw(m, v, noise=torch.randn(3)), "same noise: draw epsilon in the"),
    "one number": (lambda m, v: draw(m, v, noise=torch.randn(())), "All images of a batch get the same"),
    "one noise an image": (lambda m, v: draw(m, v, noise=torch.randn(len(m), 1)), "All latents of an image"),
    "fixed seed": (fixed_seed, "leave the seed alone"),
    "uniform": (lambda m, v: draw(m, v, noise=torch.rand_like(m)), "torch.rand"),
    "uniform, scaled": (
        lambda m, v: draw(m, v, noise=(torch.rand_like(m) - 0.5) * math.sqrt(12)),
        "the noise is not normal",
    ),
    "no gradient": (lambda m, v: draw(m, v).detach(), "no gradient reaches mu and logvar"),
    "torch.normal": (lambda m, v: torch.normal(m, (v / 2).exp()).detach(), "without torch.normal"),
    "cut std": (lambda m, v: draw(m, v, std=(v / 2).exp().detach()), "no gradient reaches logvar"),
    "cut mu": (lambda m, v: draw(m, v, mean=m.detach()), "no gradient reaches mu:"),
    "shape": (lambda m, v: draw(m, v)[0], "shape (3,); expected a tensor (20000, 3)"),
    "pair": (lambda m, v: (m, v), "returns a tuple"),
}
RIGHT_DRAWS = [
    vae.reparameterise,
    lambda m, v: torch.distributions.Normal(m, v.exp().sqrt()).rsample(),
    lambda m, v: m - (v / 2).exp() * torch.randn(m.shape),
]


def kl(mu, logvar, half=0.5, reduce=lambda terms: terms.sum(1).mean()):
    return half * reduce(mu**2 + logvar.exp() - 1 - logvar)


def kl_by_torch(mu, logvar):
    normal = torch.distributions.Normal
    q, p = normal(mu, (logvar / 2).exp()), normal(torch.zeros_like(mu), torch.ones_like(mu))
    return torch.distributions.kl_divergence(q, p).sum(1).mean()


WRONG_KLS = {
    "mean over latents": (lambda m, v: kl(m, v, reduce=torch.mean), "averages over latents"),
    "sum over batch": (lambda m, v: kl(m, v, reduce=torch.sum), "sums over the batch too"),
    "both": (lambda m, v: kl(m, v, reduce=lambda t: t.mean(1).sum()), "the other way round"),
    "no half": (lambda m, v: kl(m, v, half=1), "factor 1/2 is missing"),
    "sign": (lambda m, v: kl(m, v, half=-0.5), "never negative"),
    "sign and half": (lambda m, v: kl(m, v, half=-1), "sign is wrong, and the factor"),
    "half and mean": (lambda m, v: kl(m, v, 1, torch.mean), "1/2 is missing. It averages over latents"),
    "sigma": (lambda m, v: 0.5 * (m**2 + (v / 2).exp() - 1 - v).sum(1).mean(), "sigma where the variance"),
    "log sigma": (lambda m, v: kl(m, 2 * v), "takes logvar for log sigma"),
    "no exponential": (lambda m, v: 0.5 * (m**2 + v - 1 - v).sum(1).mean(), "exponential is missing"),
    "mu not squared": (lambda m, v: 0.5 * (m + v.exp() - 1 - v).sum(1).mean(), "mu is not squared"),
    "logvar added": (lambda m, v: 0.5 * (m**2 + v.exp() - 1 + v).sum(1).mean(), "wrong sign"),
    "no -1": (lambda m, v: 0.5 * (m**2 + v.exp() - v).sum(1).mean(), "-1 is missing"),
    "swapped": (
        lambda m, v: 0.5 * ((1 + m**2) / v.exp() - 1 + v).sum(1).mean(),
        "two distributions swapped",
    ),
    "per image": (lambda m, v: vae.kl_per_dimension(m, v).sum(1), "one value an image"),
    "per latent": (vae.kl_per_dimension, "shape (3, 5); expected (), reduce"),
    "item": (lambda m, v: kl(m, v).item(), "returns a float"),
    "detached": (lambda m, v: kl(m, v).detach(), "no gradient"),
    "constant": (lambda m, v: torch.tensor(4.0), "for each latent"),
    "nan": (lambda m, v: (m**2 + v - 1 - v.log()).sum(), "returns nan"),
}


def terms(x_hat, x, s):
    return ((x - x_hat) ** 2 / s**2 + torch.log(2 * math.pi * s**2)) / 2


def elbo(x_hat, x, s, mu, logvar):
    return -terms(x_hat, x, s).sum((1, 2, 3)).mean() - kl(mu, logvar)


def elbo_by_torch(x_hat, x, s, mu, logvar):
    likelihood = torch.distributions.Normal(x_hat, s).log_prob(x).flatten(1).sum(1)
    return (likelihood - vae.kl_per_dimension(mu, logvar).sum(1)).mean()


def with_mse(reduce, weight=1.0):
    return lambda a, b, s, m, v: -weight * reduce((a - b) ** 2 / s**2) / 2 - kl(m, v)


def per_image(errors):
    return errors.flatten(1).sum(1).mean()


WRONG_ELBOS = {
    "mean over pixels": (lambda a, b, s, m, v: -terms(a, b, s).mean() - kl(m, v), "averages over pixels"),
    "sum over batch": (
        lambda a, b, s, m, v: -terms(a, b, s).sum() - kl(m, v),
        "likelihood over the batch too",
    ),
    "no constant": (with_mse(per_image), "constant log(2 pi sigma^2) of every pixel is missing"),
    "mean, no constant": (with_mse(torch.mean), "averages over pixels, and the constant"),
    "KL added": (lambda a, b, s, m, v: elbo(a, b, s, m, v) + 2 * kl(m, v), "sign of the KL is wrong"),
    "no KL": (lambda a, b, s, m, v: -terms(a, b, s).sum((1, 2, 3)).mean(), "KL is missing"),
    "loss": (lambda *a: -elbo(*a), "This is the loss"),
    "loss, KL wrong": (
        lambda a, b, s, m, v: per_image(terms(a, b, s)) - kl(m, v),
        "This is the loss, the negative ELBO: turn its sign. The sign of the KL is wrong",
    ),
    "KL mean": (
        lambda a, b, s, m, v: -per_image(terms(a, b, s)) - kl(m, v, reduce=torch.mean),
        "averages over latents",
    ),
    "KL half": (lambda a, b, s, m, v: elbo(a, b, s, m, v) - kl(m, v), "factor 1/2 of the KL"),
    "constant once": (
        lambda a, b, s, m, v: with_mse(per_image)(a, b, s, m, v) - torch.log(2 * math.pi * s**2) / 2,
        "counts once for an image",
    ),
    "sigma as variance": (lambda a, b, s, m, v: elbo(a, b, s**0.5, m, v), "takes sigma for the variance"),
    "squared error": (lambda a, b, s, m, v: -per_image((a - b) ** 2) - kl(m, v), "squared error alone"),
    "no half": (
        lambda a, b, s, m, v: elbo(a, b, s, m, v) - per_image((a - b) ** 2 / s**2) / 2,
        "error lacks its factor 1/2",
    ),
    "no reduction": (lambda a, b, s, m, v: -terms(a, b, s), "shape (3, 1, 4, 5)"),
    "per image": (lambda a, b, s, m, v: -terms(a, b, s).flatten(1).sum(1) - kl(m, v), "average them"),
    "detached": (lambda *a: elbo(*a).detach(), "no gradient"),
    "constant": (lambda *_: torch.tensor(1.0), "Subtract the KL from log N"),
}

CHECKS = [exercises.check_reparameterise, exercises.check_kl, exercises.check_elbo]
RIGHT = [(CHECKS[0], fn) for fn in RIGHT_DRAWS]
RIGHT += [(CHECKS[1], fn) for fn in (kl, kl_by_torch, vae.kl_divergence)]
RIGHT += [(CHECKS[2], fn) for fn in (elbo, elbo_by_torch)]
WRONG = [
    pytest.param(check, *case, id=f"{check.__name__}, {name}")
    for check, cases in zip(CHECKS, (WRONG_DRAWS, WRONG_KLS, WRONG_ELBOS), strict=True)
    for name, case in cases.items()
]


@pytest.mark.parametrize(("check", "fn"), RIGHT)
def test_right_answers_pass(check, fn):
    state = torch.get_rng_state()
    verdict = check(fn)
    assert verdict.right, verdict.message
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("check", "fn", "reason"), WRONG)
def test_wrong_answers_are_told_why(check, fn, reason):
    verdict = check(fn)
    assert verdict.status == "not yet right" and reason in verdict.message, verdict.message


@pytest.mark.parametrize("check", [*CHECKS, exercises.check_bug_hunt])
def test_none_is_not_attempted(check, capsys):
    assert check(None).status == "not attempted"
    assert "not attempted" in capsys.readouterr().out


@pytest.mark.parametrize("check", CHECKS)
def test_stubs_and_errors(check):
    assert check(lambda *_: None).status == "not attempted"
    assert check(lambda *_: F.nothing).status == "raised an error"
