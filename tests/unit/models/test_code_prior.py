"""A density fitted to codes: against numpy and sklearn, and against the codes that it was fitted to."""

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from medgen_course.models.code_prior import fit_prior


def two_clouds(n=600, seed=0):
    """Codes (n, 3) around (-4, 0, 0) and (4, 0, 0), a third of them at the second place."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randn(n, 3, generator=generator)
    codes[:, 0] += torch.where(torch.arange(n) % 3 == 0, 4.0, -4.0)
    return codes


def test_one_component_is_the_gaussian_with_the_mean_and_covariance_of_the_codes():
    codes = two_clouds()
    drawn = fit_prior(codes).sample((20_000,))
    assert torch.allclose(drawn.mean(0), codes.mean(0), atol=0.1)
    assert torch.allclose(torch.cov(drawn.T), torch.cov(codes.T), atol=0.5)


def test_log_prob_is_sklearns():
    codes = two_clouds()
    reference = GaussianMixture(2, reg_covar=1e-4, random_state=0).fit(codes.numpy().astype(np.float64))
    expected = reference.score_samples(two_clouds(seed=1).numpy())
    assert fit_prior(codes, 2).log_prob(two_clouds(seed=1)).numpy() == pytest.approx(expected, abs=1e-3)


def test_a_mixture_draws_where_the_codes_are_and_one_gaussian_between_them():
    codes, held_out = two_clouds(), two_clouds(seed=1)
    one, two = fit_prior(codes), fit_prior(codes, 2)
    between = [(prior.sample((4000,))[:, 0].abs() < 1).float().mean() for prior in (one, two)]
    assert between[0] > 0.1 and between[1] < 0.01
    assert two.log_prob(held_out).mean() > one.log_prob(held_out).mean() + 0.5
    assert (two.sample((4000,))[:, 0] > 0).float().mean() == pytest.approx(1 / 3, abs=0.05)


def test_the_same_seed_fits_the_same_and_the_callers_draws_are_left_alone():
    codes = two_clouds()
    torch.manual_seed(3)
    first = fit_prior(codes, 3, seed=5).log_prob(codes)
    after = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(1))
    assert torch.equal(first, fit_prior(codes, 3, seed=5).log_prob(codes))


@pytest.mark.parametrize(("n", "components"), [(5, 3), (10, 0)])
def test_too_few_codes_are_refused(n, components):
    with pytest.raises(ValueError, match=f"{n} codes and {components} components"):
        fit_prior(torch.randn(n, 2), components)
