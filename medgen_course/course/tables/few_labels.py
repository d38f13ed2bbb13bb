"""Tables and curves of notebook 12: figures over the number of labels, and differences seed by seed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medgen_course.course.findings import Row, Table, differ, over_seeds, say, side
from medgen_course.pictures import plots

BySeed = Mapping[int, Sequence[float]]  # number of labels -> one value a seed, in the seeds' order


def paired(x: Sequence[float], y: Sequence[float], level: float = 0.95) -> dict[str, float]:
    """What x has more than y, seed by seed: the mean and its interval by Student's t.

    Args:
        x, y: one value a seed, the same seeds in the same order; two or more.
        level: of the interval.
    Raises:
        ValueError: other numbers of seeds, or one alone.
    """
    from scipy.stats import t

    if len(x) != len(y) or len(x) < 2:
        raise ValueError(f"{len(x)} and {len(y)} seeds; give equally many for both, two or more.")
    gap = np.subtract(x, y)
    reach = float(t.ppf((1 + level) / 2, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap)))
    return {"value": float(gap.mean()), "low": float(gap.mean()) - reach, "high": float(gap.mean()) + reach}


def verdict(x: Sequence[float], y: Sequence[float]) -> str:
    """What x is beside y, seed by seed: "ahead", "behind", "a tie" or "cannot tell".

    It cannot be told where every seed has the same sign and the interval holds zero all the same: few seeds
    make a wide interval, and no difference seen is then not the same as no difference.
    """
    row, gap = paired(x, y), np.subtract(x, y)
    if not differ(row) and ((gap > 0).all() or (gap < 0).all()):
        return "cannot tell"
    return side(row, "ahead", "behind")


def complete(by_method: Mapping[str, Mapping[int, Any]]) -> dict[str, dict[int, Sequence[float]]]:
    """The same without what was trained with fewer seeds than other methods at that number of labels.

    Args:
        by_method: method -> number of labels -> one value a seed, or seed -> value.
    """
    most: dict[int, int] = {}
    by_method = {name: {n: _listed(values) for n, values in by.items()} for name, by in by_method.items()}
    for by in by_method.values():
        for n, values in by.items():
            most[n] = max(most.get(n, 2), len(values))
    return {
        name: {n: values for n, values in by.items() if len(values) == most[n]}
        for name, by in by_method.items()
    }


def _listed(values: Mapping[int, float] | Sequence[float]) -> list[float]:
    return [values[seed] for seed in sorted(values)] if isinstance(values, Mapping) else list(values)


def learning_curves(
    by_method: Mapping[str, BySeed], ylabel: str, title: str = "", xlabel: str = "labelled images"
) -> plots.Figure:
    """A curve for each method: the mean over seeds, a band from the lowest to the highest."""
    rows = {name: [over_seeds(values) for values in by.values()] for name, by in by_method.items()}
    places = {name: list(by) for name, by in by_method.items()}
    middle = {name: [row["value"] for row in each] for name, each in rows.items()}
    bands = {
        name: tuple([row[end] for row in each] for end in ("low", "high")) for name, each in rows.items()
    }
    return plots.lines(places, middle, xlabel, ylabel, title, log_x=True, bands=bands)


def gaps(
    by_method: Mapping[str, BySeed],
    rival: str,
    note: str = "",
    caption: str = "",
    style: str = "+.3f",
    unit: str = "labels",
) -> Table:
    """What each method has more than one of them, seed by seed; what it is called says `verdict`.

    A column for each number of labels; a dash where a method was not trained with it.
    """
    numbers = sorted({n for by in by_method.values() for n in by})
    lines = {}
    for name, by in by_method.items():
        if name == rival:
            continue
        both = {n: (by[n], by_method[rival][n]) for n in numbers if n in by and n in by_method[rival]}
        lines[name] = [f"{verdict(*both[n])}: {say(paired(*both[n]), style)}" if n in both else "–"
                       for n in numbers]  # fmt: skip
    heads = [f"beside {rival}", *(f"{n:,} {_one(unit, n)}" for n in numbers)]
    return Table(heads, lines, note, caption)


def ahead_at(by_method: Mapping[str, BySeed], name: str, rival: str) -> list[int]:
    """The numbers of labels at which one method lies above another, interval and all."""
    both = [n for n in by_method[name] if n in by_method[rival]]
    return [n for n in both if paired(by_method[name][n], by_method[rival][n])["low"] > 0]


def standing(by_method: Mapping[str, BySeed], name: str, rival: str, unit: str = "labels") -> str:
    """Where one method is ahead of another and where behind, such as "ahead at 30 labels, behind nowhere"."""
    both = [n for n in by_method[name] if n in by_method[rival]]
    ahead, behind = (ahead_at(by_method, *pair) for pair in ((name, rival), (rival, name)))
    return f"ahead {_where(ahead, both, unit)}, behind {_where(behind, both, unit)}"


def seeds_in_words(by_method: Mapping[str, BySeed]) -> str:
    """How many seeds stand behind the points: "5", or "3 to 5" where not all have as many."""
    counts = [len(values) for by in by_method.values() for values in by.values()]
    return f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"


NEXT_TO_NONE = 0.1  # a mean Dice of lesions below which a method cannot be called trained


def undertrained(hard: Mapping[str, BySeed], easy: Mapping[str, BySeed], name: str, updates: int) -> str:
    """Whether a method was trained to its end, by two signs that a finished training should not show.

    It finds next to nothing of what is hard at any number of labels, or it falls with more labels in every
    seed where its best is.

    Args:
        hard, easy: Dice of lesions and of ventricles; the same seeds everywhere.
        name: the method.
        updates: that all of them had.
    """
    own, lesions = easy[name], max(float(np.mean(values)) for values in hard[name].values())
    best, most = max(own, key=lambda n: np.mean(own[n])), max(own)
    values = " and ".join(f"{np.mean(own[n]):.2f} with {n}" for n in dict.fromkeys((best, most)))
    told = f"{name}, {updates} updates: lesions {lesions:.2f} at its best, ventricles {values}. "
    shared = min(len(own[best]), len(own[most]))
    if lesions < NEXT_TO_NONE or np.greater(own[best][:shared], own[most][:shared]).all():
        return f"{told}Undertrained: equal updates are not equal convergence. No verdict on {name} as such."
    return f"{told}A verdict at this budget, not on {name} as such."


def longer(
    hard: Mapping[str, BySeed], easy: Mapping[str, BySeed], name: str, more: str, rival: str, unit: str
) -> str:
    """What the budget alone explains of a method that lies behind: the same with more updates, beside both.

    Args:
        hard, easy: Dice of lesions and of ventricles; the same seeds everywhere.
        name, more: the method, and the same with more updates, at some of its numbers of labels.
        rival: in whose gap to the method a share is counted, where more updates help.
        unit: of the numbers.
    """
    mended, told = [], f"{more}."
    for what, by in (("Lesions", hard), ("Ventricles", easy)):
        found = [_mended(by, name, more, rival, n) for n in by[more]]
        mended.append(all(text.startswith("ahead") for text in found))
        listed = "; ".join(f"with {n} {text}" for n, text in zip(by[more], found, strict=True))
        ahead, behind = (ahead_at(by, *pair) for pair in ((more, rival), (rival, more)))
        told += f" {what}: {listed}; beside {rival}, which had fewer updates, "
        told += f"ahead {_where(ahead, [], unit)}, behind {_where(behind, [], unit)}."
    means = {
        (True, True): "So the budget was what both lacked.",
        (False, True): "So the budget was what the ventricles lacked. What the lesions lack it was not, or "
        "not alone; the loss may be a part of it: an absolute difference over all pixels hardly feels a few "
        "of them, and soft Dice, the U-Net's, counts each structure by its own size.",
    }
    return f"{told} {means.get(tuple(mended), 'So more updates alone are not what it lacked.')}"


def _where(numbers: Sequence[int], every: Sequence[int], unit: str) -> str:
    return numbers_in_words(numbers, every, unit) if numbers else "nowhere"


def _mended(by: Mapping[str, BySeed], name: str, more: str, rival: str, n: int) -> str:
    """Such as: ahead, 0.40 becomes 0.76, +0.36 (+0.10 to +0.60), 98% of the way to U-Net."""
    before, after, there = (float(np.mean(by[which][n])) for which in (name, more, rival))
    word = verdict(by[more][n], by[name][n])
    told = f"{word}, {before:.2f} becomes {after:.2f}, {say(paired(by[more][n], by[name][n]), '+.2f')}"
    way = word == "ahead" and there > before
    return f"{told}, {(after - before) / (there - before):.0%} of the way to {rival}" if way else told


def more_updates(by_method: Mapping[str, BySeed], name: str, more: str, rival: str) -> str:
    """What more updates alone do for a method, and whether they carry it past a rival that has as many.

    Args:
        by_method: figures of all three, higher is better; the same seeds everywhere.
        name, more: the method, and the same with more updates, at some of its numbers of labels.
        rival: the one that had as many updates as `more`.
    """
    fewest, helped = min(by_method[more]), ahead_at(by_method, more, name)
    lowest, before = (min(by_method[which][fewest]) for which in (more, name))
    told = f"{more}: beside {name} {standing(by_method, more, name)}; "
    told += f"beside {rival} {standing(by_method, more, rival)}; "
    told += f"its lowest seed with {fewest} labels {lowest:.2f}, {name}'s {before:.2f}. "
    if ahead_at(by_method, more, rival):
        return f"{told}So the budget was a part of what {name} lacked."
    if helped:
        where = numbers_in_words(helped, list(by_method[more]))
        return f"{told}So more updates help {name} {where}, and do not carry it past who has as many."
    return f"{told}So more updates alone, as many as were tried, are not what {name} lacked."


def budget(recipe: Mapping[str, Any]) -> str:
    """What a recorded network was trained on and for how long, from the recipe on its card."""
    updates = recipe["epochs"] * math.ceil(recipe["images"] / recipe["batch_size"])
    return (
        f"{recipe['images']:,} images, repeats included, {recipe['epochs']} epochs, {updates:,} updates of "
        f"{recipe['batch_size']}"
    )


def numbers_in_words(numbers: Sequence[int], every: Sequence[int], unit: str = "labels") -> str:
    """Such as "at 10 and 30 labels", "at no number of labels", "at every number of labels"."""
    if not numbers:
        return f"at no number of {unit}"
    if list(numbers) == list(every):
        return f"at every number of {unit}"
    texts = [f"{n:,}" for n in numbers]
    listed = texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
    return f"at {listed} {_one(unit, numbers[0] if len(numbers) == 1 else 2)}"


def _one(unit: str, number: int) -> str:
    """The unit, without its plural's s where there is one of it."""
    return unit.removesuffix("s") if number == 1 else unit


def statements(counted: Mapping[str, Mapping[str, Row]], note: str = "", caption: str = "") -> Table:
    """How often each statement of a description was made, wrong, and whether silence was wise.

    Args:
        counted: the statement in words -> figures of `metrics.statements.judge`.
        note, caption: see `Table`.
    """
    heads = ["statement", "made", "of these wrong", "forced where silent: wrong", "forced everywhere: wrong"]
    figures = ("spoken", "wrong", "wrong_if_forced", "all_forced")
    lines = {name: [say(row[figure], ".1%") for figure in figures] for name, row in counted.items()}
    return Table(heads, lines, note, caption)
