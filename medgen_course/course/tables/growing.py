"""Tables of notebook 05: growing against training at full size, over time and over seeds."""

from collections.abc import Mapping, Sequence

import numpy as np

from medgen_course.course.findings import Row, Table, apart, over_seeds, say

Columns = Mapping[str, np.ndarray]
Ways = Mapping[str, int]
WAYS = {"growing": 0, "DCGAN, steps of 0.0002": 1, "DCGAN, steps of 0.001": 2}  # as the column `way` has them
CONTROL = {"growing": 0, "full size": 1, "DCGAN": 2}  # in the table of 28-pixel images
REAL = {"real, held out": -1}
LOWER = ("frechet", "kernel", "sliced")  # is better, of names that begin so
NO_MERIT = ("memorisation",)  # a warning where it is high; a GAN that draws noise copies nothing


def over_time(
    table: Columns, figure: str, ways: Ways = WAYS
) -> tuple[dict[str, Sequence[float]], dict[str, Sequence[float]]]:
    """Seconds of one core, and the mean of a figure over the seeds then, for each way.

    Args:
        table: as `pretrained.load_growing_table` gives it.
        figure: a column.
        ways: what each number in the column `way` is called.
    """
    seconds, means = {}, {}
    for way, code in ways.items():
        own = table["way"] == code
        seconds[way] = np.unique(table["seconds"][own]).tolist()
        means[way] = [table[figure][own & (table["seconds"] == at)].mean() for at in seconds[way]]
    return seconds, means


def at_the_end(table: Columns, figure: str, ways: Ways = WAYS) -> dict[str, Row]:
    """A figure at the last moment, over the seeds, for each of `ways` and `REAL`."""
    found = {}
    for way, code in (dict(ways) | REAL).items():
        own = table["way"] == code
        found[way] = over_seeds(table[figure][own & (table["seconds"] == table["seconds"][own].max())])
    return found


def ahead(table: Columns, figure: str, ways: Ways = WAYS) -> str:
    """The way that is best at the end in all its seeds; "a tie" where they overlap with another one's.

    "–" for a figure of which less is not better, nor more.
    """
    if figure in NO_MERIT:
        return "–"
    ends = at_the_end(table, figure, ways)
    found = {way: ends[way] for way in ways}
    choose = min if figure.startswith(LOWER) else max
    best = choose(found, key=lambda way: found[way]["value"])
    return best if all(apart(found[best], found[way]) for way in found if way != best) else "a tie"


def ends(table: Columns, names: Mapping[str, str], ways: Ways = WAYS) -> Table:
    """A line for each figure at the end: all ways, real images, and which way is ahead.

    Args:
        table: as `pretrained.load_growing_table` gives it.
        names: column -> what it is called.
        ways: what each number in the column `way` is called.
    """
    lines = {}
    for figure, words in names.items():
        found = at_the_end(table, figure, ways)
        real = [format(found[way]["value"], ".3g") for way in REAL]
        lines[words] = [*(say(found[way]) for way in ways), *real, ahead(table, figure, ways)]
    weights = (f"{way} {table['weights'][table['way'] == code].max():,.0f}" for way, code in ways.items())
    seeds = len(np.unique(table["seed"]))
    note = (
        f"Recorded (recipes/growing.py), mean (lowest to highest) of {seeds} seeds after "
        f"{table['seconds'].max():.0f} seconds of one core each; "
        f"weights of both players: {'; '.join(weights)}."
    )
    return Table(["", *ways, *REAL, "ahead"], lines, note)


def time_to_half(table: Columns, figure: str = "coverage", ways: Ways = WAYS) -> dict[str, list[float]]:
    """Seconds until each run has half of the highest figure of any run; infinite where it never has."""
    runs = table["way"] >= 0
    half, found = table[figure][runs].max() / 2, {}
    for way, code in ways.items():
        own = table["way"] == code
        for seed in np.unique(table["seed"][own]):
            there = own & (table["seed"] == seed) & (table[figure] >= half)
            found.setdefault(way, []).append(float(min(table["seconds"][there], default=np.inf)))
    return found


def told(seconds: Mapping[str, Sequence[float]]) -> str:
    """`time_to_half` in words, such as "growing: 90, never; DCGAN: never, never"."""
    each = {way: ("never" if np.isinf(s) else f"{s:.0f}" for s in row) for way, row in seconds.items()}
    return "; ".join(f"{way}: {', '.join(row)}" for way, row in each.items())


def sliced_sides(table: Columns) -> list[int]:
    """The sides at which the sliced distance was measured, largest first."""
    return sorted((int(name.split("_")[1]) for name in table if name.startswith("sliced_")), reverse=True)


def by_winner(won: Mapping[str, str]) -> str:
    """Who is ahead in what, such as "growing: recall, density; a tie: coverage"."""
    found: dict[str, list[str]] = {}
    for figure, way in won.items():
        found.setdefault(way, []).append(figure)
    return "; ".join(f"{way}: {', '.join(figures)}" for way, figures in found.items())
