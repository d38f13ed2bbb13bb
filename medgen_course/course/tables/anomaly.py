"""Tables of notebook 10: how detectors do, on images, pixels and lesions, and a world with a known answer."""

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise

import numpy as np
from torch import nn

from medgen_course.course.findings import Row, Table, apart, differ, over_seeds, say, side

FIGURES = {"auroc": "AUROC", "average_precision": "average precision", "pixel": "pixel AP", "dice": "Dice"}
BUDGET = "updates / training images / weights / seed"
NOWHERE = "none: at no contrast of the grid are half of them found."


def detectors(
    rows: Mapping[str, Mapping[str, Row]],
    chosen: Mapping[str, str],
    note: str = "",
    caption: str = "",
    budgets: Mapping[str, str] | None = None,
) -> Table:
    """A line for each detector, the highest AUROC first.

    Args:
        rows: name -> figure -> row; of `FIGURES` those that any of them has are shown.
        chosen: name -> how an image counts, "mean" or "peak"; others were told the answer.
        note, caption: see `Table`.
        budgets: how a name begins -> what its training cost, such as `budget` says; a last column.
    """
    order = sorted(rows, key=lambda name: -rows[name]["auroc"]["value"])
    shown = [figure for figure in FIGURES if any(figure in row for row in rows.values())]
    lines = {
        f"{name} ({chosen.get(name, 'told')})": [
            say(rows[name][figure], ".2f") if figure in rows[name] else "-" for figure in shown
        ]
        for name in order
    }
    heads = ["", *(FIGURES[figure] for figure in shown)]
    if budgets:
        heads.append(BUDGET)
        for name, line in zip(order, lines.values(), strict=True):
            line.append(next((text for start, text in budgets.items() if name.startswith(start)), "-"))
    return Table(heads, lines, note, caption)


