"""The bug hunt of notebook 04: each mistake is found by itself, and no right step is rejected."""

import pytest
import torch
from test_exercises import verdict_of
from torch.nn.functional import softplus

from medgen_course.exercises import check_cyclegan_bug_hunt
from medgen_course.models.gan_objectives import squared_discriminator, squared_generator
from medgen_course.models.image_pool import ImagePool


def distances(*pairs):
    """Sum over pairs of images of the mean absolute difference between them."""
    return sum((x - y).abs().mean() for x, y in pairs)


@pytest.mark.parametrize("step", [lambda *_: None, None])
def test_a_stub_is_not_attempted(step, capsys):
    assert verdict_of(check_cyclegan_bug_hunt, step, capsys).status == "not attempted"


def broken(g_ab, g_ba, d_a, d_b, optimizers, a, b):
    fake_a, fake_b = g_ba(b), g_ab(a)
    for optimizer in optimizers.values():
        optimizer.zero_grad()
    loss_d = squared_discriminator(d_a(a), d_a(fake_b)) + squared_discriminator(d_b(b), d_b(fake_a))
    loss_d.backward(retain_graph=True)
    optimizers["discriminators"].step()
    adversarial = squared_generator(d_a(fake_a)) + squared_generator(d_b(fake_b))
    cycle = (g_ba(fake_b) - a).abs().mean() + (g_ab(fake_a) - b).abs().mean()
    identity = (g_ab(a) - a).abs().mean() + (g_ba(b) - b).abs().mean()
    (adversarial + 10 * cycle + 5 * identity).backward()
    optimizers["generators"].step()


def repaired(g_ab, g_ba, d_a, d_b, optimizers, a, b):
    fake_a, fake_b = g_ba(b), g_ab(a)
    for optimizer in optimizers.values():
        optimizer.zero_grad()
    shown_a, shown_b = fake_a.detach(), fake_b.detach()
    (squared_discriminator(d_a(a), d_a(shown_a)) + squared_discriminator(d_b(b), d_b(shown_b))).backward()
    optimizers["discriminators"].step()
    adversarial = squared_generator(d_a(fake_a)) + squared_generator(d_b(fake_b))
    cycle = (g_ba(fake_b) - a).abs().mean() + (g_ab(fake_a) - b).abs().mean()
    identity = (g_ab(b) - b).abs().mean() + (g_ba(a) - a).abs().mean()
    (adversarial + 10 * cycle + 5 * identity).backward()
    optimizers["generators"].step()


def pair(generator, source, target):
    """Translation and identity in one pass."""
    return generator(torch.cat([source, target])).chunk(2)


def hunted(domains="", identity="", attached=False, order="DG", clear=True, scale=1.0, way="apart"):
    """A step with the chosen mistakes, in one of many right forms."""

    def step(g_ab, g_ba, d_a, d_b, optimizers, a, b):
        def judges():
            fake_a, fake_b = g_ba(b), g_ab(a)
            if not attached:
                fake_a, fake_b = fake_a.detach(), fake_b.detach()
            real_a, real_b = (b, a) if domains == "real" else (a, b)
            if domains == "fake":
                fake_a, fake_b = fake_b, fake_a
            loss = 0.0
            for judge, real, fake in ((d_a, real_a, fake_a), (d_b, real_b, fake_b)):
                if domains == "left out":
                    loss = loss + (judge(real) - 1).square().sum()
                elif way == "together":
                    on_real, on_fake = judge(torch.cat([real, fake])).chunk(2)
                    loss = loss + squared_discriminator(on_real, on_fake)
                elif way == "entropy":
                    loss = loss + softplus(-judge(real)).mean() + softplus(judge(fake)).mean()
                else:
                    loss = loss + (judge(real) - 1).square().mean() + judge(fake).square().mean()
            optimizers["discriminators"].zero_grad()
            (scale * loss).backward()
            optimizers["discriminators"].step()

        def makers():
            for judge in (d_a, d_b):
                judge.requires_grad_(False)
            if way == "together":
                (fake_b, same_b), (fake_a, same_a) = pair(g_ab, a, b), pair(g_ba, b, a)
            else:
                fake_b, same_b = g_ab(a), g_ab(a if identity == "source" else b)
                fake_a, same_a = g_ba(b), g_ba(b if identity in ("source", "one") else a)
            on = (d_a(fake_b), d_b(fake_a)) if domains == "generators" else (d_a(fake_a), d_b(fake_b))
            adversarial = sum((logits - 1).square().mean() for logits in on)
            cycle = distances((g_ba(fake_b), a), (g_ab(fake_a), b))
            compared = {
                "": ((same_b, b), (same_a, a)),
                "source": ((same_b, a), (same_a, b)),
                "one": ((same_b, b), (same_a, b)),
                "other": ((same_b, a), (same_a, b)),
            }[identity]
            if clear:
                optimizers["generators"].zero_grad()
            (scale * (adversarial + 10 * cycle + 5 * distances(*compared))).backward()
            optimizers["generators"].step()
            for judge in (d_a, d_b):
                judge.requires_grad_(True)

        for player in order:
            {"D": judges, "G": makers}[player]()

    return step


