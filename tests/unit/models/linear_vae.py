"""The VAE whose answer is known: linear, so that its best ELBO is probabilistic PCA's likelihood."""

import torch
from torch import Tensor, nn

from medgen_course.models.vae import VAE


class LinearVAE(VAE):
    """Linear both ways, one posterior variance a latent; its best ELBO is probabilistic PCA's likelihood.

    Args:
        channels, size: of the image; any size.
        latent_dim: length of the code.
    Source: Lucas, Tucker, Grosse & Norouzi 2019, section 4.
    """

    def __init__(self, channels: int, size: int, latent_dim: int):
        super().__init__(channels, 8, latent_dim)
        self.config = {"kind": "linear_vae", "channels": channels, "size": size, "latent_dim": latent_dim}
        pixels = channels * size * size
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, latent_dim))
        self.decoder = nn.Sequential(nn.Linear(latent_dim, pixels), nn.Unflatten(1, (channels, size, size)))
        self.logvar = nn.Parameter(torch.zeros(latent_dim))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images to mu, and to the logvar that all images share."""
        mu = self.encoder(x)
        return mu, self.logvar.expand_as(mu)

    def mean(self, logits: Tensor) -> Tensor:
        """The decoder's output itself, unbounded."""
        return logits
