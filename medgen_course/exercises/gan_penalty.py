"""Check of notebook 03: the gradient penalty of a critic, for distances by root mean square."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from medgen_course.exercises.gan import scalar
from medgen_course.exercises.verdict import Finding, Verdict, call, judge

# a critic that is this many times the mean grey level, on images (C, H, W)
GREYS = ((3, (1, 3, 2)), (1, (1, 3, 2)), (0, (1, 3, 2)), (1, (1, 8, 2)), (1, (3, 2, 2)))


def check_gradient_penalty(fn: Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor]) -> Verdict:
    """Check the gradient penalty of Gulrajani et al. 2017 for another distance, the root mean square.

    Two images x and y of P numbers are |x - y| / √P apart, so the penalty is the mean of (√P |slope| - 1)².

    Args:
        fn: (critic, real, fake, share) to a scalar; `share` (B,) says how far from fake (0) to real (1) each
            image's point lies.
    """
    praise = "The same at every size of image, one slope for each image, and the critic can learn from it."
    return judge("gradient penalty", fn, _examine, praise)


def _examine(fn: Callable) -> None:
    for times, shape in GREYS:
        _examine_grey(fn, times, shape)
    _examine_points(fn)
    _examine_learning(fn)


def _examine_grey(fn: Callable, times: int, shape: tuple[int, int, int]) -> None:
    real, fake = torch.rand(2, 2, *shape, generator=torch.Generator().manual_seed(0))
    share = torch.tensor([0.3, 0.6])
    found = scalar(call(fn, lambda x: times * x.flatten(1).mean(1), real, fake, share), "the penalty")
    # generous, so that a small number under a root is no mistake
    if math.isclose(found.item(), (times - 1) ** 2, rel_tol=2e-3, abs_tol=1e-4):
        return
    numbers, length = math.prod(shape), times / math.sqrt(math.prod(shape))
    mistakes = {
        "that holds for the distance |x - y| of section 4, which grows with the number of pixels": (
            length - 1
        )
        ** 2,
        "the slope is divided where it should be multiplied: where images lie nearer to each other, the same "
        "critic is steeper": (length / math.sqrt(numbers) - 1) ** 2,
        "the slope is multiplied by P: the distance has a root in it": (length * numbers - 1) ** 2,
        "count all numbers of an image, its channels too": (length * math.sqrt(math.prod(shape[1:])) - 1)
        ** 2,
        "too flat costs as much as too steep": max(times - 1, 0) ** 2,
        "that is the distance from 1 without the square": abs(times - 1),
        "a square root is missing: (slope² - 1)²": (times**2 - 1) ** 2,
        "the slope is not held against 1": times**2,
        "it is summed over the batch; average it": 2 * (times - 1) ** 2,
        "that is one norm over the whole batch; each image is by itself": (math.sqrt(2) * times - 1) ** 2,
    }
    raise Finding(
        f"On images of shape {shape} the critic that is {times} times the mean grey level costs "
        f"{found.item():.4f}, expected {(times - 1) ** 2}{_hint(found.item(), mistakes)}."
    )


def _hint(found: float, mistakes: dict[str, float]) -> str:
    """The first mistake that leads to this penalty, where one does."""
    same = (text for text, value in mistakes.items() if math.isclose(found, value, rel_tol=1e-4))
    return next((f": {text}" for text in same), "")


def _quadratic(x: Tensor) -> Tensor:
    """A critic whose slope at an image of four numbers, by root mean square, is |x|."""
    return 0.25 * x.flatten(1).square().sum(1)


def _examine_points(fn: Callable) -> None:
    real, fake = torch.zeros(2, 1, 2, 2), torch.zeros(2, 1, 2, 2)
    real[0, 0], real[1, 0, 0, 0] = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), 2.0
    share = torch.tensor([1.0, 0.5])  # the points are 5 and 1 long, and so are the slopes
    found = scalar(call(fn, _quadratic, real, fake, share), "the penalty").item()
    mistakes = {
        "that is one norm over the whole batch; take one for each image": (math.sqrt((25 + 1) / 2) - 1) ** 2,
        "a steep image makes up for a flat one; take one slope for each image": ((5 + 1) / 2 - 1) ** 2,
        "the points lie at the wrong end: share = 1 is the real image": (1 + 0) / 2,
        "these are the real images, not points between real and fake": ((5 - 1) ** 2 + (2 - 1) ** 2) / 2,
        "these are the generated images, not points between real and fake": (1 + 1) / 2,
        "share (B,) went along the columns; give it the shape (B, 1, 1, 1)": _along_columns(real, share),
    }
    expected = ((5 - 1) ** 2 + (1 - 1) ** 2) / 2
    if not math.isclose(found, expected, rel_tol=1e-4):
        raise Finding(
            "For a critic that is 5 times as steep as it should be at one image's point and right at the "
            f"other's, the penalty is ((5 - 1)² + (1 - 1)²)/2 = {expected}; yours is {found:.4f}"
            f"{_hint(found, mistakes)}."
        )


def _along_columns(real: Tensor, share: Tensor) -> float:
    """What comes out where `share` is broadcast along the columns of the pictures; fake is zero."""
    return float(((share * real).flatten(1).norm(dim=1) - 1).square().mean())


def _examine_learning(fn: Callable) -> None:
    noise = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Flatten(0))
    real, fake = torch.rand(2, 3, 1, 2, 2, generator=noise)
    penalty = scalar(call(fn, critic, real, fake, torch.rand(3, generator=noise)), "the penalty")
    weight = critic[1].weight
    slope = torch.autograd.grad(penalty, weight, allow_unused=True)[0] if penalty.requires_grad else None
    if slope is None or not slope.any():
        raise Finding(
            "the penalty has the right value but cannot be differentiated by the critic's weights, so "
            "it changes nothing: the slope must keep its graph. See the arguments of torch.autograd.grad."
        )
