"""Check of notebook 03: one alternating step of both players, on a batch that comes in parts."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from medgen_course.exercises.gan_step_noting import LEFT_OVER, Batch, Step, take
from medgen_course.exercises.verdict import Finding, Verdict, judge, not_attempted

Parts = list[tuple[Tensor, Tensor]]
CUTS = ((5,), (4, 1), (1, 1, 1, 1, 1))  # the same five images: whole, in unequal parts, one by one
soft = nn.functional.softplus


def check_alternating_step(
    fn: Callable[[nn.Module, nn.Module, torch.optim.Optimizer, torch.optim.Optimizer, Parts], None],
) -> Verdict:
    """Check one alternating step of both players on a batch that comes in parts.

    Args:
        fn: (generator, discriminator, generator's optimiser, discriminator's optimiser, parts), where parts
            is a list of pairs: real images (B, ...) and as many codes. First one step of the discriminator,
            then one of the generator, both for the means over all images. What it returns is ignored.
    """
    praise = "However the batch is cut, both players go where the whole batch sends them, D first."
    return judge("alternating step", fn, _examine, praise)


def _examine(fn: Callable) -> None:
    held = [_examine_cut(fn, Batch(cut)) for cut in CUTS]
    if held[-1] > held[0] / 2:
        raise Finding(
            f"{Batch(CUTS[-1])}both players go to the right place, but the parts save little memory: "
            f"{held[-1]:,} numbers wait for backward at one time, {held[0]:,} where the batch is whole. Be "
            "done with a part, backward included, before you take up the next."
        )


def _examine_cut(fn: Callable, batch: Batch) -> int:
    """Examine the step on this batch; how many numbers waited for backward at most."""
    step = take(fn, batch)
    if not step.seen and not step.moves:
        raise not_attempted()
    _examine_moves([name for name, _ in step.moves], batch)
    _examine_seen(step.seen, batch)
    _compare_discriminator(step, batch)
    _compare_generator(step, batch)
    return step.held


def _examine_moves(moves: list[str], batch: Batch) -> None:
    if moves == ["D", "G"]:
        return
    found = f"{batch}expected one step of D, then one of G; found steps of {moves or 'nobody'}."
    if len(batch.cut) > 1 and len(moves) > 2:
        found += " All parts are one batch: a player moves once, when every part has had its say."
    raise Finding(found)


def _examine_seen(seen: list[tuple[str, Tensor]], batch: Batch) -> None:
    judged = torch.cat([x for name, x in seen if name == "D"] or [torch.zeros(0, 4)])
    if not (judged == batch.parts[0][0][0]).all(1).any():
        raise Finding("the discriminator never saw the real images.")
    for name, most in (
        ("G", max(batch.cut)),
        ("D", 2 * max(batch.cut)),
    ):  # a real and a made part may be joined
        shown = max((len(x) for player, x in seen if player == name), default=0)
        if shown > most:
            raise Finding(
                f"{batch}{name} was shown {shown} images at once. The batch comes in parts because it does "
                "not fit as a whole: show a network one part at a time."
            )


def _near(found: Tensor, expected: Tensor) -> bool:
    return torch.allclose(found, expected, rtol=1e-3, atol=1e-5)


def _cut_wrongly(slopes: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Usual mistakes with parts -> the gradient that they lead to."""
    return {
        "every part has the same weight, however few images are in it": slopes.mean(0),
        "the means of the parts are added, so more parts make a longer step": slopes.sum(0),
        "only the last part counts: what the others said was cleared away": slopes[-1],
        "only the first part was used": slopes[0],
        "the images are added up; take the mean over all of them": batch.whole(slopes) * sum(batch.cut),
    }


def _compare_discriminator(step: Step, batch: Batch) -> None:
    def loss(real: Tensor, z: Tensor, sign: int = 1) -> Tensor:
        fake = step.generator(z).detach()
        return soft(-sign * step.first(real)).mean() + soft(sign * step.first(fake)).mean()

    held, slopes = step.moves[0][1]["D"], batch.slopes(loss, step.first)
    expected = batch.whole(slopes)
    if any(_near(held, scale * expected) for scale in (1, 0.5)):  # some take half of the sum
        return
    if torch.allclose(held, expected + LEFT_OVER, rtol=1e-3, atol=1e-2):
        raise Finding(f"{batch}D's gradients of an earlier step are still there: call zero_grad first.")
    other_way = batch.slopes(lambda real, z: loss(real, z, -1), step.first)
    usual = {"real and generated images are swapped": batch.whole(other_way)} | _cut_wrongly(slopes, batch)
    hint = next((f": {text}" for text, g in usual.items() if _near(held, g) or _near(held, g / 2)), "")
    raise Finding(
        f"{batch}D's gradient is not that of the discriminator's loss, averaged over all images: its length "
        f"is {held.norm():.4f}, expected {expected.norm():.4f}{hint}."
    )


def _compare_generator(step: Step, batch: Batch) -> None:
    def slopes_by(discriminator: nn.Module, sign: int = 1) -> Tensor:
        return batch.slopes(
            lambda _, z: sign * soft(-sign * discriminator(step.generator(z))).mean(), step.generator
        )

    (_, at_first), (_, at_last) = step.moves
    earlier, held, slopes = at_first["G"], at_last["G"], slopes_by(step.discriminator)
    expected = batch.whole(slopes)
    if _near(held, expected):
        return
    if held.norm() < 1e-6:
        raise Finding(f"{batch}G's step had no gradient: the images it is judged by must not be detached.")
    if earlier.any() and torch.allclose(held, expected + earlier, rtol=1e-3, atol=1e-2):
        if (earlier == LEFT_OVER).all():
            raise Finding(f"{batch}G's gradients of an earlier step are still there: call zero_grad first.")
        raise Finding(f"{batch}D's loss is still in G's gradient: G moves to please its opponent's loss too.")
    usual = {
        "that is the verdict of D before its step: let D judge anew after it has moved": batch.whole(
            slopes_by(step.first)
        ),
        "that is the minimax loss log(1 - D), which is flat where D wins": batch.whole(
            slopes_by(step.discriminator, -1)
        ),
    } | _cut_wrongly(slopes, batch)
    hint = next((f": {text}" for text, g in usual.items() if _near(held, g)), "")
    raise Finding(
        f"{batch}G's gradient is not that of the non-saturating loss, averaged over all images, with D as it "
        f"is after its own step: its length is {held.norm():.4f}, expected {expected.norm():.4f}{hint}."
    )
