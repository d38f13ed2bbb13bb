"""Checks of notebook 05: pixel normalisation, and a convolution with equalised learning rate."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted
from medgen_course.models.progressive_networks import pixel_norm


def check_pixel_norm(fn: Callable[[Tensor], Tensor]) -> Verdict:
    """Check pixel normalisation.

    Args:
        fn: features (B, C, H, W) to the same, at each place divided by their root mean square over channels.
    """
    praise = "At each place the mean square over channels is 1."
    return judge("pixel normalisation", fn, _examine_norm, praise)


def check_equalised(fn: Callable[[Tensor, Tensor, Tensor, float], Tensor]) -> Verdict:
    """Check a convolution with equalised learning rate.

    Args:
        fn: (h (B, A, H, W), weight (C, A, 3, 3) from N(0, 1), bias (C,), gain) to (B, C, H, W).
    """
    praise = "Variance gain² at the start, whatever the width, and every weight learns at one rate."
    return judge("equalised convolution", fn, _examine_equalised, praise)


def _same_shape(found: object, wanted: tuple[int, ...]) -> Tensor:
    """A student's tensor; a `Finding` where it is none, or has another shape."""
    if found is None:
        raise not_attempted()
    if not isinstance(found, Tensor) or tuple(found.shape) != wanted:
        got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise Finding(f"expected a tensor {wanted}; yours is {got}.")
    return found


def _name_mistake(found: Tensor, mistakes: dict[str, Tensor]) -> None:
    for text, value in mistakes.items():
        if value.shape == found.shape and torch.allclose(found, value, atol=1e-4):
            raise Finding(text)


def _examine_norm(fn: Callable) -> None:
    h = 3 * torch.randn(2, 5, 4, 4, generator=torch.Generator().manual_seed(0)) + 1
    found, expected = _same_shape(call(fn, h.clone()), tuple(h.shape)), pixel_norm(h)
    square = h.square()
    _name_mistake(found, {
        "the square root is missing: you divide by the mean square.": h / square.mean(1, keepdim=True),
        "you divide by the length of the vector, a sum; the mean square should be 1, not the sum.":
            h / square.sum(1, keepdim=True).sqrt(),
        "the mean was taken off first. That is a standardisation: a pixel norm keeps the direction.":
            (h - h.mean(1, keepdim=True)) / h.std(1, keepdim=True, correction=0),
        "you average over the whole image. Each place has a norm of its own.":
            h / square.mean((1, 2, 3), keepdim=True).sqrt(),
        "you average over places. The norm is taken over channels, at each place by itself.":
            h / square.mean((2, 3), keepdim=True).sqrt(),
        "you average over the batch, like BatchNorm. One image must not change another.":
            h / square.mean(0, keepdim=True).sqrt(),
    })  # fmt: skip
    if not torch.allclose(found, expected, atol=1e-4):
        size = float(found.square().mean(1).mean())
        raise Finding(f"the mean square over channels should be 1 everywhere; yours is {size:.3f}.")
    if not torch.isfinite(call(fn, torch.zeros(1, 3, 2, 2))).all():
        raise Finding("features that are all 0 give NaN: add something small, 1e-8, under the root.")


def _examine_equalised(fn: Callable) -> None:
    noise = torch.Generator().manual_seed(0)
    h, weight = torch.randn(2, 6, 5, 5, generator=noise), torch.randn(4, 6, 3, 3, generator=noise)
    bias, gain = torch.randn(4, generator=noise), math.sqrt(2)
    scale = gain / math.sqrt(6 * 9)
    found = _same_shape(call(fn, h.clone(), weight.clone(), bias.clone(), gain), (2, 4, 5, 5))

    def layer(factor: float, of_bias: float = 1.0) -> Tensor:
        return conv2d(h, weight * factor, bias * of_bias, padding=1)

    _name_mistake(found, {
        "the weights are used as they are: the variance of the outputs is the fan-in.": layer(1),
        "fan-in counts what one output is summed from: channels that come in, times 3 × 3. You took the "
        "channels alone.": layer(gain / math.sqrt(6)),
        "you took the channels that go out (fan-out).": layer(gain / math.sqrt(4 * 9)),
        "the gain is missing: it makes up for what the rectifier takes away.": layer(1 / math.sqrt(54)),
        "the square root is missing: a sum of n terms has n times the variance, √n times the spread.":
            layer(gain / 54),
        "the bias is scaled too. It is no sum over the fan-in, and starts at 0.": layer(scale, scale),
    })  # fmt: skip
    if not torch.allclose(found, layer(scale), atol=1e-4):
        ratio = float((found - bias.view(-1, 1, 1)).std() / (layer(scale) - bias.view(-1, 1, 1)).std())
        raise Finding(f"without the bias the outputs should spread {1 / ratio:.3g} times as far as yours do.")
