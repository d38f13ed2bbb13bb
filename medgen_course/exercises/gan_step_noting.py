"""A batch cut into parts, two small players, and what one step on it did, for the check of that step."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch import Tensor, nn

from medgen_course.exercises.gan_noting import NotingSGD, gradient
from medgen_course.exercises.verdict import call

LEFT_OVER = 100.0  # what an earlier step left in every gradient
Slopes = dict[str, Tensor]  # player -> its gradient, all weights in a row


@dataclass(frozen=True)
class Batch:
    """Five real images and five codes, cut into parts of these sizes."""

    cut: tuple[int, ...]

    @cached_property
    def parts(self) -> list[tuple[Tensor, Tensor]]:
        """(real images, codes) of each part."""
        noise = torch.Generator().manual_seed(0)
        real, z = torch.randn(5, 4, generator=noise), torch.randn(5, 3, generator=noise)
        return list(zip(real.split(self.cut), z.split(self.cut), strict=True))

    def slopes(self, loss: Callable[[Tensor, Tensor], Tensor], network: nn.Module) -> Tensor:
        """Gradient of the mean loss of each part by the network's weights, (parts, weights)."""
        found = [torch.autograd.grad(loss(*part), list(network.parameters())) for part in self.parts]
        return torch.stack([torch.cat([g.flatten() for g in slopes]) for slopes in found])

    def whole(self, slopes: Tensor) -> Tensor:
        """Gradient of the mean over all images, from the gradients of the parts."""
        return (torch.tensor(self.cut)[:, None] * slopes).sum(0) / sum(self.cut)

    def __str__(self) -> str:
        """How a message about it begins; nothing where the batch is whole."""
        if len(self.cut) == 1:
            return ""
        return f"With a batch of {sum(self.cut)} in parts of {' + '.join(map(str, self.cut))}: "


@dataclass(frozen=True)
class Step:
    """What a student's step did.

    Attributes:
        generator, first: both players before it.
        discriminator: after its own move, as it judges the generator.
        seen: (player, batch) in the order in which networks were shown them.
        moves: (player, gradients of both) at each step of an optimiser.
        held: the numbers that waited for backward at one time, at most.
    """

    generator: nn.Module
    first: nn.Module
    discriminator: nn.Module
    seen: list[tuple[str, Tensor]]
    moves: list[tuple[str, Slopes]]
    held: int


def take(fn: Callable, batch: Batch) -> Step:
    """Let a student's function take one step on a batch; gradients of an earlier one are still there."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 4))
        discriminator = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    start = copy.deepcopy((generator, discriminator))
    players = {"G": generator, "D": discriminator}
    for weight in (*generator.parameters(), *discriminator.parameters()):
        weight.grad = torch.full_like(weight, LEFT_OVER)
    seen, moves, held = [], [], _Held((generator, discriminator))

    def note(name: str) -> None:
        moves.append((name, {player: gradient(network) for player, network in players.items()}))

    networks = [_Watched(network, seen, name) for name, network in players.items()]
    optimizers = [NotingSGD(network, partial(note, name)) for name, network in players.items()]
    with torch.autograd.graph.saved_tensors_hooks(held.keep, lambda kept: kept.x):
        call(fn, *networks, *optimizers, list(batch.parts))
    return Step(*start, discriminator, seen, moves, held.most)


class _Watched(nn.Module):
    """A network that notes what it was shown."""

    def __init__(self, network: nn.Module, log: list, name: str):
        super().__init__()
        self.network, self.log, self.name = network, log, name

    def forward(self, x: Tensor) -> Tensor:
        self.log.append((self.name, x.detach().clone()))
        return self.network(x)


class _Held:
    """Counts the numbers that autograd keeps for backward, weights aside: now, and at most."""

    def __init__(self, networks: tuple[nn.Module, ...]):
        self.now = self.most = 0
        weights = (weight for network in networks for weight in network.parameters())
        self.weights = {weight.untyped_storage().data_ptr() for weight in weights}

    def keep(self, x: Tensor) -> "_Kept":
        return _Kept(x, self, 0 if x.untyped_storage().data_ptr() in self.weights else x.numel())


class _Kept:
    """One tensor of a graph, counted until the graph lets it go."""

    def __init__(self, x: Tensor, held: _Held, size: int):
        self.x, self.held, self.size = x.detach(), held, size  # with its graph it would keep itself
        held.now += size
        held.most = max(held.most, held.now)

    def __del__(self):
        self.held.now -= self.size
