"""A trial: does the GAN that notebook 05 ships gain variety when it is trained on? Not shipped.

    python recipes/growing_on.py

growing_spread.py found the layout too much alike in its slices, while the folds vary as in real ones. The
discriminator is shown one number for the variety in a batch, averaged over channels and places, so varied
texture can pass for varied layout. Here a new one is shown a number for each channel. It learns alone for
some updates; then both go on from the shipped weights with a smaller step size. What came of it is told in
growing_ship.py.
"""

import torch
from growing import SIZE, WIDTH, Run, eye, load
from growing_ship import BATCH, FLATNESS
from growing_spread import tell
from torch import Tensor, nn

from medgen_course import pretrained
from medgen_course.metrics import fidelity
from medgen_course.models.gan import LAZY
from medgen_course.models.progressive import ProgressiveAlgorithm
from medgen_course.models.progressive_networks import GROUP, ProgressiveDiscriminator, conv

SECONDS, MOMENTS, ALONE = 150, 3, 200  # of one core; measurements; updates of the discriminator alone
RATE, KEPT, HALVING = 5e-4, 800, 500  # step size; for so many updates; then halved in so many
AHEAD, EMA = (
    1.5,
    0.998,
)  # step size of the discriminator, in those of the generator; share of the average kept


class EachDeviation(nn.Module):
    """As `minibatch_deviation`, with a number for each channel."""

    def forward(self, h: Tensor) -> Tensor:
        """(B, C, H, W) to (B, 2 C, H, W)."""
        spread = [part.std(0, correction=0).mean((1, 2)).expand(len(part), -1) for part in h.split(GROUP)]
        return torch.cat([h, torch.cat(spread)[..., None, None].expand_as(h)], 1)


def players(classes: int) -> ProgressiveAlgorithm:
    """The shipped generator, all grown, and a new discriminator."""
    generator = pretrained.load_growing()[3.0].requires_grad_(True)
    judge = ProgressiveDiscriminator(1, SIZE, classes, WIDTH, deviation=False)
    widest = 4 * WIDTH
    judge.blocks[0][0] = nn.Sequential(EachDeviation(), conv(2 * widest, widest))
    algorithm = ProgressiveAlgorithm(generator, judge, 0, 1, "non_saturating", 2 * RATE, EMA, FLATNESS)
    algorithm.steps = 10_000  # long grown
    algorithm.grow()
    return algorithm


class On(Run):
    """A run that goes on from the shipped weights, more and more slowly."""

    def __init__(self, data):
        super().__init__("on-0", players, 0, data, BATCH)
        self.began = self.algorithm.steps

    def alone(self) -> None:
        """The new discriminator learns what the shipped generator draws."""
        algorithm = self.algorithm
        for i, batch in zip(range(ALONE), self.batches(), strict=False):
            x, label = batch["x"], batch["label"]
            with torch.no_grad():
                fake = algorithm.generator(
                    torch.randn(len(x), algorithm.generator.latent_dim), label
                ).sigmoid()
            algorithm.update_discriminator(x, fake, label, Tensor.backward)
            if i % LAZY == 0:
                algorithm.flatten(x, label, Tensor.backward)

    def step(self, batch) -> None:
        """Slow down, and one update."""
        rate = RATE * 0.5 ** (max(0, self.algorithm.steps - self.began - KEPT) / HALVING)
        for name, optimizer in self.algorithm.optimizers.items():
            optimizer.param_groups[0]["lr"] = rate * (AHEAD if name == "discriminator" else 1)
        super().step(batch)


if __name__ == "__main__":
    torch.set_num_threads(1)
    data = load("phantom")
    run = On(data)
    run.alone()
    run.finish(SECONDS, MOMENTS, fidelity.reference(data, eye(data)))
    tell(data, run.algorithm.average)
