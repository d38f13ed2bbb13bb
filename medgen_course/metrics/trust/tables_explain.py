"""Tables and sentences of notebook 13 about attacks on images, explanations and counterfactuals."""

from collections.abc import Mapping, Sequence

import numpy as np

from medgen_course.course.findings import Row, Table, apart, over_seeds, say, side, than
from medgen_course.metrics.reconstruction import bootstrap_interval
from medgen_course.metrics.trust.explained import TOLERANCE, widened

SCORES = {"pointing": "pointing game", "average_precision": "pixel AP"}
Over = dict[str, dict[float, Row]]  # attack -> epsilon -> row


def by_attack(rows: Sequence[Mapping], figure: str) -> Over:
    """Rows of `adversarial` or of the shelf as attack -> epsilon -> row.

    Args:
        rows: with `attack` and `epsilon`, and the figure as a row of its own, or `value`, `low` and `high`.
        figure: its name.
    """
    made: Over = {}
    for row in rows:
        if "measure" in row and row["measure"] != figure:
            continue
        made.setdefault(row["attack"], {})[row["epsilon"]] = row.get(figure, row)
    return made


def noticed(alarm: Over, least: float = 0.75) -> str:
    """Whether a likelihood tells changed images from the same as they were."""
    if not alarm:
        return "No VAE of these images is at hand to be asked."
    told = []
    for name, rows in alarm.items():
        seen = [e for e, row in rows.items() if row["low"] > least]
        told.append(f"{name} from ε = {seen[0]:g} on" if seen else f"{name} at no ε that was tried")
    last = max(next(iter(alarm.values())))
    ends = ", ".join(f"{name} {say(rows[last], '.2f')}" for name, rows in alarm.items())
    text = f"Does the VAE's ELBO notice? AUROC at ε = {last:g}: {ends}"
    if len(alarm) == 2:
        first, second = (rows[last] for rows in alarm.values())
        tie = ", a tie: it sees the size of a change, not its aim"
        text += tie if not apart(first, second) else ", told apart"
    return f"{text}. With the whole interval above {least:g}: {'; '.join(told)}."


def first_half(rows: Mapping[float, Row], word: str) -> str:
    """The first strength at which half is reached."""
    reached = [e for e, row in rows.items() if row["value"] >= 0.5]
    if not reached:
        return f"Half are {word} at no ε that was tried."
    sure = [e for e, row in rows.items() if row["low"] >= 0.5]
    whole = f"from ε = {sure[0]:g} on" if sure else "at none"
    return (
        f"Half are {word} from ε = {reached[0]:g} on, of the strengths that were tried; the whole interval "
        f"lies above a half {whole}."
    )


def beside_controls(pointed: Mapping[str, np.ndarray], methods: Sequence[str]) -> str:
    """How the best explanation stands beside the best map that knows no classifier."""
    rest = [name for name in pointed if name not in methods]
    best, rival = (max(names, key=lambda n: pointed[n].mean()) for names in (methods, rest))
    gap = bootstrap_interval(pointed[best] - pointed[rival])
    word = side(gap, "ahead of it", "behind it")
    return (
        f"The best control is {rival}, {pointed[rival].mean():.0%}; the best explanation, {best}, is "
        f"{word} ({say(gap, '+.0%')})."
    )


def saliency(pointed: Mapping[str, np.ndarray], pixels: Mapping[str, np.ndarray], masks: np.ndarray) -> Table:
    """Pointing game and pixel AP of every map, with chance."""
    inside = masks[:, 0] != 0
    chance = np.mean([widened(mask, TOLERANCE).mean() for mask in inside]), inside.mean()
    lines = {
        name: [say(bootstrap_interval(pointed[name]), ".0%"), say(bootstrap_interval(pixels[name]), ".2f")]
        for name in pointed
    }
    lines["chance"] = [f"{chance[0]:.0%}", f"{chance[1]:.2f}"]
    note = (
        f"{len(masks)} validation slices; 95 % intervals over slices. A hit: within {TOLERANCE} pixel of the "
    )
    area = float(np.median(inside.sum((1, 2))))
    note += f"mask. The median lesion has {area:.0f} pixels, a cell of Grad-CAM's stage 2 has 16, and its "
    note += "weights are means over all cells: either may be why it misses what is so small."
    return Table(["map", "pointing game", "pixel AP"], lines, note)


