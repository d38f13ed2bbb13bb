"""The bound on attacks against mechanisms whose best attack is known."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from medgen_course.metrics.trust.bound import most, most_of_training
from medgen_course.models.private_vae import spent

RATES = (0.001, 0.01, 0.1, 0.5, 0.9)


def best_against_gauss(fpr, noise):
    """Hits of the best attack on one number with normal noise, which an image moves by 1 (Neyman-Pearson)."""
    return norm.cdf(norm.ppf(fpr) + 1 / noise)


def delta_of_gauss(epsilon, noise):
    """Balle & Wang 2018, theorem 8: the exact delta of the Gaussian mechanism."""
    return norm.cdf(0.5 / noise - epsilon * noise) - math.exp(epsilon) * norm.cdf(
        -0.5 / noise - epsilon * noise
    )


@pytest.mark.parametrize("fpr", RATES)
@pytest.mark.parametrize("noise", [0.5, 1.0, 3.0])
def test_no_pair_of_the_gaussian_mechanism_is_passed_and_the_strictest_one_is_reached(fpr, noise):
    hits = best_against_gauss(fpr, noise)
    allowed = [most(fpr, e, delta_of_gauss(e, noise)) for e in np.linspace(0, 12, 2001)]
    assert min(allowed) >= hits - 1e-9
    assert min(allowed) == pytest.approx(hits, abs=1e-3)


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 3.0])
def test_an_answer_by_the_toss_of_a_coin_reaches_the_bound_on_both_sides(epsilon):
    honest = math.exp(epsilon) / (1 + math.exp(epsilon))  # says the truth so often, a lie otherwise
    assert most(1 - honest, epsilon, 0) == pytest.approx(honest)
    half = 0.5 * (1 - honest)  # accuses only half of those that it could
    assert most(half, epsilon, 0) == pytest.approx(0.5 * honest)
    wide = 1 - 0.5 * honest
    assert most(wide, epsilon, 0) == pytest.approx(1 - 0.5 * (1 - honest))


@pytest.mark.parametrize("fpr", RATES)
def test_the_accountant_of_one_step_allows_what_the_best_attack_finds_and_little_more(fpr):
    hits, allowed = best_against_gauss(fpr, 1.5), most_of_training(fpr, 1.5, 1.0, 1)
    assert hits <= allowed <= hits + 0.15
    published = most(fpr, spent(1.5, 1.0, 1, 1e-5), 1e-5)
    assert allowed <= published + 0.01


def test_forgotten_noise_passes_the_bound():
    """Two groups that differ by ten deviations, sold as epsilon 3."""
    assert best_against_gauss(0.01, 0.1) > most(0.01, 3.0, 1e-5)


def test_ends_of_the_scale():
    assert most(0.01, math.inf, 0) == 1 and most(0.01, 1e6, 0) == 1
    assert most(0.01, 0, 0) == pytest.approx(0.01) and most(1, 0.5, 0) == 1
    with pytest.raises(ValueError, match="fpr"):
        most(1.5, 1, 0)
