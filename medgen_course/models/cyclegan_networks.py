"""Networks for translation: a ResNet generator and a PatchGAN discriminator (Zhu et al. 2017, appendix 7.2).

Both are convolutions from end to end. The generator's instance normalisation looks at one image at a time, so
it makes no difference which images share a batch, and several passes can become one. It also makes the
generator forget how bright and how rich in contrast its image was; here the last layer sees the image again,
so that it need not guess.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from medgen_course.models.gan import initialise

SIZES = (16, 256)  # pixels


def check_size(size: int) -> None:
    """Raises ValueError unless the side is within `SIZES`."""
    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"size is {size}; these networks take squares of {SIZES[0]} to {SIZES[1]} pixels.")


def conv(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """Convolution over an image continued by its mirror image, so that no dark frame creeps in."""
    return nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, padding_mode="reflect")


def norm(channels: int) -> nn.GroupNorm:
    """Instance normalisation: mean 0 and variance 1 of each image and channel, then learnt scale and shift.

    As a group normalisation with one channel a group: the same as `nn.InstanceNorm2d(channels, affine=True)`,
    and a step of CycleGAN takes a tenth less time.
    """
    return nn.GroupNorm(channels, channels)


class Residual(nn.Module):
    """h + f(h) with two 3x3 convolutions (He et al. 2016)."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            conv(channels, channels), norm(channels), nn.ReLU(), conv(channels, channels), norm(channels)
        )

    def forward(self, h: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return h + self.body(h)


class ResNetGenerator(nn.Module):
    """Images of one domain to images of another.

    A convolution at full size, one halving of the side (two from 64 pixels on), residual blocks, and back.
    Zhu et al. halve twice and use 6 blocks of 256 channels at 128 pixels: halvings=2, width=64, blocks=6.

    Args:
        in_channels, out_channels: 1 for grey images, 3 for RGB; the two domains may differ.
        size: side of the images in pixels.
        width: channels at full size, doubled with each halving.
        blocks: residual blocks at the smallest size.
        halvings: None takes what fits the size.
    Raises:
        ValueError: the size is out of range.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int,
        width: int = 16,
        blocks: int = 4,
        halvings: int | None = None,
    ):
        super().__init__()
        check_size(size)
        halvings = (1 if size < 64 else 2) if halvings is None else halvings
        self.config = {
            "kind": "resnet_generator",
            "in_channels": in_channels,
            "out_channels": out_channels,
            "size": size,
            "width": width,
            "blocks": blocks,
            "halvings": halvings,
        }
        widths = [width * 2**i for i in range(halvings + 1)]
        self.stem = nn.Sequential(conv(in_channels, width), norm(width), nn.ReLU())
        self.down = nn.ModuleList(
            nn.Sequential(conv(a, b, stride=2), norm(b), nn.ReLU()) for a, b in pairwise(widths)
        )
        self.blocks = nn.Sequential(*[Residual(widths[-1]) for _ in range(blocks)])
        self.up = nn.ModuleList(
            nn.Sequential(conv(b, 4 * a), nn.PixelShuffle(2), norm(a), nn.ReLU())
            for a, b in reversed(list(pairwise(widths)))
        )
        self.head = conv(width + in_channels, out_channels)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, in_channels, H, W) in [0, 1] to logits of the grey levels (B, out_channels, H, W)."""
        x = 2 * x - 1
        h, sides = self.stem(x), []  # (B, 16, 32, 32)
        for stage in self.down:
            sides.append(h.shape[-2:])
            h = stage(h)  # (B, 32, 16, 16)
        h = self.blocks(h)
        for stage, (height, width) in zip(self.up, reversed(sides), strict=True):
            h = stage(h)[..., :height, :width]  # (B, 16, 32, 32)
        return self.head(torch.cat([h, x], 1))

    def translate(self, x: Tensor) -> Tensor:
        """Images (B, in_channels, H, W) to images (B, out_channels, H, W), both in [0, 1]."""
        return self(x).float().sigmoid()


class PatchDiscriminator(nn.Module):
    """Images to one logit for each of many overlapping patches: PatchGAN (Isola et al. 2017, section 3.2.2).

    Strided convolutions, then two at the same side, with leaky ReLU, and instance normalisation after all of
    them but the first and the last. Every logit so knows mean and variance of the whole image too, beside its
    own patch. Without the normalisation it took the phantom's discriminators too long to notice that grey and
    white matter were noise, and the generators stayed with a wrong map.

    Args:
        channels: of its domain; for pix2pix those of both domains together.
        size: side of the images in pixels.
        width: channels after the first stage, doubled with each further one, up to eight times.
        strides: strided convolutions; None takes 2 below 128 pixels and 3 from there on, which makes patches
            of 34 and of 70 pixels (the paper's). One makes patches of 16 pixels.
    Raises:
        ValueError: the size is out of range.
    """

    def __init__(self, channels: int, size: int, width: int = 32, strides: int | None = None):
        super().__init__()
        check_size(size)
        strides = (2 if size < 128 else 3) if strides is None else strides
        self.config = {
            "kind": "patch_discriminator",
            "channels": channels,
            "size": size,
            "width": width,
            "strides": strides,
        }
        self.strides = [*[2] * strides, 1, 1]
        widths = [channels, *[width * min(2**i, 8) for i in range(strides + 1)], 1]
        layers = []
        for i, (stride, (a, b)) in enumerate(zip(self.strides, pairwise(widths), strict=True)):
            layers.append(nn.Conv2d(a, b, 4, stride, padding=1))
            if 0 < i < len(self.strides) - 1:
                layers.append(norm(b))
            if i < len(self.strides) - 1:
                layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers)
        initialise(self)

    @property
    def receptive_field(self) -> int:
        """Side of the patch that the convolutions of one logit see, in pixels: 1 + 3 steps of each layer."""
        field, step = 1, 1
        for stride in self.strides:
            field += 3 * step  # a kernel of 4 reaches 3 of its own steps further
            step *= stride
        return field

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, channels, H, W) in [0, 1] to logits (B, 1, h, w); large for "real"."""
        # (B, 32, 16, 16), (B, 64, 8, 8), (B, 128, 7, 7), (B, 1, 6, 6) at 32 px
        return self.layers(2 * x - 1).float()
