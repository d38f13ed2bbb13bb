"""Tables and sentences of notebook 13 about what privacy protects: the strong attack at each level.

Rows come from `privacy.load_table("protection")`, one for each level, model and attack. Models of all levels
see the same halves of one pool, so levels are compared model by model.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from medgen_course.course.findings import Row, Table, differ, over_seeds, say, side
from medgen_course.metrics.trust.bound import most
from medgen_course.metrics.trust.canaries import KINDS
from medgen_course.metrics.trust.tables_attacks import above
from medgen_course.metrics.trust.tables_privacy import NAMES, level

Rows = Sequence[Mapping]
STRONG, PLAIN, EARLY = "shadows", "loss threshold", "stopped early"
CLIPPED, FREE = "clipped", "not private"


def levels(rows: Rows, attack: str = STRONG) -> dict[str, list[Mapping]]:
    """Rows of one attack at each level, from the strictest on, by model."""
    full = max(row["updates"] for row in rows)
    own = [row for row in rows if row["attack"] == attack]
    made: dict[str, list[Mapping]] = {}
    for row in sorted(own, key=lambda row: (row["epsilon"], row["clip"], -row["updates"], row["seed"])):
        made.setdefault(EARLY if row["updates"] < full else level(row), []).append(row)
    return made


def by_level(rows: Rows, figure: str, attack: str = STRONG) -> dict[str, list[float]]:
    """A figure at each level, one value for each model."""
    return {name: [row[figure] for row in own] for name, own in levels(rows, attack).items()}


def change(rows: Rows, figure: str, first: str, second: str) -> Row:
    """What a figure of the strong attack has more at the first level than at the second, model by model."""
    by = by_level(rows, figure)
    return over_seeds(np.subtract(by[first], by[second]))


def ahead(rows: Rows, name: str) -> int:
    """Models of a level of whom the strong attack finds more than its nulls reach, interval and all."""
    return sum(above(row, "tpr") for row in levels(rows)[name])


def over_the_line(rows: Rows, name: str, line: str) -> int:
    """Models of a level whose hits pass what privacy at another level allows any attack.

    To be sure: the lower end of the hits, against what is allowed at the upper end of the false alarms.
    """
    allowed = levels(rows)[line][0]["allowed_at_fpr_high"]
    return sum(row["tpr_low"] > allowed for row in levels(rows)[name])


def private_ones(rows: Rows) -> list[str]:
    """The levels that promise something."""
    return [name for name, own in levels(rows).items() if np.isfinite(own[0]["epsilon"])]


def kept(rows: Rows) -> bool:
    """Whether no model of a level with a promise breaks it, by either attack."""
    plain = [row for row in rows if row["attack"] == PLAIN]
    both = [rows, [row | {"attack": STRONG} for row in plain]]
    return not any(over_the_line(own, name, name) for own in both for name in private_ones(rows))


def line_says(rows: Rows) -> str:
    """Whether an attack passes the line, and whether the line would notice noise that was forgotten."""
    by = levels(rows)
    if kept(rows):
        told = "Neither attack passes the line of its own ε, in any model."
    else:
        told = "An attack passes the line of its own ε: the training is not what its accountant took it for."
    lines = [f"{by[name][0]['allowed_at_fpr_high']:.1%} at {name}" for name in private_ones(rows)]
    caught = [f"{over_the_line(rows, CLIPPED, name)} at {name}" for name in private_ones(rows)]
    return (
        f"{told} To be sure, the lower end of a model's hits is held against the line at "
        f"{by[CLIPPED][0]['fpr_high']:.1%} false alarms, the upper end of theirs: {', '.join(lines)}. "
        f"Would this notice noise that was forgotten? Of the {len(by[CLIPPED])} models that are clipped and "
        f"get no noise, so many lie above it: {', '.join(caught)}."
    )


def room_says(rows: Rows) -> str:
    """How far below its line the better attack stays at the loosest level with a promise."""
    name = private_ones(rows)[-1]
    most_found = max(row["tpr"] for attack in (STRONG, PLAIN) for row in levels(rows, attack)[name])
    allowed = levels(rows)[name][0]["allowed"]
    text = f"At {name} the better attack finds {most_found:.1%} at most, and {allowed:.1%} are allowed"
    if most_found > allowed / 2:
        return f"{text}: the line is near."
    return f"{text}. A weak attack or a loose bound? These figures cannot tell."


def clipping_says(rows: Rows) -> str:
    """Whether clipping without noise protects from the strong attack."""
    hits = change(rows, "tpr", CLIPPED, FREE)
    word = side(hits, "gives LiRA more hits, so it protects nothing here", "leaves LiRA fewer hits")
    return f"Clipping alone {word if differ(hits) else 'makes no difference to LiRA that all models show'}."


def points(row: Row) -> str:
    """A difference of two shares, in points of a hundred."""
    return f"{say({end: 100 * value for end, value in row.items()}, '+.1f')} points"


def paid(rows: Rows) -> str:
    """What each level with a promise, and clipping alone, costs and leaves to the attack."""
    told = []
    for name in [*private_ones(rows), CLIPPED]:
        nats, hits = (change(rows, figure, name, FREE) for figure in ("elbo_val", "tpr"))
        fewer = points(hits) if differ(hits) else "a tie"
        told.append(f"{name}: ELBO on val {say(nats, '+,.0f')} nats, hits {fewer}")
    return f"Beside models that are not private, one by one: {'; '.join(told)}."


def early_says(rows: Rows, name: str = "ε = 10") -> str:
    """What stopping early, at about the same ELBO, does to the hits."""
    nats, hits = (change(rows, figure, EARLY, name) for figure in ("elbo_val", "tpr"))
    updates, word = levels(rows)[EARLY][0]["updates"], "as likely as"
    if differ(nats):
        word = side(nats, "likelier than", "less likely than")
    text = (
        f"Not private either, but stopped early, after {updates:,.0f} updates: val is {word} at {name} "
        f"({say(nats, '+.0f')} nats), and the hits are {side(hits, 'more', 'fewer')} ({points(hits)})"
    )
    if hits["low"] > 0:
        return f"{text}: so the noise protects, and not only that little was learnt."
    return f"{text}: to learn little protects too, from this attack. Nothing is promised about the next."


def canary_shares(rows: Rows, name: str) -> dict[str, Row]:
    """Canaries of all kinds that the strong attack accuses, planted and absent, and the difference."""
    own = levels(rows)[name]
    shares = {
        side: np.array([sum(row[f"{kind}_{side}"] for kind in KINDS) for row in own])
        / (len(KINDS) * own[0]["canaries"])
        for side in ("planted", "absent")
    }
    shares["more"] = shares["planted"] - shares["absent"]
    return {side: over_seeds(values) for side, values in shares.items()}


def canaries_say(rows: Rows) -> str:
    """At which levels planted canaries are accused more often than absent ones in every model."""
    found = [name for name in levels(rows) if canary_shares(rows, name)["more"]["low"] > 0]
    where = ", ".join(found) or "no level"
    return f"Planted canaries are accused more often than absent ones in every model at: {where}."


def figure(rows: Rows) -> dict[str, dict]:
    """What the chart of attack and utility draws: hits by attack, lines that none may pass, ELBO on val."""
    first = {name: own[0] for name, own in levels(rows).items()}
    return {
        "hits": {
            name: {key: over_seeds(v) for key, v in by_level(rows, "tpr", attack).items()}
            for name, attack in (("LiRA", STRONG), (PLAIN, PLAIN))
        },
        "allowed": {name: first[name]["allowed"] for name in private_ones(rows)},
        "elbo": {name: over_seeds(v) for name, v in by_level(rows, "elbo_val").items()},
    }


def table(rows: Rows) -> Table:
    """A line for each level: the strong attack, what is allowed, canaries, utility."""
    lines = {}
    for name, own in levels(rows).items():
        shares, values = canary_shares(rows, name), {f: over_seeds(r[f] for r in own) for f in FIGURES}
        row = own[0]
        pair = most(row["fpr"], row["epsilon"], row["delta"])
        lines[name] = [
            f"{row['noise']:.2f}",
            *(say(values[f], style) for f, (_, style) in FIGURES.items()),
            say(over_seeds(by_level(rows, "tpr", PLAIN)[name]), ".1%"),
            f"{row['allowed']:.1%} ({pair:.1%})" if name in private_ones(rows) else "–",
            f"{ahead(rows, name)} of {len(own)}",
            f"{shares['planted']['value']:.0%} / {shares['absent']['value']:.0%}",
        ]
    heads = ["", "σ", *(title for title, _ in FIGURES.values()), "loss threshold: TPR", "allowed"]
    return Table([*heads, "ahead", "canaries"], lines, _note(rows))


FIGURES = {
    "elbo_val": ("ELBO on val, nats", ",.0f"),
    "coverage": ("coverage", ".2f"),
    "auc": ("LiRA: AUC", ".2f"),
    "tpr": ("TPR at 1 % FPR", ".1%"),
}


def _note(rows: Rows) -> str:
    first, by = rows[0], levels(rows)
    full, reach = max(row["updates"] for row in rows), max(row["null_others_tpr_high"] for row in rows)
    return (
        f"{len(by[EARLY])} models at each level, mean (lowest to highest); {first['n']:.0f} images each, "
        f"{full:,.0f} updates of {first['batch']:.0f} images on average, {EARLY} after "
        f"{by[EARLY][0]['updates']:,.0f}; one step size at all levels, one C = "
        f"{min(row['clip'] for row in rows):g}; δ = {first['delta']:g}. {NAMES} "
        "Allowed: hits of any attack at 1 % false alarms, by all pairs of ε and δ that the accountant knows, "
        "in brackets by the published pair alone. Ahead: models whose interval of LiRA's hits lies above "
        f"their nulls; halves of the others reach up to {reach:.1%}. Canaries accused by LiRA: planted / "
        f"absent, of {len(KINDS) * first['canaries']:.0f} each."
    )
