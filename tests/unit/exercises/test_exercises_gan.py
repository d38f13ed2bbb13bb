"""The checks of notebook 03: right answers, typical mistakes by name, each repair by itself."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from medgen_course import exercises
from medgen_course.exercises import gan_bug_hunt
from medgen_course.models.gan_objectives import gradient_penalty, non_saturating


def alternating(generator, discriminator, adam_g, adam_d, real, z, detach=True, clear=True, order="DG"):
    fake = generator(z)
    for player in order:
        if player == "D":
            if clear:
                adam_d.zero_grad()
            shown = fake.detach() if detach else fake
            loss = softplus(-discriminator(real)).mean() + softplus(discriminator(shown)).mean()
            loss.backward(retain_graph=not detach)
            adam_d.step()
        else:
            if clear:
                adam_g.zero_grad()
            softplus(-discriminator(fake)).mean().backward()
            adam_g.step()


def fresh(generator, discriminator, adam_g, adam_d, real, z):
    """Half the loss, generated images anew for the second half of the step, BCE instead of softplus."""
    entropy, one = nn.functional.binary_cross_entropy_with_logits, torch.ones(len(real))
    with torch.no_grad():
        fake = generator(z)
    adam_d.zero_grad()
    (entropy(discriminator(real), one) / 2 + entropy(discriminator(fake), 0 * one) / 2).backward()
    adam_d.step()
    adam_g.zero_grad()
    entropy(discriminator(generator(z)), one).backward()
    adam_g.step()


def no_detach(generator, discriminator, adam_g, adam_d, real, z):
    adam_d.zero_grad()
    adam_g.zero_grad()
    loss = softplus(-discriminator(real)).mean() + softplus(discriminator(generator(z))).mean()
    loss.backward()
    adam_d.step()
    adam_g.zero_grad()
    softplus(-discriminator(generator(z))).mean().backward()
    adam_g.step()


def no_gradient(generator, discriminator, adam_g, adam_d, real, z):
    fake = generator(z).detach()
    adam_d.zero_grad()
    (softplus(-discriminator(real)).mean() + softplus(discriminator(fake)).mean()).backward()
    adam_d.step()
    adam_g.zero_grad()
    adam_g.step()


def severed(logits):
    """The right number on a leaf of its own: it has a gradient, but none that reaches the logits."""
    return softplus(-logits).mean().detach().requires_grad_()


def swapped(generator, discriminator, adam_g, adam_d, real, z):
    fake = generator(z)
    adam_d.zero_grad()
    (softplus(discriminator(real)).mean() + softplus(-discriminator(fake.detach())).mean()).backward()
    adam_d.step()
    adam_g.zero_grad()
    softplus(-discriminator(fake)).mean().backward()
    adam_g.step()


def simultaneous(generator, discriminator, adam_g, adam_d, real, z, loss=lambda logits: softplus(-logits)):
    """Both gradients from the same D; with another loss, of G after D's step as it should be."""
    minimax = loss(torch.zeros(1)) < 0
    judged = None if minimax else loss(discriminator(generator(z))).mean()
    slopes = None if minimax else torch.autograd.grad(judged, list(generator.parameters()))
    adam_d.zero_grad()
    (softplus(-discriminator(real)).mean() + softplus(discriminator(generator(z).detach())).mean()).backward()
    adam_d.step()
    adam_g.zero_grad()
    if minimax:
        loss(discriminator(generator(z))).mean().backward()
    else:
        for weight, slope in zip(generator.parameters(), slopes, strict=True):
            weight.grad = slope
    adam_g.step()


def whole(step):
    """A step written for a whole batch, on the first part alone."""
    return lambda *given: step(*given[:4], *given[4][0])


def part_loss(generator, discriminator, real, z, detach=True):
    fake = generator(z)
    shown = fake.detach() if detach else fake
    return softplus(-discriminator(real)).sum() + softplus(discriminator(shown)).sum()


def in_parts(generator, discriminator, adam_g, adam_d, parts, weight=None, clear="once", g_weight=None):
    """Sums over images, divided by their number; or with another weight for each part."""
    count = sum(len(z) for _, z in parts)
    weight = weight or (lambda n, k: 1 / count)
    adam_d.zero_grad()
    for real, z in parts:
        if clear == "each":
            adam_d.zero_grad()
        (part_loss(generator, discriminator, real, z) * weight(len(z), len(parts))).backward()
    adam_d.step()
    adam_g.zero_grad()
    for _, z in parts:
        loss = softplus(-discriminator(generator(z))).sum()
        (loss * (g_weight or weight)(len(z), len(parts))).backward()
    adam_g.step()


