"""Several seeds of one game on eight Gaussians at once: as many equal networks, one matrix product for all.

A small network costs more to call than to compute. Nothing is shared but the call: point i of a batch belongs
to network i modulo their number.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from medgen_course.models.point_gan import PointDiscriminator, PointGenerator, move
from medgen_course.toys.mixture import Mixture, assemble, make_players
from medgen_course.toys.settings import SAME, Settings
from medgen_course.training.loop import fit


class SideBySide(nn.Module):
    """The layers of several equal perceptrons; weights are stacked once, or at each call where a
    parametrisation (spectral norm) computes them.

    Attributes:
        weights: of each linear layer, (networks, out, in) and (networks, 1, out), where they are stacked.
    """

    def __init__(self, networks: Sequence[nn.Module]):
        super().__init__()
        self.count = len(networks)
        self.networks = nn.ModuleList(networks)
        self.computed = any(hasattr(layer, "parametrizations") for layer in networks[0].layers)
        stacked = () if self.computed else _stacked(networks)
        self.weights = nn.ParameterList([nn.Parameter(part.detach()) for part in stacked])
        self.networks.requires_grad_(self.computed)

    def in_turn(self, x: Tensor) -> Tensor:
        """Row i through network i modulo their number: (B, in) to (B, out)."""
        h = x.unflatten(0, (-1, self.count)).transpose(0, 1)  # (networks, B / networks, in)
        parts = iter(_stacked(self.networks) if self.computed else self.weights)
        for layer in self.networks[0].layers:
            if isinstance(layer, nn.Linear):
                weight, bias = next(parts), next(parts)
                h = torch.baddbmm(bias, h, weight.mT)
            else:
                h = layer(h)
        return h.transpose(0, 1).flatten(0, 1)


def _stacked(networks: Sequence[nn.Module]) -> list[Tensor]:
    """Weight and bias of each linear layer of all networks: (networks, out, in) and (networks, 1, out)."""
    found = []
    for layers in zip(*(network.layers for network in networks), strict=True):
        if isinstance(layers[0], nn.Linear):
            found.append(torch.stack([layer.weight for layer in layers]))
            found.append(torch.stack([layer.bias for layer in layers])[:, None])
    return found


class Generators(SideBySide):
    """Noise (B, latent_dim) to logits of points (B, 2), by several generators in turn."""

    def __init__(self, networks: Sequence[PointGenerator]):
        super().__init__(networks)
        self.config = networks[0].config
        self.latent_dim, self.num_classes = networks[0].latent_dim, 0

    def forward(self, z: Tensor, label: None = None) -> Tensor:
        """Noise (B, latent_dim), B a multiple of the networks, to logits (B, 2)."""
        return self.in_turn(z)

    def sample(self, z: Tensor) -> Tensor:
        """Noise (B, latent_dim) to points (B, 2) in [0, 1]^2."""
        return self(z).sigmoid()


class Discriminators(SideBySide):
    """Points (B, 2) to logits (B,), by several discriminators in turn."""

    def __init__(self, networks: Sequence[PointDiscriminator]):
        super().__init__(networks)
        self.gain = networks[0].gain

    def forward(self, x: Tensor, label: None = None) -> Tensor:
        """Points (B, 2) in [0, 1]^2, B a multiple of the networks, to logits (B,)."""
        return self.in_turn(self.gain * (2 * x - 1))[:, 0]


def play_several(
    objective: str, seeds: Sequence[int], updates: int, settings: Settings = SAME, batch_size: int = 256
) -> list[Tensor]:
    """`mixture.play` for several seeds at once.

    Args:
        objective, updates, settings: see `mixture.play`.
        seeds: of the first weights; the points are drawn from the first one.
        batch_size: points for each network in each update.
    Returns:
        2,000 samples for each seed, (2000, 2) in the plane.
    """
    players = [make_players(objective, seed, settings) for seed in seeds]
    networks = Generators([p.generator for p in players]), Discriminators([p.discriminator for p in players])
    algorithm = assemble(*networks, objective, settings)
    mixture = Mixture(batch_size * len(seeds), updates * algorithm.every)
    fit(algorithm, mixture, 1, seeds[0], device="cpu", precision="float32", progress=False)
    noise = torch.Generator().manual_seed(0)
    z = torch.randn(2000, algorithm.generator.latent_dim, generator=noise).repeat_interleave(len(seeds), 0)
    with torch.inference_mode():
        points = move(algorithm.average.eval().sample(z))
    return [points[i :: len(seeds)] for i in range(len(seeds))]