Drawn = Mapping[str, Mapping[str, Mapping[int, Sequence[float]]]]  # of `explained.with_new_weights`, by map


def depths(found: Drawn, figure: str) -> dict[str, dict[int, Row]]:
    """A figure over how many blocks have new weights, for each kind of map: mean and range of the draws."""
    return {name: {d: over_seeds(v) for d, v in each[figure].items()} for name, each in found.items()}


def after_breaking(pointed: Mapping[str, np.ndarray], found: Drawn) -> str:
    """Whether pointing falls in every draw where all weights are new."""
    told = []
    for name, rows in depths(found, "pointing").items():
        whole, last = bootstrap_interval(pointed[name]), rows[max(rows)]
        fell = last["high"] < whole["low"]
        told.append(
            f"{name} hits the lesion in {whole['value']:.0%} with the trained network, in "
            f"{say(last, '.0%')} with new weights{'' if fell else ': no difference in every draw'}"
        )
    return f"And where it points: {'; '.join(told)}."


def head_alone(found: Drawn, name: str, high: float = 0.9) -> str:
    """What new weights in the head alone change in a map, draw by draw: kept, turned over, or changed."""
    values = np.array(found[name]["alike"][1])
    kept, turned = int((values > high).sum()), int((values < -high).sum())
    listed = ", ".join(f"{value:.2f}" for value in values)
    text = f"With a new head alone the rank correlation of {name} is {listed}, one for each draw"
    counted = f"of {len(values)} draws {kept} {'keeps' if kept == 1 else 'keep'} the map and {turned} "
    counted += f"{'turns' if turned == 1 else 'turn'} it over"
    if kept + turned < len(values):
        return f"{text}: {counted}; the rest change it."
    text += ": the head weighs channels in which the lesion already stands out."
    return f"{text} Which sign the new weights give is luck: {counted}." if kept and turned else text


def in_size(row: Row) -> str:
    """What the rank correlation of absolute maps, trained and with new weights, says about the image."""
    if row["low"] > 0.2:
        return "where such a map is large is in part the image's doing, whatever the weights"
    return "nothing is left of these either"


def broken(found: Drawn, pointed: Mapping[str, np.ndarray]) -> Table:
    """Rank correlation and pointing over how many blocks have new weights."""
    alike, hits, lines = depths(found, "alike"), depths(found, "pointing"), {}
    blocks = list(next(iter(alike.values())))
    for name, rows in alike.items():
        lines[f"{name}: rank correlation"] = ["1", *(say(rows[d], ".2f") for d in blocks)]
        whole = say(bootstrap_interval(pointed[name]), ".0%")
        lines[f"{name}: pointing game"] = [whole, *(say(hits[name][d], ".0%") for d in blocks)]
    heads = ["new weights in", "none", *(f"{d} of {blocks[-1]} blocks" for d in blocks)]
    draws = len(found[next(iter(lines)).partition(":")[0]]["alike"][1])
    note = (
        f"From the head downwards; {draws} draws of new weights, mean (lowest to highest) of the means over "
    )
    return Table(heads, lines, f"{note}slices. None: 95 % interval over slices.")


EDITS = {
    "flipped": ("classifier turned", ".0%"),
    "removed": ("lesion's contrast removed", ".0%"),
    "aimed": ("of the change at the lesion", ".0%"),
    "outside": ("change elsewhere, grey levels", ".1f"),
    "to_twin": ("RMSE to the twin, grey levels", ".1f"),
}


def edits(judged: Mapping[str, Mapping[str, Row]], caption: str = "") -> Table:
    """A line for each way; what does not apply is a dash."""
    lines = {
        name: [say(rows[key], style) if key in rows else "–" for key, (_, style) in EDITS.items()]
        for name, rows in judged.items()
    }
    note = (
        "In brackets 95 % intervals over slices. Nothing: the slices as they are. Removed: 100 % is all of "
    )
    note += "it, below 0 the lesion has grown."
    return Table(["way", *(title for title, _ in EDITS.values())], lines, note, caption)


