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


class Generators(nn.Module):
    """Noise (B, latent_dim) to logits of points (B, 2), by several generators in turn."""

    def __init__(self, networks: Sequence[PointGenerator]):
        super().__init__()
        self.networks, self.config = nn.ModuleList(networks), networks[0].config
        self.latent_dim, self.num_classes = networks[0].latent_dim, 0

    def forward(self, z: Tensor, label: None = None) -> Tensor:
        """Noise (B, latent_dim), B a multiple of the networks, to logits (B, 2)."""
        return _in_turn(self.networks, z)

    def sample(self, z: Tensor) -> Tensor:
        """Noise (B, latent_dim) to points (B, 2) in [0, 1]^2."""
        return self(z).sigmoid()


class Discriminators(nn.Module):
    """Points (B, 2) to logits (B,), by several discriminators in turn."""

    def __init__(self, networks: Sequence[PointDiscriminator]):
        super().__init__()
        self.networks, self.gain = nn.ModuleList(networks), networks[0].gain

    def forward(self, x: Tensor, label: None = None) -> Tensor:
        """Points (B, 2) in [0, 1]^2, B a multiple of the networks, to logits (B,)."""
        return _in_turn(self.networks, self.gain * (2 * x - 1))[:, 0]


def _in_turn(networks: Sequence[nn.Module], x: Tensor) -> Tensor:
    """Row i through network i modulo their number: (B, in) to (B, out)."""
    h = x.unflatten(0, (-1, len(networks))).transpose(0, 1)  # (networks, B / networks, in)
    for layers in zip(*(network.layers for network in networks), strict=True):
        if isinstance(layers[0], nn.Linear):
            weight, bias = (torch.stack([getattr(a, name) for a in layers]) for name in ("weight", "bias"))
            h = torch.baddbmm(bias[:, None], h, weight.mT)
        else:
            h = layers[0](h)
    return h.transpose(0, 1).flatten(0, 1)


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
