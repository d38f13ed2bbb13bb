"""The checks of notebook 04: right answers in several styles, usual mistakes by name."""

import math
import random

import pytest
import torch
from test_exercises import verdict_of
from torch.nn.functional import conv2d, l1_loss

from medgen_course import exercises
from medgen_course.models import cyclegan
from medgen_course.models.cyclegan_networks import PatchDiscriminator
from medgen_course.models.image_pool import ImagePool

loss, pool, field = (
    exercises.check_cycle_loss,
    exercises.check_image_pool,
    exercises.check_receptive_field,
)


def far(*pairs, norm=torch.abs, reduce=torch.mean):
    """Sum over pairs of images of the mean distance between them."""
    return sum(reduce(norm(x - y)) for x, y in pairs)


def both_at_once(a, b, g_ab, g_ba):
    """Two passes instead of four."""
    again_b, fake_b = g_ab(torch.cat([g_ba(b), a])).chunk(2)
    return l1_loss(g_ba(fake_b), a) + l1_loss(b, again_b)


def reservoir(pool, new, size, made, coin):
    place = int(coin * made)
    if len(pool) < size:
        pool.append(new)
    elif place < size:
        pool[place] = new
    return pool


def reservoir_of_digits(pool, new, size, made, coin):
    """The place from the last digits of the coin, which are as even as the coin."""
    place = len(pool) if len(pool) < size else int(coin * 1000) % made
    return [*pool[:place], new, *pool[place + 1 :]] if place < size else pool


def reservoir_in_two_decisions(pool, new, size, made, coin):
    """A list of its own; the new image enters where the coin is high; what is left of the coin says where."""
    enters = size / max(made, size)
    if coin < 1 - enters:
        return pool
    place = int((coin - 1 + enters) / enters * size)
    kept = [image for i, image in enumerate(pool) if i != place or made <= size]
    return (new.clone(), *kept)


def patch(kernels, strides, paddings, i):
    first = last = i
    for kernel, stride, padding in zip(kernels[::-1], strides[::-1], paddings[::-1], strict=True):
        first = first * stride - padding
        last = last * stride - padding + kernel - 1
    return first, last


def patch_forwards(kernels, strides, paddings, i):
    """Where logit 0 begins, how wide a patch is and how far apart they are, layer by layer."""
    begin, side, step = 0, 1, 1
    for kernel, stride, padding in zip(kernels, strides, paddings, strict=True):
        begin, side, step = begin - padding * step, side + (kernel - 1) * step, step * stride
    return torch.tensor([begin + i * step, begin + i * step + side - 1])


def patch_of_sets(kernels, strides, paddings, i):
    """All pixels that reach the logit, one by one."""
    seen = {i}
    for kernel, stride, padding in zip(kernels[::-1], strides[::-1], paddings[::-1], strict=True):
        seen = {at * stride - padding + k for at in seen for k in range(kernel)}
    return [min(seen), max(seen)]


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (loss, lambda a, b, g, f: far((f(g(a)), a), (g(f(b)), b))),
        (loss, lambda a, b, g, f: cyclegan.cycle_loss(a, f(g(a)), b, g(f(b))).reshape(1)),
        (loss, both_at_once),
        (pool, reservoir),
        (pool, reservoir_in_two_decisions),
        (pool, reservoir_of_digits),
        (field, patch),
        (field, patch_forwards),
        (field, patch_of_sets),
    ],
)
def test_right_answers(check, answer, capsys):
    assert verdict_of(check, answer, capsys).right


def seen_by(convolutions, size, i):
    """Which pixels of a row move logit i, asked by gradient; of the convolutions alone, with even weights."""
    x = torch.ones(1, 1, size, size, requires_grad=True)
    y = x
    for layer in convolutions:
        y = conv2d(y, torch.ones(1, 1, *layer.kernel_size), stride=layer.stride, padding=layer.padding)
    (slope,) = torch.autograd.grad(y[0, 0, i, i], x)
    moved = slope[0, 0].any(0).nonzero()
    return int(moved.min()), int(moved.max())


@pytest.mark.parametrize("strides", [1, 2, 3])
def test_the_patch_is_what_the_convolutions_see(strides):
    judge = PatchDiscriminator(1, 64, strides=strides)
    convolutions = [layer for layer in judge.layers if isinstance(layer, torch.nn.Conv2d)]
    shapes = [[getattr(c, name)[0] for c in convolutions] for name in ("kernel_size", "stride", "padding")]
    for i in (0, 2, 5):
        first, last = patch(*shapes, i)
        assert last - first + 1 == judge.receptive_field
        assert seen_by(convolutions, 64, i) == (max(first, 0), min(last, 63))


