"""The bug hunt of notebook 03: three common mistakes in one training step, looked for by what they do."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted

Step = Callable[[nn.Module, nn.Module, dict[str, torch.optim.Optimizer], Tensor, Tensor], object]


class SeenBatches(nn.Module):
    """A discriminator with BatchNorm that notes every batch that it judges, and in which mode it is."""

    def __init__(self):
        super().__init__()
        self.norm, self.linear, self.seen = nn.BatchNorm1d(4), nn.Linear(4, 1), []

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 1, 2, 2) to logits (B,)."""
        self.seen.append(x.detach().clone())
        return self.linear(self.norm(x.flatten(1)))[:, 0]


class Logits(nn.Module):
    """A generator that ends in logits: noise (B, 3) to (B, 1, 2, 2)."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, z: Tensor) -> Tensor:
        """Noise (B, 3) to logits (B, 1, 2, 2)."""
        return self.linear(z).view(-1, 1, 2, 2)


def check_gan_bug_hunt(step: Step) -> Verdict:
    """Look for each of the three mistakes by itself.

    Args:
        step: (generator, discriminator, optimisers "generator" and "discriminator", real images (B, C, H, W)
            in [0, 1], noise (B, latent_dim)); one update of each player.
    """
    praise = "Both players see one range, each batch is of one kind, and D's loss moves D alone."
    return judge("bug hunt", step, _examine, praise)


def _examine(step: Callable) -> None:
    left = [
        str(found) for found in (_finding(look, step) for look in (_ranges, _batches, _detached)) if found
    ]
    if left:
        raise Finding(f"{len(left)} of 3 mistakes remain.\n" + "\n".join(f"- {text}" for text in left))


def _finding(look: Callable[[Callable], None], step: Callable) -> Finding | None:
    try:
        look(step)
    except Finding as finding:
        if finding.status != "not yet right":
            raise
        return finding
    return None


def _run(step: Callable) -> tuple[Logits, SeenBatches, Tensor, list[Tensor]]:
    """One step on small networks; the real images, and G's gradients when D's optimiser steps."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator, discriminator = Logits(), SeenBatches()
        real, z = torch.rand(6, 1, 2, 2), torch.randn(6, 3)
    with torch.no_grad():
        generator.linear.bias.fill_(1.0)  # generated grey levels differ from real ones on average
    start, held = copy.deepcopy(generator), []

    class Noting(torch.optim.SGD):
        def step(self, closure=None):
            grad = generator.linear.weight.grad
            held.append(torch.zeros(1) if grad is None else grad.clone())
            return super().step(closure)

    optimizers = {
        "generator": torch.optim.SGD(generator.parameters(), lr=0.1),
        "discriminator": Noting(discriminator.parameters(), lr=0.1),
    }
    call(step, generator, discriminator, optimizers, real, z)
    if not held:
        raise (
            not_attempted()
            if torch.equal(start.linear.weight, generator.linear.weight)
            else Finding("the discriminator's optimiser never made a step.")
        )
    if torch.equal(start.linear.weight, generator.linear.weight):
        raise Finding("the generator did not move.")
    return generator, discriminator, real, held


def _ranges(step: Callable) -> None:
    _, discriminator, _, _ = _run(step)
    low, high = (
        min(float(x.min()) for x in discriminator.seen),
        max(float(x.max()) for x in discriminator.seen),
    )
    if low < 0 or high > 1:
        raise Finding(
            f"the discriminator was shown grey levels from {low:.2f} to {high:.2f}. Real and generated "
            "images must lie in one range, here [0, 1]: otherwise D wins by looking at the range alone."
        )


def _batches(step: Callable) -> None:
    _, discriminator, real, _ = _run(step)
    if any(len(x) > len(real) for x in discriminator.seen):
        raise Finding(
            "real and generated images went through a discriminator with BatchNorm in one batch: they are "
            "then standardised together, and the verdict on an image depends on the others. Judge them apart."
        )


def _detached(step: Callable) -> None:
    _, _, _, held = _run(step)
    if float(held[0].abs().max()) > 0:
        raise Finding(
            "when the discriminator moved, its loss had left a gradient in the generator: it pushes G "
            "towards images that are easily found out. Detach the generated images there."
        )
