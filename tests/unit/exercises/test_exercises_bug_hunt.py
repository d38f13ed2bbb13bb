"""The bug hunt of notebook 02: each repair is confirmed by itself, and what remains is named."""

import math

import pytest
import torch
from torch import nn

from medgen_course import exercises
from medgen_course.models.vae import gaussian_log_likelihood, kl_divergence, kl_per_dimension


class Broken(nn.Module):
    def __init__(self, features, latent_dim, beta):
        super().__init__()
        self.beta, self.variance = beta, 0.01
        self.mu = nn.Sequential(nn.Linear(features, latent_dim), nn.BatchNorm1d(latent_dim))
        self.logvar = nn.Linear(features, latent_dim)

    def heads(self, h):
        return self.mu(h), self.logvar(h)

    def loss(self, x_hat, x, mu, logvar):
        nll = ((x - x_hat) ** 2 / self.variance + math.log(2 * math.pi * self.variance)) / 2
        return nll.mean() + self.beta * kl_divergence(mu, logvar)

    def validation_elbo(self, x_hat, x, mu, logvar):
        return -self.loss(x_hat, x, mu, logvar)


class GoodLoss(Broken):
    def loss(self, x_hat, x, mu, logvar):
        nll = -gaussian_log_likelihood(x_hat, x, self.variance).mean()
        return nll + self.beta * kl_divergence(mu, logvar)


class GoodHeads(Broken):
    def __init__(self, features, latent_dim, beta):
        super().__init__(features, latent_dim, beta)
        self.mu = nn.Linear(features, latent_dim)


class GoodValidation(Broken):
    def validation_elbo(self, x_hat, x, mu, logvar):
        return -self.loss(x_hat, x, mu, logvar) + (self.beta - 1) * kl_divergence(mu, logvar)


class Repaired(GoodLoss, GoodHeads, GoodValidation):
    pass


PARTS = {
    "loss": (GoodLoss, "beta = 4 acts like 256 at 8 px, and like 3,136 at 28 px"),
    "heads": (GoodHeads, "the mu of an image depends on the rest of its batch"),
    "validation_elbo": (GoodValidation, "with beta = 4 it subtracts 4 * KL"),
}


def test_the_repaired_class_passes_and_leaves_the_random_state_alone():
    state = torch.get_rng_state()
    verdict = exercises.check_bug_hunt(Repaired)
    assert verdict.right, verdict.message
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("done", [(), *[(a,) for a in PARTS], *[tuple(set(PARTS) - {a}) for a in PARTS]])
def test_each_repair_is_confirmed_and_what_remains_is_named(done):
    cls = type("Student", tuple(PARTS[name][0] for name in PARTS if name in done) or (Broken,), {})
    verdict = exercises.check_bug_hunt(cls)
    assert verdict.status == "not yet right"
    assert verdict.message.startswith(f"{len(done)} of 3 repairs hold")
    for name, (_, reason) in PARTS.items():
        assert (f"- {name}: " in verdict.message) == (name not in done)
        assert (reason in verdict.message) == (name not in done)


def nll(x_hat, x, variance=0.01):
    return -gaussian_log_likelihood(x_hat, x, variance)


WRONG_METHODS = {
    "both means": (
        "loss",
        lambda self, a, b, m, v: nll(a, b).mean() / b[0].numel() + self.beta * kl_per_dimension(m, v).mean(),
        "both terms are off: at 8 px the reconstruction counts 1/64",
    ),
    "sum over batch": (
        "loss",
        lambda self, a, b, m, v: nll(a, b).sum() + self.beta * kl_divergence(m, v),
        "log-likelihood counts 6 times",
    ),
    "beta lost": ("loss", lambda self, a, b, m, v: nll(a, b).mean() + kl_divergence(m, v), "counts 1 times"),
    "KL sign": (
        "loss",
        lambda self, a, b, m, v: nll(a, b).mean() - self.beta * kl_divergence(m, v),
        "the KL enters with the wrong sign",
    ),
    "constant": (
        "loss",
        lambda self, a, b, m, v: (
            ((a - b) ** 2 / 0.02).flatten(1).sum(1).mean() + self.beta * kl_divergence(m, v)
        ),
        "the constant log(2 pi sigma^2) / 2 of every pixel is not",
    ),
    "no gradient": ("loss", lambda self, *a: GoodLoss.loss(self, *a).detach(), "no gradient can flow"),
    "loss None": ("loss", lambda self, *a: None, "- loss: it returns a NoneType"),
    "error": ("loss", lambda self, *a: a.nothing, "- loss: AttributeError"),
    "normalised": (
        "heads",
        lambda self, h: (nn.functional.layer_norm(self.mu(h), (5,)), self.logvar(h)),
        "still normalised",
    ),
    "BatchNorm on logvar": (
        "heads",
        lambda self, h: (self.mu(h), nn.functional.batch_norm(self.logvar(h), None, None, training=True)),
        "the logvar of an image depends",
    ),
    "ReLU": ("heads", lambda self, h: (self.mu(h).relu(), self.logvar(h)), "never negative"),
    "mu alone": ("heads", lambda self, h: self.mu(h), "expected the pair mu, logvar"),
    "cut": ("heads", lambda self, h: (self.mu(h).detach(), self.logvar(h)), "no gradient reaches mu"),
    "a loss": (
        "validation_elbo",
        lambda self, a, b, m, v: nll(a, b).mean() + kl_divergence(m, v),
        "it returns a loss",
    ),
    "KL mean": (
        "validation_elbo",
        lambda self, a, b, m, v: -nll(a, b).mean() - kl_per_dimension(m, v).mean(),
        "the KL counts 0.2 times",
    ),
    "own mean": (
        "validation_elbo",
        lambda self, a, b, m, v: -nll(a, b).mean() / b[0].numel() - kl_divergence(m, v),
        "The KL is right, the log-likelihood is not",
    ),
}


@pytest.mark.parametrize("name", WRONG_METHODS)
def test_wrong_repairs_are_told_why(name):
    method, fn, reason = WRONG_METHODS[name]
    verdict = exercises.check_bug_hunt(type("Student", (Repaired,), {method: fn}))
    raises = name in ("error", "loss None")  # validation_elbo calls loss, and turns the sign of None
    assert verdict.status == ("raised an error" if raises else "not yet right")
    assert reason in verdict.message, verdict.message
    assert f"- {method}: " in verdict.message


def test_what_is_no_such_class_is_explained():
    assert "Give the class itself" in exercises.check_bug_hunt(Repaired(16, 5, 1.0)).message
    assert "Give the class itself" in exercises.check_bug_hunt(lambda *_: None).message
    assert "has no variance, loss, heads" in exercises.check_bug_hunt(type("Empty", (nn.Module,), {
        "__init__": lambda self, *_: nn.Module.__init__(self)
    })).message  # fmt: skip
    assert exercises.check_bug_hunt(type("Other", (nn.Module,), {})).status == "raised an error"