def by_shares(generator, discriminator, adam_g, adam_d, parts):
    """Means with shares, half of D's loss, both kinds joined, D's loss through G but cleared."""
    count, entropy = sum(len(z) for _, z in parts), nn.functional.binary_cross_entropy_with_logits
    weights, total = list(discriminator.parameters()), None
    for real, z in parts:
        target = torch.tensor([1.0, 0.0]).repeat_interleave(len(z))
        loss = entropy(discriminator(torch.cat([real, generator(z)])), target) * len(z) / count
        slopes = torch.autograd.grad(loss, weights)
        total = slopes if total is None else [t + s for t, s in zip(total, slopes, strict=True)]
    for weight, slope in zip(weights, total, strict=True):
        weight.grad = slope
    adam_d.step()
    generator.zero_grad()
    for _, z in parts:
        (-nn.functional.logsigmoid(discriminator(generator(z))).mean() * len(z) / count).backward()
    adam_g.step()


def through_both(generator, discriminator, adam_g, adam_d, parts, last=True):
    """D's loss runs back through G; cleared before G's own turn, or not."""
    count = sum(len(z) for _, z in parts)
    adam_d.zero_grad()
    adam_g.zero_grad()
    for part in parts:
        (part_loss(generator, discriminator, *part, detach=False) / count).backward()
    adam_d.step()
    if last:
        adam_g.zero_grad()
    for _, z in parts:
        (softplus(-discriminator(generator(z))).sum() / count).backward()
    adam_g.step()


def one_by_one(generator, discriminator, adam_g, adam_d, parts):
    """The step of section 6, once for each part."""
    for part in parts:
        fresh(generator, discriminator, adam_g, adam_d, *part)


def one_player_by_one(generator, discriminator, adam_g, adam_d, parts):
    for real, z in parts:
        adam_d.zero_grad()
        part_loss(generator, discriminator, real, z).div(len(z)).backward()
        adam_d.step()
    for _, z in parts:
        adam_g.zero_grad()
        softplus(-discriminator(generator(z))).mean().backward()
        adam_g.step()


def joined(generator, discriminator, adam_g, adam_d, parts):
    alternating(generator, discriminator, adam_g, adam_d, *map(torch.cat, zip(*parts, strict=True)))


def all_at_the_end(generator, discriminator, adam_g, adam_d, parts):
    """The right gradients, from one backward over the graphs of all parts."""
    count = sum(len(z) for _, z in parts)
    adam_d.zero_grad()
    (sum(part_loss(generator, discriminator, *part) for part in parts) / count).backward()
    adam_d.step()
    adam_g.zero_grad()
    (sum(softplus(-discriminator(generator(z))).sum() for _, z in parts) / count).backward()
    adam_g.step()


def kept_graphs(generator, discriminator, adam_g, adam_d, parts):
    """G runs once for each part, so its graphs wait while D learns."""
    count, fakes = sum(len(z) for _, z in parts), [generator(z) for _, z in parts]
    adam_d.zero_grad()
    for (real, _), fake in zip(parts, fakes, strict=True):
        (part_loss(lambda made: made, discriminator, real, fake) / count).backward()
    adam_d.step()
    adam_g.zero_grad()
    for fake in fakes:
        (softplus(-discriminator(fake)).sum() / count).backward()
    adam_g.step()


STEP = exercises.check_alternating_step