def test_every_judge_of_a_slice_sees_its_middle():
    """The note on exercise 3: of the 6 logits along a side of 32 pixels all see pixels 9 to 22, no others."""
    judge = PatchDiscriminator(1, 32)
    n = judge(torch.zeros(1, 1, 32, 32)).shape[-1]
    patches = [patch([4] * 4, judge.strides, [1] * 4, i) for i in range(n)]
    assert n == 6 and patches[0] == (-11, 22) and patches[-1] == (9, 42)
    seen_by_all = [x for x in range(32) if all(first <= x <= last for first, last in patches)]
    assert seen_by_all == list(range(9, 23))
    assert sum(first <= 0 <= last for first, last in patches) == 3


def test_the_pool_of_section_5_fades_as_the_note_on_exercise_2_says():
    """Of 50 images in a full pool about 37 % are still there after 100 more."""
    left = []
    for seed in range(40):
        history = ImagePool(50, seed)
        history.swap(torch.zeros(50, 1, 1, 1))
        history.swap(torch.ones(100, 1, 1, 1))
        left.append(float((history.images == 0).float().mean()))
    assert abs(sum(left) / len(left) - 0.37) < 0.03


def severed(a, b, g, f):
    return far((f(g(a)), a), (g(f(b)), b)).detach().requires_grad_()


@torch.no_grad()
def ungraded(a, b, g, f):
    return far((f(g(a)), a), (g(f(b)), b))


def one_learns(a, b, g, f):
    def frozen(x):
        return g(x.detach()).detach() + x - x.detach()

    return far((f(frozen(a)), a), (frozen(f(b)), b))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda a, b, g, f: None, "write its body"),
        (lambda a, b, g, f: (f(g(a)) - a).abs(), "should be a scalar"),
        (lambda a, b, g, f: far((f(g(a)), a)), "one direction, A to B to A"),
        (lambda a, b, g, f: far((g(f(b)), b)), "one direction, B to A to B"),
        (lambda a, b, g, f: far((f(g(a)), a), (g(f(b)), b), norm=torch.square), "squared"),
        (lambda a, b, g, f: far((f(g(a)), a), (g(f(b)), b), reduce=torch.sum), "summed over the pixels;"),
        (lambda a, b, g, f: far((f(g(a)), a), (g(f(b)), b), reduce=torch.sum) / len(a), "of an image"),
        (lambda a, b, g, f: far((f(g(a)), a), (g(f(b)), b)) / 2, "average of both"),
        (lambda a, b, g, f: far((f(g(a)), a), (g(f(b)), b), norm=torch.clone), "cancel"),
        (lambda a, b, g, f: far((g(f(a)), a), (f(g(b)), b)), "order is wrong"),
        (lambda a, b, g, f: far((g(a), a), (f(b), b)), "no way back: g_ab(a) is compared with its own"),
        (lambda a, b, g, f: far((g(a), b), (f(b), a)), "no way back: g_ab(a) is compared with b"),
        (lambda a, b, g, f: far((f(g(a)), b), (g(f(b)), a)), "compared with the other domain"),
        (lambda a, b, g, f: far((f(a), a), (g(b), b)), "identity loss"),
        (lambda a, b, g, f: 3 * far((f(g(a)), a), (g(f(b)), b)), "is 0."),
        (ungraded, "no gradient flows back to the generators"),
        (severed, "no gradient reaches g_ab"),
        (one_learns, "no gradient reaches g_ab"),
        (lambda a, b, g, f: far((f(g(a).detach()), a), (g(f(b)), b)), "g_ab gets only a part"),
        (lambda a, b, g, f: far((f(g(a)), a), (g(f(b).detach()), b)), "g_ba gets only a part"),
        (lambda a, b, g, f: far((f(g(a).detach()), a), (g(f(b).detach()), b)), "Do not detach"),
        (lambda a, b, g, f: a / "b", "TypeError"),
    ],
)
def test_mistakes_in_the_cycle_loss_are_named(answer, message, capsys):
    verdict = verdict_of(loss, answer, capsys)
    assert not verdict.right and message in verdict.message


def pooled(enters=lambda size, made: size / made, where="even", room="keep", result="pool"):
    """A pool into which a new image comes with this chance, in place of an image chosen like this."""

    def step(pool, new, size, made, coin):
        chance, full = enters(size, made), len(pool) == size
        if room == "grow" or not pool or (not full and room == "keep"):
            pool.append(new)
        elif full and coin < chance:
            pool[{"even": int(coin / chance * size), "first": 0, "same coin": int(coin * size)}[where]] = new
            pool = [new] * size if result == "twice" else pool
        return {"none": None, "new": new, "stack": torch.stack(pool)}.get(result, pool)

    return step


