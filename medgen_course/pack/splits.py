"""Which file goes into which split: groups stay whole, classes keep their shares where that can be had."""

import numpy as np

from medgen_course.datasets.errors import problem

TRAIN, VAL, TEST = range(3)


def assign(
    labels: np.ndarray, groups: np.ndarray, counts: np.ndarray, val: float, test: float, seed: int
) -> np.ndarray:
    """A split for each file.

    Groups come one by one, large ones first, equal ones in an order drawn from the seed. Each goes where its
    classes are missed most, as a share of what that split should get, among the splits that still have room
    for half of it.

    Args:
        labels: class number of each file, int (F,).
        groups: number of the group that each file belongs to, int (F,), from 0 without gaps.
        counts: images in each file, int (F,).
        val, test: shares of the images.
        seed: of the order.
    Returns:
        int8 (F,): 0 train, 1 val, 2 test. Each of them has a group.
    Raises:
        DatasetError: there are fewer than three groups.
    """
    number = int(groups.max(initial=-1)) + 1
    if number < 3:
        raise problem(
            "split",
            f"{number} group{'s' * (number != 1)} of images that must stay together",
            "at least 3, one for each split",
            "give more patients, or say what belongs together: --group PATTERN, or a column group",
        )
    sizes = np.bincount(groups, counts, number)
    order = np.lexsort((np.random.default_rng(seed).random(number), -sizes))
    by_group = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[by_group], np.arange(number + 1))
    totals = np.bincount(labels, counts)
    shares = np.array([1 - val - test, val, test])
    wanted = shares[:, None] * totals  # (3, classes), images
    missing, chosen = wanted.copy(), np.empty(number, np.int8)
    room = shares * totals.sum()
    for group in order:
        files = by_group[starts[group] : starts[group + 1]]
        classes, size = labels[files], counts[files]
        need = (missing[:, classes] / wanted[:, classes]) @ size
        fits = room >= sizes[group] / 2
        split = int(np.argmax(np.where(fits, need, -np.inf) if fits.any() else room))
        np.subtract.at(missing[split], classes, size)
        room[split] -= sizes[group]
        chosen[group] = split
    _fill_empty(chosen, sizes)
    return chosen[groups]


def _fill_empty(chosen: np.ndarray, sizes: np.ndarray) -> None:
    """Give a split without any group the smallest group of the split that has most groups, in place."""
    for split in (TRAIN, VAL, TEST):
        if not (chosen == split).any():
            richest = np.bincount(chosen, minlength=3).argmax()
            among = np.flatnonzero(chosen == richest)
            chosen[among[sizes[among].argmin()]] = split


def divided(groups: np.ndarray, splits: np.ndarray) -> int:
    """How many groups have files in more than one split."""
    pairs = np.unique(np.stack([groups, splits]), axis=1)
    return int((np.bincount(pairs[0]) > 1).sum())
