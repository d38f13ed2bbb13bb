"""Eight Gaussians on a circle: the smallest picture of what a GAN can miss (Metz et al. 2017, figure 2)."""

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from medgen_course.batches.sampling import derive_seed
from medgen_course.models.gan import GANAlgorithm
from medgen_course.models.gan_objectives import OBJECTIVES
from medgen_course.models.point_gan import PointDiscriminator, PointGenerator, move, moved_back
from medgen_course.toys.settings import SAME, Settings
from medgen_course.training.loop import fit

MODES, RADIUS, SIGMA = 8, 2.0, 0.1
FOUND = 0.02  # share of all samples that must lie near a mode for it to count as found


def centres() -> Tensor:
    """The modes, (8, 2), in the plane."""
    angle = 2 * math.pi * torch.arange(MODES) / MODES
    return RADIUS * torch.stack([angle.cos(), angle.sin()], 1)


def draw(count: int, generator: torch.Generator | None = None) -> Tensor:
    """Points of the mixture, (count, 2), in the plane."""
    which = torch.randint(MODES, (count,), generator=generator)
    return centres()[which] + SIGMA * torch.randn(count, 2, generator=generator)


class Mixture:
    """Batches of fresh points in [0, 1]^2, for `training.fit`.

    Args:
        batch_size: points in a batch.
        steps: batches in an epoch.
    """

    def __init__(self, batch_size: int = 256, steps: int = 500):
        self.batch_size, self.steps = batch_size, steps

    def batches(self, world_size: int) -> int:
        """Batches in an epoch of each process."""
        return self.steps

    def epoch(
        self, epoch: int, seed: int, device: torch.device | str = "cpu", rank: int = 0, world_size: int = 1
    ) -> Iterator[dict[str, Tensor]]:
        """Batches {"x": (B, 2) in [0, 1]^2, "label": zeros (B,)} of one epoch."""
        generator = torch.Generator().manual_seed(derive_seed(seed, epoch, rank))
        label = torch.zeros(self.batch_size, dtype=torch.long, device=device)
        for _ in range(self.steps):
            yield {"x": moved_back(draw(self.batch_size, generator)).to(device), "label": label}


def modes_found(points: Tensor) -> tuple[int, float]:
    """How many modes are found, and the share of points within 3 sigma of one.

    Args:
        points: (N, 2), in the plane. A mode is found when at least 2 % of them lie within 3 sigma of it.
    """
    distance, mode = torch.cdist(points, centres()).min(1)
    near = distance < 3 * SIGMA
    counts = torch.bincount(mode[near], minlength=MODES)
    return int((counts >= FOUND * len(points)).sum()), float(near.float().mean())


def make_players(objective: str, seed: int = 0, settings: Settings = SAME) -> GANAlgorithm:
    """Networks and optimisers for the mixture; the networks are the same for every game."""
    game = OBJECTIVES[objective]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = PointGenerator()
        discriminator = PointDiscriminator(spectral_norm=game.spectral_norm, gain=settings.gain)
    return assemble(generator, discriminator, objective, settings)


def assemble(
    generator: nn.Module, discriminator: nn.Module, objective: str, settings: Settings
) -> GANAlgorithm:
    """Two players with the optimisers and the constants of `settings`."""
    steps = settings.discriminator_steps
    algorithm = GANAlgorithm(generator, discriminator, objective, discriminator_steps=steps, ema=0.99)
    if settings.penalty is not None:
        algorithm.objective = replace(algorithm.objective, gradient_penalty=settings.penalty)
    algorithm.optimizers = {
        name: settings.optimizer(algorithm.networks[name].parameters(), **settings.options)
        for name in ("generator", "discriminator")
    }
    return algorithm


@torch.inference_mode()
def sample(algorithm: GANAlgorithm, count: int = 2000, seed: int = 0) -> Tensor:
    """Points of the averaged generator, (count, 2), in the plane."""
    z = torch.randn(count, algorithm.generator.latent_dim, generator=torch.Generator().manual_seed(seed))
    return move(algorithm.average.eval().sample(z))


def play(
    objective: str, seed: int = 0, updates: int = 3000, looks: int = 6, settings: Settings = SAME
) -> tuple[GANAlgorithm, list[Tensor]]:
    """Train on the mixture.

    Args:
        objective: a name of `OBJECTIVES`.
        seed: of the first weights and of every draw.
        updates: of the generator; a game that moves its discriminator more often sees more points for it.
        looks: the run is cut into as many equal parts.
        settings: how both players learn.
    Returns:
        The algorithm, and 2,000 samples before training and after every part.
    """
    algorithm = make_players(objective, seed, settings)
    mixture = Mixture(steps=updates // looks * algorithm.every)
    seen = [sample(algorithm)]

    def watch(step, logs):
        if step % mixture.steps == 0:
            seen.append(sample(algorithm))

    fit(algorithm, mixture, looks, seed, device="cpu", precision="float32", callback=watch, progress=False)
    return algorithm, seen
