"""Check of notebook 04: the history pool of a discriminator, one image at a time."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted

Swap = Callable[[list[Tensor], Tensor, int, float, int], Tensor]
NEW = 9  # the number of the new image; those in the pool are 0, 1, 2, ...
# images in the pool, size, coin, place
CASES = (
    (0, 3, 0.9, 0),
    (1, 3, 0.2, 0),
    (2, 3, 0.7, 1),
    (3, 3, 0.2, 1),
    (3, 3, 0.4, 0),
    (3, 3, 0.1, 2),
    (3, 3, 0.6, 1),
    (3, 3, 0.9, 0),
    (1, 1, 0.3, 0),
)


def check_image_pool(swap: Swap) -> Verdict:
    """Check the history pool: half of the images that the discriminator sees are older ones.

    Args:
        swap: (pool, new, size, coin, place) to the image that the discriminator is to see, for one image.
            `pool`: list of images (C, H, W), changed in place. `new`: image (C, H, W), without a graph.
            `size`: images that the pool may hold. `coin`: drawn in [0, 1). `place`: drawn from 0 to size - 1.
            While the pool fills up, keep `new` and return it. Then, with coin < 0.5, return the image at
            `place` and put `new` there; else return `new`. The order in the pool does not matter.
    """
    return judge(
        "image pool", swap, _examine, "It fills up, then half of the new images take an old one's place."
    )


@dataclass(frozen=True)
class _Outcome:
    """What one call did, images as numbers: what it returned, and the pool before and after."""

    shown: int | None
    before: list[int]
    after: list[int | None]
    size: int
    coin: float
    place: int

    @property
    def filling(self) -> bool:
        return len(self.before) < self.size

    def does(self, swapped: bool) -> bool:
        """Whether a full pool did what a low coin (swapped) or a high coin (not swapped) asks for."""
        after = [NEW if swapped and i == self.place else i for i in self.before]
        return self.shown == (self.place if swapped else NEW) and _sorted(self.after) == _sorted(after)

    def __str__(self) -> str:
        case = f"pool {self.before}, size {self.size}, new image {NEW}, coin {self.coin}, place {self.place}"
        return f"With {case} you return {_show(self.shown)} and leave the pool {self.after}"


def _picture(number: int) -> Tensor:
    return torch.full((1, 4, 4), number / 10)


def _number(image: object) -> int | None:
    """Which image this is; None for anything else."""
    if not isinstance(image, Tensor) or image.shape != (1, 4, 4):
        return None
    return next((n for n in range(NEW + 1) if torch.allclose(image, _picture(n))), None)


def _sorted(numbers: list[int | None]) -> list[int]:
    return sorted(-1 if n is None else n for n in numbers)


def _show(number: int | None) -> str:
    return "something else than one image (C, H, W)" if number is None else f"image {number}"


def _run(swap: Callable, kept: int, size: int, coin: float, place: int) -> tuple[_Outcome, object]:
    pool = [_picture(n) for n in range(kept)]
    returned = call(swap, pool, _picture(NEW), size, coin, place)
    after = [_number(image) for image in pool]
    return _Outcome(_number(returned), list(range(kept)), after, size, coin, place), returned


def _examine(swap: Callable) -> None:
    runs = [_run(swap, *case) for case in CASES]
    outcomes = [outcome for outcome, _ in runs]
    if all(returned is None and o.after == o.before for o, returned in runs):
        raise not_attempted()
    for outcome, returned in runs:
        if returned is None:
            raise Finding(f"{outcome}: it returns None. Return the image that the discriminator is to see.")
    for outcome in (o for o in outcomes if o.filling):
        _examine_filling(outcome)
    full = [o for o in outcomes if not o.filling]
    if all(o.does(swapped=o.coin >= 0.5) for o in full):
        raise Finding(f"{full[0]}. The coin is inverted: swap where it is below 0.5.")
    for outcome in full:
        _examine_full(outcome)


def _examine_filling(o: _Outcome) -> None:
    if _sorted(o.after) == _sorted([*o.before, NEW]) and o.shown == NEW:
        return
    if NEW in o.after and len(o.after) == len(o.before):
        text = "It swaps while the pool fills up: keep the new image as a further one first"
    elif o.after == o.before:
        text = (
            "The pool does not fill up: while it holds fewer than size, change the list itself, with append"
        )
    elif o.shown != NEW:
        text = "While the pool fills up, the new image is kept and comes straight back"
    else:
        text = f"Keep the new image once, and all others: {[*o.before, NEW]}"
    raise Finding(f"{o}. {text}.")


def _examine_full(o: _Outcome) -> None:
    swapped = o.coin < 0.5
    if o.does(swapped):
        return
    if len(o.after) > o.size:
        text = f"The pool grows beyond its size of {o.size}: a full pool swaps or stays as it is"
    elif not swapped:
        text = "With a coin of 0.5 or more return the new image and leave the pool as it is"
    elif o.after == o.before and o.shown == NEW:
        text = "It always returns the new image: the discriminator never sees an older one"
    elif o.after == o.before:
        text = "The new image is not stored in the place of the old one: the pool never changes"
    elif o.shown == NEW and o.after[o.place] == NEW:
        text = (
            "The new image went into the pool and came back too: take the old one out before you overwrite it"
        )
    else:
        text = f"Return image {o.place}, the one at the place, and put the new one there"
    raise Finding(f"{o}. {text}.")
