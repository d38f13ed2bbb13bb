"""Checks of notebook 11: data consistency with noisy lines, and the choice of an adversarial weight."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.fft import fft2, ifft2

from medgen_course.exercises.verdict import Finding, Verdict, as_number, call, hint, judge, not_attempted

TABLES = (  # weights, PSNR, Fréchet distance, dB that may be lost, and the right choice
    ((0.0, 0.1, 0.2, 0.4), (25.0, 24.8, 24.3, 22.0), (90.0, 60.0, 40.0, 20.0), 1.0, 0.2),
    ((0.0, 0.1, 0.2, 0.4), (25.0, 24.8, 24.3, 22.0), (90.0, 60.0, 40.0, 20.0), 0.5, 0.1),
    ((0.0, 0.1, 0.2, 0.4), (25.0, 24.8, 24.3, 22.0), (90.0, 95.0, 93.0, 91.0), 9.0, 0.0),
    ((0.3, 0.0, 0.1), (24.5, 25.0, 25.1), (50.0, 80.0, 70.0), 1.0, 0.3),
)


def check_consistency(fn: Callable[[Tensor, Tensor, Tensor, float], Tensor]) -> Verdict:
    """Check data consistency with lines of k-space that are noisy themselves: the real image x̂ with the least

        |x̂ − x|² + trust · |measured lines of x̂ − y|².

    Args:
        fn: (x, y, mask, trust) to images; x real (B, 1, H, W), y complex k-space (B, 1, H, W), zero where
            nothing was measured, mask bool (H, 1): True on measured lines; trust at least 0. K-space of x:
            `fft2(x, norm="ortho")`.
    Source: Schlemper et al. 2018, equation 6.
    """
    praise = "Each measured line is a weighted mean of both, the others are left alone, the image stays real."
    return judge("data consistency", fn, _examine_consistency, praise)


def check_weight(fn: Callable[[Sequence[float], Sequence[float], Sequence[float], float], float]) -> Verdict:
    """Check a choice: the smallest distance among the weights that lose at most so many dB.

    Args:
        fn: (weights, psnr, frechet, limit) to one of the weights; the loss in dB is that against weight 0.
    """
    praise = "The nearest to true images among those that cost no more than you allow."
    return judge("adversarial weight", fn, _examine_weight, praise)


def _examine_consistency(fn: Callable) -> None:
    draws = torch.Generator().manual_seed(0)
    truth, x = torch.rand(2, 2, 1, 8, 8, generator=draws).round()  # so that an answer leaves [0, 1]
    mask = torch.tensor([1, 1, 0, 0, 0, 0, 0, 1], dtype=torch.bool)[:, None]
    y = fft2(truth, norm="ortho") * mask
    for trust in (4.0, 0.0, 1e6):
        found = call(fn, x.clone(), y.clone(), mask.clone(), trust)
        if found is None:
            raise not_attempted()
        if not isinstance(found, Tensor) or found.shape != x.shape:
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise Finding(f"Images of shape {tuple(x.shape)} are expected; yours is {shape}.")
        if found.is_complex():
            raise Finding("The answer is complex; an image is real: take `.real` in the end.")
        _compare_consistency(found, x, y, mask, trust)


def _compare_consistency(found: Tensor, x: Tensor, y: Tensor, mask: Tensor, trust: float) -> None:
    own = fft2(x, norm="ortho")

    def image(lines: Tensor) -> Tensor:
        return ifft2(lines, norm="ortho").real

    expected = image(torch.where(mask, (own + trust * y) / (1 + trust), own))
    if torch.allclose(found, expected, atol=1e-4):
        return
    usual = {
        "Take `.real` in the end, not `.abs()`: that makes what is below 0 positive": expected.abs(),
        "Leave the cut at 0 and 1 out: after it the lines are others again": expected.clamp(0, 1),
        "Cut nothing at 0: after that the lines are others again": expected.clamp(min=0),
        "With this trust the measured lines are no longer those of the scan alone: weigh both": image(
            torch.where(mask, y, own)
        ),
        "Unmeasured lines should be those of x; yours are zero": image(
            torch.where(mask, (own + trust * y) / (1 + trust), 0)
        ),
        "Unmeasured lines should be those of x; yours were weighed too": image(
            (own + trust * y) / (1 + trust)
        ),
        "The weights are exchanged: the more trust, the nearer to y": image(
            torch.where(mask, (trust * own + y) / (1 + trust), own)
        ),
        "The weights of both must sum to 1: divide by 1 + trust": image(
            torch.where(mask, own + trust * y, own)
        ),
        "x is returned as it was; what was measured is not in it": x,
        "Go to k-space and back with the same norm": image(
            torch.where(mask, (fft2(x) + trust * y) / (1 + trust), fft2(x))
        ),
    }
    same = (f" {text}." for text, value in usual.items() if torch.allclose(found, value, atol=1e-4))
    missed = float((fft2(found - expected, norm="ortho")).abs().max())
    raise Finding(f"With trust {trust:g}, k-space is missed by up to {missed:.3g}.{next(same, '')}")


def _examine_weight(fn: Callable) -> None:
    for weights, psnr, frechet, limit, expected in TABLES:
        found = as_number(call(fn, list(weights), list(psnr), list(frechet), limit))
        if found == expected:
            continue
        usual = {
            "The limit was not asked for": weights[frechet.index(min(frechet))],
            "That is the nearest to the truth; among the allowed ones the smallest distance is wanted":
                weights[psnr.index(max(psnr))],
            "The loss is that against weight 0, wherever it stands in the list": weights[0],
        }  # fmt: skip
        told = ", ".join(f"λ {w:g}: {p:g} dB, {d:g}" for w, p, d in zip(weights, psnr, frechet, strict=True))
        raise Finding(
            f"Of {told} and a limit of {limit:g} dB, {expected:g} is expected; yours is {found:g}."
            f"{hint(usual, lambda value, found=found: value == found)}"
        )