@pytest.mark.parametrize("step", [in_parts, by_shares, through_both])
def test_a_step_is_right_however_its_parts_are_added_up(step):
    state = torch.get_rng_state()
    assert STEP(step).right
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda *given: None, "write its body"),
        (whole(simultaneous), "before its step"),
        (whole(lambda *p: simultaneous(*p, lambda x: -softplus(x))), "minimax"),
        (whole(no_gradient), "must not be detached"),
        (whole(swapped), "swapped"),
        (whole(lambda *p: alternating(*p, clear=False)), "zero_grad"),
        (whole(lambda *p: alternating(*p, order="GD")), "one step of D, then"),
        (whole(lambda *p: alternating(*p, order="D")), "found steps of ['D']"),
        (whole(no_detach), "only the first part was used"),
        (lambda *p: through_both(*p, last=False), "D's loss is still in G's gradient"),
        (one_by_one, "found steps of ['D', 'G', 'D', 'G']. All parts are one batch"),
        (one_player_by_one, "found steps of ['D', 'D', 'G', 'G']. All parts are one batch"),
        (lambda *p: in_parts(*p, weight=lambda n, k: 1 / n / k), "every part has the same weight"),
        (lambda *p: in_parts(*p, weight=lambda n, k: 1 / n), "the means of the parts are added"),
        (lambda *p: in_parts(*p, weight=lambda n, k: 1), "take the mean over all of them"),
        (lambda *p: in_parts(*p, weight=lambda n, k: 1 / n, clear="each"), "only the last part counts"),
        (lambda *p: in_parts(*p, g_weight=lambda n, k: 1 / n / k), "G's gradient is not that of the non-sat"),
        (joined, "was shown 5 images at once"),
        (all_at_the_end, "the parts save little memory"),
        (kept_graphs, "the parts save little memory"),
        (lambda *a: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_mistakes_in_the_step_are_named(step, message):
    verdict = STEP(step)
    assert not verdict.right and message in verdict.message


def test_a_step_that_is_right_for_a_whole_batch_only_is_told_with_which_parts_it_fails():
    """One part that holds everything hides each mistake with parts; the message says how it was cut."""
    verdict = STEP(lambda *p: in_parts(*p, weight=lambda n, k: 1 / n / k))
    assert verdict.message.startswith("With a batch of 5 in parts of 4 + 1: D's gradient")


def columns(critic, real, fake, share):
    return penalty(critic, real * share, fake * share, torch.ones(len(real)))


def penalty(critic, real, fake, share, power=2, create=True, batch=False, root=True, one=1.0, by=None):
    share = share.view(-1, 1, 1, 1)
    points = (share * real + (1 - share) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=create)
    norm = slope.norm() if batch else slope.flatten(1).norm(dim=1)
    norm = norm * (points[0].numel() ** 0.5 if by is None else by(points))
    return ((norm if root else norm**2) - one).abs().pow(power).mean()


def of_scaled_scores(critic, real, fake, share):
    """The package's penalty: a steeper critic where distances are shorter."""
    return gradient_penalty(lambda x: critic(x) * real[0].numel() ** 0.5, real, fake, share=share)


def of_single_images(critic, real, fake, share):
    """The same by the root mean square of the slopes, image by image, and without sum over scores."""
    costs = []
    for x, y, s in zip(real, fake, share, strict=True):
        point = torch.lerp(y, x, float(s))[None].requires_grad_()
        (slope,) = torch.autograd.grad(critic(point)[0], point, create_graph=True)
        costs.append((slope.square().mean().sqrt() * slope.numel() - 1) ** 2)
    return sum(costs) / len(costs)


def with_a_small_number(critic, real, fake, share):
    """The root has a small number under it, for its slope at 0; scores go in as they are."""
    s = share[:, None, None, None]
    points = torch.lerp(fake, real, s).requires_grad_()
    (slope,) = torch.autograd.grad(critic(points), points, torch.ones(len(real)), create_graph=True)
    length = (slope.square().flatten(1).sum(1) + 1e-8).sqrt()
    return ((math.sqrt(slope[0].numel()) * length - 1) ** 2).mean()


def rectified(critic, real, fake, share):
    """One-sided: only what is too steep costs."""
    share = share.view(-1, 1, 1, 1)
    points = (share * real + (1 - share) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return (slope.flatten(1).norm(dim=1) * points[0].numel() ** 0.5 - 1).relu().square().mean()


def mean_first(critic, real, fake, share):
    """The mean slope of the batch is held against 1."""
    share = share.view(-1, 1, 1, 1)
    points = (share * real + (1 - share) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return (slope.flatten(1).norm(dim=1).mean() * points[0].numel() ** 0.5 - 1) ** 2


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (exercises.check_non_saturating, non_saturating),
        (exercises.check_non_saturating, lambda logits: -nn.functional.logsigmoid(logits).mean()),
        (exercises.check_gradient_penalty, penalty),
        (exercises.check_gradient_penalty, of_scaled_scores),
        (exercises.check_gradient_penalty, of_single_images),
        (exercises.check_gradient_penalty, with_a_small_number),
    ],
)  # fmt: skip
def test_right_answers(check, answer):
    state = torch.get_rng_state()
    assert check(answer).right
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("check", "answer", "message"),
    [
        (exercises.check_non_saturating, lambda logits: None, "write its body"),
        (exercises.check_non_saturating, lambda logits: (1 - logits.sigmoid()).log().mean(), "minimax"),
        (exercises.check_non_saturating, lambda logits: -softplus(-logits).mean(), "sign is wrong"),
        (exercises.check_non_saturating, lambda logits: softplus(-logits).sum(), "average it"),
        (exercises.check_non_saturating, lambda logits: softplus(-logits), "should be a scalar"),
        (exercises.check_non_saturating, lambda logits: -logits.sigmoid().log().mean(), "underflows"),
        (exercises.check_non_saturating, lambda logits: softplus(-logits.detach()).mean(), "no gradient"),
        (exercises.check_non_saturating, lambda logits: severed(logits), "no gradient flows back"),
        (exercises.check_gradient_penalty, lambda *a: None, "write its body"),
        (exercises.check_gradient_penalty, lambda *a: gradient_penalty(*a[:3], share=a[3]), "of section 4"),
        (
            exercises.check_gradient_penalty,
            lambda *a: penalty(*a, by=lambda x: x[0].numel() ** -0.5),
            "divided",
        ),
        (
            exercises.check_gradient_penalty,
            lambda *a: penalty(*a, by=lambda x: x[0].numel()),
            "multiplied by P",
        ),
        (
            exercises.check_gradient_penalty,
            lambda *a: penalty(*a, by=lambda x: x[0, 0].numel() ** 0.5),
            "channels",
        ),
        (
            exercises.check_gradient_penalty,
            lambda *a: penalty(*a, by=lambda x: x.numel() ** 0.5),
            "whole batch",
        ),
        (
            exercises.check_gradient_penalty,
            lambda *a: penalty(*a, by=lambda x: 28),
            "On images of shape (1, 3, 2)",
        ),
        (exercises.check_gradient_penalty, lambda *a: penalty(*a, batch=True), "over the whole batch"),
        (exercises.check_gradient_penalty, lambda *a: penalty(*a, root=False), "square root is missing"),
        (exercises.check_gradient_penalty, lambda *a: penalty(*a, one=0.0), "not held against 1"),
        (exercises.check_gradient_penalty, lambda *a: penalty(*a, power=1), "without the square"),
        (exercises.check_gradient_penalty, lambda *a: 2 * penalty(*a), "average it"),
        (exercises.check_gradient_penalty, rectified, "too flat costs as much"),
        (exercises.check_gradient_penalty, mean_first, "makes up for a flat one"),
        (exercises.check_gradient_penalty, lambda *a: penalty(*a, create=False), "keep its graph"),
        (exercises.check_gradient_penalty, lambda c, r, f, s: penalty(c, r, f, 1 - s), "wrong end"),
        (exercises.check_gradient_penalty, lambda c, r, f, s: penalty(c, r, r, s), "these are the real"),
        (exercises.check_gradient_penalty, lambda c, r, f, s: penalty(c, f, f, s), "these are the gener"),
        (exercises.check_gradient_penalty, columns, "went along the columns"),
        (
            exercises.check_gradient_penalty,
            lambda *a: penalty(*a).detach().requires_grad_(),
            "keep its graph",
        ),
        (exercises.check_gradient_penalty, lambda *a: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_mistakes_are_named(check, answer, message):
    verdict = check(answer)
    assert not verdict.right and message in verdict.message


def stretched(x):
    return 2 * x - 1


def hunted(bad_range=False, mixed=False, attached=False, cleared=False, to=stretched, made=lambda x: x):
    """The step of the bug hunt with the chosen mistakes; `cleared` repairs the third without a detach."""

    def step(generator, discriminator, optimizers, real, z):
        real = to(real) if bad_range else real
        fake = made(generator(z).sigmoid())
        shown = fake if attached else fake.detach()
        if mixed:
            on_real, on_fake = discriminator(torch.cat([real, shown])).chunk(2)
        else:
            on_real, on_fake = discriminator(real), discriminator(shown)
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        (softplus(-on_real).mean() + softplus(on_fake).mean()).backward(retain_graph=attached)
        optimizers["discriminator"].step()
        if cleared:
            optimizers["generator"].zero_grad()
        softplus(-discriminator(made(generator(z).sigmoid()))).mean().backward()
        optimizers["generator"].step()

    return step


@pytest.mark.parametrize("repair", [{}, {"cleared": True}, {"attached": True, "cleared": True}])
def test_every_repaired_step_is_right(repair):
    assert exercises.check_gan_bug_hunt(hunted(**repair)).right


def test_one_range_for_both_may_also_be_minus_one_to_one():
    """Both stretched is as right as neither; every other mistake is still found beside it."""
    both = {"bad_range": True, "made": stretched}
    assert exercises.check_gan_bug_hunt(hunted(**both)).right
    for mistake, message in {"mixed": "in one batch", "attached": "D's loss had left in it"}.items():
        verdict = exercises.check_gan_bug_hunt(hunted(**both, **{mistake: True}))
        assert verdict.message.startswith("1 of 3") and message in verdict.message
    verdict = exercises.check_gan_bug_hunt(hunted(made=stretched))
    assert verdict.message.startswith("1 of 3") and "must lie in one range" in verdict.message


def test_the_planted_mistake_changes_where_the_generator_goes():
    """Without its detach the step of the bug hunt moves the generator elsewhere; the check says how far."""
    weights = []
    for attached in (False, True):
        torch.manual_seed(0)
        generator, discriminator = gan_bug_hunt.Logits(), gan_bug_hunt.SeenBatches()
        players = {"generator": generator, "discriminator": discriminator}
        optimizers = {n: torch.optim.SGD(p.parameters(), 0.1) for n, p in players.items()}
        real, z = torch.rand(6, 1, 2, 2), torch.randn(6, 3)
        hunted(attached=attached)(generator, discriminator, optimizers, real, z)
        weights.append(nn.utils.parameters_to_vector(generator.parameters()))
    assert not torch.allclose(*weights, atol=1e-3)
    verdict = exercises.check_gan_bug_hunt(hunted(attached=True))
    assert "% of the way that its own loss asks for" in verdict.message


@pytest.mark.parametrize(
    ("mistakes", "message"),
    [
        ({"bad_range": True}, "must lie in one range"),
        ({"mixed": True}, "in one batch"),
        ({"attached": True}, "D's loss had left in it"),
    ],
)
def test_each_mistake_is_found_by_itself(mistakes, message):
    verdict = exercises.check_gan_bug_hunt(hunted(**mistakes))
    assert not verdict.right and verdict.message.startswith("1 of 3") and message in verdict.message


def test_all_mistakes_at_once_and_a_stub():
    verdict = exercises.check_gan_bug_hunt(hunted(True, True, True))
    assert verdict.message.startswith("3 of 3")
    assert exercises.check_gan_bug_hunt(lambda *a: None).status == "not attempted"


@pytest.mark.parametrize(
    "to", [lambda x: 255 * x, lambda x: x / 255, lambda x: (x + 1) / 2, torch.zeros_like]
)
def test_real_images_in_any_other_range_are_noticed(to):
    verdict = exercises.check_gan_bug_hunt(hunted(bad_range=True, to=to))
    assert verdict.message.startswith("1 of 3") and "must lie in one range" in verdict.message


def generator_first(generator, discriminator, optimizers, real, z):
    optimizers["generator"].zero_grad()
    softplus(-discriminator(generator(z).sigmoid())).mean().backward()
    optimizers["generator"].step()
    optimizers["discriminator"].zero_grad()
    shown = generator(z).sigmoid().detach()
    (softplus(-discriminator(real)).mean() + softplus(discriminator(shown)).mean()).backward()
    optimizers["discriminator"].step()


def half_and_half(generator, discriminator, optimizers, real, z):
    fake = generator(z).sigmoid().detach()
    logits = [discriminator(torch.cat([real[part], fake[part]])) for part in (slice(3), slice(3, 6))]
    optimizers["discriminator"].zero_grad()
    sum((softplus(-both[:3]) + softplus(both[3:])).mean() for both in logits).backward()
    optimizers["discriminator"].step()
    optimizers["generator"].zero_grad()
    softplus(-discriminator(generator(z).sigmoid())).mean().backward()
    optimizers["generator"].step()


def test_the_generator_may_move_first_and_half_batches_are_noticed():
    assert exercises.check_gan_bug_hunt(generator_first).right
    verdict = exercises.check_gan_bug_hunt(half_and_half)
    assert verdict.message.startswith("1 of 3") and "in one batch" in verdict.message


def test_a_generator_that_stands_still_is_said_once():
    def step(generator, discriminator, optimizers, real, z):
        shown = generator(z).sigmoid().detach()
        (softplus(-discriminator(real)).mean() + softplus(discriminator(shown)).mean()).backward()
        optimizers["discriminator"].step()

    verdict = exercises.check_gan_bug_hunt(step)
    assert verdict.message.startswith("the generator did not move") and "\n" not in verdict.message
