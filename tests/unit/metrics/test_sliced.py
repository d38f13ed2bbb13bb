"""The sliced Wasserstein distance of Gaussians that is known, and at which scale damage shows."""

import math

import numpy as np
import pytest
import torch

from medgen_course import phantom
from medgen_course.batches.transforms import blur, to_uint8, to_unit
from medgen_course.metrics.sliced import laplacian_pyramid, pyramid_distances, sliced_wasserstein


def points(n=10_000, d=6, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("distance", [0.5, 2.0])
@pytest.mark.parametrize("d", [2, 6])
def test_two_gaussians_with_different_means(d, distance):
    """On a line at angle t they are |m| |cos t| apart; the mean of |cos t| over the sphere is known."""
    shift = torch.zeros(d)
    shift[0] = distance
    expected = distance * math.gamma(d / 2) / (math.sqrt(math.pi) * math.gamma((d + 1) / 2))
    found = sliced_wasserstein(points(d=d), points(d=d, seed=1) + shift, directions=600)
    assert found == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_two_gaussians_with_different_spreads(scale):
    """On every line N(0, 1) and N(0, s^2) are |s - 1| E|z| apart."""
    expected = abs(scale - 1) * math.sqrt(2 / math.pi)
    assert sliced_wasserstein(points(), scale * points(seed=1)) == pytest.approx(expected, rel=0.04)


def test_the_same_points_have_no_distance_and_the_order_does_not_count():
    a = points(n=500)
    assert sliced_wasserstein(a, a[torch.randperm(500)]) < 1e-6
    assert sliced_wasserstein(a, points(n=500, seed=1)) > 0.01


def test_as_many_points_of_each():
    with pytest.raises(ValueError, match="give as many points of each"):
        sliced_wasserstein(points(n=5), points(n=6))
    with pytest.raises(ValueError, match="give as many images of each"):
        pyramid_distances(np.zeros((2, 1, 28, 28), np.uint8), np.zeros((3, 1, 28, 28), np.uint8))


@pytest.mark.parametrize("size, sides", [(28, [28, 14, 7]), (64, [64, 32, 16, 8]), (30, [30, 15])])
def test_the_pyramids_sides(size, sides):
    assert [level.shape[-1] for level in laplacian_pyramid(torch.rand(2, 3, size, size))] == sides


def test_the_pyramid_holds_the_whole_image():
    from kornia.geometry.transform import pyrup

    x = torch.rand(2, 1, 64, 64)
    back, *others = laplacian_pyramid(x)[::-1]
    for level in others:
        back = pyrup(back) + level
    torch.testing.assert_close(back, x)


def distances(real, *others):
    return (pyramid_distances(real, images, patches=16, directions=128) for images in others)


@pytest.fixture(scope="module")
def slices():
    return [phantom.generate(128, seed=seed).t1w for seed in (0, 1)]


def test_damage_shows_at_its_own_scale(slices):
    """A blur of one pixel changes the finest detail and not the layout; mirrored, the layout changes."""
    real, other = slices
    blurred = to_uint8(blur(to_unit(torch.as_tensor(other)), 1.0)).numpy()
    null, fine, coarse = distances(real, other, blurred, np.ascontiguousarray(other[:, :, ::-1]))
    assert fine[64] > 2 * null[64] and fine[8] < 1.5 * null[8]
    assert coarse[8] > 2 * null[8]


def test_contrast_as_a_whole_is_no_difference(slices):
    real, other = slices
    null, weaker = distances(real, other, other // 2 + 60)
    assert all(weaker[side] == pytest.approx(null[side], rel=0.3) for side in null)
