"""The two players of a GAN that grows (Karras et al. 2018), after the layers that the paper brought.

How far a network has grown is one number, its `level`: at 0 it knows the smallest side only; at 2 it has
grown twice; at 1.3 the block for the third side has a weight (alpha, in the paper) of 0.3 and what was there
before one of 0.7. The level lies among the weights, so that a stored network knows it. A departure from the
paper: the generator's colours are logits, because images are in [0, 1] everywhere in this course.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate, leaky_relu_, linear, one_hot

from medgen_course.models.gan import check_label
from medgen_course.models.layers import check_latent_dim, grain_of, pixel_norm

GROUP = 4  # images that are compared with each other (Karras et al. 2018, appendix A.1)


def growing_sizes(size: int) -> list[int]:
    """Sides of the images from the smallest to `size`, each twice the one before, e.g. 28 -> [7, 14, 28].

    Args:
        size: side of the square image in pixels: 7 or 8, doubled at least once.
    Raises:
        ValueError: another side.
    """
    sizes = [size]
    while sizes[0] > 8 and sizes[0] % 2 == 0:
        sizes.insert(0, sizes[0] // 2)
    if sizes[0] not in (7, 8) or len(sizes) < 2:
        raise ValueError(
            f"size is {size} pixels; growing starts at 7 or 8 and doubles: give 14, 28, 56, 112, 224 or 16, "
            "32, 64, 128."
        )
    return sizes


def growing_widths(size: int, width: int) -> list[int]:
    """Channels at each side: `width` at the largest, twice that at the next, four times for all the rest."""
    count = len(growing_sizes(size))
    return [width * min(2 ** (count - 1 - i), 4) for i in range(count)]


def rectify(h: Tensor) -> Tensor:
    """Leaky ReLU with a slope of 0.2, in place: a fifth of a step's time less."""
    return leaky_relu_(h, 0.2)


def minibatch_deviation(h: Tensor, group: int = GROUP) -> Tensor:
    """How much the images of a group differ, as one more channel that all of the group share.

    Args:
        h: features (B, C, H, W).
        group: images that are compared; a last group may be smaller.
    Returns:
        (B, C + 1, H, W). The new channel is the standard deviation over the group, averaged over channels and
        places; 0 where all images of a group are the same.
    Source: Karras et al. 2018, section 3; in groups, appendix A.1.
    """
    whole = len(h) // group * group
    groups = h[:whole].unflatten(0, (-1, group)), h[None, whole:]  # (groups, images of each, C, H, W)
    spread = [
        standard_deviation(g).mean((1, 2, 3)).repeat_interleave(g.shape[1]) for g in groups if g.numel()
    ]
    return torch.cat([h, torch.cat(spread).view(-1, 1, 1, 1).expand(-1, 1, *h.shape[2:])], 1)


def standard_deviation(h: Tensor) -> Tensor:
    """Standard deviation over the second axis; as `torch.std`, but a small group takes a third of its time.

    A root's gradient at 0 is infinite; here, as in `torch.std`, it is 0.
    """
    variance = (h - h.mean(1, keepdim=True)).square().mean(1)
    spreads = variance > 0
    return variance.where(spreads, 1).sqrt() * spreads


class Equalised(nn.Module):
    """A linear map or a convolution, its weights from N(0, 1) and scaled when they are used.

    The scale, gain / sqrt(fan-in), gives outputs of variance gain^2 for inputs of variance 1, whatever the
    width; and because Adam's step does not depend on a gradient's size, all layers learn at the same rate.

    Args:
        layer: `nn.Linear`, or `nn.Conv2d` with a stride of 1.
        gain: sqrt(2) before a rectifier, 1 elsewhere.
    Source: Karras et al. 2018, section 4.1.
    """

    def __init__(self, layer: nn.Linear | nn.Conv2d, gain: float = math.sqrt(2)):
        super().__init__()
        self.layer, self.scale = layer, gain / math.sqrt(layer.weight[0].numel())
        nn.init.normal_(layer.weight)
        nn.init.zeros_(layer.bias)

    def forward(self, h: Tensor) -> Tensor:
        """What the layer takes to what it gives."""
        weight, bias = self.scale * self.layer.weight, self.layer.bias
        if isinstance(self.layer, nn.Linear):
            return linear(h, weight, bias)
        return conv2d(h, weight, bias, padding=self.layer.padding)


