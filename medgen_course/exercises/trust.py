"""Checks for notebook 13_trust: an attack's hits at few false alarms, and one private gradient."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, as_number, call, hint, judge, not_attempted

Rate = Callable[[np.ndarray, np.ndarray, float], float]
Private = Callable[[Tensor, float, float, Tensor], Tensor]


def check_low_fpr(fn: Rate) -> Verdict:
    """Check a membership attack's true-positive rate where hardly any outsider is accused.

    Args:
        fn: (scores of members (M,), scores of held-out images (N,), the largest false-positive rate) -> the
            largest share of members above any threshold that no more than this share of the held-out images
            exceeds. Higher means "more likely a member".
    Source: Carlini et al. 2022, section III.
    """
    praise = "As many members as a threshold can name that accuses no more outsiders than allowed."
    return judge("hits at few false alarms", fn, _examine_rate, praise)


def check_private_gradient(fn: Private) -> Verdict:
    """Check one step of DP-SGD, from the gradients of single images to the one that the optimiser gets.

    Args:
        fn: (gradients (B, D) of B images, clip, sigma, noise (D,) from a standard normal) -> (D,).
    Source: Abadi et al. 2016, algorithm 1.
    """
    praise = (
        "Each image's gradient is at most as long as the clip, and the noise is as large as the clip asks."
    )
    return judge("a private gradient", fn, _examine_private, praise)


def _groups() -> list[tuple[str, np.ndarray, np.ndarray, float]]:
    """What the scores are like, members, held-out images, and the largest false-positive rate."""
    rng = np.random.default_rng(0)
    few = rng.normal(0.4, 1.2, 80), rng.normal(0, 1, 50)
    ties = np.round(rng.normal(0.5, 1.5, 300)), np.round(rng.normal(0, 1, 200))
    return [
        ("500 members and 1,000 others", rng.normal(0.5, 1.3, 500), rng.normal(0, 1, 1000), 0.01),
        ("500 members and 1,000 others", rng.normal(0.5, 1.3, 500), rng.normal(0, 1, 1000), 0.1),
        ("80 members and 50 others", *few, 0.01),
        ("300 members and 200 others, whole numbers with many ties,", *ties, 0.05),
    ]


def _examine_rate(fn: Rate) -> None:
    for what, members, held, most in _groups():
        found = as_number(call(fn, members.copy(), held.copy(), most))
        ordered, allowed = np.sort(held)[::-1], int(most * len(held) + 1e-9)
        best = float((members > ordered[allowed]).mean())
        least = float((members > ordered[max(allowed - 1, 0)]).mean())  # one rank less is a rounding
        if least - 1e-9 <= found <= best + 1e-9:
            continue
        at = {
            "That is the threshold of half of the others: the rate was not asked for": np.median(held),
            "The threshold is taken from the members' scores; it is the others who may be accused in error":
                np.quantile(members, 1 - most),
            "The threshold is taken from both groups together: then more of the others are above it, or "
            "fewer, than you allow": np.quantile(np.concatenate([members, held]), 1 - most),
            "Of so few others not one may be above: between two of them the threshold accuses the highest":
                np.quantile(held, 1 - most),
        }  # fmt: skip
        usual = {text: float((members > cut).mean()) for text, cut in at.items()}
        usual["That is the share of members below the threshold; higher means member"] = 1 - best
        usual["That is the share of members below a threshold at the other end"] = float(
            (members < np.quantile(held, most)).mean()
        )
        told = hint(usual, lambda value, found=found: abs(value - found) < 1e-6)
        if not told and found > best and len(np.unique(held)) < len(held) / 2:
            told = " Where many score alike, all of them are accused together."
        raise Finding(f"Of {what} at a rate of {most:g}, {best:.3f} is expected; yours is {found:.3f}.{told}")


def _examine_private(fn: Private) -> None:
    draws = torch.Generator().manual_seed(0)
    for count, width, clip, sigma in (
        (6, 40, 1.0, 0.0),
        (6, 40, 0.5, 1.2),
        (1, 7, 3.0, 0.7),
        (9, 3, 2.0, 2.0),
    ):
        gradients = torch.randn(count, width, generator=draws)
        gradients *= torch.logspace(-1.5, 1, count)[:, None]  # some shorter than the clip, some longer
        if count > 1:
            gradients[1] = 0  # an image from which nothing can be learnt
        noise = torch.randn(width, generator=draws)
        found = call(fn, gradients.clone(), clip, sigma, noise.clone())
        if found is None:
            raise not_attempted()
        if not isinstance(found, Tensor) or found.shape != noise.shape:
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise Finding(
                f"For {count} gradients of {width} numbers ({width},) is expected; yours is {shape}."
            )
        if not found.isfinite().all():
            raise Finding("An image whose gradient is 0 makes the step nan: do not divide by its length.")
        expected = private_gradient(gradients, clip, sigma, noise)
        if torch.allclose(found, expected, rtol=1e-3, atol=1e-5):
            continue
        told = hint(
            _usual_private(gradients, clip, sigma, noise),
            lambda value, found=found: torch.allclose(found, value, rtol=1e-3, atol=1e-5),
        )
        off = float((found - expected).norm() / expected.norm())
        raise Finding(
            f"With {count} images, clip {clip:g} and sigma {sigma:g} the step is off by {off:.1%} of its "
            f"length.{told}"
        )


def private_gradient(gradients: Tensor, clip: float, sigma: float, noise: Tensor) -> Tensor:
    """(Σ_i g_i · min(1, clip / |g_i|) + sigma · clip · noise) / B, the right answer of the exercise.

    Args:
        gradients: (B, D), of single images.
        clip: the longest that one of them may be.
        sigma: noise multiplier.
        noise: (D,), from a standard normal.
    """
    shrink = (clip / gradients.norm(dim=1, keepdim=True).clamp(min=1e-12)).clamp(max=1)  # (B, 1)
    return ((shrink * gradients).sum(0) + sigma * clip * noise) / len(gradients)


def _usual_private(gradients: Tensor, clip: float, sigma: float, noise: Tensor) -> dict[str, Tensor]:
    """Mistake -> the step that it leads to."""
    count, norms = len(gradients), gradients.norm(dim=1, keepdim=True).clamp(min=1e-12)
    right = private_gradient(gradients, clip, 0.0, noise)
    mean, spread = gradients.mean(0), sigma * clip * noise / count
    clipped_mean = mean * min(1.0, clip / float(mean.norm()))
    summed = private_gradient(gradients.sum(0)[None], clip, 0.0, noise) / count
    return {
        "The mean of the batch is clipped: one image may then move it by twice the clip, many times what the "
        "noise is made for. Clip each image's": clipped_mean + spread,
        "The sum of the batch is clipped, not each image's gradient": summed + spread,
        "Each number is clipped by itself; the length of a gradient may then be √D times the clip":
            gradients.clamp(-clip, clip).mean(0) + spread,
        "Nothing is clipped": mean + spread,
        "Short gradients were stretched to the clip; they may stay short":
            (clip * gradients / norms).mean(0) + spread,
        "The length is the root of the sum of squares": (
            (clip / norms.square()).clamp(max=1) * gradients
        ).mean(0) + spread,
        "The noise is missing": right,
        "The noise must grow with the clip, which is how far one image can move the sum":
            right + sigma * noise / count,
        "The noise belongs to the sum, so it is divided by B too": right + sigma * clip * noise,
        "sigma is a standard deviation, not a variance": right + sigma**0.5 * clip * noise / count,
        "Divide by B: the optimiser expects a mean": count * (right + spread),
    }  # fmt: skip
