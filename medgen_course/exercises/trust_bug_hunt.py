"""The bug hunt of notebook 13: mistakes in an attack, a private gradient and an explanation."""

import inspect
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from medgen_course.exercises.trust import private_gradient
from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted, remaining

PARTS = ("accused", "gradient", "saliency")
SHARE = 0.05  # of outsiders who may be accused
FAR = 0.1  # of a map's length; a coarse sum over the path stays below, each planted mistake far above


def check_trust_bug_hunt(cls: type) -> Verdict:
    """Check the repair of an audit: whom it accuses, its private gradient, its saliency.

    Args:
        cls: a class without arguments, with the methods accused(known_members, known_held, members, held) ->
            bool arrays for the last two; gradient(gradients (B, D), clip, sigma, noise (D,)) -> (D,);
            saliency(model, x (B, 1, H, W), label) -> (B, 1, H, W), the integrated gradients from black of
            the logit of `label`.
    """
    praise = "The threshold comes from known outsiders, each image is clipped, and the map is of its class."
    return judge("bug hunt", cls, _examine, praise)


def _examine(cls: Callable) -> None:
    if not inspect.isclass(cls):
        raise Finding("Give the class itself: not an object of it, and not a function.")
    audit = call(cls)
    if missing := [name for name in PARTS if not hasattr(audit, name)]:
        raise Finding(f"The class has no {', '.join(missing)}: repair it, keep its names.")
    left = [*_accused(audit.accused), *_gradient(audit.gradient), *_saliency(audit.saliency)]
    if left:
        raise remaining(left)


def _accused(method: Callable) -> Iterator[str]:
    """Whether the threshold is that of known outsiders, and images above it are called members."""
    rng = np.random.default_rng(0)
    known = rng.normal(1.5, 1, 400), rng.normal(0, 1, 600)
    fresh = rng.normal(2.0, 1, 300), rng.normal(0.4, 1, 500)
    found = call(method, *(scores.copy() for scores in (*known, *fresh)))
    if found is None:
        raise not_attempted()
    if not isinstance(found, tuple | list) or [np.shape(part) for part in found] != [(300,), (500,)]:
        yield "accused: return two bool arrays, for members and for held-out images."
        return
    flags, scores = np.concatenate(found).astype(bool), np.concatenate(fresh)
    if not flags.any() or flags.all() or scores[flags].min() < scores[~flags].max():
        below = flags.any() and not flags.all() and scores[flags].max() <= scores[~flags].min()
        yield (
            "accused: who scores lowest is called a member, though the model likes what it has learnt."
            if below
            else "accused: those who are called members are not the ones above one threshold."
        )
        return
    low, high = scores[~flags].max(), scores[flags].min()  # the threshold lies between
    if _between(known[1], low, high):
        return
    rate = float((known[1] > high - 1e-9).mean())
    if _between(fresh[1], low, high):
        yield (
            f"accused: exactly {SHARE:.0%} of the new outsiders are accused. Their own scores chose the "
            f"threshold, which nobody has before the attack; of the known ones {rate:.0%} are above it."
        )
    elif _between(known[0], low, high):
        yield (
            f"accused: {SHARE:.0%} of the known members are above the threshold, and {rate:.1%} of the known "
            "outsiders. A rate of false alarms is a share of outsiders."
        )
    else:
        yield f"accused: {rate:.1%} of the known outsiders are above the threshold; {SHARE:.0%} may be."


def _between(scores: np.ndarray, low: float, high: float) -> bool:
    """Whether a threshold between two numbers is any sensible quantile that `SHARE` of the scores exceeds."""
    ordered, allowed = np.sort(scores), int(SHARE * len(scores))
    return bool(low <= ordered[-max(allowed - 1, 1)] and high >= ordered[-allowed - 2])


