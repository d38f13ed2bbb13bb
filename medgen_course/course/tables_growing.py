"""Tables of notebook 05: growing against training at full size, over time and over seeds."""

from collections.abc import Mapping, Sequence

import numpy as np

from medgen_course.course.findings import Row, Table, apart, over_seeds, say

Columns = Mapping[str, np.ndarray]
WAYS = {"growing": 0, "DCGAN, steps of 0.0002": 1, "DCGAN, steps of 0.001": 2}  # as the column `way` has them
REAL = {"real, held out": -1}
LOWER = ("frechet", "kernel", "memorisation", "sliced")  # is better, of names that begin so


def over_time(table: Columns, figure: str) -> tuple[dict[str, Sequence[float]], dict[str, Sequence[float]]]:
    """Seconds of one core, and the mean of a figure over the seeds then, for each way.

    Args:
        table: as `pretrained.load_growing_table` gives it.
        figure: a column.
    """
    seconds, means = {}, {}
    for way, code in WAYS.items():
        own = table["way"] == code
        seconds[way] = np.unique(table["seconds"][own]).tolist()
        means[way] = [table[figure][own & (table["seconds"] == at)].mean() for at in seconds[way]]
    return seconds, means


def at_the_end(table: Columns, figure: str) -> dict[str, Row]:
    """A figure at the last moment, over the seeds, for each of `WAYS` and `REAL`."""
    found = {}
    for way, code in (WAYS | REAL).items():
        own = table["way"] == code
        found[way] = over_seeds(table[figure][own & (table["seconds"] == table["seconds"][own].max())])
    return found


def ahead(table: Columns, figure: str) -> str:
    """The way that is best at the end in all its seeds; "a tie" where they overlap with another one's."""
    found = {way: at_the_end(table, figure)[way] for way in WAYS}
    choose = min if figure.startswith(LOWER) else max
    best = choose(found, key=lambda way: found[way]["value"])
    return best if all(apart(found[best], found[way]) for way in found if way != best) else "a tie"


def ends(table: Columns, names: Mapping[str, str]) -> Table:
    """A line for each figure at the end: all ways, real images, and which way is ahead.

    Args:
        table: as `pretrained.load_growing_table` gives it.
        names: column -> what it is called.
    """
    lines = {}
    for figure, words in names.items():
        found = at_the_end(table, figure)
        real = [format(found[way]["value"], ".3g") for way in REAL]
        lines[words] = [*(say(found[way]) for way in WAYS), *real, ahead(table, figure)]
    grown, full = (table["weights"][table["way"] == code].max() for code in (0, 1))
    seeds = len(np.unique(table["seed"]))
    note = (
        f"Recorded (recipes/growing.py), mean (lowest to highest) of {seeds} seeds after "
        f"{table['seconds'].max():.0f} seconds of one core each; "
        f"weights of both players: growing {grown:,.0f}, DCGAN {full:,.0f}."
    )
    return Table(["", *WAYS, *REAL, "ahead"], lines, note)


def time_to_half(table: Columns, figure: str = "coverage") -> dict[str, list[float]]:
    """Seconds until each run has half of the highest figure of any run; infinite where it never has."""
    runs = table["way"] >= 0
    half, found = table[figure][runs].max() / 2, {}
    for way, code in WAYS.items():
        own = table["way"] == code
        for seed in np.unique(table["seed"][own]):
            there = own & (table["seed"] == seed) & (table[figure] >= half)
            found.setdefault(way, []).append(float(min(table["seconds"][there], default=np.inf)))
    return found
