"""Progressive growing of GANs (Karras et al. 2018): begin on small images, then grow.

The players and the meaning of `level` are in progressive_networks.py; here are the schedule on which they
grow, and one update. A departure from the paper: the optimisers are not started anew when a level begins.
"""

import torch
from torch import Tensor

from medgen_course.models.algorithm import Backward, Batch
from medgen_course.models.gan import GANAlgorithm
from medgen_course.models.progressive_networks import (
    GROUP,
    ProgressiveDiscriminator,
    ProgressiveGenerator,
)


class ProgressiveAlgorithm(GANAlgorithm):
    """A GAN whose players grow on a schedule: a side is learnt, the next one fades in, is learnt, and so on.

    Step size, Adam's (0, 0.99) and one update each in turn are the paper's (appendix A.1).

    Args:
        generator, discriminator: of the same size.
        fade_steps: steps over which a new block's weight rises to 1; 0 lets it come at once.
        hold_steps: steps that each level is trained at before the next block comes; the last one stays until
            the end.
        objective, learning_rate, ema, flatness: as in `GANAlgorithm`.
    Raises:
        ValueError: a number out of its range, or players of different sizes.
    """

    def __init__(
        self,
        generator: ProgressiveGenerator,
        discriminator: ProgressiveDiscriminator,
        fade_steps: int,
        hold_steps: int,
        objective: str = "wasserstein_gp",
        learning_rate: float = 1e-3,
        ema: float = 0.999,
        flatness: float = 0.0,
    ):
        if fade_steps < 0 or hold_steps < 1:
            raise ValueError(
                f"fade_steps is {fade_steps}, hold_steps {hold_steps}; give 0 or more, and at least 1."
            )
        if generator.sizes != discriminator.sizes:
            raise ValueError(
                f"sides {generator.sizes} and {discriminator.sizes}: both players must grow over the same."
            )
        super().__init__(
            generator,
            discriminator,
            objective,
            learning_rate,
            betas=(0.0, 0.99),
            discriminator_steps=1,
            ema=ema,
            flatness=flatness,
        )
        self.config = dict(generator.config)
        self.fade_steps, self.hold_steps = fade_steps, hold_steps
        self.grow()

    def level_at(self, step: int) -> float:
        """How far the players have grown at a step (from 0)."""
        grown, inside = divmod(max(0, step - self.hold_steps), self.fade_steps + self.hold_steps)
        if step < self.hold_steps:
            return 0.0
        alpha = min(1.0, (inside + 1) / self.fade_steps) if self.fade_steps else 1.0
        return min(grown + alpha, float(len(self.generator.sizes) - 1))

    def grow(self) -> float:
        """Bring all three networks to the level of this step, the averaged one too."""
        level = self.level_at(self.steps)
        for network in self.networks.values():
            network.level.fill_(level)
        return level

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """Grow; then the steps of a GAN on images of this level's side."""
        level = self.grow()
        batch = {**batch, "x": self.generator.shrink(batch["x"])}
        return super().step(batch, backward) | {"level": torch.tensor(level)}

    def verdicts(self, real: Tensor, fake: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """One pass, if no group of images that are compared then has real ones and generated ones."""
        if len(real) % GROUP == 0:
            return super().verdicts(real, fake, label)
        return self.discriminator(real, label), self.discriminator(fake, label)
