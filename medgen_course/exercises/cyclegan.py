"""Check of notebook 04: the cycle loss."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from medgen_course.exercises.gan import scalar
from medgen_course.exercises.verdict import Finding, Verdict, call, judge

Translate = Callable[[Tensor], Tensor]


def check_cycle_loss(fn: Callable[[Tensor, Tensor, Translate, Translate], Tensor]) -> Verdict:
    """Check the cycle loss: mean |g_ba(g_ab(a)) - a| + mean |g_ab(g_ba(b)) - b|.

    Args:
        fn: (a, b, g_ab, g_ba) to a scalar; images a and b (B, 1, H, W) in [0, 1], generators from A to B and
            from B to A.
    """
    return judge(
        "cycle loss", fn, _examine_cycle, "There and back in both directions, and both generators learn."
    )


class _Curve(nn.Module):
    """A toy generator, the same for every pixel: gain * x^power + offset."""

    def __init__(self, gain: float, power: float, offset: float):
        super().__init__()
        self.power = power
        self.gain, self.offset = nn.Parameter(torch.tensor(gain)), nn.Parameter(torch.tensor(offset))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x**self.power + self.offset


def _examine_cycle(fn: Callable) -> None:
    a, b = torch.rand(2, 3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    g_ab, g_ba = _Curve(0.7, 2.0, 0.1), _Curve(0.5, 0.5, 0.3)
    found = scalar(call(fn, a.clone(), b.clone(), g_ab, g_ba), "the loss")
    there_a, there_b = g_ba(g_ab(a)) - a, g_ab(g_ba(b)) - b
    expected = there_a.abs().mean() + there_b.abs().mean()
    _name_cycle_mistake(found.item(), expected.item(), _cycle_mistakes(a, b, g_ab, g_ba))
    if not found.requires_grad:
        raise Finding("no gradient flows back to the generators: compute with tensors, no detach or no_grad.")
    for name, generator in {"g_ab": g_ab, "g_ba": g_ba}.items():
        weights = list(generator.parameters())
        slopes = torch.autograd.grad(found, weights, retain_graph=True, allow_unused=True)
        wanted = torch.autograd.grad(expected, weights, retain_graph=True)
        if all(slope is None for slope in slopes):
            raise Finding(
                f"no gradient reaches {name}: the loss has the right value, but it cannot learn from it."
            )
        held = torch.stack([torch.zeros(()) if slope is None else slope for slope in slopes])
        if not torch.allclose(held, torch.stack(wanted), rtol=1e-3, atol=1e-5):
            raise Finding(
                f"{name} gets only a part of its gradient, of length {held.norm():.4f} instead of "
                f"{torch.stack(wanted).norm():.4f}: it must learn from both directions. Do not detach the "
                "translation on its way back."
            )


def _cycle_mistakes(a: Tensor, b: Tensor, g_ab: Translate, g_ba: Translate) -> dict[str, Tensor]:
    """What is wrong, and the value that it has for these images."""
    back_a, back_b = g_ba(g_ab(a)) - a, g_ab(g_ba(b)) - b

    def total(*differences: Tensor) -> Tensor:
        return sum(d.abs().mean() for d in differences)

    expected = total(back_a, back_b)
    return {
        "that is one direction, A to B to A; add mean |g_ab(g_ba(b)) - b|": total(back_a),
        "that is one direction, B to A to B; add mean |g_ba(g_ab(a)) - a|": total(back_b),
        "the differences are squared; take their absolute value": (back_a**2).mean() + (back_b**2).mean(),
        "it is summed over the pixels; take the mean": expected * a.numel(),
        "it is summed over the pixels of an image; take the mean": expected * a[0].numel(),
        "that is the average of both directions; add them": expected / 2,
        "differences of both signs cancel; take the absolute value first": back_a.mean() + back_b.mean(),
        "the order is wrong: an image of A goes through g_ab first, then through g_ba": total(
            g_ab(g_ba(a)) - a, g_ba(g_ab(b)) - b
        ),
        "there is no way back: g_ab(a) is compared with its own source": total(g_ab(a) - a, g_ba(b) - b),
        "there is no way back: g_ab(a) is compared with b, which is not its partner": total(
            g_ab(a) - b, g_ba(b) - a
        ),
        "what came back is compared with the other domain": total(g_ba(g_ab(a)) - b, g_ab(g_ba(b)) - a),
        "that is the identity loss: each generator was fed with its own target domain": total(
            g_ba(a) - a, g_ab(b) - b
        ),
    }  # fmt: skip


def _name_cycle_mistake(found: float, expected: float, mistakes: dict[str, Tensor]) -> None:
    if math.isclose(found, expected, rel_tol=1e-4):
        return
    for text, value in mistakes.items():
        if math.isclose(found, value.item(), rel_tol=1e-4):
            raise Finding(f"You have {found:.4f} where {expected:.4f} is expected: {text}.")
    raise Finding(
        f"For images of shape (3, 1, 4, 4) the mean of |g_ba(g_ab(a)) - a| plus the mean of "
        f"|g_ab(g_ba(b)) - b| is {expected:.4f}; yours is {found:.4f}."
    )
