"""A generative model as a prior: search its latent space for an image that fits (Bora et al. 2017).

Nothing is trained for a task. The same decoder serves every degradation, and several starts give several
answers, whose spread says something about what the measurement leaves open. What the decoder cannot draw, the
search cannot find.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from medgen_course.batches.degradations import Degradation
from medgen_course.models.gan import Generator
from medgen_course.models.vae import VAE

Decode = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Found:
    """What a search found, from S starts for each of B measurements.

    images: (S, B, C, H, W) in [0, 1]. misfit: (S, B), mean squared. z: (S, B, latent_dim).
    """

    images: Tensor
    misfit: Tensor
    z: Tensor

    @property
    def best(self) -> Tensor:
        """The start with the smallest misfit of each measurement, (B, C, H, W); the truth is not asked."""
        return self.images[self.misfit.argmin(0), torch.arange(self.misfit.shape[1])]

    @property
    def mean(self) -> Tensor:
        """Over starts, (B, C, H, W)."""
        return self.images.mean(0)


def search(
    decode: Decode,
    latent_dim: int,
    degradation: Degradation,
    y: Tensor,
    starts: int = 4,
    steps: int = 150,
    weight: float = 0.01,
    learning_rate: float = 0.05,
    seed: int = 0,
) -> Found:
    """Minimise pixels · misfit(decode(z), y) + weight · |z|² with Adam from z ~ N(0, I).

    With Gaussian noise of standard deviation σ and weight σ² this is 2σ² times the negative log posterior of
    z, so its minimum is the most probable code.

    Args:
        decode: codes (N, latent_dim) to images (N, C, H, W) in [0, 1]; see `decoder_of`.
        latent_dim: numbers in a code.
        degradation: that made the measurement.
        y: measurements, B first.
        starts: searches for each of them.
        steps: of Adam.
        weight: of the squared length of the code.
        learning_rate: Adam's step size.
        seed: of the starts.
    Raises:
        ValueError: no start, or no step.
    Source: Bora et al. 2017, equation 1, with the penalty of section 6.
    """
    if starts < 1 or steps < 1:
        raise ValueError(f"starts is {starts} and steps {steps}; give at least 1 of each.")
    count = len(y)
    many = y.repeat(starts, *[1] * (y.ndim - 1))
    draws = torch.Generator().manual_seed(seed)
    with torch.enable_grad():
        z = torch.randn(starts * count, latent_dim, generator=draws).requires_grad_()
        optimizer = torch.optim.Adam([z], learning_rate)
        for _ in range(steps):
            x = decode(z)
            pixels = x[0].numel()
            loss = (pixels * degradation.misfit(x, many) + weight * z.square().sum(1)).sum()
            (z.grad,) = torch.autograd.grad(loss, z)
            optimizer.step()
    with torch.inference_mode():
        x = decode(z)
        misfit = degradation.misfit(x, many)
    shape = (starts, count)
    return Found(
        x.unflatten(0, shape).clone(), misfit.unflatten(0, shape).clone(), z.detach().unflatten(0, shape)
    )


def decoder_of(model: VAE | Generator) -> tuple[Decode, int]:
    """What `search` needs of a VAE or a generator.

    Returns:
        decode, and the numbers in a code. The codes of a generator with K classes have K numbers more, whose
        softmax weighs the classes: the search finds the class too.
    """
    if isinstance(model, VAE):
        return model.decode, model.latent_dim
    if not model.num_classes:
        return model.sample, model.latent_dim

    def decode(z: Tensor) -> Tensor:
        code, classes = z[:, : model.latent_dim], z[:, model.latent_dim :].softmax(1)
        return model.mixed(code, classes).float().sigmoid()

    return decode, model.latent_dim + model.num_classes
