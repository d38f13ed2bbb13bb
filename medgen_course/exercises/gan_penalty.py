"""Check of notebook 03: the gradient penalty of a Wasserstein critic."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from medgen_course.exercises.gan import scalar
from medgen_course.exercises.verdict import Finding, Verdict, call, judge


def check_gradient_penalty(fn: Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor]) -> Verdict:
    """Check the gradient penalty of Gulrajani et al. 2017.

    Args:
        fn: (critic, real, fake, share) to a scalar; `share` (B,) says how far from fake (0) to real (1) each
            image's point lies.
    """
    return judge(
        "gradient penalty", fn, _examine_penalty, "One slope for each image, and it can be differentiated."
    )


def _quadratic(x: Tensor) -> Tensor:
    return 0.5 * x.flatten(1).square().sum(1)


def _examine_penalty(fn: Callable) -> None:
    real, fake = torch.zeros(2, 1, 2, 2), torch.zeros(2, 1, 2, 2)
    real[0, 0], real[1, 0, 0, 0] = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), 2.0
    share = torch.tensor([1.0, 0.5])  # the slopes of |x|^2 / 2 have the lengths 5 and 1
    found = scalar(call(fn, _quadratic, real, fake, share), "the penalty")
    expected = ((5 - 1) ** 2 + 0) / 2
    both = math.sqrt(25 + 1)
    mistakes = {
        "that is one norm over the whole batch; take one for each image": (both - 1) ** 2,
        "the norm was not reduced by 1": (25 + 1) / 2,
        "the square root is missing: (|slope|^2 - 1)^2": (24**2 + 0) / 2,
        "it is summed over the batch; average it": 16.0,
        "that is |norm - 1| without the square": (4 + 0) / 2,
        "the points lie at the wrong end: share = 1 is the real image": (1 + 0) / 2,
        "these are the real images, not points between real and fake": ((5 - 1) ** 2 + (2 - 1) ** 2) / 2,
        "these are the generated images, not points between real and fake": (1 + 1) / 2,
        "share (B,) went along the columns; give it the shape (B, 1, 1, 1)": _along_columns(real, share),
    }
    for text, value in mistakes.items():
        if math.isclose(found.item(), value, rel_tol=1e-4):
            raise Finding(f"For slopes of length 5 and 1 you have {found.item():.4f}: {text}.")
    if not math.isclose(found.item(), expected, rel_tol=1e-4):
        raise Finding(
            "For a critic whose slopes have the lengths 5 and 1 at these points the penalty is "
            f"((5 - 1)² + (1 - 1)²)/2 = {expected}; yours is {found.item():.4f}."
        )
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
            "the penalty cannot be differentiated by the critic's weights, so it changes nothing: pass "
            "create_graph=True to torch.autograd.grad."
        )


def _along_columns(real: Tensor, share: Tensor) -> float:
    """What comes out where `share` is broadcast along the columns of the pictures; fake is zero."""
    return float(((share * real).flatten(1).norm(dim=1) - 1).square().mean())
