"""Tables and sentences of notebook 13 about the price of privacy.

Rows come from `privacy.load_table`. Over seeds a figure is its mean, with the lowest and the highest; a
difference that has not one sign in all seeds is called a tie.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from medgen_course.course.findings import Row, Table, differ, over_seeds, say
from medgen_course.metrics.trust.tables_attacks import above

Rows = Sequence[Mapping]
NAMES = "Not private: no clip, no noise. Clipped: gradients are shortened to C, no noise."


def level(row: Mapping) -> str:
    """What a row of the table of privacy is called."""
    if np.isfinite(row["epsilon"]):
        return f"ε = {row['epsilon']:g}"
    return "clipped" if np.isfinite(row["clip"]) else "not private"


def by_epsilon(rows: Rows, figure: str, few: bool = False) -> dict[str, list[float]]:
    """A figure at each level of privacy, one value for each seed, from the strictest on.

    Args:
        few: of the models that learnt from the smaller set of images, not of those that learnt from all.
    """
    own = whole([row for row in rows if row["n"] == (min if few else max)(row["n"] for row in rows)])
    names = dict.fromkeys(level(row) for row in sorted(own, key=lambda row: (row["epsilon"], row["clip"])))
    return {name: [row[figure] for row in own if level(row) == name] for name in names}


def whole(rows: Rows) -> list[Mapping]:
    """The rows of those seeds that every level has, by seed: only these can be compared seed by seed."""
    levels = {level(row) for row in rows}
    seeds = {row["seed"] for row in rows}
    kept = {s for s in seeds if {level(row) for row in rows if row["seed"] == s} == levels}
    return sorted((row for row in rows if row["seed"] in kept), key=lambda row: row["seed"])


COSTS = {
    "elbo_val": ("ELBO on val, nats", ".0f"),
    "coverage": ("coverage of val", ".2f"),
    "classifier_auc": ("AUC of a classifier on samples", ".2f"),
}

TITLES = {name: title for name, (title, _) in COSTS.items()}


def privacy(rows: Rows) -> Table:
    """A line for each level of privacy and number of images."""
    lines = {}
    for few, number in ((False, max(row["n"] for row in rows)), (True, min(row["n"] for row in rows))):
        noise = by_epsilon(rows, "noise", few)
        columns = {name: by_epsilon(rows, name, few) for name in COSTS}
        for name in noise:
            cells = [say(over_seeds(columns[c][name]), style) for c, (_, style) in COSTS.items()]
            lines[f"{name}; {number:,.0f} images"] = [f"{noise[name][0]:.2f}", *cells]
    first, seeds = rows[0], len(next(iter(by_epsilon(rows, "noise").values())))
    clip = min(row["clip"] for row in rows)
    note = (
        f"{first['updates']:,.0f} updates of {first['batch']:.0f} images on average, C = {clip:g}, "
        f"δ = {first['delta']:g}; "
    )
    note += f"{seeds} {'seed' if seeds == 1 else 'seeds'}, mean (lowest to highest). {NAMES}"
    return Table(["", "σ", *(title for title, _ in COSTS.values())], lines, note)


def costs(
    rows: Rows, figures: Sequence[str] = ("elbo_val", "coverage", "classifier_auc")
) -> dict[str, dict[str, Row]]:
    """What each level costs, from the strictest on: figure -> level -> row over seeds."""
    return {f: {name: over_seeds(v) for name, v in by_epsilon(rows, f).items()} for f in figures}


def what_is_paid(rows: Rows, figures: Sequence[str] = ("elbo_val", "coverage")) -> str:
    """What the strictest level costs, and whether the weak attack can show what is protected."""
    told = []
    for figure in figures:
        by = by_epsilon(rows, figure)
        change = over_seeds(np.subtract(by["ε = 1"], by["not private"]))
        title, style = COSTS[figure]
        told.append(f"{title}: {say(change, '+' + style)}" if differ(change) else f"{title}: a tie")
    leaks = dict.fromkeys(
        f"{level(row)}, {row['n']:,.0f} images"
        for row in rows
        if all(above(r, "auc") for r in rows if (level(r), r["n"]) == (level(row), row["n"]))
    )
    text = f"At ε = 1, {'; '.join(told)}. And the loss threshold is above its nulls in every seed at "
    if leaks:
        return f"{text}{'; '.join(leaks)}."
    return f"{text}no level, 'not private' among them: so this table cannot show what privacy protects."


def order(rows: Rows, figure: str) -> str:
    """How a figure goes from the strictest level to none: step by step one way, or not."""
    by = {name: float(np.mean(values)) for name, values in by_epsilon(rows, figure).items()}
    steps = np.diff(list(by.values()))
    listed = ", ".join(f"{name} {value:.2f}" for name, value in by.items())
    if (steps >= 0).all():
        return f"The less privacy the more, step by step: {listed}."
    if (steps <= 0).all():
        return f"The less privacy the less, step by step: {listed}."
    return f"The order is not that of privacy: {listed}. Two levels alone would not have shown this."
