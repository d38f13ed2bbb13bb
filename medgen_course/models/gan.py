"""Generative adversarial network (Goodfellow et al. 2014), in the shape of DCGAN (Radford et al. 2015).

From the top: the two networks, then one update step. The games that can be played are in
gan_objectives.py. Two departures from DCGAN: the generator ends in a sigmoid, because images are in [0, 1]
everywhere in this course, and the discriminator has no BatchNorm. It would tie the verdict on an image to
the others in its batch, and forbid to judge real and generated images in one pass.
"""

import copy
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.nn.utils.parametrizations import spectral_norm as with_spectral_norm

from medgen_course.models.algorithm import Backward, Batch, CountingAlgorithm, follow
from medgen_course.models.gan_objectives import OBJECTIVES, gradient_penalty, real_penalty
from medgen_course.models.layers import Upsample, check_latent_dim, grain_of, pixel_norm, stage_sizes

LAZY = 16  # updates for each one that flattens the discriminator (Karras et al. 2020, section 3)


def stage_widths(size: int, width: int) -> list[int]:
    """Channels after each stage: doubled with every halving of the side, up to eight times `width`."""
    return [width * min(2**i, 8) for i in range(len(stage_sizes(size)) - 1)]


def initialise(network: nn.Module) -> None:
    """Weights from N(0, 0.02^2), those of BatchNorm from N(1, 0.02^2), biases zero (Radford et al. 2015)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)


def check_label(label: Tensor | None, num_classes: int) -> None:
    """Raises ValueError when a conditional network gets no label, or an unconditional one gets some."""
    if (label is None) != (num_classes == 0):
        wanted = f"labels from 0 to {num_classes - 1}" if num_classes else "no labels"
        raise ValueError(f"this network has num_classes={num_classes}: give it {wanted}.")


class Generator(nn.Module):
    """Noise to images: a linear map, then transposed convolutions with BatchNorm.

    Args:
        channels: 1 for grey images, 3 for RGB.
        size: side of the image in pixels, 28 to 128.
        latent_dim: length of the noise z ~ N(0, I).
        num_classes: classes to choose between; 0 for an unconditional generator.
        width: channels before the last stage.
        grain: whether the last layer also draws how strong the noise at each pixel is: what an MR image has,
            and `latent_dim` numbers cannot say pixel by pixel. The same z always has the same noise.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        latent_dim: int = 64,
        num_classes: int = 0,
        width: int = 48,
        grain: bool = False,
    ):
        super().__init__()
        check_latent_dim(latent_dim)
        self.config = {
            "kind": "generator",
            "channels": channels,
            "size": size,
            "latent_dim": latent_dim,
            "num_classes": num_classes,
            "width": width,
            **({"grain": True} if grain else {}),  # runs of earlier versions go on without it
        }
        self.latent_dim, self.num_classes, self.grain = latent_dim, num_classes, grain
        sizes, widths = stage_sizes(size)[::-1], stage_widths(size, width)[::-1]
        self.start = (widths[0], sizes[0], sizes[0])
        self.stem = nn.Linear(latent_dim + num_classes, widths[0] * sizes[0] ** 2, bias=False)
        self.norm = nn.BatchNorm2d(widths[0])
        inner = [
            nn.Sequential(Upsample(a, b, side, bias=False), nn.BatchNorm2d(b), nn.ReLU())
            for (a, b), side in zip(pairwise(widths), sizes[1:-1], strict=True)
        ]
        self.stages = nn.Sequential(*inner, Upsample(widths[-1], channels * (1 + grain), sizes[-1]))
        if grain:  # of each number of z; no weights, so not stored
            self.register_buffer("patterns", grain_of(torch.eye(latent_dim), size, 0), persistent=False)
        initialise(self)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Noise (B, latent_dim) and classes (B,) to logits of the grey levels, (B, C, H, W)."""
        check_label(label, self.num_classes)
        shares = nn.functional.one_hot(label, self.num_classes).to(z.dtype) if self.num_classes else z[:, :0]
        return self.mixed(z, shares)

    def mixed(self, z: Tensor, shares: Tensor) -> Tensor:
        """The same with a share of each class, (B, num_classes): what a search for the class moves along."""
        h = self.stem(torch.cat([z, shares], 1)).unflatten(1, self.start)
        h = self.stages(self.norm(h).relu())  # (B, 192, 4, 4), (B, 96, 7, 7), (B, 48, 14, 14), (B, C, 28, 28)
        if not self.grain:
            return h
        logits, strength = h.chunk(2, 1)  # twice as many channels with grain
        noise = torch.tensordot(pixel_norm(z), self.patterns, 1)  # (B, 1, 28, 28), of variance 1
        return logits + strength * noise

    def sample(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Noise and classes to images (B, C, H, W) in [0, 1]."""
        return self(z, label).float().sigmoid()


