"""Checks of notebook 11's experiments: whether a student's measurement measures what it is said to."""

from collections.abc import Callable

import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, hint, judge, number

Change = Callable[[Tensor], Tensor]


def check_gain(fn: Callable[[Change, Tensor, Tensor], float]) -> Verdict:
    """Check a measure of what a method gains: mean PSNR of its answers minus mean PSNR of what it was given.

    Args:
        fn: (restore, noisy, clean) to decibels; images (B, 1, H, W) in [0, 1].
    """
    return judge(
        "gain", fn, _examine_gain, "Above 0 where it helps, 0 where it does nothing, below where it harms."
    )


def check_average_cost(fn: Callable[[Change, Tensor, Tensor, int], float]) -> Verdict:
    """Check the mean squared error of an average of several draws.

    Args:
        fn: (draw, y, x, count) to a number; `draw(y)` returns one image for each measurement y, another one
            at every call; x is the truth, both (B, 1, H, W).
    """
    praise = "Draws are averaged first, then compared with the truth."
    return judge("an average of draws", fn, _examine_average, praise)


def _psnr(made: Tensor, x: Tensor) -> Tensor:
    return -10 * torch.log10((made - x).square().mean((1, 2, 3)))


def _examine_gain(fn: Callable) -> None:
    draws = torch.Generator().manual_seed(0)
    clean = torch.rand(6, 1, 8, 8, generator=draws)
    strength = torch.linspace(0.02, 0.3, 6)[:, None, None, None]
    noisy = (clean + strength * torch.randn(clean.shape, generator=draws)).clamp(0, 1)
    for what, restore in {
        "that leaves images as they are": lambda x: x,
        "that knows half of the noise": lambda x: (x + clean) / 2,
        "that makes all black": torch.zeros_like,
    }.items():
        found, made = number(fn, restore, noisy.clone(), clean.clone()), restore(noisy)
        expected = float((_psnr(made, clean) - _psnr(noisy, clean)).mean())
        if abs(found - expected) < 0.01:
            continue
        errors = [(image - clean).square().mean() for image in (made, noisy)]
        usual = {
            "Take the PSNR of each image first, then the mean": float(
                10 * torch.log10(errors[1] / errors[0])
            ),
            "Subtract the PSNR of what came in from that of the answer": -expected,
            "That is the PSNR of the answer; what does the noisy image have?": float(
                _psnr(made, clean).mean()
            ),
            "Compare with the clean image, not with the noisy one": float(_psnr(made, noisy).mean()),
        }
        told = hint(usual, lambda value, found=found: abs(value - found) < 0.01)
        raise Finding(f"For a method {what}, {expected:.2f} dB is expected; yours is {found:.2f}.{told}")


def _examine_average(fn: Callable) -> None:
    x = torch.zeros(2000, 1, 2, 2)
    for count in (1, 2, 8):
        calls, draws = [], torch.Generator().manual_seed(0)

        def draw(y: Tensor, calls=calls, draws=draws) -> Tensor:
            calls.append(torch.randn(y.shape, generator=draws))
            return y + calls[-1]

        y = 0.5 * torch.ones_like(x)
        found, expected = number(fn, draw, y, x, count), 0.25 + 1 / count
        if len(calls) != count:
            raise Finding(
                f"For {count} draws, draw was called {len(calls)} times: each call is another draw."
            )
        exact = float((0.5 + torch.stack(calls).mean(0)).square().mean())
        if abs(found - exact) < 1e-4:
            continue
        usual = {
            "Average the draws first, then compare with the truth": float(
                (0.5 + torch.stack(calls)).square().mean()
            ),
            "Compare with the truth, not with the measurement": float(
                torch.stack(calls).mean(0).square().mean()
            ),
            "Take the square, not its root": exact**0.5,
        }
        told = hint(usual, lambda value, found=found: abs(value - found) < 1e-4)
        raise Finding(f"The average of {count} draws costs {expected:.2f} here; yours is {found:.2f}.{told}")
