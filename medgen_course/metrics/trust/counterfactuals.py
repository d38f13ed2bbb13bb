"""The smallest change that makes a classifier say the other class: what would have to be different.

A `Way` takes images, the class to reach and how far to go, and returns images along the way; at 0 the image
itself. The generative model only says what to change: what it cannot draw of an image is kept
(x + decode(z') - decode(z)), so that an edit is not also a blur.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medgen_course.batches.checks import check_image
from medgen_course.metrics.trust.saliency import Explain
from medgen_course.models.pgd import pgd
from medgen_course.models.translators import Translators
from medgen_course.models.vae import VAE

Way = Callable[[Tensor, int, Tensor], Tensor]  # x (B, C, H, W), class, amounts (S,) -> (S, B, C, H, W)


@dataclass(frozen=True)
class Path:
    """From images to their counterfactuals, in S steps.

    images: (S, B, C, H, W) in [0, 1], the first the images themselves.
    probability: of class 1 at each, (S, B).
    to: the class to reach, (B,).
    """

    images: Tensor
    probability: Tensor
    to: Tensor

    @property
    def end(self) -> Tensor:
        """The counterfactuals, (B, C, H, W)."""
        return self.images[-1]

    @property
    def flipped(self) -> Tensor:
        """Whether the classifier says the other class at the end, bool (B,)."""
        return (self.probability[-1] > 0.5).long() == self.to

    @property
    def first(self) -> Tensor:
        """The first step at which it does, (B,); the number of steps where it never does."""
        there = (self.probability > 0.5).long() == self.to
        return torch.where(there.any(0), there.int().argmax(0), len(there))


def path(classifier: nn.Module, way: Way, x: Tensor, steps: int = 11, to: int | None = None) -> Path:
    """Walk from each image to its other class.

    Args:
        classifier: images to logits (B, 2), in evaluation mode.
        way: how to change an image.
        x: images (B, C, H, W) in [0, 1].
        steps: images on each path, the first is x; at least 2.
        to: the class to reach; None takes the one that the classifier does not say.
    Raises:
        ValueError: x is no such batch, fewer than two steps, or a classifier of other than two classes.
    """
    check_image(x)
    if steps < 2:
        raise ValueError(f"steps is {steps}; a path has a start and an end, at least 2.")
    says = _logits(classifier, x).argmax(1)
    goals = 1 - says if to is None else torch.full_like(says, to)
    amounts = torch.linspace(0, 1, steps)
    images = x.new_empty(steps, *x.shape)
    for goal in goals.unique().tolist():
        chosen = goals == goal
        images[:, chosen] = way(x[chosen], goal, amounts).detach()
    flat = _logits(classifier, images.flatten(0, 1)).softmax(1)[:, 1]
    return Path(images, flat.unflatten(0, (steps, len(x))), goals)


def class_direction(model: VAE, x: Tensor, labels: Tensor) -> Tensor:
    """Mean code of class 1 minus mean code of class 0, (latent_dim,); the attribute vector of a VAE.

    Args:
        model: a VAE.
        x: training images (N, C, H, W) in [0, 1].
        labels: 0 or 1, (N,).
    Source: Larsen et al. 2016, section 4.2; White 2016.
    """
    with torch.no_grad():
        mu = torch.cat([model.encode(part)[0] for part in x.split(512)])
    return mu[labels == 1].mean(0) - mu[labels == 0].mean(0)


def along(model: VAE, vector: Tensor, reach: float = 2.0) -> Way:
    """Move codes along `class_direction`, at the end `reach` times the distance of the classes."""

    def way(x: Tensor, to: int, amounts: Tensor) -> Tensor:
        mu, _ = model.encode(x)
        return _walk(model, x, mu, mu + (reach if to == 1 else -reach) * vector, amounts)

    return _quiet(way)


def by_gradient(
    model: VAE,
    classifier: nn.Module,
    weight: float = 0.1,
    sure: float = 0.9,
    steps: int = 60,
    learning_rate: float = 0.1,
) -> Way:
    """Search the codes: cross-entropy of the other class plus `weight` · |z' - z|², through the decoder.

    Adam from the image's own code; an image that reaches the class with probability `sure` rests.
    The path is the straight line to what was found.

    Source: Wachter, Mittelstadt & Russell 2018 (the objective); Joshi et al. 2019 (in a latent space).
    """

    def way(x: Tensor, to: int, amounts: Tensor) -> Tensor:
        mu, before = model.encode(x)[0].detach(), model.decode(model.encode(x)[0]).detach()
        goal = torch.full((len(x),), to)
        with torch.enable_grad():
            z = mu.clone().requires_grad_()
            optimizer = torch.optim.Adam([z], learning_rate)
            for _ in range(steps):
                logits = classifier((x + model.decode(z) - before).clamp(0, 1))
                waiting = (logits.softmax(1)[:, to] < sure).float()
                loss = F.cross_entropy(logits, goal, reduction="none") * waiting
                loss = loss + weight * (z - mu).square().sum(1)
                (z.grad,) = torch.autograd.grad(loss.sum(), z)
                optimizer.step()
        return _walk(model, x, mu, z.detach(), amounts)

    return way


def blend(end: Callable[[Tensor, int], Tensor]) -> Way:
    """Fade from x to `end(x, to)`, whatever that is."""

    def way(x: Tensor, to: int, amounts: Tensor) -> Tensor:
        return x + amounts.view(-1, 1, 1, 1, 1) * (end(x, to).detach() - x)

    return _quiet(way)


def by_translation(translators: Translators) -> Way:
    """The CycleGAN's answer; its domain A is class 0, B is class 1."""
    return blend(lambda x, to: translators.apply(x, "b" if to == 1 else "a").clone())


