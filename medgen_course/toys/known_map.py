"""Two unpaired domains whose map is known, x -> 0.9 - 0.7 x: small enough to switch each loss off once.

Discs are the world in which unpaired translation works. The losses would allow wrong maps here too (mirror
all discs, and both domains look as they should), but a convolution finds it easier to leave a thing in its
place. Clouds are a world in which it fails: a cycle closes around a wrong map as well as around the right
one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from medgen_course.batches.domains import UnpairedSampler
from medgen_course.batches.transforms import to_uint8
from medgen_course.metrics.reconstruction import psnr
from medgen_course.models.cyclegan import CycleGANAlgorithm
from medgen_course.models.cyclegan_networks import PatchDiscriminator, ResNetGenerator
from medgen_course.models.translators import Translators
from medgen_course.training.loop import fit

SIZE, COUNT, HELD_OUT, BATCH, RATE = 16, 512, 128, 8, 4e-3
Draw = Callable[[int, torch.Generator], Tensor]
WHOLE = {"lambda_cycle": 10.0, "lambda_identity": 5.0, "lambda_adversarial": 1.0}
ABLATIONS = {  # what is left out -> the weights of the losses
    "all three": WHOLE,
    "no cycle loss": WHOLE | {"lambda_cycle": 0.0},
    "no identity loss": WHOLE | {"lambda_identity": 0.0},
    "no adversarial loss": WHOLE | {"lambda_adversarial": 0.0},
    "adversarial only": WHOLE | {"lambda_cycle": 0.0, "lambda_identity": 0.0},
}


def discs(count: int, generator: torch.Generator) -> Tensor:
    """One grey disc on black, of some place, width, height and brightness: (count, 1, 16, 16) in [0, 1]."""
    place = torch.arange(SIZE) + 0.5
    u = torch.rand(count, 5, generator=generator)[..., None, None]
    right = (place - (5 + 6 * u[:, 0])) / (2.5 + 3 * u[:, 2])  # (count, 1, 16)
    down = (place[:, None] - (5 + 6 * u[:, 1])) / (2.5 + 3 * u[:, 3])  # (count, 16, 1)
    return ((0.4 + 0.6 * u[:, 4]) * (1.6 - right**2 - down**2).clamp(0, 1))[:, None]


def clouds(count: int, generator: torch.Generator) -> Tensor:
    """Smooth noise, mostly dark: (count, 1, 16, 16) in [0, 1]."""
    return interpolate(torch.rand(count, 1, 4, 4, generator=generator), SIZE, mode="bilinear") ** 3


def truth(x: Tensor) -> Tensor:
    """The partner in domain B."""
    return 0.9 - 0.7 * x


@dataclass(frozen=True)
class Learnt:
    """What came of a run, on held-out images.

    source, truth, made, again: (128, 1, 16, 16) in [0, 1]; `again` came back by way of `made`.
    psnr_ab, psnr_ba: decibels against the known partner, both ways.
    cycle: mean |again - source|. change: mean |made - source|; the known map changes much.
    """

    source: Tensor
    truth: Tensor
    made: Tensor
    again: Tensor
    psnr_ab: float
    psnr_ba: float
    cycle: float
    change: float

    @property
    def order(self) -> float:
        """Correlation of each image's darkest level, translated, with the true one; 1: bright became dark."""
        return float(torch.corrcoef(torch.stack([x.amin((1, 2, 3)) for x in (self.made, self.truth)]))[0, 1])


def learn(steps: int, seed: int = 0, draw: Draw = discs, **losses: float) -> Learnt:
    """Train a small CycleGAN on unpaired images of the two domains.

    Args:
        steps: updates, on 8 images of each domain.
        seed: of images, first weights and order.
        draw: `discs` or `clouds`.
        losses: `lambda_cycle`, `lambda_identity`, `lambda_adversarial`; the identity loss is off by default.
    """
    generator = torch.Generator().manual_seed(seed)
    a, b, held_out = (draw(n, generator) for n in (COUNT, COUNT, HELD_OUT))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = [ResNetGenerator(1, 1, SIZE, width=8, blocks=1) for _ in "ab"]
        networks += [PatchDiscriminator(1, SIZE, width=16) for _ in "ab"]
    settings = {"lambda_identity": 0.0, "warmup_steps": 50, "learning_rate": RATE, "decay_steps": steps}
    algorithm = CycleGANAlgorithm(*networks, **settings | losses)
    seen = slice(0, steps * BATCH)  # a run shorter than an epoch sees some of them
    sampler = UnpairedSampler(*(to_uint8(x[seen]).numpy() for x in (a, truth(b))), BATCH)
    epochs = max(1, round(steps / len(sampler)))
    fit(algorithm, sampler, epochs, seed, device="cpu", precision="float32", progress=False)
    pair = Translators(*(average.eval() for average in algorithm.averages))
    made, forth = pair.apply(held_out, "b"), pair.apply(truth(held_out), "a")
    again = pair.apply(made, "a")
    return Learnt(
        held_out,
        truth(held_out),
        made,
        again,
        float(psnr(made, truth(held_out)).mean()),
        float(psnr(forth, held_out).mean()),
        float((again - held_out).abs().mean()),
        float((made - held_out).abs().mean()),
    )
