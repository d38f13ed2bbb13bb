"""Disentanglement measures on codes whose answer is known."""

import numpy as np
import pytest

from medgen_course.metrics.disentanglement import linear_probe, mig, mutual_information

RNG = np.random.default_rng(0)
FACTORS = np.column_stack([RNG.random((4000, 2)), RNG.integers(0, 2, 4000)])


def test_a_latent_for_each_factor_scores_high_and_a_rotation_does_not():
    codes = np.column_stack([FACTORS * [3, -2, 1], RNG.normal(size=4000)])
    apart = mig(codes, FACTORS)
    assert (apart > 0.9).all()
    turn = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
    mixed = mig(codes @ turn, FACTORS)
    assert mixed.mean() < 0.5 * apart.mean()
    # the linear probe does not care about axes
    for z in (codes, codes @ turn):
        assert (linear_probe(z[:2000], FACTORS[:2000], z[2000:], FACTORS[2000:]) > 0.999).all()


def test_noise_tells_nothing():
    noise = RNG.normal(size=(4000, 3))
    assert mutual_information(noise, FACTORS).max() < 0.05
    assert linear_probe(noise[:2000], FACTORS[:2000], noise[2000:], FACTORS[2000:]).max() < 0.02


def test_a_nonlinear_copy_is_found_by_information_and_missed_by_the_probe():
    centred = 2 * FACTORS[:, :1] - 1
    codes = np.column_stack([centred**2, RNG.normal(size=4000)])
    assert mutual_information(codes, np.abs(centred))[0, 0] > 0.95
    assert linear_probe(codes, centred, codes, centred)[0] < 0.02


def test_bad_tables_are_named():
    with pytest.raises(ValueError, match="10 codes and 9 rows"):
        mig(np.zeros((10, 2)), np.zeros((9, 1)))
    with pytest.raises(ValueError, match=r"columns \[1\] are constant"):
        mig(RNG.random((10, 2)), np.column_stack([RNG.random(10), np.ones(10)]))