def edits_say(judged: Mapping[str, Mapping[str, Row]], ways: Sequence[str]) -> str:
    """Which ways come nearer to the twin than the slice was, and which remove the lesion."""
    start = judged["nothing"]["to_twin"]
    nearer = [name for name in ways if judged[name]["to_twin"]["high"] < start["low"]]
    cured = [name for name in ways if judged[name]["removed"]["low"] > 0.5]
    turned = [name for name in ways if judged[name]["flipped"]["low"] > 0.5]
    names = lambda some: ", ".join(some) or "none"  # noqa: E731
    return (
        f"Turn most slices: {names(turned)}. Remove more than half of the lesion's contrast: {names(cured)}. "
        f"End nearer to the twin than the slice was ({say(start, '.1f')} grey levels): {names(nearer)}. To "
        f"turn a classifier is one thing, to show its reason another.{_no_search(judged)}"
    )


def _no_search(judged: Mapping[str, Mapping[str, Row]]) -> str:
    """Whether the plain reconstruction, a control, does what the search was for."""
    if not {"VAE search", "reconstruction"} <= set(judged):
        return ""
    pairs = [(judged["reconstruction"][key], judged["VAE search"][key]) for key in ("flipped", "removed")]
    numbers = " and ".join(f"{plain['value']:.0%} beside {found['value']:.0%}" for plain, found in pairs)
    if all(plain["low"] > found["high"] for plain, found in pairs):
        return (
            f" The plain reconstruction, which searches nothing, turns and removes more than the search "
            f"({numbers}): the VAE had not drawn the lesion to begin with."
        )
    return f" The plain reconstruction does not beat the search in both (turned, removed: {numbers})."


def aims(found: Mapping[str, Mapping[str, Row]], count: int) -> Table:
    """Pointing game at the square and at the lesion."""
    targets = list(next(iter(found.values())))
    lines = {name: [say(rows[at], ".0%") for at in targets] for name, rows in found.items()}
    note = (
        f"{count} validation slices with square and lesion; intervals over slices. A hit: within {TOLERANCE} "
    )
    note += "pixel; a cell of Grad-CAM is 4 pixels."
    return Table(["pointing game", *(f"at the {at}" for at in targets)], lines, note)


def shortcut_found(found: Mapping[str, Mapping[str, Row]]) -> str:
    """Which explanations point at the planted square on most slices."""
    right = [name for name, rows in found.items() if rows["square"]["low"] > 0.5]
    wide = "square, give or take a cell"
    near = {name: f"; within a cell {say(rows[wide], '.0%')}" for name, rows in found.items() if wide in rows}
    rest = [
        f"{name} ({say(found[name]['square'], '.0%')}{near.get(name, '')})"
        for name in found
        if name not in right
    ]
    told = f"Explanations that point at the square on most slices: {', '.join(right) or 'none'}."
    return told + (f" Not so: {', '.join(rest)}." if rest else "")


def displaced(without: Row, never: Row) -> str:
    """What the same epochs teach where no square was ever shown: AUROC on slices without a square."""
    text = f"The control, the same epochs on slices without squares: {say(never)}. "
    if never["low"] <= 0.5:
        return text + "So short a training does not teach lesions anyway: the square has displaced nothing."
    if never["low"] > without["high"]:
        return text + "So the network could have learnt lesions, and with the square at hand it learnt fewer."
    return text + "No more than with the square: it has displaced nothing that these epochs teach."


def gone_first(sure: np.ndarray, turned: np.ndarray, before: np.ndarray) -> str:
    """Whether those that are turned were less sure than the rest before, of those that were right.

    Args:
        sure: probability of the true class before, (N,). turned, before: wrong after and before, bool (N,).
    """
    new, rest = sure[turned & ~before], sure[~turned & ~before]
    if len(new) < 2 or not len(rest):
        return "Too few were turned to say which go first."
    rows = [bootstrap_interval(part) for part in (new, rest)]
    word = than(*rows, "more sure", "less sure")
    word = "no different before, a tie" if word == "a tie" else f"{word} before than the rest"
    chances = " and ".join(say(each, ".2f") for each in rows)
    return f"Those that it turns were {word}: P of the true class {chances}."


