"""Two small networks for points in the plane: a GAN that trains in seconds, with the update step of gan.py.

Points lie in [0, 1]^2, as grey levels do, so that the generator ends in logits here too.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm as with_spectral_norm


class PointGenerator(nn.Module):
    """Noise (B, latent_dim) to logits of points, (B, 2), by a perceptron with two hidden layers."""

    def __init__(self, latent_dim: int = 8, width: int = 128):
        super().__init__()
        self.config = {"kind": "point_generator", "latent_dim": latent_dim, "width": width}
        self.latent_dim, self.num_classes = latent_dim, 0
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2)
        )

    def forward(self, z: Tensor, label: None = None) -> Tensor:
        """Noise (B, latent_dim) to logits (B, 2)."""
        return self.layers(z)

    def sample(self, z: Tensor) -> Tensor:
        """Noise (B, latent_dim) to points (B, 2) in [0, 1]^2."""
        return self(z).sigmoid()


class PointDiscriminator(nn.Module):
    """Points (B, 2) to logits (B,), by a perceptron with two hidden layers.

    Args:
        width: of the hidden layers.
        spectral_norm: divide every matrix by its largest singular value (Miyato et al. 2018).
        gain: points are multiplied by it first. Under spectral normalisation the verdict cannot change faster
            than its input does, and in [0, 1] the modes lie too close together to be told apart.
    """

    def __init__(self, width: int = 128, spectral_norm: bool = False, gain: float = 1.0):
        super().__init__()
        sizes = [(2, width), (width, width), (width, 1)]
        linear = [nn.Linear(*pair) for pair in sizes]
        if spectral_norm:
            linear = [with_spectral_norm(layer) for layer in linear]
        act = nn.LeakyReLU(0.2)
        self.layers, self.gain = nn.Sequential(linear[0], act, linear[1], act, linear[2]), gain

    def forward(self, x: Tensor, label: None = None) -> Tensor:
        """Points (B, 2) in [0, 1]^2 to logits (B,)."""
        return self.layers(self.gain * (2 * x - 1))[:, 0]


def move(points: Tensor, low: float = -3.0, high: float = 3.0) -> Tensor:
    """From [0, 1]^2 to the plane [low, high]^2, where the mixture is defined."""
    return low + (high - low) * points


def moved_back(points: Tensor, low: float = -3.0, high: float = 3.0) -> Tensor:
    """The inverse of `move`."""
    return torch.clamp((points - low) / (high - low), 0, 1)
