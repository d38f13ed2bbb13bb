"""The checks of notebook 05: right answers, and typical slips by name."""

import math
import re

import pytest
import torch

from medgen_course import exercises
from medgen_course.exercises.growing_experiments import BLURS
from medgen_course.models.progressive_networks import minibatch_deviation

FLOOR = {64: 0.02, 32: 0.016, 16: 0.014, 8: 0.015}


def within(number):
    """The features, and what `number` makes (C,) of each group, as new channels."""

    def deviations(h, group):
        added = torch.cat([number(part).expand(len(part), h.shape[1]) for part in h.split(group)])
        return torch.cat([h, added[..., None, None].expand_as(h)], 1)

    return deviations


def whole_batch(h, group):
    return within(lambda part: part.std(0, correction=0).mean((1, 2)))(h, len(h))


def by_loop(h, group):
    """Group by group, image by image, with a small number under the root."""
    made = []
    for first in range(0, len(h), group):
        part = h[first : first + group]
        spread = ((part - part.mean(0)).square().mean(0) + 1e-8).sqrt().mean((1, 2))
        made += [torch.cat([image, spread[:, None, None].expand_as(image)]) for image in part]
    return torch.stack(made)


def in_float64(h, group):
    return within(lambda part: part.double().std(0, correction=0).mean((1, 2)))(h, group)


@pytest.mark.parametrize(
    "fn", [within(lambda part: part.std(0, correction=0).mean((1, 2))), by_loop, in_float64]
)
def test_right_deviations(fn):
    assert exercises.check_deviations(fn).right


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda h, group: None, "write its body"),
        (lambda h, group: h, "expected a tensor"),
        (minibatch_deviation, "expected a tensor (7, 6, 4, 5); yours is (7, 4, 4, 5)"),
        (lambda h, group: torch.cat([h, h.std(0, correction=0).expand_as(h)], 1), "average over places"),
        (lambda h, group: whole_batch(h, group).roll(3, 1), "features come first"),
        (whole_batch, "whatever the group"),
        (within(lambda part: part.std(0, correction=0).mean()), "one number for all channels"),
        (within(lambda part: part.mean((2, 3)).std(0, correction=0)), "a place that varies is lost"),
        (within(lambda part: part.std((0, 2, 3), correction=0)), "one heap"),
        (within(lambda part: part.std((2, 3), correction=0).mean(0)), "compare images"),
        (within(lambda part: part.var(0, correction=0).mean((1, 2))), "without its root"),
        (within(lambda part: part.std(0).mean((1, 2))), "not by one less"),
        (within(lambda part: 3 * part.std(0, correction=0).mean((1, 2))), "deviation within the group."),
        (within(lambda part: part.detach().std(0, correction=0).mean((1, 2))), "no generator hears"),
        (within(lambda part: (part.var(0, correction=0) + 0.01).sqrt().mean((1, 2))), "within the group."),
    ],
)
def test_slips_with_the_deviation_are_named(fn, message):
    verdict = exercises.check_deviations(fn)
    assert not verdict.right and message in verdict.message


def by_tensor(weight_factor, bias_factor=lambda bias: 1.0):
    """A group for each tensor."""

    def groups(network, lr, gain):
        return [
            {
                "params": [tensor],
                "lr": lr * (weight_factor(tensor, gain) if tensor.dim() > 1 else bias_factor(tensor)),
            }
            for tensor in network.parameters()
        ]

    return groups


def he(weight, gain):
    return gain / math.sqrt(weight[0].numel())


def by_layer(network, lr, gain):
    """A group for each layer's weight, without a step size for the biases, which have the optimiser's."""
    layers = [layer for layer in network if hasattr(layer, "weight")]
    weights = [{"params": layer.weight, "lr": lr * he(layer.weight, gain)} for layer in layers]
    return [*weights, {"params": [layer.bias for layer in layers]}]


def one_by_one(network, lr, gain):
    """A generator of groups, each with a generator of tensors."""
    for group in by_tensor(he)(network, lr, gain):
        yield group | {"params": iter(group["params"])}


def with_settings(**settings):
    return lambda network, lr, gain: [group | settings for group in by_tensor(he)(network, lr, gain)]


def rescaled(network, lr, gain):
    with torch.no_grad():
        network[0].weight.mul_(2)
    return by_tensor(he)(network, lr, gain)


@pytest.mark.parametrize("fn", [by_tensor(he), by_layer, one_by_one])
def test_right_groups(fn):
    verdict = exercises.check_adam_groups(fn)
    own, plain = map(float, re.findall(r"([\d.e-]+\d) apart", verdict.message))
    assert verdict.right and own < 1e-4 < 0.05 < plain


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda network, lr, gain: None, "write its body"),
        (lambda network, lr, gain: 3, "expected a list of groups"),
        (lambda network, lr, gain: [{"lr": lr}], "expected a list of groups"),
        (lambda network, lr, gain: [{"params": [3], "lr": lr}], "Adam does not take your groups"),
        (with_settings(weight_decay=0.1), "other settings"),
        (with_settings(betas=(0.0, 0.9)), "other settings"),
        (rescaled, "leave the weights"),
        (
            lambda network, lr, gain: [{"params": network[0].weight, "lr": lr * he(network[0].weight, gain)}],
            "0.bias",
        ),
        (lambda network, lr, gain: [{"params": list(network.parameters()), "lr": lr}], "a weight near 1"),
        (by_tensor(lambda weight, gain: he(weight, gain) ** 2), "plain gradient descent"),
        (by_tensor(lambda weight, gain: gain / weight[0].numel()), "root is missing"),
        (by_tensor(lambda weight, gain: he(weight, 1)), "gain is missing"),
        (by_tensor(lambda weight, gain: 1 / he(weight, gain)), "other way round"),
        (by_tensor(lambda weight, gain: gain / math.sqrt(weight.shape[1])), "count the kernel"),
        (by_tensor(lambda weight, gain: gain / math.sqrt(weight[:, 0].numel())), "fan-out"),
        (by_tensor(lambda weight, gain: gain / math.sqrt(weight.numel())), "all weights of the layer"),
        (by_tensor(he, lambda bias: 1.3), "does not scale its bias"),
        (by_tensor(he, lambda bias: 1.3 / math.sqrt(18)), "does not scale its bias"),
        (by_tensor(lambda weight, gain: 7), "0.weight of shape (8, 2, 3, 3): its step size is 0.014"),
    ],
)
def test_slips_with_the_groups_are_named(fn, message):
    verdict = exercises.check_adam_groups(fn)
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
