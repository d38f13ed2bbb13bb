"""pix2pix (Isola et al. 2017): translation learnt from pairs, a reference for what is learnt without.

From the top: a U-Net generator, then the algorithm with one update step. The discriminator is the PatchGAN
of cyclegan_networks.py, shown the source beside the translation, so that it judges whether they fit. The
generator draws no noise: the paper's, which comes from dropout, is hardly to be seen in what it makes.
"""

import copy
import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from medgen_course.batches.checks import check_between
from medgen_course.models.algorithm import Backward, Batch, CountingAlgorithm, follow
from medgen_course.models.cyclegan import linear_decay
from medgen_course.models.cyclegan_networks import check_size, conv, norm
from medgen_course.models.gan import initialise
from medgen_course.models.gan_objectives import cross_entropy, non_saturating


class UNetGenerator(nn.Module):
    """Images of one domain to images of another: an encoder, a decoder, and what the encoder saw beside it.

    Args:
        in_channels, out_channels: 1 for grey images, 3 for RGB; the two domains may differ.
        size: side of the images in pixels.
        width: channels at full size, doubled with each halving, up to four times; 12 makes it as large as
            the ResNet generator at 32 pixels.
        halvings: how often the side is halved; None goes on until at most 8 pixels are left.
    Raises:
        ValueError: the size is out of range.
    """

    def __init__(
        self, in_channels: int, out_channels: int, size: int, width: int = 12, halvings: int | None = None
    ):
        super().__init__()
        check_size(size)
        halvings = (size - 1).bit_length() - 3 if halvings is None else halvings
        self.config = {
            "kind": "unet_generator",
            "in_channels": in_channels,
            "out_channels": out_channels,
            "size": size,
            "width": width,
            "halvings": halvings,
        }
        widths = [width * min(2**i, 4) for i in range(halvings + 1)]
        self.stem = nn.Sequential(conv(in_channels, width), norm(width), nn.ReLU())
        self.down = nn.ModuleList(
            nn.Sequential(conv(a, b, stride=2), norm(b), nn.ReLU(), conv(b, b), norm(b), nn.ReLU())
            for a, b in pairwise(widths)
        )
        self.up = nn.ModuleList(
            nn.Sequential(conv(b, 4 * a), nn.PixelShuffle(2), norm(a), nn.ReLU())
            for a, b in reversed(list(pairwise(widths)))
        )
        self.merge = nn.ModuleList(
            nn.Sequential(conv(2 * a, a), norm(a), nn.ReLU()) for a in reversed(widths[:-1])
        )
        self.head = conv(width + in_channels, out_channels)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, in_channels, H, W) in [0, 1] to logits of the grey levels (B, out_channels, H, W)."""
        x = 2 * x - 1
        seen = [self.stem(x)]  # (B, 12, 32, 32)
        for stage in self.down:
            seen.append(stage(seen[-1]))  # (B, 24, 16, 16), (B, 48, 8, 8)
        h = seen.pop()
        for up, merge in zip(self.up, self.merge, strict=True):
            beside = seen.pop()
            h = up(h)[..., : beside.shape[-2], : beside.shape[-1]]
            h = merge(torch.cat([h, beside], 1))  # (B, 24, 16, 16), (B, 12, 32, 32)
        return self.head(torch.cat([h, x], 1))

    def translate(self, x: Tensor) -> Tensor:
        """Images (B, in_channels, H, W) to images (B, out_channels, H, W), both in [0, 1]."""
        return self(x).float().sigmoid()


class Pix2PixAlgorithm(CountingAlgorithm):
    """A generator from A to B, and a discriminator that judges pairs.

    Cross-entropy, lambda_l1 = 100 and Adam with betas (0.5, 0.999) are the paper's. Its images span -1 to 1
    and ours 0 to 1, so the same lambda weighs half as much here; the discriminator's loss is halved there.

    Args:
        generator: from A to B; see `UNetGenerator`, or `ResNetGenerator` for the same capacity as a CycleGAN.
        discriminator: of as many channels as both domains have together; see `PatchDiscriminator`.
        lambda_l1: weight of the absolute difference.
        learning_rate: Adam's step size.
        decay_steps: updates of the whole run; the step size falls in the second half. 0: it does not.
        ema: share of the average that is kept in a step, in [0, 1).
        betas: Adam's averaging.
    Raises:
        ValueError: a number out of its range, or a discriminator of other channels.
    """

    memory_format = torch.contiguous_format  # padding by reflection copies other layouts: a tenth faster

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        lambda_l1: float = 100.0,
        learning_rate: float = 2e-4,
        decay_steps: int = 0,
        ema: float = 0.99,
        betas: tuple[float, float] = (0.5, 0.999),
    ):
        check_between("lambda_l1", lambda_l1, 0, math.inf)
        if not 0 <= ema < 1:
            raise ValueError(f"ema is {ema}; give the share that is kept in a step, 0 <= ema < 1.")
        wanted = generator.config["in_channels"] + generator.config["out_channels"]
        if discriminator.config["channels"] != wanted:
            raise ValueError(
                f"the discriminator takes {discriminator.config['channels']} channels; it sees source and "
                f"translation together, which have {wanted}."
            )
        self.generator, self.discriminator = generator, discriminator
        self.average = copy.deepcopy(generator).requires_grad_(False)
        self.lambda_l1, self.learning_rate, self.decay_steps = lambda_l1, learning_rate, decay_steps
        self.ema = ema
        self.config = {"kind": "pix2pix", "generator": generator.config}
        self.networks = {
            "generator": generator,
            "discriminator": discriminator,
            "generator_ema": self.average,
        }
        self.optimizers = {
            name: torch.optim.Adam(self.networks[name].parameters(), learning_rate, betas, fused=True)
            for name in ("generator", "discriminator")
        }

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """Discriminator: true pairs up, false ones down. Generator: its pairs up, and near the truth."""
        for optimizer in self.optimizers.values():
            linear_decay(optimizer, self.learning_rate, self.steps, self.decay_steps)
        a, b = batch["a"], batch["b"]
        fake = self.generator.translate(a)
        logs = self.update_discriminator(a, b, fake.detach(), backward)
        logs |= self.update_generator(a, b, fake, backward)
        self.steps += 1
        follow(self.average, self.generator, self.ema, self.steps)
        return logs

    def update_discriminator(
        self, a: Tensor, b: Tensor, fake: Tensor, backward: Backward
    ) -> dict[str, Tensor]:
        """One pass over true and made pairs together, one update."""
        pairs = torch.cat([torch.cat([a, b], 1), torch.cat([a, fake], 1)])  # (2B, C_a + C_b, H, W)
        loss = 0.5 * cross_entropy(*self.discriminator(pairs).chunk(2))
        self.optimizers["discriminator"].zero_grad()
        backward(loss)
        self.optimizers["discriminator"].step()
        return {"loss/discriminator": loss.detach()}

    def update_generator(self, a: Tensor, b: Tensor, fake: Tensor, backward: Backward) -> dict[str, Tensor]:
        """The discriminator judges, frozen; `fake` still carries the generator's graph."""
        self.discriminator.requires_grad_(False)
        adversarial = non_saturating(self.discriminator(torch.cat([a, fake], 1)))
        distance = l1_loss(fake, b)
        self.optimizers["generator"].zero_grad()
        backward(adversarial + self.lambda_l1 * distance)
        self.discriminator.requires_grad_(True)
        self.optimizers["generator"].step()
        return {"loss/adversarial": adversarial.detach(), "loss/l1": distance.detach()}