class Discriminator(nn.Module):
    """Images to one logit each: strided convolutions with leaky ReLU, then a linear map.

    With classes, the verdict is that of the projection discriminator (Miyato & Koyama 2018, equation 6):
    a linear map of the features plus their inner product with the class's own vector.

    Args:
        channels, size, num_classes, width: as in `Generator`.
        spectral_norm: divide every kernel, reshaped to (out, rest), by its largest singular value
            (Miyato et al. 2018): the verdict then changes by a bounded factor of the image's change.
    """

    def __init__(
        self, channels: int, size: int, num_classes: int = 0, width: int = 48, spectral_norm: bool = False
    ):
        super().__init__()
        self.config = {
            "kind": "discriminator",
            "channels": channels,
            "size": size,
            "num_classes": num_classes,
            "width": width,
            "spectral_norm": spectral_norm,
        }
        self.num_classes = num_classes
        widths = [channels, *stage_widths(size, width)]
        layers = [[nn.Conv2d(a, b, 4, stride=2, padding=1), nn.LeakyReLU(0.2)] for a, b in pairwise(widths)]
        self.stages = nn.Sequential(*[part for layer in layers for part in layer])
        side = size
        for _ in layers:
            side //= 2
        features = widths[-1] * side**2
        self.head = nn.Linear(features, 1)
        self.classes = nn.Embedding(num_classes, features) if num_classes else None
        initialise(self)
        if spectral_norm:
            for module in self.modules():
                if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
                    with_spectral_norm(module)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Images (B, C, H, W) in [0, 1] and classes (B,) to logits (B,); large for "real"."""
        check_label(label, self.num_classes)
        h = self.stages(2 * x - 1).flatten(1)  # (B, 48, 14, 14), (B, 96, 7, 7), (B, 192, 3, 3) -> (B, 1728)
        logits = self.head(h)[:, 0]
        if label is not None:
            logits = logits + (self.classes(label) * h).sum(1)
        return logits.float()


class GANAlgorithm(CountingAlgorithm):
    """Two players, one step each in turn; the generator's weights are also averaged over the steps.

    Adam's settings, 2e-4 and (0.5, 0.999), are DCGAN's. The average (`networks["generator_ema"]`, Karras et
    al. 2018) is what is sampled from: it moves less from step to step than the generator.

    Args:
        generator, discriminator: with `latent_dim` and `num_classes`; see `Generator`, `Discriminator`.
        objective: a name of `OBJECTIVES`.
        learning_rate: Adam's step size, of both players.
        discriminator_rate: the discriminator's own step size; None takes `learning_rate`.
        betas: Adam's averaging.
        discriminator_steps: updates of the discriminator for each one of the generator; None takes the
            objective's own.
        ema: share of the average that is kept in a step, in [0, 1).
        augment: images (B, C, H, W) to the same, differentiable; real and generated images pass through it on
            their way into the discriminator, e.g. `diff_augment` (Zhao et al. 2020).
        flatness: weight of R1 (Mescheder et al. 2018), times the number of pixels, so that it means the same
            at every side; 0 leaves it out.
    Raises:
        ValueError: an unknown objective, or a number out of its range.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        objective: str = "non_saturating",
        learning_rate: float = 2e-4,
        discriminator_rate: float | None = None,
        betas: tuple[float, float] = (0.5, 0.999),
        discriminator_steps: int | None = None,
        ema: float = 0.999,
        augment: Callable[[Tensor], Tensor] | None = None,
        flatness: float = 0.0,
    ):
        if objective not in OBJECTIVES:
            raise ValueError(f"objective is {objective!r}; known are {', '.join(OBJECTIVES)}.")
        if not 0 <= ema < 1:
            raise ValueError(f"ema is {ema}; give the share that is kept in a step, 0 <= ema < 1.")
        self.generator, self.discriminator = generator, discriminator
        self.objective, self.ema, self.augment = OBJECTIVES[objective], ema, augment or nn.Identity()
        self.flatness = flatness
        self.average = copy.deepcopy(generator).requires_grad_(False)
        self.config = {**generator.config, "kind": "gan"}
        self.networks = {
            "generator": generator,
            "discriminator": discriminator,
            "generator_ema": self.average,
        }
        rates = {"generator": learning_rate, "discriminator": discriminator_rate or learning_rate}
        self.optimizers = {
            name: torch.optim.Adam(self.networks[name].parameters(), lr=rate, betas=betas)
            for name, rate in rates.items()
        }
        self.every = discriminator_steps or self.objective.discriminator_steps
        self.last = {"loss/generator": torch.zeros(()), "grad/generator": torch.zeros(())}

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """Real up and fake down for the discriminator; then fake up for the generator."""
        real, label = batch["x"], batch["label"] if self.generator.num_classes else None
        z = torch.randn(len(real), self.generator.latent_dim, device=real.device)
        moves = (self.steps + 1) % self.every == 0  # whether it is the generator's turn too
        with torch.set_grad_enabled(moves):
            fake = self.generator(z, label).sigmoid()
        logs = self.update_discriminator(real, fake.detach(), label, backward)
        if moves:
            self.last = self.update_generator(fake, label, backward)
        self.steps += 1
        if self.flatness and self.steps % LAZY == 0:
            self.flatten(real, label, backward)
        return logs | self.last

    def update_discriminator(
        self, real: Tensor, fake: Tensor, label: Tensor | None, backward: Backward
    ) -> dict[str, Tensor]:
        """Both are judged, one update."""
        optimizer = self.optimizers["discriminator"]
        on_real, on_fake = self.verdicts(real, fake, label)
        loss = self.objective.discriminator(on_real, on_fake)
        if self.objective.gradient_penalty:
            penalty = gradient_penalty(self.discriminator, real, fake, label)
            loss = loss + self.objective.gradient_penalty * penalty
        optimizer.zero_grad()
        backward(loss)
        norm = gradient_norm(self.discriminator)
        optimizer.step()
        if self.objective.clip:
            with torch.no_grad():
                for weight in self.discriminator.parameters():
                    weight.clamp_(-self.objective.clip, self.objective.clip)
        return {
            "loss/discriminator": loss.detach(),
            "real": on_real.detach().mean(),
            "fake": on_fake.detach().mean(),
            "grad/discriminator": norm,
        }

    def verdicts(self, real: Tensor, fake: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """Logits of real and of generated images, (B,) each, from one pass over both together."""
        labels = None if label is None else torch.cat([label, label])
        return self.discriminator(self.augment(torch.cat([real, fake])), labels).chunk(2)

    def update_generator(self, fake: Tensor, label: Tensor | None, backward: Backward) -> dict[str, Tensor]:
        """The discriminator judges, frozen: the gradient passes through it and leaves none behind."""
        optimizer = self.optimizers["generator"]
        self.discriminator.requires_grad_(False)
        loss = self.objective.generator(self.discriminator(self.augment(fake), label))
        optimizer.zero_grad()
        backward(loss)
        self.discriminator.requires_grad_(True)
        norm = gradient_norm(self.generator)
        optimizer.step()
        follow(self.average, self.generator, self.ema, (self.steps + 1) // self.every)
        return {"loss/generator": loss.detach(), "grad/generator": norm}

    def flatten(self, real: Tensor, label: Tensor | None, backward: Backward) -> None:
        """An update of the discriminator by R1 alone: seldom, and so much the stronger."""
        optimizer = self.optimizers["discriminator"]
        optimizer.zero_grad()
        weight = 0.5 * self.flatness * real[0].numel() * LAZY
        backward(weight * real_penalty(self.discriminator, real, label))
        optimizer.step()

    def state_dict(self) -> dict:
        """Adds what the generator logged last."""
        return {**super().state_dict(), "last": self.last}

    def load_state_dict(self, state: dict) -> None:
        """Takes it over too."""
        super().load_state_dict(state)
        self.last = state["last"]


def gradient_norm(network: nn.Module) -> Tensor:
    """Euclidean length of all gradients of a network, a scalar."""
    return get_total_norm([p.grad for p in network.parameters() if p.grad is not None], foreach=True)