def poisoned(rows: Sequence[Mapping], accuracy: str = "accuracy") -> Table:
    """A line for each poison and share: over seeds, mean (lowest to highest)."""
    keys = dict.fromkeys((row["poison"], row["share"]) for row in rows)
    columns = {accuracy: "accuracy", "auc": "AUC", "missed": "pneumonia missed",
               "missed_with_square": "missed, with the square"}  # fmt: skip
    lines = {}
    for kind, share in keys:
        own = [row for row in rows if (row["poison"], row["share"]) == (kind, share)]
        values = {c: [row["value"] for row in own if row["measure"] == c] for c in columns}
        lines["clean" if kind == "none" else f"{kind}, {share:.0%} of the class"] = [
            f"{np.mean(v):.2f} ({min(v):.2f} to {max(v):.2f})" for v in values.values()
        ]
    seeds = len({row["seed"] for row in rows})
    note = f"{rows[0]['images']:.0f} test images; {seeds} seeds, mean (lowest to highest). Mislabelled: that "
    note += (
        "share of the pneumonia films is called normal. Trigger: that share is stamped with the square and "
    )
    note += "called normal."
    return Table(["poison", *columns.values()], lines, note)


def backdoor(rows: Sequence[Mapping]) -> tuple[bool, bool]:
    """Of the smallest trigger: whether clean images show it, and whether the square opens a back door.

    Shown: the AUC is lower than without poison in every seed. Open: in every seed more than half of the
    stamped images are missed, and more than without poison.
    """
    found = _of_trigger(rows)
    shown = max(found["after"]) < min(found["clean"])
    return shown, min(found["opened"]) > max(*found["before"], 0.5)


def poison_says(rows: Sequence[Mapping]) -> str:
    """The same in words, and how much it takes."""
    shown, opened = backdoor(rows)
    found, least = _of_trigger(rows), _least(rows)
    mean = {name: float(np.mean(values)) for name, values in found.items()}
    rest = [row for row in rows if row["poison"] != "trigger"]
    shares = sorted({row["share"] for row in rows if row["poison"] == "trigger"})
    shares = [s for s in shares if backdoor([*rest, *(row for row in rows if row["share"] == s)])[1]]
    seen = "lower in every seed: a clean test shows it"
    if not shown:
        seen = "not lower in every seed: a clean test does not show it"
    enough = (
        f"In every seed it opens from {shares[0]:.0%} of the class on."
        if shares
        else "No share opens it in every seed."
    )
    return (
        f"With {least:.0%} of the class stamped the AUC on clean films is {mean['after']:.3f}, beside "
        f"{mean['clean']:.3f}, {seen}. Of stamped pneumonia films "
        f"{say(over_seeds(found['opened']), '.0%')} are missed, {mean['before']:.0%} by the clean network"
        f"{'' if opened else ': not an open door in every seed'}. {enough}"
    )


def _least(rows: Sequence[Mapping]) -> float:
    return min(row["share"] for row in rows if row["poison"] == "trigger")


def _of_trigger(rows: Sequence[Mapping]) -> dict[str, list[float]]:
    """Over seeds: AUC on clean films, share of stamped ones missed; clean, and with the smallest trigger."""

    def values(kind: str, share: float, measure: str) -> list[float]:
        return [r["value"] for r in rows if (r["poison"], r["share"], r["measure"]) == (kind, share, measure)]

    named = {"clean": ("none", 0.0), "after": ("trigger", _least(rows))}
    made = {name: values(*key, "auc") for name, key in named.items()}
    doors = {"before": named["clean"], "opened": named["after"]}
    return made | {name: values(*key, "missed_with_square") for name, key in doors.items()}


def recorded(rows: Sequence[Mapping], name: str, figures: Mapping[str, str]) -> dict[str, dict[str, Row]]:
    """Rows of a long table by one of its columns: name -> measure -> row, of some measures."""
    made: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row["measure"] in figures:
            made.setdefault(row[name], {})[row["measure"]] = row
    return made


def settings(rows: Sequence[Mapping]) -> dict[str, dict[str, Row]]:
    """Pointing game and pixel AP of each method in each setting: "method, setting" -> measure -> row."""
    named = [{**row, "name": f"{row['method']}, {row['setting']}"} for row in rows]
    return recorded(named, "name", SCORES)


def same_order(first: Mapping[str, Row], second: Mapping[str, Row]) -> str:
    """Whether the best on val is the best on test."""
    best = [max(rows, key=lambda name: rows[name]["value"]) for rows in (first, second)]
    if best[0] == best[1]:
        return f"On val and on test the best is {best[0]}."
    gap = "a tie on test" if not apart(second[best[0]], second[best[1]]) else "told apart on test"
    return f"On val the best is {best[0]}, on test {best[1]}; the two are {gap}."
