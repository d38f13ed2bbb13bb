"""Checks of notebook 04: the cycle loss, and the patch that one logit of a discriminator sees."""

import math
import numbers
from collections.abc import Callable

import torch
from torch import Tensor, nn

from medgen_course.exercises.gan import scalar
from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted

Translate = Callable[[Tensor], Tensor]
# kernels and strides of stacks, first layer first; the first three are PatchGANs
STACKS = (
    ((4, 4, 4), (2, 1, 1)),
    ((4, 4, 4, 4), (2, 2, 1, 1)),
    ((4, 4, 4, 4, 4), (2, 2, 2, 1, 1)),
    ((3,), (1,)),
    ((7, 3, 3), (1, 2, 2)),
    ((5, 1, 3, 2), (3, 1, 2, 1)),
)


def check_cycle_loss(fn: Callable[[Tensor, Tensor, Translate, Translate], Tensor]) -> Verdict:
    """Check the cycle loss: mean |g_ba(g_ab(a)) - a| + mean |g_ab(g_ba(b)) - b|.

    Args:
        fn: (a, b, g_ab, g_ba) to a scalar; images a and b (B, 1, H, W) in [0, 1], generators from A to B and
            from B to A.
    """
    return judge(
        "cycle loss", fn, _examine_cycle, "There and back in both directions, and both generators learn."
    )


def check_receptive_field(fn: Callable[[list[int], list[int]], int]) -> Verdict:
    """Check how many pixels wide the patch is that one output of a stack of convolutions sees.

    Args:
        fn: (kernels, strides), one number a layer, first layer first, to the side of the patch in pixels.
    """
    praise = "16, 34 and 70 pixels for the three PatchGANs, and right for other stacks too."
    return judge("receptive field", fn, _examine_field, praise)


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


def _field(kernels: list[int], strides: list[int]) -> int:
    field, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * step
        step *= stride
    return field


def _early(kernels: list[int], strides: list[int]) -> int:
    return 1 + sum((k - 1) * math.prod(strides[: i + 1]) for i, k in enumerate(kernels))


def _one_stride(kernels: list[int], strides: list[int]) -> int:
    return 1 + sum((k - 1) * s for k, s in zip(kernels, (1, *strides), strict=False))


def _whole_kernels(kernels: list[int], strides: list[int], start: int = 0) -> int:
    return start + sum(k * math.prod(strides[:i]) for i, k in enumerate(kernels))


def _no_overlap(kernels: list[int], strides: list[int]) -> int:
    field = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        field = field * stride + kernel
    return field


FIELD_MISTAKES = {
    "the 1 to begin with is missing: without any layer an output sees one pixel": lambda k, s: (
        _field(k, s) - 1
    ),
    "the strides are left out: after a stride of 2 a step is 2 pixels wide": lambda k, s: 1 + sum(k) - len(k),
    "that is the sum of the kernels; neighbouring windows overlap, and strides count": lambda k, s: sum(k),
    "that is the product of the kernels; neighbouring windows overlap": lambda k, s: math.prod(k),
    "a stride widens the steps of later layers only: add first, multiply then": _early,
    "it runs from the wrong end of the stack": lambda k, s: _field(k[::-1], s[::-1]),
    "only the stride of the layer before counts; those of all earlier layers multiply": _one_stride,
    "a kernel of k reaches k - 1 of its steps further, not k": lambda k, s: _whole_kernels(k, s, 1),
    "a kernel of k reaches k - 1 of its steps further, and one pixel is there to begin with": _whole_kernels,
    "neighbouring windows overlap: it is (field - 1) * stride + kernel": _no_overlap,
}


def _examine_field(fn: Callable) -> None:
    answers = [call(fn, list(kernels), list(strides)) for kernels, strides in STACKS]
    if all(answer is None for answer in answers):
        raise not_attempted()
    for answer, (kernels, strides) in zip(answers, STACKS, strict=True):
        single = isinstance(answer, numbers.Real) or (isinstance(answer, Tensor) and answer.numel() == 1)
        if not single:
            raise Finding(f"return one number, the side in pixels; for kernels {list(kernels)} and strides "
                          f"{list(strides)} yours is {answer!r}.")  # fmt: skip
    expected = [_field(*stack) for stack in STACKS]
    wrong = [i for i, answer in enumerate(answers) if answer != expected[i]]
    if not wrong:
        return
    same = (text for text, rule in FIELD_MISTAKES.items() if [rule(*stack) for stack in STACKS] == answers)
    kernels, strides = map(list, STACKS[wrong[0]])
    hint = next(
        same, "each layer adds (kernel - 1) steps, and a step is the product of all strides before it"
    )
    raise Finding(
        f"For kernels {kernels} and strides {strides} you have {answers[wrong[0]]}, expected "
        f"{expected[wrong[0]]}: {hint}."
    )
