"""The bug hunt of notebook 05: mistakes in what lets a GAN grow, looked for by what they do."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, remaining
from medgen_course.models.progressive_networks import double

METHODS = ("level_at", "with_deviation", "blend", "show", "follow")
HOLD, FADE = 7, 5  # steps


class Stage(nn.Module):
    """A network with a level, as the players of models/progressive_networks.py."""

    def __init__(self, value: float, level: float):
        super().__init__()
        self.weight = nn.Parameter(torch.full((3,), value))
        self.register_buffer("level", torch.tensor(level))


def check_growing_bug_hunt(cls: type) -> Verdict:
    """Look for each mistake of the pool (`hunts/growing.py`) by itself; three of them are planted.

    Args:
        cls: a class without arguments whose objects have level_at(step, fade, hold) -> level;
            with_deviation(h (B, C, H, W)) -> (B, C + 1, H, W); blend(old (B, C, H, W), new (B, C, 2H, 2W),
            alpha) -> (B, C, 2H, 2W); show(real images (B, C, H, W), alpha) -> the same shape; and
            follow(average, generator, keep), two networks with a `level`.
    """
    praise = "Each block fades in from 0, sameness is seen and felt, and the average grows along."
    return judge("bug hunt", cls, _examine, praise)


def _examine(cls: Callable) -> None:
    mine = call(cls)
    if missing := [name for name in METHODS if not hasattr(mine, name)]:
        raise Finding(f"The class has no {', '.join(missing)}: repair it, keep its names.")
    looks = (_schedule, _sameness, _gradient, _ends, _shown, _level, _share)
    if left := [text for look in looks for text in look(mine)]:
        raise remaining(left)


def _schedule(mine) -> Iterator[str]:
    second = 2 * HOLD + FADE  # the first step of the second fade
    found = float(call(mine.level_at, second, FADE, HOLD))
    first = float(call(mine.level_at, HOLD, FADE, HOLD))
    if abs(found - 1 - 1 / FADE) > 1e-6 or abs(first - 1 / FADE) > 1e-6:
        yield (
            f"with {HOLD} steps of holding and {FADE} of fading the first fade begins at level {first:.2f} "
            f"and the second at {found:.2f}; they should begin at {1 / FADE:.2f} and {1 + 1 / FADE:.2f}. "
            "A block that arrives with its full weight is a jump: the images break, and D needs one look."
        )


def _sameness(mine) -> Iterator[str]:
    image = torch.rand(1, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    found = _deviation(mine, image.expand(4, -1, -1, -1))
    if found.abs().max() > 1e-6:
        yield (
            f"a batch of four identical images gets a deviation of {float(found.max()):.3f}: it should be 0. "
            "What is compared are not the images with each other, so a generator that collapsed would pass."
        )


def _gradient(mine) -> Iterator[str]:
    h = torch.rand(4, 3, 2, 2, generator=torch.Generator().manual_seed(1)).requires_grad_(True)
    found = _deviation(mine, h)
    if not found.requires_grad or not torch.autograd.grad(found.sum(), h, allow_unused=True)[0].any():
        yield (
            "the added channel has no gradient by the images. The discriminator sees the sameness and "
            "rejects it, but the generator is never told which way variety lies."
        )


def _deviation(mine, h: Tensor) -> Tensor:
    """The channel that was added, (B, 1, H, W)."""
    found = call(mine.with_deviation, h)
    wanted = (len(h), h.shape[1] + 1, *h.shape[2:])
    if not isinstance(found, Tensor) or tuple(found.shape) != wanted:
        got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise Finding(f"with_deviation should return {wanted} for {tuple(h.shape)}; yours is {got}.")
    return found[:, -1:]


def _ends(mine) -> Iterator[str]:
    old, new = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 4, 4)
    values = [float(call(mine.blend, old, new, alpha).mean()) for alpha in (0.0, 1.0)]
    if values != [0.0, 1.0]:
        yield (
            f"with an old path of 0 and a new one of 1 the blend is {values[0]:g} at alpha 0 and "
            f"{values[1]:g} at alpha 1. Alpha is the weight of the new path; a fade begins with the old one."
        )


def _shown(mine) -> Iterator[str]:
    real = torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(2))
    coarse = double(nn.functional.avg_pool2d(real, 2))
    found = [call(mine.show, real, alpha) for alpha in (0.25, 0.75)]
    if any(torch.allclose(images, real) for images in found):
        gap = float((real - coarse).square().mean().sqrt())
        yield (
            "in the middle of a fade the discriminator is shown real images in full detail, "
            f"{gap:.2f} grey levels (of 1) away from their coarse version, while generated ones cannot have "
            "that detail yet. It tells them apart by sharpness, whatever they show."
        )


def _follow(mine, keep: float = 0.75) -> Stage:
    """An average of 0 that has followed a network of 1 once."""
    average, generator = Stage(0.0, 1.0), Stage(1.0, 2.0)
    call(mine.follow, average, generator, keep)
    return average


def _level(mine) -> Iterator[str]:
    if (level := float(_follow(mine).level)) != 2.0:
        yield (
            f"the generator has grown to level 2, its average stands at {level:g}: the pictures that are "
            "looked at and measured come from another stage than the one that is trained."
        )


def _share(mine) -> Iterator[str]:
    if abs((value := _follow(mine).weight[0].item()) - 0.25) > 1e-6:
        yield (
            f"an average of 0 that keeps 0.75 and meets a weight of 1 becomes {value:g}; expected 0.25. "
            "Moved the other way round it jumps with every step, which is what averaging is there against."
        )
