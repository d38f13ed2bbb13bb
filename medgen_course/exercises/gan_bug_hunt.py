"""The bug hunt of notebook 03: common mistakes in one training step, looked for by what they do."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from medgen_course.exercises.gan_noting import Logits, NotingSGD, Record, SeenBatches, note
from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted, remaining

Step = Callable[[nn.Module, nn.Module, dict[str, torch.optim.Optimizer], Tensor, Tensor], object]


def check_gan_bug_hunt(step: Step) -> Verdict:
    """Look for each mistake of the pool (`hunts/gan.py`) by itself; three of them are planted.

    Args:
        step: (generator, discriminator, optimisers "generator" and "discriminator", real images (B, C, H, W)
            in [0, 1], noise (B, latent_dim)); one update of each player.
    """
    praise = "Both players see one range, each batch is of one kind, and D's loss moves D alone."
    return judge("bug hunt", step, _examine, praise)


def _examine(step: Callable) -> None:
    record, ended = _run(step)
    record = _in_unit_range(record)
    looks = (_ranges, _batches, _told, _wished, _own_push)
    left = [text for look in looks for text in look(record)]
    if not torch.allclose(_run(step, held=1.0)[1], ended, atol=1e-6):
        left.append(
            "the step ends elsewhere when gradients of an earlier one are still in the networks: each player "
            "must start from cleared gradients, or every update repeats all those before it."
        )
    if left:
        raise remaining(left)


def _run(step: Callable, held: float | None = None) -> tuple[Record, Tensor]:
    """One step on small networks, recorded, and all weights after it; a `Finding` unless both players moved.

    Args:
        held: what is in every gradient beforehand; None for no gradients.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator, discriminator = Logits(), SeenBatches()
        real, z = torch.rand(6, 1, 2, 2), torch.randn(6, 3)
        with torch.no_grad():
            generator.linear.bias.fill_(1.0)  # generated grey levels differ from real ones on average
        players = {"generator": generator, "discriminator": discriminator}
        record = Record(real, z, discriminator.seen, copy.deepcopy(discriminator), generator.made)
        for weights in () if held is None else (*generator.parameters(), *discriminator.parameters()):
            weights.grad = torch.full_like(weights, held)
        optimizers = {
            name: NotingSGD(player, lambda name=name: note(record, name, generator, discriminator))
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
    return record, torch.cat([_weights(player) for player in players.values()])


def _weights(network: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def _real_rows(batch: Tensor, real: Tensor) -> Tensor:
    """Which images of a batch are real ones, as they were given: (B,) of booleans."""
    return (batch[:, None] - real[None]).flatten(2).abs().amax(2).min(1).values < 1e-6


def _in_unit_range(record: Record) -> Record:
    """The record in [0, 1], where the step shows real *and* generated images as 2x − 1: a right repair too.

    The first layer of this D is a BatchNorm, which takes a common stretch out again.
    """
    images, shown = torch.cat([record.real, *record.made]), torch.cat(record.seen)
    if not _real_rows(shown, 2 * images - 1).all() or _real_rows(shown, images).any():
        return record

    def back(x: Tensor) -> Tensor:
        return (x + 1) / 2

    pushes = {who: [(back(x), slope) for x, slope in own] for who, own in record.pushes.items()}
    return replace(record, seen=[back(x) for x in record.seen], pushes=pushes)


def _ranges(record: Record) -> Iterator[str]:
    """Whether the discriminator sees real and generated images in one range."""
    low, high = (
        min(float(x.min()) for x in record.seen),
        max(float(x.max()) for x in record.seen),
    )
    if low < 0 or high > 1:
        yield (
            f"the discriminator was shown grey levels from {low:.2f} to {high:.2f}. Real and generated "
            "images must lie in one range, here [0, 1]: otherwise D can win by looking at the range alone."
        )
    elif sum(int(_real_rows(x, record.real).sum()) for x in record.seen) < len(record.real):
        yield (
            "the discriminator never saw all real images with the grey levels that they have. They are in "
            "[0, 1], as the generated ones are after the sigmoid, and must lie in one range: show them as "
            "they are."
        )


def _batches(record: Record) -> Iterator[str]:
    """Whether each batch is of one kind."""
    kinds = [_real_rows(x, record.real) for x in record.seen]
    long = any(len(x) > len(record.real) for x in record.seen)
    if long or any(kind.any() and not kind.all() for kind in kinds):
        judge_of = copy.deepcopy(record.first)
        both = torch.cat([record.real, torch.zeros_like(record.real)])
        with torch.no_grad():
            apart, together = (float(judge_of(x)[0].sigmoid()) for x in (record.real, both))
        yield (
            "real and generated images went through a discriminator with BatchNorm in one batch: they are "
            "then standardised together, and the verdict on an image depends on the others. The same D gives "
            f"the same real image {apart:.2f} among real ones and {together:.2f} beside black ones. Judge "
            "them apart."
        )


def _on_made(record: Record, player: str) -> Tensor:
    """With which slopes one player pushed the logits of generated images: (N,); below zero is "real"."""
    every = [push for pushes in record.pushes.values() for push in pushes]
    made = torch.cat(record.made)
    found = [slope[_real_rows(x, made)] for x, slope in record.pushes[player] or every]
    return torch.cat(found) if found else torch.zeros(0)


def _told(record: Record) -> Iterator[str]:
    """Whether the discriminator learns that generated images are generated."""
    slopes = _on_made(record, "discriminator")
    if (slopes < 0).any() and not (slopes > 0).any():
        yield "after this step the discriminator takes what G has made for real more readily than before."


def _wished(record: Record) -> Iterator[str]:
    """Whether the generator wants its images to be taken for real."""
    slopes = _on_made(record, "generator")
    if (slopes > 0).any() and not (slopes < 0).any():
        yield (
            "the generator's loss falls when its images are found out. With every step they are easier to "
            "tell from real ones."
        )


def _own_push(record: Record) -> Iterator[str]:
    """The generator must follow its own loss alone, as D was before or after D's step."""
    sign = -1 if any(_wished(record)) else 1  # a wrong wish is another mistake, and named there
    for held, generator, discriminator, left in record.moves:
        if not any(gradient.any() for gradient in left):
            continue
        own = [_push(generator, judge_of, record.z, sign) for judge_of in (discriminator, record.first)]
        along = any(torch.cosine_similarity(held, each, 0) > 0.999 for each in own)
        rests = [held - other - each for other in left for each in own]  # near zero if `left` is still in it
        if along and min(rest.norm() for rest in rests) > 1e-4 * held.norm():
            continue
        both = own[1] + left[-1]
        kept = float(both @ own[1] / own[1].square().sum())
        yield (
            "the generator stepped along its own gradient plus what D's loss had left in it. That "
            f"makes {kept:.0%} of the way that its own loss asks for. D's loss wants images that are "
            "found out; together the two are -log D - log(1 - D), smallest at D = 1/2, so G stands still "
            "where D is unsure. Detach the generated images for D, or clear G's gradients before its own "
            "backward."
        )
        return


def _push(generator: Logits, discriminator: SeenBatches, z: Tensor, sign: int = 1) -> Tensor:
    """What -log D(G(z)) alone would leave in the generator (sign -1: what -log(1 - D(G(z))) would), flat."""
    verdict = copy.deepcopy(discriminator)(generator(z).sigmoid())
    loss = nn.functional.softplus(-sign * verdict).mean()
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(generator.parameters()))])
