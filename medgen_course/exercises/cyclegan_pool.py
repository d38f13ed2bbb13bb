"""Check of notebook 04: a pool in which every image that was made so far has the same chance to be."""

from collections import defaultdict
from collections.abc import Callable

import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted

Pool = Callable[[list[Tensor], Tensor, int, int, float], list[Tensor]]
SIZES = (1, 2)
MADE = 4  # images that are made, one after the other: numbers 1 to 4
COINS = [(i + 0.5) / 600 for i in range(600)]  # 600 is a multiple of 1 to 4: a fair rule comes out exactly
SLACK = 0.02  # of a chance: a rule whose thresholds fall between two coins is off by a coin or less
PICTURES = [torch.full((1, 2, 2), float(number)) for number in range(MADE + 1)]


def check_image_pool(pool: Pool) -> Verdict:
    """Check a pool that holds an even sample of all images made so far.

    Every coin of an even grid is tried at every pool that can come about, so the chances are exact.

    Args:
        pool: (pool, new, size, made, coin) to the pool after this image. `pool`: list of images (C, H, W),
            which may be changed. `new`: image (C, H, W), number `made` from 1. `size`: images that the pool
            may hold. `coin`: drawn evenly from [0, 1). While there is room every image is kept; later each of
            the images made so far is in the pool with the chance size / made. The order does not matter.
    """
    praise = "The first image and the newest have the same chance to be in it, however many were made."
    return judge("image pool", pool, _examine, praise)


def _number(image: object) -> int | None:
    """Which image this is; None for anything else."""
    if not isinstance(image, Tensor) or image.shape != (1, 2, 2):
        return None
    return next((n for n in range(1, MADE + 1) if torch.equal(image, PICTURES[n])), None)


def _examine(fn: Callable) -> None:
    kept = [PICTURES[1].clone()]
    if call(fn, kept, PICTURES[2].clone(), 2, 2, 0.5) is None:
        raise not_attempted() if len(kept) == 1 else Finding("it returns None. Return the pool.")
    for size in SIZES:
        chance_of = {(): 1.0}  # of each pool that can come about
        for made in range(1, MADE + 1):
            after = defaultdict(float)
            for before, chance in chance_of.items():
                for coin in COINS:
                    after[_put(fn, before, size, made, coin)] += chance / len(COINS)
            chance_of = dict(after)
            _compare(chance_of, size, made)


def _put(fn: Callable, before: tuple[int, ...], size: int, made: int, coin: float) -> tuple[int, ...]:
    """The pool after image `made`, as numbers of images."""
    images = [[PICTURES[n].clone() for n in (*before, made)] for _ in range(2)]
    found = [call(fn, pool, new, size, made, coin) for *pool, new in images]
    case = f"With pool {list(before)}, size {size}, new image {made} and coin {coin:.3f}"
    if not all(isinstance(pool, list | tuple) for pool in found):
        raise Finding(f"{case} it returns a {type(found[0]).__name__}; return the pool, a list of images.")
    after, again = ([_number(image) for image in pool] for pool in found)
    if after != again:
        raise Finding(
            f"{case} you return once {after} and once {again}: draw nothing, the coin is your draw."
        )
    hint = _broken(before, after, size, made)
    if hint:
        raise Finding(f"{case} you return {['?' if n is None else n for n in after]}: {hint}.")
    return tuple(after)


def _broken(before: tuple[int, ...], after: list[int | None], size: int, made: int) -> str:
    """What is wrong with a pool, whatever the chances are; empty if it may be so."""
    if len(after) > size:
        return f"that is more than the {size} that it may hold"
    if not set(after) <= {*before, made}:
        return "? is no image (C, H, W) of the pool, nor the new one"
    if len(set(after)) < len(after):
        return "one image is in it twice"
    if len(after) < min(made, size):
        return "there is room for one more, and every image is to be kept while there is"
    return ""


def _compare(chance_of: dict[tuple[int, ...], float], size: int, made: int) -> None:
    chances = [sum(c for pool, c in chance_of.items() if n in pool) for n in range(1, made + 1)]
    wanted = min(1.0, size / made)
    if all(abs(chance - wanted) < SLACK for chance in chances):
        return
    newest = chances[-1]
    if newest < SLACK:
        hint = "A full pool never takes a new image: it knows nothing but the first ones"
    elif newest > 1 - SLACK:
        hint = "A full pool takes every new image: the early ones fade"
    elif abs(newest - wanted) < SLACK:
        hint = "The newest enters as often as it should, but the others do not leave equally often. (A "
        hint += "coin that is known to be small no longer takes all its values)"
    else:
        way = "too often: the early ones fade" if newest > wanted else "too seldom: the early ones stay"
        hint = f"The newest enters {way}"
    shown = ", ".join(f"{chance:.2f}" for chance in chances)
    raise Finding(
        f"After {made} images a pool for {size} holds them with the chances {shown}, the first image first; "
        f"each should have {wanted:.2f}. {hint}."
    )