def budget(recipe: Mapping[str, int], *networks: nn.Module) -> str:
    """Updates, training images, weights and seed of a network.

    Args:
        recipe: of its card; where that does not say how many updates, epochs and batches tell.
        networks: whose weights are counted where the recipe does not say how many.
    """
    updates = recipe.get("updates") or recipe["epochs"] * (recipe["images"] // recipe["batch_size"])
    weights = recipe.get("parameters") or sum(p.numel() for net in networks for p in net.parameters())
    return f"{updates:,} / {recipe['images']:,} / {weights:,} / {recipe['seed']}"


def limit_text(row: Row) -> str:
    """A detection limit with its interval; what lies beyond the grid is called none."""
    return "{} ({} to {})".format(
        *("none" if np.isinf(row[end]) else f"{row[end]:.2f}" for end in ("value", "low", "high"))
    )


def limits(
    found: Mapping[str, Mapping[float, Row]], caption: str, alarms: Mapping[str, float] | None = None
) -> Table:
    """Detection limits: name -> radius in mm -> row.

    Args:
        found: the limits.
        caption: over the names.
        alarms: name -> false alarms a healthy slice at the threshold that was used; a last column, where
            that was chosen on other slices.
    """
    radii = list(next(iter(found.values())))
    lines = {name: [limit_text(row) for row in by.values()] for name, by in found.items()}
    note = "Contrast (free-water fraction) at which half of the lesions are found; in brackets the interval "
    note += f"over lesions. {NOWHERE.capitalize()}"
    heads = [caption, *(f"{radius:g} mm" for radius in radii)]
    if alarms is None:
        note += " One false alarm in ten healthy slices."
    else:
        heads.append("false alarms a slice")
        note += " The threshold is that of val."
        for name, line in lines.items():
            line.append(f"{alarms[name]:.2f}")
    return Table(heads, lines, note)


def worlds(
    proved: Mapping[str, Sequence[tuple[float, Row]]], pick: Sequence[int], tests: Sequence[str], caption: str
) -> Table:
    """Predicted and measured AUROC of some tests in some worlds.

    Args:
        proved: where the shift points -> for each test what is predicted, and the measured row.
        pick: numbers of the tests that are shown.
        tests: their names.
        caption: stands above.
    """
    heads = [text for name in tests for text in (f"{name}: predicted", "measured")]
    lines = {
        place: [text for i in pick for text in (f"{found[i][0]:.3f}", say(found[i][1]))]
        for place, found in proved.items()
    }
    return Table(["the shift points", *heads], lines, caption=caption)


def beside(rival: str, gaps: Mapping[str, Row]) -> list[str]:
    """One sentence for each score: it beats a rival, ties with it, or falls behind.

    Args:
        rival: name of the score that was taken off.
        gaps: name -> its figure minus the rival's, on shared resamples; a tie where the interval holds zero.
    """
    told = []
    for name, gap in gaps.items():
        word = side(gap, "beats", "falls behind") if differ(gap) else "ties with"
        told.append(f"{name} {word} {rival}: {say(gap, '+.3f')}")
    return told


def against(parts: Mapping[str, tuple[str, Mapping[str, Row]]], caption: str) -> Table:
    """Which scores beat the best simple one: a line for each score, a column for each part.

    Args:
        parts: title -> the rival, and name -> what this score has more.
        caption: stands above.
    """
    names = list(dict.fromkeys(name for _, gaps in parts.values() for name in gaps))
    lines = {
        name: [
            f"{side(gaps[name], 'beats', 'behind')}: {say(gaps[name], '+.2f')}" if name in gaps else "-"
            for _, gaps in parts.values()
        ]
        for name in names
    }
    heads = ["minus the best simple score", *(f"{title}: {rival}" for title, (rival, _) in parts.items())]
    note = "The best simple score was chosen on val. In brackets the 95 % interval of the difference, on "
    note += "shared resamples of the images; a tie: it holds zero."
    return Table(heads, lines, note, caption)


def plainly(parts: Mapping[str, tuple[str, Mapping[str, Row]]]) -> str:
    """One conclusion from the same: who beats the best simple score wherever it was entered, and where nobody
    does. A score is judged by the columns in which it stands, and how many these are is said."""
    names = list(dict.fromkeys(name for _, gaps in parts.values() for name in gaps))
    entered = {name: [gaps[name] for _, gaps in parts.values() if name in gaps] for name in names}
    won = {name: sum(gap["low"] > 0 for gap in gaps) for name, gaps in entered.items()}
    everywhere = [name for name in names if won[name] == len(entered[name])]
    nowhere = [title for title, (_, gaps) in parts.items() if not any(g["low"] > 0 for g in gaps.values())]
    text = "**No generative score beats the best simple one in every column that it enters.**"
    if len(nowhere) == len(parts):
        return "**No generative score beats the best simple one in any column.**"
    if everywhere:
        listed = ", ".join(everywhere)
        text = f"**These beat the best simple score in every column that they enter: {listed}.**"
    some = "; ".join(f"*{name}* in {won[name]} of {len(entered[name])}" for name in names if won[name])
    text += f" Who does in some: {some}." if some else ""
    return text + (f" Nobody does: {'; '.join(nowhere)}." if nowhere else "")


def with_length(
    going: Mapping[str, float], rows: Mapping[str, Mapping[str, Row]], itself: str, near: float = 0.1
) -> str:
    """Whether going with the length of the file says how well a score tells two groups apart.

    Args:
        going: name -> rank correlation with the length among normal images.
        rows: name -> figure -> row; of them `auroc`.
        itself: the score that is the length, which is left out.
        near: two correlations that differ by no more count as alike.
    Returns:
        Which score goes with the length most; and of the pairs that go with it alike the one whose AUROCs lie
        furthest apart, if their intervals have nothing in common.
    """
    others = [name for name in going if name != itself]
    most = max(others, key=lambda name: abs(going[name]))
    told = lambda name: f"{name} {going[name]:+.2f}, AUROC {rows[name]['auroc']['value']:.2f}"  # noqa: E731
    text = f"Except the length itself, the score that goes with it most: {told(most)}."
    alike = [
        (x, y)
        for x, y in combinations(others, 2)
        if abs(going[x] - going[y]) <= near and apart(rows[x]["auroc"], rows[y]["auroc"])
    ]
    if not alike:
        return text
    pair = max(alike, key=lambda two: abs(np.subtract(*(rows[name]["auroc"]["value"] for name in two))))
    first, second = (told(name) for name in pair)
    return text + (
        f" But a correlation does not explain an AUROC: {first}; {second}. The two go with the length alike, "
        "and tell the two groups apart in quite different ways."
    )


def places(found: Mapping[str, Mapping[str, Row]], note: str, caption: str) -> Table:
    """Share of the lesions found, detector by detector: place -> row; `note`, `caption`: see `Table`."""
    named = list(next(iter(found.values())))
    lines = {name: [say(row, ".0%") for row in by.values()] for name, by in found.items()}
    return Table(["", *named], lines, note, caption)


def steps(by: Mapping[int, Sequence[float]]) -> list[int]:
    """The sign of each step along a curve that was measured with the same seeds everywhere: 1 up, -1 down, 0
    where the seeds do not agree.

    Args:
        by: place on the axis -> one value for each seed.
    """
    moves = (over_seeds(np.subtract(by[b], by[a])) for a, b in pairwise(by))
    return [int(np.sign(move["value"])) if differ(move) else 0 for move in moves]


def shape(by: Mapping[int, Sequence[float]]) -> str:
    """The form of such a curve: "rising" or "falling" (no step the other way, and one this way), "peak" (up,
    then down, with no other turn), or "none"."""
    turns = [sign for sign in steps(by) if sign]
    turns = [sign for i, sign in enumerate(turns) if i == 0 or sign != turns[i - 1]]
    return {(1,): "rising", (-1,): "falling", (1, -1): "peak"}.get(tuple(turns), "none")


def hidden(
    sweeps: Mapping[str, Mapping[str, np.ndarray]], length: int, share: float, matters: float
) -> Table:
    """What hidden anomalies in training change, seed by seed.

    Args:
        sweeps: title -> a sweep, see `pretrained.load_anomaly_sweep`.
        length: of the code.
        share: of hidden anomalies.
        matters: a smaller mean change is called hardly a change, even where all seeds agree about its sign.
    """
    lines = {}
    for title, sweep in sweeps.items():
        at = {h: (sweep["hidden"] == h) & (sweep["latent_dim"] == length) for h in (0.0, share)}
        for way in ("mean", "peak"):
            clean, spoilt = (sweep[f"val_{way}"][chosen] for chosen in at.values())
            moved = over_seeds(spoilt - clean)
            word = side(moved, "better", "worse") if abs(moved["value"]) >= matters else "hardly changed"
            cells = [say(over_seeds(clean)), say(over_seeds(spoilt)), f"{word}: {say(moved, '+.3f')}"]
            lines[f"{title}, {way}"] = cells
    note = f"Autoencoders with a code of {length}; mean (lowest to highest) of three seeds. Hardly changed: "
    note += f"by less than {matters:g}. A tie: the seeds disagree about the sign."
    return Table(["AUROC, validation", "clean", f"{share:.0%} hidden", "change, seed by seed"], lines, note)
