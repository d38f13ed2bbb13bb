"""What the two players of a GAN maximise: small functions of the discriminator's logits.

The discriminator returns logits l, and D(x) = sigmoid(l) where an objective speaks of probabilities. All
losses are minimised and averaged over the batch. A value written without logarithms,
E[D(x)] + E[1 - D(G(z))], is another game: with a sigmoid its gradient vanishes wherever D is sure, and
without one it has no bound.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, softplus


@dataclass(frozen=True)
class Objective:
    """One game.

    Attributes:
        discriminator: (logits of real images, logits of generated images), each (B,), to a scalar.
        generator: logits of generated images (B,) to a scalar.
        spectral_norm: whether the game is meant for a discriminator with spectral normalisation.
        clip: weights of the critic are clipped to [-clip, clip] after its step; 0 does not clip.
        gradient_penalty: weight of `gradient_penalty` in the critic's loss; 0 leaves it out.
        discriminator_steps: updates of the discriminator for each one of the generator.
        source: where the game comes from.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]
    source: str
    spectral_norm: bool = False
    clip: float = 0.0
    gradient_penalty: float = 0.0
    discriminator_steps: int = 1


def cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))); -log sigmoid(l) = softplus(-l), which never overflows."""
    return softplus(-real).mean() + softplus(fake).mean()


def saturating(fake: Tensor) -> Tensor:
    """log(1 - D(G(z))), as equation 1 has it."""
    return -softplus(fake).mean()


def non_saturating(fake: Tensor) -> Tensor:
    """-log D(G(z)), from the logits."""
    return softplus(-fake).mean()


def squared_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Logits towards 1 for real and 0 for generated images."""
    return 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()


def squared_generator(fake: Tensor) -> Tensor:
    """Logits of generated images towards 1."""
    return 0.5 * (fake - 1).square().mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Logits above 1 for real and below -1 for generated images; beyond that nothing is gained."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Minus the difference of the mean scores, a lower bound of the distance for a 1-Lipschitz critic."""
    return fake.mean() - real.mean()


def raise_score(fake: Tensor) -> Tensor:
    """Minus the mean score of generated images."""
    return -fake.mean()


OBJECTIVES: dict[str, Objective] = {
    "minimax": Objective(cross_entropy, saturating, "Goodfellow et al. 2014, equation 1"),
    "non_saturating": Objective(cross_entropy, non_saturating, "Goodfellow et al. 2014, section 3"),
    "least_squares": Objective(
        squared_discriminator, squared_generator, "Mao et al. 2017, equation 2 with a = 0, b = c = 1"
    ),
    "hinge": Objective(
        hinge_discriminator,
        raise_score,
        "Lim & Ye 2017; with spectral normalisation, Miyato et al. 2018",
        spectral_norm=True,
    ),
    "wasserstein": Objective(
        wasserstein_critic,
        raise_score,
        "Arjovsky et al. 2017, algorithm 1",
        clip=0.01,
        discriminator_steps=5,
    ),
    "wasserstein_gp": Objective(
        wasserstein_critic,
        raise_score,
        "Gulrajani et al. 2017, algorithm 1",
        gradient_penalty=10.0,
        discriminator_steps=5,
    ),
}


def gradient_penalty(
    critic: nn.Module, real: Tensor, fake: Tensor, label: Tensor | None = None, share: Tensor | None = None
) -> Tensor:
    """(|grad_x critic(x)| - 1)^2 at points between real and generated images, averaged over the batch.

    Args:
        critic: (B, ...) and label to scores (B,). It must not mix the images of a batch (no BatchNorm),
            because the gradient of each image's own score is wanted.
        real, fake: the same shape (B, ...).
        label: handed on to the critic.
        share: how far from fake to real each point lies, (B,) in [0, 1]; None draws uniformly.
    Returns:
        Scalar >= 0, with a graph: it can be differentiated by the critic's weights.
    Raises:
        ValueError: the shapes differ.
    Source: Gulrajani et al. 2017, equation 3.
    """
    if real.shape != fake.shape:
        raise ValueError(f"real is {tuple(real.shape)}, fake is {tuple(fake.shape)}: they must be pairs.")
    if share is None:
        share = torch.rand(len(real), device=real.device)
    points = torch.lerp(fake.detach(), real.detach(), share.view(-1, *[1] * (real.ndim - 1)))
    points.requires_grad_(True)
    scores = critic(points) if label is None else critic(points, label)
    (slope,) = torch.autograd.grad(scores.sum(), points, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def real_penalty(discriminator: nn.Module, real: Tensor, label: Tensor | None = None) -> Tensor:
    """|grad_x D(x)|^2 at real images, averaged over the batch: where the data are, D shall be flat (R1).

    Args:
        discriminator: images (B, ...) and label to logits (B,).
        real: images.
        label: handed on to the discriminator.
    Returns:
        Scalar >= 0, with a graph: it can be differentiated by the discriminator's weights.
    Source: Mescheder et al. 2018, equation 9, without the factor gamma / 2.
    """
    points = real.detach().requires_grad_(True)
    logits = discriminator(points) if label is None else discriminator(points, label)
    (slope,) = torch.autograd.grad(logits.sum(), points, create_graph=True)
    return slope.square().flatten(1).sum(1).mean()
