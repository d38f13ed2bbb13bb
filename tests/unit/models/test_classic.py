"""Classic filters: every one removes noise, none touches what was measured when it is told so."""

import pytest
import torch

from medgen_course import phantom
from medgen_course.batches.degradations import Hole, Rician
from medgen_course.batches.kspace import Lines
from medgen_course.batches.transforms import to_unit
from medgen_course.models import classic

X = to_unit(torch.from_numpy(phantom.generate(4, 64, 0).t1w))


@pytest.mark.parametrize("name", classic.DENOISERS)
def test_each_filter_brings_noisy_images_nearer(name):
    method, grid = classic.DENOISERS[name]
    blocks = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(1)).repeat_interleave(8, 2)
    blocks = blocks.repeat_interleave(8, 3) * 0.6 + 0.2  # (2, 1, 32, 32)
    noisy = Rician(0.1).measure(blocks, torch.Generator().manual_seed(0))
    errors = [float((method(noisy, strength) - blocks).square().mean()) for strength in grid]
    assert min(errors) < 0.5 * float((noisy - blocks).square().mean())
    for strength in grid:
        made = method(noisy, strength)
        assert made.shape == blocks.shape and made.dtype == torch.float32
        assert made.min() >= 0 and made.max() <= 1


def test_the_brightness_that_rician_noise_adds_is_taken_away_again():
    x = torch.tensor([0.0, 0.1, 0.3, 0.8]).view(4, 1, 1, 1).expand(4, 1, 64, 64)
    draws = torch.Generator().manual_seed(0)
    m = torch.hypot(
        x + 0.1 * torch.randn(x.shape, generator=draws), 0.1 * torch.randn(x.shape, generator=draws)
    )
    root = m.square().mean((2, 3), keepdim=True).sqrt()  # a filter that knows what is flat
    assert (root - x[..., :1, :1]).abs().max() > 0.1
    assert torch.allclose(classic.rician_unbiased(root, 0.1), x[..., :1, :1], atol=0.03)


def test_a_filter_keeps_channels_and_images_apart():
    two = torch.cat([X[:1], 0 * X[:1]], 1).expand(2, 2, 64, 64).clone()
    two[1] = 1
    made = classic.gaussian(two, 1.0)
    assert (made[0, 1] == 0).all() and torch.allclose(made[1], torch.ones(2, 64, 64))


def test_total_variation_that_keeps_the_measured_lines_is_nearer_than_zeros():
    worse = Lines(0.25)
    y = worse.measure(X)
    made = classic.total_variation_fit(worse.guess(y), 0.03, worse, y)
    assert (made - X).square().mean() < (worse.guess(y) - X).square().mean()
    assert worse.misfit(made, y).max() < (0.5 / 255) ** 2


def test_a_hole_is_filled_from_its_border():
    worse = Hole(0.05)
    plane = torch.linspace(0, 1, 32).expand(1, 1, 32, 32).clone()
    y = worse.measure(plane, torch.Generator().manual_seed(0))
    made = classic.biharmonic(y[:, :1], y[:, 1:])
    assert torch.allclose(made, plane, atol=1e-3)
