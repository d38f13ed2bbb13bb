"""Enhancement learnt from made pairs: a U-Net (Ronneberger et al. 2015) that corrects a first guess.

From the top: the network, what it restores with, then the algorithm with one update step. Each step degrades
its clean images anew. The distance to the truth decides what the network makes where it cannot know: the
squared error asks for the mean of all images that fit, the absolute error for their median, and an
adversarial loss on top (SRGAN's idea, Ledig et al. 2017; the judge sees guess and answer together, as in
pix2pix) for one that looks real.
"""

import copy
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, l1_loss, mse_loss, pad, pixel_shuffle, pixel_unshuffle

from medgen_course.batches.checks import check_between
from medgen_course.batches.degradations import Degradation
from medgen_course.models.algorithm import Backward, Batch, CountingAlgorithm, cosine_decay, follow
from medgen_course.models.gan_objectives import cross_entropy, non_saturating

DISTANCES = {"squared": mse_loss, "absolute": l1_loss}


def block(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """A 3x3 convolution and a ReLU; no normalisation, which would forget how bright the image was."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, stride, padding=1), nn.ReLU())


class UNet(nn.Module):
    """A first guess to a better image: an encoder, a decoder, and what the encoder saw beside it.

    It works on a quarter of the pixels, which costs a fraction of the time: squares of 2 x 2 become four
    channels, and again pixels in the end (FFDNet, Zhang, Zuo & Zhang 2018). It adds its output to the guess
    (DnCNN, Zhang et al. 2017), and starts with nothing to add.

    Args:
        channels: 1 for grey images, 3 for RGB.
        size: side of the images in pixels, at least 8.
        width: channels at half the side, doubled with each halving, up to four times.
        halvings: how often that is halved again; None goes on until at most 8 pixels are left.
    """

    def __init__(self, channels: int, size: int, width: int = 12, halvings: int | None = None):
        super().__init__()
        halvings = max(0, ((size + 1) // 2 - 1).bit_length() - 3) if halvings is None else halvings
        self.config = {
            "kind": "enhancer",
            "channels": channels,
            "size": size,
            "width": width,
            "halvings": halvings,
        }
        widths = [width * min(2**i, 4) for i in range(halvings + 1)]
        self.stem = block(4 * channels, width)
        self.down = nn.ModuleList(nn.Sequential(block(a, b, 2), block(b, b)) for a, b in pairwise(widths))
        self.merge = nn.ModuleList(block(b + a, a) for a, b in reversed(list(pairwise(widths))))
        self.head = nn.Conv2d(width, 4 * channels, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, guess: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] to better ones, not cut to [0, 1] yet."""
        return guess + self.correction(guess)

    def correction(self, guess: Tensor) -> Tensor:
        """What is added to the guess, (B, C, H, W)."""
        height, width = guess.shape[-2:]
        even = pad(guess - 0.5, (0, width % 2, 0, height % 2))
        seen = [self.stem(pixel_unshuffle(even, 2))]  # (B, 12, 32, 32)
        for stage in self.down:
            seen.append(stage(seen[-1]))  # (B, 24, 16, 16), (B, 48, 8, 8)
        h = seen.pop()
        for merge in self.merge:
            beside = seen.pop()
            h = interpolate(h, beside.shape[-2:])  # the nearest pixel
            h = merge(torch.cat([h, beside], 1))  # (B, 24, 16, 16), (B, 12, 32, 32)
        return pixel_shuffle(self.head(h), 2)[..., :height, :width]


@torch.inference_mode()
def restore(model: UNet, degradation: Degradation, y: Tensor, consistent: bool = False) -> Tensor:
    """What a trained network makes of a measurement, in parts so that memory stays small.

    Args:
        model: in evaluation mode.
        degradation: that made the measurement.
        y: as `degradation.measure` returns it, B first.
        consistent: change the answer as little as possible so that it agrees with the measurement.
    Returns:
        (B, C, H, W), floats in [0, 1].
    """
    made = []
    for part in y.split(128):
        x = model(degradation.guess(part)).float().clamp(0, 1)
        made.append(degradation.project(x, part) if consistent else x)
    return torch.cat(made).clone()


@dataclass(frozen=True)
class Enhancer:
    """A trained network, in evaluation mode, with the degradation that it undoes."""

    model: UNet
    degradation: Degradation

    @property
    def config(self) -> dict[str, Any]:
        """The network's."""
        return self.model.config

    def restore(self, y: Tensor, consistent: bool = False) -> Tensor:
        """See `restore`."""
        return restore(self.model, self.degradation, y, consistent)


class EnhancerAlgorithm(CountingAlgorithm):
    """A U-Net, and with a weight above 0 a judge that tells its answers from true images.

    Args:
        model: a `UNet`, or anything from guess to image.
        degradation: what the network shall undo.
        distance: "squared" or "absolute" error, averaged over pixels.
        lambda_adversarial: weight of the adversarial loss beside the distance; 0 needs no judge.
        discriminator: of twice the channels: it sees guess and answer; see `PatchDiscriminator`.
        learning_rate: Adam's step size.
        decay_steps: the step size falls to zero along a cosine over so many steps; 0 keeps it constant.
        ema: share of the average of the weights that is kept in a step, in [0, 1).
    Raises:
        ValueError: a number out of its range, no such distance, or a weight without a judge.
    """

    def __init__(
        self,
        model: nn.Module,
        degradation: Degradation,
        distance: Literal[tuple(DISTANCES)] = "squared",
        lambda_adversarial: float = 0.0,
        discriminator: nn.Module | None = None,
        learning_rate: float = 2e-3,
        decay_steps: int = 0,
        ema: float = 0.99,
    ):
        check_between("lambda_adversarial", lambda_adversarial, 0, math.inf)
        if distance not in DISTANCES:
            raise ValueError(f"distance is {distance!r}; give one of {', '.join(DISTANCES)}.")
        if (lambda_adversarial > 0) != (discriminator is not None):
            raise ValueError("an adversarial weight above 0 and a discriminator belong together; give both.")
        self.model, self.degradation, self.distance = model, degradation, DISTANCES[distance]
        self.lambda_adversarial, self.discriminator = lambda_adversarial, discriminator
        self.average = copy.deepcopy(model).requires_grad_(False)
        self.learning_rate, self.decay_steps, self.ema = learning_rate, decay_steps, ema
        self.config = getattr(model, "config", {})
        self.networks = {"unet": model, "unet_ema": self.average}
        self.optimizers = {"unet": torch.optim.Adam(model.parameters(), learning_rate)}
        if discriminator is not None:
            self.networks["discriminator"] = discriminator
            self.optimizers["discriminator"] = torch.optim.Adam(
                discriminator.parameters(), learning_rate, (0.5, 0.999)
            )

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """Degrade, correct, compare; with a judge, teach it first and then listen to it."""
        for optimizer in self.optimizers.values():
            cosine_decay(optimizer, self.learning_rate, self.steps, self.decay_steps)
        x = batch["x"]
        guess = self.degradation.guess(self.degradation.measure(x))
        made = self.model(guess)
        logs = {}
        if self.discriminator is not None:
            logs = self.update_discriminator(guess, x, made.detach(), backward)
        logs |= self.update_model(guess, x, made, backward)
        self.steps += 1
        follow(self.average, self.model, self.ema, self.steps)
        return logs

    def update_discriminator(
        self, guess: Tensor, x: Tensor, made: Tensor, backward: Backward
    ) -> dict[str, Tensor]:
        """True images up, answers down, each beside its guess."""
        pairs = torch.cat([torch.cat([guess, x], 1), torch.cat([guess, made], 1)])  # (2B, 2C, H, W)
        loss = 0.5 * cross_entropy(*self.discriminator(pairs).chunk(2))
        self.optimizers["discriminator"].zero_grad()
        backward(loss)
        self.optimizers["discriminator"].step()
        return {"loss/discriminator": loss.detach()}

    def update_model(self, guess: Tensor, x: Tensor, made: Tensor, backward: Backward) -> dict[str, Tensor]:
        """Near the truth, and believed by the judge, which is frozen here."""
        loss = distance = self.distance(made, x)
        logs = {"loss/distance": distance.detach()}
        if self.discriminator is not None:
            self.discriminator.requires_grad_(False)
            adversarial = non_saturating(self.discriminator(torch.cat([guess, made], 1)))
            loss = distance + self.lambda_adversarial * adversarial
            logs["loss/adversarial"] = adversarial.detach()
        self.optimizers["unet"].zero_grad()
        backward(loss)
        if self.discriminator is not None:
            self.discriminator.requires_grad_(True)
        self.optimizers["unet"].step()
        return logs