def of_own_draws():
    draws = random.Random(0)
    return lambda pool, new, size, made, coin: reservoir(pool, new, size, made, draws.random())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (pooled(lambda size, made: 0.5), "The newest enters too often: the early ones fade"),
        (pooled(lambda size, made: 1.0), "A full pool takes every new image"),
        (pooled(lambda size, made: 0.0), "A full pool never takes a new image"),
        (pooled(lambda size, made: 1 / made), "The newest enters too seldom"),
        (pooled(lambda size, made: size / (made + 1)), "The newest enters too seldom"),
        (pooled(lambda size, made: min(1, size / (made - 1))), "After 2 images a pool for 1"),
        (pooled(where="first"), "the others do not leave equally often"),
        (pooled(where="same coin"), "no longer takes all its values"),
        (pooled(room="never"), "there is room for one more"),
        (pooled(room="grow"), "more than the 1 that it may hold"),
        (pooled(result="none"), "it returns None. Return the pool"),
        (pooled(result="new"), "return the pool, a list of images"),
        (pooled(result="stack"), "return the pool, a list of images"),
        (pooled(result="twice"), "one image is in it twice"),
        (lambda pool, new, *_: [new / 2], "? is no image"),
        (of_own_draws(), "the coin is your draw"),
        (lambda pool, new, size, made, coin: pool[size + 7], "IndexError"),
    ],
)
def test_mistakes_in_the_pool_are_named(answer, message, capsys):
    verdict = verdict_of(pool, answer, capsys)
    assert not verdict.right and message in verdict.message


def test_the_pool_of_the_paper_is_told_whom_it_forgets(capsys):
    message = verdict_of(pool, pooled(lambda size, made: 0.5), capsys).message
    assert "After 3 images a pool for 1 holds them with the chances 0.25, 0.25, 0.50" in message


def width(kernels, strides, paddings):
    first, last = patch(kernels, strides, paddings, 0)
    return last - first + 1


def ends(change):
    """The right ends, changed."""
    return lambda *stack: change(*patch(*stack))


def begins(at):
    """Patches of the right width that begin elsewhere."""
    return lambda k, s, p, i: (at(k, s, p, i), at(k, s, p, i) + width(k, s, p) - 1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda k, s, p, i: patch(k[::-1], s[::-1], p[::-1], i), "wrong end of the stack"),
        (lambda k, s, p, i: patch(k, s, [0 for _ in k], i), "padding is left out"),
        (lambda k, s, p, i: patch(k, s, [-one for one in p], i), "goes the other way"),
        (begins(lambda k, s, p, i: i * math.prod(s) - sum(p)), "counted in its own inputs"),
        (begins(lambda k, s, p, i: patch(k, s, p, 0)[0] + i * [1, *s][-1]), "look further apart"),
        (begins(lambda k, s, p, i: i * math.prod(s) - width(k, s, p) // 2), "its middle is not at"),
        (lambda k, s, p, i: patch(k, s, p, 0), "it should move with i"),
        (lambda k, s, p, i: (f := patch(k, s, p, i)[0], f + sum(k) - len(k)), "the strides are missing"),
        (ends(lambda first, last: (first, last + 1)), "one too far"),
        (ends(lambda first, last: (max(first, 0), last)), "cut off at the image's border"),
        (ends(lambda first, last: (first + 1, last + 1)), "counted from 0"),
        (ends(lambda first, last: (last, first)), "exchanged"),
        (ends(lambda first, last: (first - 4, last + 4)), "you have pixels 2 to 12, expected 6 to 8."),
        (lambda k, s, p, i: width(k, s, p), "return two numbers"),
        (lambda k, s, p, i: patch(k, s, p, i) if k else None, "you have None"),
        (lambda k, s, p, i: k + 1, "TypeError"),
    ],
)
def test_mistakes_in_the_receptive_field_are_named(answer, message, capsys):
    verdict = verdict_of(field, answer, capsys)
    assert not verdict.right and message in verdict.message


@pytest.mark.parametrize("check", [loss, pool, field])
@pytest.mark.parametrize("fn", [lambda *_: None, None])
def test_a_stub_is_not_attempted(check, fn, capsys):
    assert verdict_of(check, fn, capsys).status == "not attempted"
