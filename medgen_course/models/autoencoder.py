"""Autoencoders: squeeze an image through a short code and rebuild it (Hinton & Salakhutdinov 2006).

From top to bottom: the linear network, the convolutional network, the objective, one update step.
A linear autoencoder trained on squared error spans the principal subspace (Baldi & Hornik 1989).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from medgen_course.models.algorithm import Algorithm, Backward, Batch
from medgen_course.models.layers import ConvDecoder, ConvEncoder, check_latent_dim


class LinearAutoencoder(nn.Module):
    """One linear map to the code and one back; no squashing, so it is the model that PCA solves.

    Args:
        channels: 1 for grey images, 3 for RGB.
        size: side of the image in pixels.
        latent_dim: length of the code.
    """

    def __init__(self, channels: int, size: int, latent_dim: int):
        super().__init__()
        self.config = {
            "kind": "linear_autoencoder",
            "channels": channels,
            "size": size,
            "latent_dim": latent_dim,
        }
        self.shape = (channels, size, size)
        pixels = channels * size * size
        self.encoder = nn.Linear(pixels, latent_dim)
        self.decoder = nn.Linear(latent_dim, pixels)

    def encode(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] to codes (B, latent_dim)."""
        return self.encoder(x.flatten(1))

    def decode(self, z: Tensor) -> Tensor:
        """Codes (B, latent_dim) to images (B, C, H, W), unbounded."""
        return self.decoder(z).unflatten(1, self.shape)

    def forward(self, x: Tensor) -> Tensor:
        """Images to their reconstructions, both (B, C, H, W)."""
        return self.decode(self.encode(x))


class Autoencoder(nn.Module):
    """A convolutional autoencoder whose code has no normalisation and no bound.

    Args:
        channels: 1 for grey images, 3 for RGB.
        size: side of the image in pixels, 8 or more.
        latent_dim: length of the code.
        width: channels after the first stage.
    """

    def __init__(self, channels: int, size: int, latent_dim: int = 16, width: int = 32):
        super().__init__()
        check_latent_dim(latent_dim)
        self.config = {
            "kind": "autoencoder",
            "channels": channels,
            "size": size,
            "latent_dim": latent_dim,
            "width": width,
        }
        self.encoder = ConvEncoder(channels, size, latent_dim, width)
        self.decoder = ConvDecoder(latent_dim, channels, size, width)

    def encode(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] to codes (B, latent_dim)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Codes (B, latent_dim) to images (B, C, H, W) in [0, 1]."""
        return self.decoder(z).float().sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Images to their reconstructions, both (B, C, H, W)."""
        return self.decode(self.encode(x))


def reconstruction_loss(x_hat: Tensor, x: Tensor) -> Tensor:
    """Squared error, summed over pixels and averaged over the batch: mean_b ||x_b - x_hat_b||^2.

    Args:
        x_hat: reconstructions (B, C, H, W).
        x: images of the same shape, in [0, 1].
    Returns:
        Scalar >= 0. Half of it, over sigma^2, is the Gaussian negative log-likelihood up to a constant.
    Raises:
        ValueError: the shapes differ; the message gives both.
    Source: Hinton & Salakhutdinov 2006.
    """
    if x_hat.shape != x.shape:
        raise ValueError(f"x_hat has shape {tuple(x_hat.shape)}, x has {tuple(x.shape)}; they must be equal.")
    return (x_hat - x).square().flatten(1).sum(1).mean()


class AutoencoderAlgorithm(Algorithm):
    """Adam on the reconstruction loss; with `corrupt`, a denoising autoencoder (Vincent et al. 2008).

    Args:
        model: a `LinearAutoencoder` or an `Autoencoder`.
        learning_rate: Adam's step size, above 0.
        corrupt: x -> damaged x of the same shape; the target stays the clean x.
    """

    def __init__(
        self,
        model: LinearAutoencoder | Autoencoder,
        learning_rate: float = 1e-3,
        corrupt: Callable[[Tensor], Tensor] | None = None,
    ):
        self.model, self.corrupt = model, corrupt
        self.config = model.config
        self.networks = {"autoencoder": model}
        self.optimizers = {"autoencoder": torch.optim.Adam(model.parameters(), lr=learning_rate)}

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """Rebuild the batch, compare with the clean images, move the weights once."""
        x = batch["x"]
        seen = x if self.corrupt is None else self.corrupt(x)
        loss = reconstruction_loss(self.model(seen), x)
        self.optimizers["autoencoder"].zero_grad()
        backward(loss)
        self.optimizers["autoencoder"].step()
        return {"loss": loss.detach()}
