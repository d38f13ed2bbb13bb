"""The explorer of notebook 05 without a browser: level, noise and class change picture and numbers."""

import numpy as np
import pytest
import torch

from medgen_course import explorers
from medgen_course.batches.transforms import to_uint8
from medgen_course.models.progressive_networks import ProgressiveGenerator, double
from medgen_course.pictures import render_growing

NAMES = ("healthy", "lesion")


@pytest.fixture(scope="module")
def stages():
    torch.manual_seed(0)
    return {level / 2: ProgressiveGenerator(1, 32, 8, 2, 4).eval() for level in range(5)}


@pytest.fixture
def shown(stages):
    real = np.random.default_rng(0).integers(0, 256, (80, 1, 32, 32), dtype=np.uint8)
    return explorers.GrowingExplorer(stages, real, NAMES)


def test_it_begins_fully_grown_and_says_so(shown):
    assert shown.level == 2 and "level 2.00: 32 px" in shown.picture.text
    assert list(shown.picture.captions) == ["at this level", "8 px", "16 px", "32 px"]


def test_level_noise_and_class_change_the_picture(shown):
    for control, value in ((shown.position, 27), (shown.noise, 5), (shown.kind, 1)):
        before = shown.array.copy()
        control.value = value
        assert not np.array_equal(before, shown.array)
    assert "alpha 0.35" in shown.picture.text and "the 16 px keep 0.65" in shown.picture.text


def test_play_moves_the_level(shown):
    shown.play.value = 10
    assert shown.level == 0.5 and "alpha 0.50" in shown.picture.text


def test_a_fade_is_the_blend_that_the_model_says(shown, stages):
    z, label = torch.randn(1, 8), torch.zeros(1, dtype=torch.int64)
    model = stages[1.5]
    with torch.inference_mode():
        ends = [model(z, label, level) for level in (1.0, 2.0)]
        wanted = torch.lerp(double(ends[0]), ends[1], 0.25).sigmoid()
    assert np.array_equal(shown.images(z, 1.25), to_uint8(wanted).numpy())


def test_the_strip_of_stages_does_not_depend_on_the_level(shown):
    wide = render_growing.PANEL + render_growing.GAP
    strip = shown.array[: render_growing.PANEL, wide:].copy()
    shown.go_to(0.3)
    assert np.array_equal(strip, shown.array[: render_growing.PANEL, wide:])


def test_power_is_compared_at_the_side_of_the_level(shown):
    for level, finest in ((0, 4), (0.5, 8), (2, 16)):
        shown.go_to(level)
        assert all(frequencies[-1] == finest for frequencies, _ in shown.powers().values())


def test_the_static_twin_draws_the_same_array(shown):
    assert shown.figure("One noise").alternative_text().startswith("One noise")


def test_what_does_not_fit_is_said(stages):
    real = np.zeros((4, 1, 32, 32), np.uint8)
    with pytest.raises(ValueError, match="give just"):
        explorers.GrowingExplorer({0.0: stages[0.0]}, real, NAMES)
    with pytest.raises(ValueError, match="1 names for 2 classes"):
        explorers.GrowingExplorer(stages, real, ("healthy",))


def test_a_spectrum_draws_one_line_for_each_curve():
    frequencies = np.arange(1, 17)
    empty = render_growing.spectrum({}, 500, 16)
    flat = render_growing.spectrum({"flat": (frequencies, np.full(16, 1e-3))}, 500, 16)
    assert empty.shape == flat.shape == (render_growing.HEIGHT, 500, 3) and not np.array_equal(empty, flat)
