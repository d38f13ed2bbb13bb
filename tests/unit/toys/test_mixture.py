"""Eight Gaussians: the default GAN finds them, and the measure can tell."""

import torch

from medgen_course.models.gan import GANAlgorithm
from medgen_course.models.point_gan import PointDiscriminator, PointGenerator, move, moved_back
from medgen_course.toys import mixture


def test_the_default_objective_recovers_the_modes():
    default = GANAlgorithm(PointGenerator(), PointDiscriminator()).objective
    assert default is mixture.OBJECTIVES["non_saturating"]
    _, seen = mixture.play("non_saturating", seed=0, epochs=4)
    modes, near = mixture.modes_found(seen[-1])
    assert modes >= 7 and near >= 0.6
    assert mixture.modes_found(seen[0])[0] < 3  # before training


def test_modes_found_counts_what_is_there():
    generator = torch.Generator().manual_seed(0)
    points = mixture.draw(4000, generator)
    modes, near = mixture.modes_found(points)
    assert modes == 8 and 0.98 < near < 0.995  # within 3 sigma in the plane: 1 - exp(-9/2) = 0.989
    assert mixture.modes_found(points[points[:, 0] > 1])[0] == 3  # the three centres on the right
    assert mixture.modes_found(torch.zeros(100, 2)) == (0, 0.0)


def test_points_fit_into_the_unit_square_and_back():
    points = mixture.draw(1000, torch.Generator().manual_seed(0))
    unit = moved_back(points)
    assert 0 <= unit.min() and unit.max() <= 1
    torch.testing.assert_close(move(unit), points)


def test_batches_repeat_with_their_seed():
    first, again, other = (next(mixture.Mixture(8, 2).epoch(0, seed))["x"] for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
