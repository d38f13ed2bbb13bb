"""The bug hunt of notebook 03: three common mistakes in one training step, looked for by what they do."""

import copy
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
        self.layers = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        self.seen = []

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 1, 2, 2) to logits (B,)."""
        self.seen.append(x.detach().clone())
        return self.layers(x.flatten(1))[:, 0]


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
        z: the noise, (B, 3).
        seen: every batch that the discriminator judged.
        first: the discriminator as it was before the step.
        moves: at each step of the generator, its gradient and both networks as they stood.
        left: the generator's gradient at each step of the discriminator.
    """

    real: Tensor
    z: Tensor
    seen: list[Tensor]
    first: SeenBatches
    moves: list[tuple[Tensor, Logits, SeenBatches]] = field(default_factory=list)
    left: list[Tensor] = field(default_factory=list)


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
    looks = (_ranges, _batches, _own_push)
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
        record = Record(real, z, discriminator.seen, copy.deepcopy(discriminator))
        optimizers = {
            name: _Noting(player, lambda name=name: _note(record, name, generator, discriminator))
            for name, player in players.items()
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
    """Plain SGD that takes a note before each step."""

    def __init__(self, player: nn.Module, note: Callable[[], None]):
        super().__init__(player.parameters(), lr=0.1)
        self.note = note

    def step(self, closure=None):
        self.note()
        return super().step(closure)


def _note(record: Record, stepping: str, generator: Logits, discriminator: SeenBatches) -> None:
    held = [torch.zeros_like(p) if p.grad is None else p.grad for p in generator.parameters()]
    gradient = torch.cat([g.detach().flatten().clone() for g in held])
    if stepping == "generator":
        record.moves.append((gradient, copy.deepcopy(generator), copy.deepcopy(discriminator)))
    else:
        record.left.append(gradient)


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
        judge_of = copy.deepcopy(record.first)
        both = torch.cat([record.real, torch.zeros_like(record.real)])
        with torch.no_grad():
            apart, together = (float(judge_of(x)[0].sigmoid()) for x in (record.real, both))
        raise Finding(
            "real and generated images went through a discriminator with BatchNorm in one batch: they are "
            "then standardised together, and the verdict on an image depends on the others. The same D gives "
            f"the same real image {apart:.2f} among real ones and {together:.2f} beside black ones. Judge "
            "them apart."
        )


def _own_push(record: Record) -> None:
    """The generator must follow its own loss alone, as D was before or after D's step."""
    if not any(gradient.any() for gradient in record.left):
        return
    for held, generator, discriminator in record.moves:
        own = [_push(generator, judge_of, record.z) for judge_of in (discriminator, record.first)]
        if not any(torch.cosine_similarity(held, each, 0) > 0.999 for each in own):
            both = own[1] + _push(generator, record.first, record.z, sign=-1)
            kept = float(both @ own[1] / own[1].square().sum())
            raise Finding(
                "the generator stepped along its own gradient plus what D's loss had left in it. That "
                f"leaves {kept:.0%} of the way that its own loss asks for: D's loss wants images that are "
                "found out; together the two are -log D - log(1 - D), smallest at D = 1/2, so G stands still "
                "where D is unsure. Detach the generated images for D, or clear G's gradients before its own "
                "backward."
            )


def _push(generator: Logits, discriminator: SeenBatches, z: Tensor, sign: int = 1) -> Tensor:
    """What -log D(G(z)) alone would leave in the generator (sign -1: what -log(1 - D(G(z))) would), flat."""
    verdict = copy.deepcopy(discriminator)(generator(z).sigmoid())
    loss = nn.functional.softplus(-sign * verdict).mean()
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(generator.parameters()))])
