"""The power at each frequency: of waves that are known, and all of it together."""

import numpy as np
import pytest

from medgen_course.metrics.spectrum import radial_power


def wave(cycles, side=32):
    """Grey waves along a row, uint8 (1, 1, side, side)."""
    grey = 0.5 + 0.4 * np.sin(2 * np.pi * cycles * np.arange(side) / side)
    return np.rint(255 * np.broadcast_to(grey, (1, 1, side, side))).astype(np.uint8)


@pytest.mark.parametrize("cycles", [1, 5, 15])
def test_a_wave_has_its_power_at_its_own_frequency(cycles):
    frequencies, power = radial_power(wave(cycles))
    assert frequencies[power.argmax()] == cycles
    assert power.max() == pytest.approx(0.4**2 / 2, rel=0.01) and power.max() > 0.99 * power.sum()


def test_all_power_together_is_the_variance_of_a_pixel():
    """Of white noise the disc of frequencies that is counted holds its share of the square."""
    images = np.random.default_rng(0).integers(0, 256, (200, 3, 16, 16), dtype=np.uint8)
    _, power = radial_power(images)
    cycles = np.fft.fftfreq(16) * 16
    inside = np.rint(np.hypot(*np.meshgrid(cycles, cycles))) <= 8
    assert power.sum() == pytest.approx((images / 255).var((2, 3)).mean() * inside.mean(), rel=0.02)


def test_blur_takes_power_from_fine_detail_alone():
    image = np.random.default_rng(0).integers(0, 256, (8, 1, 32, 32), dtype=np.uint8)
    halved = image.reshape(8, 1, 16, 2, 16, 2).mean((3, 5)).repeat(2, 2).repeat(2, 3).astype(np.uint8)
    before, after = radial_power(image)[1], radial_power(halved)[1]
    assert after[-1] < 0.2 * before[-1]


def test_what_cannot_be_measured_is_said():
    with pytest.raises(ValueError, match="expected"):
        radial_power(np.zeros((4, 1, 8, 9), np.uint8))
    with pytest.raises(ValueError, match="N >= 1"):
        radial_power(np.zeros((0, 1, 8, 8), np.uint8))