def both_backward_then_both_steps(g_ab, g_ba, d_a, d_b, optimizers, a, b, attached=False):
    """One graph for both losses; the optimisers step at the end."""
    fake_a, fake_b = g_ba(b), g_ab(a)
    cycle, same = distances((g_ba(fake_b), a), (g_ab(fake_a), b)), distances((g_ab(b), b), (g_ba(a), a))
    for optimizer in optimizers.values():
        optimizer.zero_grad()
    (squared_generator(d_a(fake_a)) + squared_generator(d_b(fake_b)) + 10 * cycle + 5 * same).backward(
        retain_graph=attached
    )
    optimizers["discriminators"].zero_grad()
    shown_a, shown_b = (fake_a, fake_b) if attached else (fake_a.detach(), fake_b.detach())
    (squared_discriminator(d_a(a), d_a(shown_a)) + squared_discriminator(d_b(b), d_b(shown_b))).backward()
    for optimizer in optimizers.values():
        optimizer.step()


def with_pool_and_no_grad(g_ab, g_ba, d_a, d_b, optimizers, a, b):
    hunted(order="G")(g_ab, g_ba, d_a, d_b, optimizers, a, b)
    with torch.no_grad():
        fake_a, fake_b = ImagePool(3).swap(g_ba(b)), ImagePool(3, seed=1).swap(g_ab(a))
    optimizers["discriminators"].zero_grad()
    for judge, real, fake in ((d_a, a, fake_a), (d_b, b, fake_b)):
        squared_discriminator(judge(real), judge(fake)).backward()
    optimizers["discriminators"].step()


@pytest.mark.parametrize(
    "step",
    [
        repaired,
        hunted(),
        hunted(order="GD"),
        hunted(scale=0.01),
        hunted(scale=20.0),
        hunted(way="together"),
        hunted(way="together", order="GD"),
        hunted(way="entropy"),
        both_backward_then_both_steps,
        with_pool_and_no_grad,
    ],
)
def test_repaired_steps_in_many_forms(step, capsys):
    assert verdict_of(check_cyclegan_bug_hunt, step, capsys).right


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (hunted(domains="fake"), "d_a was shown what g_ab made; d_b was shown what g_ba made"),
        (hunted(domains="real"), "d_a was shown the real b; d_b was shown the real a"),
        (hunted(domains="generators"), "d_a was shown what g_ab made"),
        (hunted(domains="left out"), "d_a never learnt that what g_ba makes is generated"),
        (hunted(identity="source"), "g_ab was never fed with b; g_ba was never fed with a"),
        (hunted(identity="one"), "- g_ba was never fed with a"),
        (hunted(identity="other"), "what g_ab makes of b is not pulled towards that same b"),
        (hunted(attached=True), "the discriminators' loss went on through d_a and d_b"),
        (hunted(attached=True, order="GD"), "the discriminators' loss went on through d_a and d_b"),
        (hunted(attached=True, way="together"), "the discriminators' loss went on through d_a and d_b"),
        (lambda *a: both_backward_then_both_steps(*a, attached=True), "the discriminators' loss went on"),
    ],
)
def test_each_mistake_is_found_by_itself(step, message, capsys):
    verdict = verdict_of(check_cyclegan_bug_hunt, step, capsys)
    assert verdict.message.startswith("1 of 3 mistakes remain.") and message in verdict.message


@pytest.mark.parametrize("way", ["apart", "together"])
@pytest.mark.parametrize("domains", ["", "fake"])
@pytest.mark.parametrize("identity", ["", "source"])
@pytest.mark.parametrize("attached", [False, True])
def test_any_number_of_mistakes_is_counted(way, domains, identity, attached, capsys):
    verdict = verdict_of(check_cyclegan_bug_hunt, hunted(domains, identity, attached, way=way), capsys)
    count = sum(map(bool, (domains, identity, attached)))
    assert verdict.right if not count else verdict.message.startswith(f"{count} of 3 mistakes remain.")


def test_gradients_that_are_never_cleared_are_a_mistake_of_their_own(capsys):
    message = verdict_of(check_cyclegan_bug_hunt, hunted(clear=False), capsys).message
    assert message.startswith("1 of 3") and "must start from cleared gradients" in message
    both = verdict_of(check_cyclegan_bug_hunt, hunted(attached=True, clear=False), capsys).message
    assert both.startswith("2 of 3") and "loss went on through d_a and d_b" in both


def test_the_broken_cell_has_all_three(capsys):
    message = verdict_of(check_cyclegan_bug_hunt, broken, capsys).message
    assert message.startswith("3 of 3 mistakes remain.\n- d_a was shown") and message.count("\n- ") == 3


def test_swapped_targets_are_noticed(capsys):
    def step(g_ab, g_ba, d_a, d_b, optimizers, a, b):
        hunted(order="G")(g_ab, g_ba, d_a, d_b, optimizers, a, b)
        optimizers["discriminators"].zero_grad()
        fake_a, fake_b = g_ba(b).detach(), g_ab(a).detach()
        (squared_discriminator(d_a(fake_a), d_a(a)) + squared_discriminator(d_b(fake_b), d_b(b))).backward()
        optimizers["discriminators"].step()

    assert (
        "d_a never learnt that a, as it is given, is real"
        in verdict_of(check_cyclegan_bug_hunt, step, capsys).message
    )


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (hunted(order="D"), "g_ba, g_ab did not move"),
        (hunted(order="G"), "d_a, d_b did not move"),
        (lambda g_ab, g_ba, d_a, d_b, optimizers, a, b: d_a(g_ba(b)).sum().backward(), "did not move"),
        (lambda g_ab, g_ba, d_a, d_b, optimizers, a, b: d_c(a), "NameError"),  # noqa: F821
    ],
)
def test_a_player_that_stands_still_is_said_once(step, message, capsys):
    verdict = verdict_of(check_cyclegan_bug_hunt, step, capsys)
    assert not verdict.right and message in verdict.message and "remain" not in verdict.message