def infill(model: VAE, classifier: nn.Module, explain: Explain, pixels: int = 16) -> Way:
    """Put the VAE's answer in place of the pixels that speak loudest for the class that is left, one by one.

    Args:
        model: a VAE that draws what is usual.
        classifier: whose answer is explained.
        explain: a function of `saliency`.
        pixels: how many are replaced at the end of the path.
    Source: Chang, Creager, Goldenberg & Duvenaud 2019 (infilling by a generative model; they search for the
        region, here a saliency map gives it).
    """

    def way(x: Tensor, to: int, amounts: Tensor) -> Tensor:
        maps = torch.from_numpy(explain(classifier, x, 1 - to)).flatten(1)
        place = maps.argsort(1, descending=True).argsort(1)  # 0 for the loudest pixel
        share = (amounts.view(-1, 1, 1) * pixels - place).clamp(0, 1)  # (S, B, H * W)
        share = share.unflatten(2, (1, *x.shape[-2:]))
        return x + share * (model.decode(model.encode(x)[0]).detach() - x)

    return _quiet(way)


def reconstruction(model: VAE) -> Way:
    """A control that knows nothing of classes: the VAE's plain answer."""
    return blend(lambda x, to: model.decode(model.encode(x)[0]))


def mean_image(means: Tensor) -> Way:
    """A control: fade to the mean image of the other class, `means` (2, C, H, W)."""
    return blend(lambda x, to: means[to].expand_as(x))


def adversarial(classifier: nn.Module, epsilon: float, steps: int = 20) -> Way:
    """A control: the attack within `epsilon` grey levels, which turns the classifier and explains nothing."""

    def end(x: Tensor, to: int) -> Tensor:
        goal = torch.full((len(x),), to)
        return pgd(lambda now: -F.cross_entropy(classifier(now), goal, reduction="none"), x, epsilon, steps)

    return blend(end)


def _walk(model: VAE, x: Tensor, start: Tensor, end: Tensor, amounts: Tensor) -> Tensor:
    """x plus what changes in the decoded images from code `start` to code `end`."""
    with torch.no_grad():
        z = start + amounts.view(-1, 1, 1) * (end - start)  # (S, B, latent_dim)
        drawn = model.decode(z.flatten(0, 1)).unflatten(0, z.shape[:2])
        return (x + drawn - model.decode(start)).clamp(0, 1)


def _quiet(way: Way) -> Way:
    """The same without a graph of gradients."""
    return torch.no_grad()(way)


@torch.no_grad()
def _logits(classifier: nn.Module, x: Tensor) -> Tensor:
    logits = torch.cat([classifier(part) for part in x.split(512)])
    if logits.ndim != 2 or logits.shape[1] != 2:
        raise ValueError(f"the classifier has logits {tuple(logits.shape)}; expected two classes, (B, 2).")
    return logits
