"""A world in which the best test for an anomaly is known: linear, Gaussian, with a shift for an anomaly.

Healthy images are x = W z + sigma e with z ~ N(0, I_q) and e ~ N(0, I_D): probabilistic PCA's own model
(Tipping & Bishop 1999). Their covariance is C = W W' + sigma^2 I. An anomaly adds a shift a.

**The shift is known.** By Neyman & Pearson the best test is the likelihood ratio, log p(x - a) - log p(x),
which is a' C^-1 x up to a constant. It is Gaussian with the same variance in both groups, and its means lie
d' standard deviations apart, d'^2 = a' C^-1 a. So its AUROC is Phi(d' / sqrt 2), and no test has more.

**Only the residual is looked at**, what the q components do not rebuild. Then the part of a inside the
subspace is gone: the best test left has d_r^2 = |(I - P) a|^2 / sigma^2, and
d'^2 - d_r^2 = sum_k (u_k' a)^2 / (lambda_k + sigma^2), with u_k and lambda_k of W W'. That is what the
residual loses, and it is never negative.

**The shift is not known**, as in practice. Then one sums squares: -log p(x), a chi-squared with D degrees of
freedom, or the residual's length, one with D - q. Both are noncentral with an anomaly, by d'^2 and d_r^2, and
which of the two is better depends on where a points.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import integrate, stats
from sklearn.decomposition import PCA


@dataclass(frozen=True)
class LinearGaussian:
    """The world.

    weights: W, (D, q). sigma: standard deviation of the noise, > 0. shift: a, (D,), what an anomaly adds.
    """

    weights: np.ndarray
    sigma: float
    shift: np.ndarray

    @classmethod
    def make(
        cls, inside: float, outside: float, dimensions: int = 64, latents: int = 4, seed: int = 0
    ) -> "LinearGaussian":
        """Random orthogonal components with standard deviations 3, 2.5, ..., at least 1, noise of 0.5.

        Args:
            inside: length of the shift's part along the first component.
            outside: length of its part that no component can rebuild.
            dimensions, latents: D and q < D.
            seed: of the directions.
        """
        basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((dimensions, latents + 1)))
        scales = np.maximum(3.0 - 0.5 * np.arange(latents), 1.0)
        shift = inside * basis[:, 0] + outside * basis[:, latents]
        return cls(basis[:, :latents] * scales, 0.5, shift)

    def draw(self, count: int, anomalous: bool, rng: np.random.Generator) -> np.ndarray:
        """`count` images as vectors, (count, D)."""
        dimensions, latents = self.weights.shape
        x = rng.standard_normal((count, latents)) @ self.weights.T
        x += self.sigma * rng.standard_normal((count, dimensions))
        return x + self.shift if anomalous else x

    @property
    def d_prime(self) -> float:
        """Distance of the two groups along the best direction, in standard deviations: sqrt(a' C^-1 a)."""
        covariance = self.weights @ self.weights.T + self.sigma**2 * np.eye(len(self.weights))
        return math.sqrt(self.shift @ np.linalg.solve(covariance, self.shift))

    @property
    def d_prime_residual(self) -> float:
        """The same where the subspace is projected out: |(I - P) a| / sigma."""
        return float(np.linalg.norm(self.shift - project(self.weights, self.shift)) / self.sigma)

    def d_prime_learnt(self, model: PCA) -> float:
        """The same where a model has learnt the subspace from a sample, and has not quite got it."""
        return float(np.linalg.norm(self.shift - project(model.components_.T, self.shift)) / self.sigma)

    @property
    def energy(self) -> tuple[float, float]:
        """AUROC where the shift is unknown: of -log p(x), and of the residual's length."""
        dimensions, latents = self.weights.shape
        return (
            energy_auroc(dimensions, self.d_prime),
            energy_auroc(dimensions - latents, self.d_prime_residual),
        )


def shift_auroc(d_prime: float) -> float:
    """AUROC of two Gaussians with one variance whose means lie d' standard deviations apart: Phi(d'/sqrt 2).

    Source: Green & Swets 1966, "Signal detection theory and psychophysics".
    """
    return float(stats.norm.cdf(d_prime / math.sqrt(2)))


def energy_auroc(degrees: int, d_prime: float) -> float:
    """P(noncentral chi^2 > central chi^2), both with so many degrees of freedom, noncentrality d'^2."""
    sick, healthy = stats.ncx2(degrees, max(d_prime**2, 1e-12)), stats.chi2(degrees)
    low, high = sick.ppf(1e-9), sick.ppf(1 - 1e-9)
    return float(integrate.quad(lambda t: sick.pdf(t) * healthy.cdf(t), low, high, limit=200)[0])


def project(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """x (D,) or (N, D) onto the space that the columns of `weights` (D, q) span."""
    basis, _ = np.linalg.qr(weights)
    return x @ basis @ basis.T


def ppca(healthy: np.ndarray, latents: int) -> PCA:
    """Probabilistic PCA of healthy images (N, D): scikit-learn's `score_samples` is its log p(x)."""
    return PCA(latents, svd_solver="full").fit(healthy)


def likelihood_ratio(model: PCA, shift: np.ndarray, x: np.ndarray) -> np.ndarray:
    """log p(x - a) - log p(x), (N,): the best test for a known shift, if the model is right."""
    return model.score_samples(x - shift) - model.score_samples(x)


def residual_test(model: PCA, shift: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The best test for a known shift that sees the residual alone: a' (I - P) x, (N,)."""
    return (x - project(model.components_.T, x)) @ shift


def four_tests(model: PCA, shift: np.ndarray) -> list[Callable[[np.ndarray], np.ndarray]]:
    """Images (N, D) to scores (N,): likelihood ratio and residual for a known shift; without it -log p(x) and
    the residual's squared length."""
    return [
        lambda x: likelihood_ratio(model, shift, x),
        lambda x: residual_test(model, shift, x),
        lambda x: -model.score_samples(x),
        lambda x: ((x - model.inverse_transform(model.transform(x))) ** 2).sum(1),
    ]
