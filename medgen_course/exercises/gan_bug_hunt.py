"""The bug hunt of notebook 03: three common mistakes in one training step, looked for by what they do."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from medgen_course.exercises.verdict import WRONG, Finding, Verdict, call, judge, not_attempted

Step = Callable[[nn.Module, nn.Module, dict[str, torch.optim.Optimizer], Tensor, Tensor], object]


class SeenBatches(nn.Module):
    """A discriminator with BatchNorm that notes every batch that it judges."""

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


@dataclass
class Record:
    """What one step did.

    Attributes:
        real: the real images, (B, 1, 2, 2).
        seen: every batch that the discriminator judged.
        at: player to the generator's gradient at each of that player's steps.
    """

    real: Tensor
    seen: list[Tensor]
    at: dict[str, list[Tensor]] = field(default_factory=lambda: {"discriminator": [], "generator": []})


def check_gan_bug_hunt(step: Step) -> Verdict:
    """Look for each of the three mistakes by itself.

    Args:
        step: (generator, discriminator, optimisers "generator" and "discriminator", real images (B, C, H, W)
            in [0, 1], noise (B, latent_dim)); one update of each player.
    """
    praise = "Both players see one range, each batch is of one kind, and D's loss moves D alone."
    return judge("bug hunt", step, _examine, praise)


def _examine(step: Callable) -> None:
    record = _run(step)
    looks = (_ranges, _batches, _detached)
    left = [str(found) for found in (_finding(look, record) for look in looks) if found]
    if left:
        raise Finding(f"{len(left)} of 3 mistakes remain.\n" + "\n".join(f"- {text}" for text in left), WRONG)


def _finding(look: Callable[[Record], None], record: Record) -> Finding | None:
    try:
        look(record)
    except Finding as finding:
        return finding
    return None


def _run(step: Callable) -> Record:
    """One step on small networks, recorded; raises a `Finding` unless both players moved."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator, discriminator = Logits(), SeenBatches()
        real, z = torch.rand(6, 1, 2, 2), torch.randn(6, 3)
        with torch.no_grad():
            generator.linear.bias.fill_(1.0)  # generated grey levels differ from real ones on average
        players = {"generator": generator, "discriminator": discriminator}
        record = Record(real, discriminator.seen)
        optimizers = {
            name: _Noting(player.parameters(), record.at[name], generator) for name, player in players.items()
        }
        before = {name: _weights(player) for name, player in players.items()}
        call(step, generator, discriminator, optimizers, real.clone(), z)
    moved = {name: not torch.equal(_weights(player), before[name]) for name, player in players.items()}
    if not any(moved.values()) and not record.seen:
        raise not_attempted()
    for name, did in moved.items():
        if not did:
            raise Finding(f"the {name} did not move: its loss must reach it, and its optimiser must step.")
    return record


class _Noting(torch.optim.SGD):
    """Plain SGD that notes, when it steps, which gradient the generator holds."""

    def __init__(self, parameters, notes: list[Tensor], generator: Logits):
        super().__init__(parameters, lr=0.1)
        self.notes, self.generator = notes, generator

    def step(self, closure=None):
        grad = self.generator.linear.weight.grad
        self.notes.append(torch.zeros(4, 3) if grad is None else grad.clone())
        return super().step(closure)


def _weights(network: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def _real_rows(batch: Tensor, real: Tensor) -> Tensor:
    """Which images of a batch are real ones, as they were given: (B,) of booleans."""
    return (batch[:, None] - real[None]).flatten(2).abs().amax(2).min(1).values < 1e-6


def _ranges(record: Record) -> None:
    low, high = (
        min(float(x.min()) for x in record.seen),
        max(float(x.max()) for x in record.seen),
    )
    if low < 0 or high > 1:
        raise Finding(
            f"the discriminator was shown grey levels from {low:.2f} to {high:.2f}. Real and generated "
            "images must lie in one range, here [0, 1]: otherwise D wins by looking at the range alone."
        )
    if sum(int(_real_rows(x, record.real).sum()) for x in record.seen) < len(record.real):
        raise Finding(
            "the discriminator never saw all real images with the grey levels that they have. They are in "
            "[0, 1], as the generated ones are after the sigmoid, and must lie in one range: show them as "
            "they are."
        )


def _batches(record: Record) -> None:
    kinds = [_real_rows(x, record.real) for x in record.seen]
    long = any(len(x) > len(record.real) for x in record.seen)
    if long or any(kind.any() and not kind.all() for kind in kinds):
        raise Finding(
            "real and generated images went through a discriminator with BatchNorm in one batch: they are "
            "then standardised together, and the verdict on an image depends on the others. Judge them apart."
        )


def _detached(record: Record) -> None:
    own = [
        torch.zeros(4, 3),
        *record.at["generator"],
    ]  # nothing, or what G's own step left
    if not all(any(torch.equal(held, g) for g in own) for held in record.at["discriminator"]):
        raise Finding(
            "when the discriminator moved, its loss had left a gradient in the generator: it pushes G "
            "towards images that are easily found out. Detach the generated images there."
        )
