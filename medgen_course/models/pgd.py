"""Projected gradient descent on the image instead of the weights (Madry et al. 2018).

The attacker knows the network and may change every pixel by a few grey levels at most. A gradient of the
loss with respect to the image says which way each pixel has to go; only its sign counts, because each may go
as far as any other. After every step the image is put back into the box that is allowed.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from medgen_course.batches.checks import check_between, check_image

GREY = 255  # grey levels above black


def pgd(
    loss: Callable[[Tensor], Tensor],
    x: Tensor,
    epsilon: float,
    steps: int = 20,
    step_size: float | None = None,
    seed: int = 0,
) -> Tensor:
    """The image within `epsilon` of x at which a loss is largest, as far as signed gradient steps find it.

    Starts at random inside the box and keeps the best image that it met, the start and x itself included; so
    the loss never falls. Weights, their gradients and the caller's random state are left as they were. Put
    networks with dropout or BatchNorm into evaluation mode first.

    Args:
        loss: images (B, C, H, W) in [0, 1] to a number each, (B,), through which gradients flow; large is
            what the attacker wants.
        x: images (B, C, H, W) in [0, 1].
        epsilon: how far a pixel may go either way, grey levels of 255; 0 gives x back.
        steps: of the gradient, at least 1.
        step_size: grey levels a step; None takes 2.5 · epsilon / steps, which can cross the box.
        seed: of the random start.
    Returns:
        (B, C, H, W) in [0, 1], at most epsilon / 255 from x at every pixel.
    Raises:
        ValueError: x is no such batch, an argument is out of range, or the loss is not one number an image.
    Source: Madry et al. 2018, section 2.1 and appendix B.
    """
    check_image(x)
    check_between("epsilon", epsilon, 0, GREY, "grey levels")
    if steps < 1:
        raise ValueError(f"steps is {steps}; give at least 1.")
    far, size = epsilon / GREY, (2.5 * epsilon / steps if step_size is None else step_size) / GREY
    low, high = (x - far).clamp(min=0), (x + far).clamp(max=1)
    draws = torch.Generator().manual_seed(seed)
    start = (2 * torch.rand(x.shape, generator=draws).to(x) - 1) * far
    with torch.enable_grad():
        now, best, most = (x + start).clamp(low, high), x.detach().clone(), None
        for step in range(steps + 1):
            if most is None:
                most = _checked(loss(best), x).detach()
            now = now.detach().requires_grad_()
            value = _checked(loss(now), x)
            better = value.detach() > most
            best = torch.where(better[:, None, None, None], now.detach(), best)
            most = torch.maximum(most, value.detach())
            if step < steps:
                (gradient,) = torch.autograd.grad(value.sum(), now)
                now = (now.detach() + size * gradient.sign()).clamp(low, high)
    return best


def noise(x: Tensor, epsilon: float, seed: int = 0) -> Tensor:
    """The control: every pixel goes `epsilon` grey levels up or down, by the toss of a coin.

    As large as an attack can be, in the largest change as in the sum of squares, and aimed at nothing.

    Args:
        x: images (B, C, H, W) in [0, 1].
        epsilon: grey levels of 255.
        seed: of the coins.
    Returns:
        (B, C, H, W) in [0, 1].
    """
    check_image(x)
    check_between("epsilon", epsilon, 0, GREY, "grey levels")
    coins = torch.randint(0, 2, x.shape, generator=torch.Generator().manual_seed(seed)).to(x)
    return (x + (2 * coins - 1) * epsilon / GREY).clamp(0, 1)


def _checked(values: Tensor, x: Tensor) -> Tensor:
    if values.shape != (len(x),):
        raise ValueError(
            f"the loss has shape {tuple(values.shape)} for {len(x)} images; give one number an image, "
            f"({len(x)},), so that each is attacked by itself."
        )
    return values
