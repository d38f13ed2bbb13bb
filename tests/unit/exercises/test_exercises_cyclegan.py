"""The checks of notebook 04: right answers in several styles, usual mistakes by name."""

import pytest
import torch
from test_exercises import verdict_of
from torch.nn.functional import l1_loss

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


def swap(pool, new, size, coin, place):
    if len(pool) < size:
        pool.append(new)
        return new
    if coin >= 0.5:
        return new
    old, pool[place] = pool[place], new
    return old


def swap_at_the_end(pool, new, size, coin, place):
    shown = pool.pop(place) if len(pool) == size and coin < 0.5 else new.clone()
    if len(pool) < size:
        pool.insert(0, new)
    return shown


def patch(kernels, strides, field=1, step=1):
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * step
        step *= stride
    return field


def patch_backwards(kernels, strides):
    side = torch.ones(1)
    for kernel, stride in zip(kernels[::-1], strides[::-1], strict=True):
        side = (side - 1) * stride + kernel
    return side


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (loss, lambda a, b, g, f: far((f(g(a)), a), (g(f(b)), b))),
        (loss, lambda a, b, g, f: cyclegan.cycle_loss(a, f(g(a)), b, g(f(b))).reshape(1)),
        (loss, both_at_once),
        (pool, swap),
        (pool, swap_at_the_end),
        (field, patch),
        (field, patch_backwards),
    ],
)
def test_right_answers(check, answer, capsys):
    assert verdict_of(check, answer, capsys).right


def test_the_package_does_what_the_exercises_ask_for():
    for strides in (1, 2, 3):
        judge = PatchDiscriminator(1, 64, strides=strides)
        assert judge.receptive_field == patch([4] * len(judge.strides), judge.strides)
    history, kept = ImagePool(2, seed=3), []
    draws = torch.Generator().manual_seed(3)
    for image in torch.rand(20, 1, 1, 4, 4, generator=torch.Generator().manual_seed(0)):
        full = len(kept) == 2
        coin = float(torch.rand((), generator=draws)) if full else 0.0
        place = int(torch.randint(2, (), generator=draws)) if full and coin < 0.5 else 0
        assert torch.equal(history.swap(image)[0], swap(kept, image[0], 2, coin, place))


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


def pooled(fill="keep", full="swap", result="old", growing=False):
    """A history pool with the chosen mistakes."""

    def step(pool, new, size, coin, place):
        if len(pool) < size and (fill != "swap" or not pool or coin >= 0.5):
            if fill == "copy":
                pool = [*pool, new]
            elif fill != "never":
                pool.extend([new] * (2 if fill == "twice" else 1))
            return pool[0] if fill == "old" else new
        if growing:
            pool.append(new)
        if full == "never" or (coin >= 0.5) != (full == "inverted"):
            return pool[place] if full == "old" else new
        old = pool[place].clone()
        if full != "forgets":
            pool[(place + 1) % size if full == "beside" else place] = new
        return {"old": old, "new": new, "none": None, "many": torch.stack([old])}[result]

    return step


@pytest.mark.parametrize(
    ("mistakes", "message"),
    [
        ({"fill": "never"}, "does not fill up"),
        ({"fill": "copy"}, "does not fill up"),
        ({"fill": "swap"}, "swaps while the pool fills up"),
        ({"fill": "old"}, "comes straight back"),
        ({"fill": "twice"}, "Keep the new image once"),
        ({"growing": True}, "grows beyond its size of 3"),
        ({"full": "never"}, "always returns the new image"),
        ({"full": "inverted"}, "The coin is inverted"),
        ({"full": "forgets"}, "not stored in the place"),
        ({"full": "beside"}, "Return image 1, the one at the place"),
        ({"full": "old"}, "With a coin of 0.5 or more"),
        ({"result": "new"}, "take the old one out before you overwrite it"),
        ({"result": "none"}, "it returns None"),
        ({"result": "many"}, "something else than one image"),
    ],
)
def test_mistakes_in_the_pool_are_named(mistakes, message, capsys):
    verdict = verdict_of(pool, pooled(**mistakes), capsys)
    assert not verdict.right and message in verdict.message


def test_an_old_image_that_is_overwritten_where_it_lies_is_noticed(capsys):
    def step(pool, new, size, coin, place):
        if len(pool) == size and coin < 0.5:
            old = pool[place]
            pool[place].copy_(new)
            return old
        return swap(pool, new, size, coin, place)

    assert verdict_of(pool, pooled(), capsys).right
    assert "before you overwrite it" in verdict_of(pool, step, capsys).message


def multiplied_first(kernels, strides):
    field, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        step *= stride
        field += (kernel - 1) * step
    return field


def last_stride(kernels, strides):
    field, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * step
        step = stride
    return field


def product(kernels, strides):
    return int(torch.tensor(kernels).prod())


def apart(kernels, strides, field=1):
    for kernel, stride in zip(kernels[::-1], strides[::-1], strict=True):
        field = field * stride + kernel
    return field


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda kernels, strides: product(kernels, strides), "product of the kernels"),
        (lambda kernels, strides: sum(kernels), "sum of the kernels"),
        (lambda kernels, strides: patch(kernels, [1] * len(kernels)), "strides are left out"),
        (multiplied_first, "later layers only"),
        (last_stride, "all earlier layers multiply"),
        (lambda kernels, strides: patch(kernels[::-1], strides[::-1]), "wrong end"),
        (lambda kernels, strides: patch(kernels, strides, field=0), "the 1 to begin with"),
        (lambda kernels, strides: patch([k + 1 for k in kernels], strides), "of its steps further, not k"),
        (lambda kernels, strides: patch([k + 1 for k in kernels], strides, 0), "one pixel is there"),
        (apart, "(field - 1) * stride + kernel"),
        (lambda kernels, strides: 16, "expected 34: each layer adds"),
        (lambda kernels, strides: [4, 10, 16], "return one number"),
        (lambda kernels, strides: 16 if len(kernels) == 3 else None, "yours is None"),
    ],
)
def test_mistakes_in_the_receptive_field_are_named(answer, message, capsys):
    verdict = verdict_of(field, answer, capsys)
    assert not verdict.right and message in verdict.message


@pytest.mark.parametrize("check", [loss, pool, field])
@pytest.mark.parametrize("fn", [lambda *_: None, None])
def test_a_stub_is_not_attempted(check, fn, capsys):
    assert verdict_of(check, fn, capsys).status == "not attempted"
