"""The checks of notebook 05: right answers, and typical slips by name."""

import math

import pytest
from torch.nn.functional import conv2d

from medgen_course import exercises
from medgen_course.exercises.growing_experiments import BLURS

FLOOR = {64: 0.02, 32: 0.016, 16: 0.014, 8: 0.015}


def norm(axes):
    return lambda h: h / (h.square().mean(axes, keepdim=True) + 1e-8).sqrt()


def scaled(factor, of_bias=1.0):
    return lambda h, weight, bias, gain: conv2d(h, weight * factor(weight, gain), bias * of_bias, padding=1)


def he(weight, gain):
    return gain / math.sqrt(weight[0].numel())


def test_right_answers():
    assert exercises.check_pixel_norm(norm(1)).right
    assert exercises.check_equalised(scaled(he)).right
    assert exercises.check_equalised(lambda h, w, b, g: conv2d(h * he(w, g), w, b, padding=1)).right


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda h: None, "write its body"),
        (lambda h: h.mean(1), "expected a tensor"),
        (norm((1, 2, 3)), "whole image"),
        (norm((2, 3)), "over places"),
        (norm(0), "like BatchNorm"),
        (lambda h: h / h.square().mean(1, keepdim=True), "square root is missing"),
        (lambda h: h / h.norm(dim=1, keepdim=True), "length of the vector"),
        (lambda h: h, "should be 1 everywhere"),
        (lambda h: h / h.square().mean(1, keepdim=True).sqrt(), "give NaN"),
    ],
)
def test_slips_with_the_pixel_norm_are_named(fn, message):
    verdict = exercises.check_pixel_norm(fn)
    assert not verdict.right and message in verdict.message


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda h, weight, bias, gain: None, "write its body"),
        (scaled(lambda weight, gain: 1), "as they are"),
        (scaled(lambda weight, gain: gain / math.sqrt(weight.shape[1])), "channels alone"),
        (scaled(lambda weight, gain: gain / math.sqrt(weight[:, 0].numel())), "fan-out"),
        (scaled(lambda weight, gain: he(weight, 1)), "gain is missing"),
        (scaled(lambda weight, gain: gain / weight[0].numel()), "√n times the spread"),
        (lambda h, w, b, g: conv2d(h, w * he(w, g), b * he(w, g), padding=1), "bias is scaled too"),
        (scaled(lambda weight, gain: 0.5 * he(weight, gain)), "2 times as far"),
    ],
)
def test_slips_with_the_scale_are_named(fn, message):
    verdict = exercises.check_equalised(fn)
    assert not verdict.right and message in verdict.message


def test_sameness_that_was_measured_is_told_in_its_own_numbers():
    verdict = exercises.check_sameness(lambda share: 0.3 * math.sqrt(1 - share**2))
    assert verdict.right and "87% at 50%" in verdict.message


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda share: None, "write its body"),
        (lambda share: "much", "should be one number"),
        (lambda share: 0.0, "take images that differ"),
        (lambda share: 0.3, "it should be 0"),
        (lambda share: 0.3 * (1 - share) ** 3, "is to be expected"),
    ],
)
def test_slips_with_sameness_are_named(fn, message):
    verdict = exercises.check_sameness(fn)
    assert not verdict.right and message in verdict.message


def blurred(factor):
    return lambda sigma: {side: value * (1 + factor * sigma) for side, value in FLOOR.items()}


def test_scales_that_were_measured_are_told_side_by_side():
    verdict = exercises.check_scales(blurred(2), FLOOR)
    assert verdict.right and f"blur {BLURS[1]:g}: 3.0 × at 64 px" in verdict.message


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda sigma: None, "write its body"),
        (lambda sigma: {64: 0.1}, "a distance for each side"),
        (lambda sigma: {side: 5 * value for side, value in FLOOR.items()}, "without blur"),
        (blurred(0), "never reached the images"),
        (blurred(-0.2), "one of the two sets only"),
    ],
)
def test_slips_with_scales_are_named(fn, message):
    verdict = exercises.check_scales(fn, FLOOR)
    assert not verdict.right and message in verdict.message