def conv(inputs: int, outputs: int, kernel: int = 3, gain: float = math.sqrt(2)) -> Equalised:
    """An equalised convolution that keeps the side."""
    return Equalised(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), gain)


class Growing(nn.Module):
    """What both players share: the sides, and how far they have grown."""

    def __init__(self, size: int):
        super().__init__()
        self.sizes = growing_sizes(size)
        self.register_buffer("level", torch.tensor(float(len(self.sizes) - 1)))

    def stage(self, level: float | None = None) -> tuple[int, float]:
        """The largest block in use and its weight alpha, in (0, 1]; `level` None takes the network's own.

        Raises:
            ValueError: a level that the network has not.
        """
        level = float(self.level) if level is None else level
        if not 0 <= level <= len(self.sizes) - 1:
            raise ValueError(f"level is {level}; this network grows from 0 to {len(self.sizes) - 1}.")
        stage = math.ceil(level)
        return stage, level - stage + 1

    def shrink(self, x: Tensor, level: float | None = None) -> Tensor:
        """Images (B, C, size, size) as they are at a level, (B, C, side, side).

        While a block fades in, what the smaller side cannot show fades in too (Karras et al. 2018, figure 2).
        """
        stage, alpha = self.stage(level)
        x = avg_pool2d(x, x.shape[-1] // self.sizes[stage])
        return x if alpha == 1 else torch.lerp(double(avg_pool2d(x, 2)), x, alpha)


def double(h: Tensor) -> Tensor:
    """Twice the side, each pixel repeated."""
    return interpolate(h, scale_factor=2, mode="nearest")


class ProgressiveGenerator(Growing):
    """Noise to images, as large as the level says.

    Args:
        channels: 1 for grey images, 3 for RGB.
        size: side of the image in pixels when all has grown; see `growing_sizes`.
        latent_dim: length of the noise z ~ N(0, I).
        num_classes: classes to choose between; 0 for an unconditional generator.
        width: channels at the largest side.
        grain: whether each layer adds noise at every pixel, with strengths that it learns (Karras et al.
            2019, section 2): what an MR image has, and `latent_dim` numbers cannot say pixel by pixel.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        latent_dim: int = 64,
        num_classes: int = 0,
        width: int = 16,
        grain: bool = False,
    ):
        super().__init__(size)
        check_latent_dim(latent_dim)
        self.config = {
            "kind": "progressive",
            "channels": channels,
            "size": size,
            "latent_dim": latent_dim,
            "num_classes": num_classes,
            "width": width,
            "grain": grain,
        }
        self.latent_dim, self.num_classes, self.grain = latent_dim, num_classes, grain
        widths = growing_widths(size, width)
        self.start = (widths[0], self.sizes[0], self.sizes[0])
        self.stem = Equalised(nn.Linear(latent_dim + num_classes, widths[0] * self.sizes[0] ** 2))
        befores = [widths[0], *widths[:-1]]
        firsts = [conv(a, b) for a, b in zip(befores, widths, strict=True)]
        self.blocks = nn.ModuleList(
            nn.ModuleList([first, conv(b, b)]) if i else nn.ModuleList([first])
            for i, (first, b) in enumerate(zip(firsts, widths, strict=True))
        )
        self.colours = nn.ModuleList(conv(b, channels, 1, gain=1) for b in widths)
        if grain:  # strengths, a number for each layer and channel
            self.strengths = nn.ModuleList(
                nn.ParameterList(torch.zeros(b, 1, 1) for _ in block)
                for b, block in zip(widths, self.blocks, strict=True)
            )

    def forward(self, z: Tensor, label: Tensor | None = None, level: float | None = None) -> Tensor:
        """Noise (B, latent_dim) and classes (B,) to logits of the grey levels, (B, C, side, side)."""
        check_label(label, self.num_classes)
        stage, alpha = self.stage(level)
        z = code = pixel_norm(z)
        if label is not None:
            code = torch.cat([z, one_hot(label, self.num_classes).to(z.dtype)], 1)
        h = pixel_norm(rectify(self.stem(code)).unflatten(1, self.start))  # (B, 64, 8, 8)
        before = h
        for i, block in enumerate(self.blocks[: stage + 1]):
            before, h = h, double(h) if i else h
            for j, layer in enumerate(block):
                h = layer(h)
                if self.grain:
                    h = h + self.strengths[i][j] * grain_of(z, h.shape[-1], 2 * i + j)
                h = pixel_norm(rectify(h))  # (B, 64, 16, 16), (B, 32, 32, 32), (B, 16, 64, 64)
        logits = self.colours[stage](h)
        return logits if alpha == 1 else torch.lerp(double(self.colours[stage - 1](before)), logits, alpha)

    def sample(self, z: Tensor, label: Tensor | None = None, level: float | None = None) -> Tensor:
        """Noise and classes to images (B, C, side, side) in [0, 1]."""
        return self(z, label, level).float().sigmoid()


class ProgressiveDiscriminator(Growing):
    """Images to one logit each: the generator's mirror image, with a verdict on the variety in the batch.

    Args:
        channels, size, num_classes, width: as in `ProgressiveGenerator`.
        deviation: whether `minibatch_deviation` is shown to it.
    """

    def __init__(
        self, channels: int, size: int, num_classes: int = 0, width: int = 16, deviation: bool = True
    ):
        super().__init__(size)
        self.config = {
            "kind": "progressive_discriminator",
            "channels": channels,
            "size": size,
            "num_classes": num_classes,
            "width": width,
            "deviation": deviation,
        }
        self.num_classes, self.deviation = num_classes, deviation
        widths = growing_widths(size, width)
        nexts = [widths[0], *widths[:-1]]
        self.colours = nn.ModuleList(conv(channels, a, 1) for a in widths)
        self.blocks = nn.ModuleList(
            nn.ModuleList([conv(a, a), conv(a, b)] if i else [conv(a + deviation, b)])
            for i, (a, b) in enumerate(zip(widths, nexts, strict=True))
        )
        self.body = Equalised(nn.Linear(widths[0] * self.sizes[0] ** 2, widths[0]))
        self.head = Equalised(nn.Linear(widths[0], 1), gain=1)
        self.classes = Equalised(nn.Linear(num_classes, widths[0]), gain=1) if num_classes else None

    def forward(self, x: Tensor, label: Tensor | None = None, level: float | None = None) -> Tensor:
        """Images (B, C, side, side) in [0, 1] and classes (B,) to logits (B,); large for "real"."""
        check_label(label, self.num_classes)
        stage, alpha = self.stage(level)
        if x.shape[-1] != self.sizes[stage]:
            raise ValueError(
                f"the images have {x.shape[-1]} px; at this level {self.sizes[stage]} are judged."
            )
        x = 2 * x - 1
        h = rectify(self.colours[stage](x))
        for i in range(stage, -1, -1):
            if i == 0 and self.deviation:
                h = minibatch_deviation(h)
            for layer in self.blocks[i]:
                h = rectify(layer(h))
            h = avg_pool2d(h, 2) if i else h
            if i == stage and alpha < 1:
                h = torch.lerp(rectify(self.colours[stage - 1](avg_pool2d(x, 2))), h, alpha)
        h = rectify(self.body(h.flatten(1)))  # (B, 64)
        logits = self.head(h)[:, 0]
        if label is not None:  # the class's own vector, as in `gan.Discriminator`
            logits = logits + (self.classes(one_hot(label, self.num_classes).to(h.dtype)) * h).mean(1)
        return logits.float()
