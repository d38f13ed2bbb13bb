"""How the games on eight Gaussians are played: one choice for all, and as their authors published them."""

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Settings:
    """How both players learn.

    Attributes:
        optimizer: a class of torch.optim.
        options: its keyword arguments; `lr` is the step size.
        source: where the settings come from.
        discriminator_steps: updates of the discriminator for each one of the generator; None takes the
            game's own.
        penalty: weight of the gradient penalty, where the game has one; None takes the game's own.
        gain: points in [0, 1]^2 are spread out by it before the discriminator sees them. With 3 it sees them
            where they lie in the plane; under spectral normalisation the verdict cannot change faster than
            that, and neighbouring clouds are hard to tell apart.
    """

    optimizer: type[torch.optim.Optimizer]
    options: dict[str, Any]
    source: str
    discriminator_steps: int | None = None
    penalty: float | None = None
    gain: float = 3.0

    def told(self) -> str:
        """The optimiser and its constants in a few words."""
        betas = self.options.get("betas")
        averaging = f" {betas}" if betas else ""
        weight = f", penalty × {self.penalty:g}" if self.penalty else ""
        spread = f", points spread {self.gain / 3:g} times" if self.gain != 3 else ""
        return f"{self.optimizer.__name__}{averaging}, step {self.options['lr']:g}{weight}{spread}"


def adam(learning_rate: float, betas: tuple[float, float], source: str, **more: Any) -> Settings:
    """Adam for both players."""
    return Settings(torch.optim.Adam, {"lr": learning_rate, "betas": betas}, source, **more)


SAME = adam(1e-3, (0.5, 0.999), "one choice for every game")
# Optimisers and constants as published, with the step size of SAME: the published ones, 5e-5 to 2e-4, were
# chosen for images and hundreds of thousands of updates.
PUBLISHED = {
    "hinge": [
        adam(1e-3, (0.0, 0.9), "Miyato et al. 2018", discriminator_steps=5),
        adam(1e-3, (0.0, 0.9), "the same, points spread out", discriminator_steps=5, gain=30.0),
    ],
    "wasserstein": [Settings(torch.optim.RMSprop, {"lr": 1e-3}, "Arjovsky et al. 2017, algorithm 1")],
    "wasserstein_gp": [
        adam(1e-3, (0.0, 0.9), "Gulrajani et al. 2017, algorithm 1"),
        adam(1e-3, (0.5, 0.9), "the code of Gulrajani et al. 2017 for this toy", penalty=0.1),
    ],
    "non_saturating": [
        adam(1e-3, (0.0, 0.9), "what hinge gets, to set beside it", discriminator_steps=5),
    ],
}