def _gradient(method: Callable) -> Iterator[str]:
    """Whether each image's gradient is clipped, and the noise fits the clip."""
    draws = torch.Generator().manual_seed(1)
    gradients = torch.randn(8, 30, generator=draws) * torch.logspace(-1.5, 1, 8)[:, None]
    noise, none = torch.randn(30, generator=draws), torch.zeros(30)
    clip, sigma = 0.6, 1.5
    quiet, loud = (call(method, gradients.clone(), clip, sigma, n.clone()) for n in (none, noise))
    if quiet is None or loud is None:
        raise not_attempted()
    if not all(isinstance(part, Tensor) and part.shape == noise.shape for part in (quiet, loud)):
        yield f"gradient: for gradients {tuple(gradients.shape)} a tensor (30,) is expected."
        return
    if not torch.allclose(quiet, private_gradient(gradients, clip, 0.0, none), rtol=1e-3, atol=1e-5):
        yield _moves(method, clip)
        return
    added = (loud - quiet) * len(gradients)
    if not torch.allclose(added, sigma * clip * noise, rtol=1e-3, atol=1e-4):
        times = float((added * noise).sum() / noise.square().sum())
        yield (
            f"gradient: the noise in the sum has the standard deviation {times:.3g}; with sigma {sigma:g} "
            f"and clip {clip:g}, which is how far an image can move it, {sigma * clip:g} is counted on."
        )


def _moves(method: Callable, clip: float) -> str:
    """How far one image alone moves the sum of a batch, among few and among many."""
    alone = {}
    for count in (2, 8):
        gradients = torch.zeros(count, 30)
        gradients[0] = 100.0
        alone[count] = count * float(call(method, gradients, clip, 0.0, torch.zeros(30)).norm())
    if alone[8] > 1.5 * alone[2]:
        return (
            f"gradient: the larger the batch, the further one image alone moves its sum: by {alone[2]:.3g} "
            f"among 2, by {alone[8]:.3g} among 8. The accountant counts on {clip:g}."
        )
    if alone[2] > 1.01 * clip:
        return f"gradient: one image alone moves the sum by {alone[2]:.3g}; the clip is {clip:g}."
    return (
        "gradient: without noise it is not the mean of the images' gradients, of which those that are longer "
        f"than the clip are shortened to it and the others are left as they are. One alone moves the sum by "
        f"{alone[2]:.3g}."
    )


class _Saturating(nn.Module):
    """Two logits (B, 2) that level off as an image gets brighter; each looks at another half of it."""

    def forward(self, x: Tensor) -> Tensor:
        upper, lower = x[:, 0, :4].sum((1, 2)), x[:, 0, 4:].sum((1, 2))
        return torch.stack([torch.tanh(0.15 * upper) + 0.05 * lower, 2 * torch.tanh(0.2 * lower)], 1)


def _saliency(method: Callable) -> Iterator[str]:
    """Whether the map is that of the class asked for, whole, and whatever stands beside it in a batch."""
    model, x = _Saturating(), torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    for label in (0, 1):
        found = call(method, model, x.clone(), label)
        if found is None:
            raise not_attempted()
        if not isinstance(found, Tensor) or found.shape != x.shape:
            yield f"saliency: for images {tuple(x.shape)} a map of the same shape is expected."
            return
        right, other = _integrated(model, x, label), _integrated(model, x, 1 - label)
        if _near(found, right):
            continue
        change = float((model(x) - model(0 * x))[0, label])
        if _near(found, other):
            yield f"saliency: asked for class {label}, the map is that of class {1 - label}."
        elif _near(found * len(x), right):
            yield (
                f"saliency: the map of an image is {len(x)} times as faint among {len(x)} images as alone."
            )
        else:
            yield (
                f"saliency: a map should sum to what the image adds to the logit, {change:.2f} for the first "
                f"one; yours sums to {float(found[0].sum()):.2f}."
            )
        return


def _near(found: Tensor, right: Tensor) -> bool:
    return float((found - right).norm()) <= FAR * float(right.norm())


def _integrated(model: nn.Module, x: Tensor, label: int, steps: int = 400) -> Tensor:
    """Integrated gradients from black, finely: Sundararajan, Taly & Yan 2017, equation 1."""
    places = (torch.arange(steps) + 0.5) / steps
    at = (places[:, None, None, None, None] * x).flatten(0, 1).requires_grad_()
    gradient = torch.autograd.grad(model(at)[:, label].sum(), at)[0]
    return x * gradient.unflatten(0, (steps, len(x))).mean(0)
