"""Small players that note what a step of a GAN does with them, for the checks of such steps."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


class SeenBatches(nn.Module):
    """A discriminator with BatchNorm that notes every batch that it judges, and which way it is pushed.

    Attributes:
        seen: every batch, (B, 1, 2, 2).
        pushed: (batch, slopes (B,) of a loss with respect to its logits); above zero pushes to "generated".
    """

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        self.seen, self.pushed = [], []

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 1, 2, 2) to logits (B,)."""
        shown = x.detach().clone()
        self.seen.append(shown)
        logits = self.layers(x.flatten(1))[:, 0]
        if logits.requires_grad:
            logits.register_hook(lambda slope: self.pushed.append((shown, slope.detach())))
        return logits


class Logits(nn.Module):
    """A generator that ends in logits, noise (B, 3) to (B, 1, 2, 2), and notes what images they are."""

    def __init__(self):
        super().__init__()
        self.linear, self.made = nn.Linear(3, 4), []

    def forward(self, z: Tensor) -> Tensor:
        """Noise (B, 3) to logits (B, 1, 2, 2)."""
        logits = self.linear(z).view(-1, 1, 2, 2)
        self.made.append(logits.detach().sigmoid())
        return logits


@dataclass
class Record:
    """What one step did.

    Attributes:
        real: the real images, (B, 1, 2, 2).
        z: the noise, (B, 3).
        seen: every batch that the discriminator judged.
        first: the discriminator as it was before the step.
        made: every batch that the generator made, after a sigmoid.
        moves: at each step of the generator, its gradient, both networks as they stood, and `left` so far.
        left: the generator's gradient at each step of the discriminator.
        pushes: for each player what it pushed logits with before its own step, as in `SeenBatches`.
    """

    real: Tensor
    z: Tensor
    seen: list[Tensor]
    first: SeenBatches
    made: list[Tensor]
    moves: list[tuple[Tensor, Logits, SeenBatches, list[Tensor]]] = field(default_factory=list)
    left: list[Tensor] = field(default_factory=list)
    pushes: dict[str, list[tuple[Tensor, Tensor]]] = field(
        default_factory=lambda: {"generator": [], "discriminator": []}
    )


class NotingSGD(torch.optim.SGD):
    """Plain SGD that takes a note before each step."""

    def __init__(self, player: nn.Module, note: Callable[[], None]):
        super().__init__(player.parameters(), lr=0.1)
        self.note = note

    def step(self, closure=None):
        """One step, after the note."""
        self.note()
        return super().step(closure)


def gradient(network: nn.Module) -> Tensor:
    """A copy of the gradient that a network holds, all weights in a row; 0 where there is none."""
    held = (torch.zeros_like(p) if p.grad is None else p.grad for p in network.parameters())
    return torch.cat([g.detach().flatten().clone() for g in held])


def note(record: Record, stepping: str, generator: Logits, discriminator: SeenBatches) -> None:
    """Take note of what led to a player's step, and of the generator's gradient there.

    Args:
        record: where to.
        stepping: "generator" or "discriminator", whose optimiser is about to step.
        generator, discriminator: as they are before it.
    """
    known = sum(len(pushes) for pushes in record.pushes.values())
    record.pushes[stepping] += discriminator.pushed[known:]
    if stepping == "generator":
        networks = copy.deepcopy(generator), copy.deepcopy(discriminator)
        record.moves.append((gradient(generator), *networks, list(record.left)))
    else:
        record.left.append(gradient(generator))
