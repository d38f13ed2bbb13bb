"""The best test is known: probabilistic PCA reaches it, the residual falls short by what is predicted."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medgen_course.toys.linear_gaussian import (
    LinearGaussian,
    energy_auroc,
    likelihood_ratio,
    ppca,
    project,
    residual_test,
    shift_auroc,
)

WORLDS = {"inside": (4.0, 0.0), "both": (4.0, 0.5), "outside": (0.0, 0.8)}
COUNT = 8000
SLACK = 0.012  # AUROC of 2 x 8,000 draws: three standard errors


def drawn(world, seed=1):
    rng = np.random.default_rng(seed)
    fitted = ppca(world.draw(COUNT, False, rng), world.weights.shape[1])
    return fitted, world.draw(COUNT, False, rng), world.draw(COUNT, True, rng)


def area(test, healthy, sick):
    return roc_auc_score(np.repeat([0, 1], COUNT), np.concatenate([test(healthy), test(sick)]))


@pytest.mark.parametrize("name", WORLDS)
def test_the_likelihood_ratio_reaches_the_optimum_and_the_residual_loses_what_is_predicted(name):
    world = LinearGaussian.make(*WORLDS[name])
    fitted, healthy, sick = drawn(world)
    best, left = shift_auroc(world.d_prime), shift_auroc(world.d_prime_residual)
    reached = area(lambda x: likelihood_ratio(fitted, world.shift, x), healthy, sick)
    residual = area(lambda x: residual_test(fitted, world.shift, x), healthy, sick)
    assert reached == pytest.approx(best, abs=SLACK)
    if name == "inside":  # nothing is left to look at: what remains of the shift is the fit's error
        assert left == pytest.approx(0.5) and abs(residual - 0.5) < 0.05
    else:
        assert residual == pytest.approx(left, abs=SLACK)
    lost = {"inside": 0.3, "both": 0.07, "outside": 0.0}[name]
    assert best - left > lost - 1e-9 and reached - residual > lost - 2 * SLACK


def test_what_the_residual_loses_is_the_part_of_the_shift_inside_the_subspace():
    world = LinearGaussian.make(4.0, 0.5)
    covariance = world.weights @ world.weights.T
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-9
    lost = ((vectors[:, kept].T @ world.shift) ** 2 / (values[kept] + world.sigma**2)).sum()
    assert world.d_prime**2 - world.d_prime_residual**2 == pytest.approx(lost)
    assert np.allclose(project(world.weights, world.weights.T), world.weights.T)


@pytest.mark.parametrize("name", WORLDS)
def test_without_knowing_the_shift_the_better_score_depends_on_where_it_points(name):
    world = LinearGaussian.make(*WORLDS[name])
    fitted, healthy, sick = drawn(world, seed=2)
    likelihood = area(lambda x: -fitted.score_samples(x), healthy, sick)
    length = area(lambda x: ((x - fitted.inverse_transform(fitted.transform(x))) ** 2).sum(1), healthy, sick)
    for measured, exact in zip((likelihood, length), world.energy, strict=True):
        assert measured == pytest.approx(exact, abs=0.015)
    exact_likelihood, exact_length = world.energy
    assert (exact_likelihood > exact_length) == (name != "outside")
    assert shift_auroc(world.d_prime) > exact_likelihood  # not to know the shift costs something


def test_the_closed_forms_where_they_are_known_otherwise():
    assert shift_auroc(0.0) == 0.5 and energy_auroc(10, 0.0) == pytest.approx(0.5, abs=1e-4)
    sick, healthy = np.random.default_rng(0).standard_normal((2, 200_000))
    assert ((sick + 1.5) ** 2 > healthy**2).mean() == pytest.approx(energy_auroc(1, 1.5), abs=0.005)
