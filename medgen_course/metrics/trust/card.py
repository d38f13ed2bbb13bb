"""A model card: one page about a generator, filled from what lies beside its weights and from measurements.

Nothing is typed in: every number comes from the shelf's card or from the rows that are handed in, and every
sentence about a number is chosen by it.

Source: Mitchell et al. 2019, "Model cards for model reporting", figure 1 (the sections and their order).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Row = Mapping[str, float]

FIGURES = {
    "frechet": ("Fréchet distance", "lower is better"),
    "precision": ("precision", "samples that look real"),
    "recall": ("recall", "real images that it could draw"),
    "density": ("density", "samples among real images"),
    "coverage": ("coverage", "real images with a sample near them"),
    "memorisation": ("memorisation", "samples suspiciously near to a training image"),
}
UNKNOWN = "not stated beside the weights"


def model_card(
    title: str,
    card: Mapping[str, Any],
    parameters: int,
    classes: Sequence[str],
    groups: Mapping[str, Row],
    attacks: Mapping[str, tuple[Row, Row]],
    split: str = "test",
) -> str:
    """Markdown of the page.

    Args:
        title: what the model is.
        card: as it lies beside the weights, see `pretrained.card`: data, recipe, figures.
        parameters: weights of the model that draws.
        classes: names of the classes, in the order of `card["recipe"]["class_counts"]`.
        groups: name of a class -> share of its samples that a classifier calls so.
        attacks: name -> AUC of a membership attack, and of its null, each {"value", "low", "high"}.
        split: of whose figures the card tells.
    """
    data, recipe = card["data"], card["recipe"]
    figures = card["test"][split]
    parts = {
        "Model details": _details(title, card, parameters),
        "Intended use": [
            f"Stated beside the weights: *{card.get('use', UNKNOWN)}*.",
            "Out of scope: any decision about a person, and any study that takes its samples for patients.",
        ],
        "Factors": [
            "Class is the only factor that the data tell: no age, no sex, no scanner, no patient number. "
            "What differs between groups of people cannot be measured here, and that is a finding."
        ],
        "Metrics": [f"- *{FIGURES[key][0]}*: {FIGURES[key][1]}." for key in FIGURES if key in figures],
        "Evaluation data": [
            f"The {split} split of {data['name']}, {figures['frechet']['n']:,} images and as many samples, "
            f"in the features of {figures['frechet']['features']}; memorisation in "
            f"{figures['memorisation']['features']}."
        ],
        "Training data": [
            f"{recipe['images']:,} images: {_counts(recipe, classes)}.",
            f"{data['attribution']}. Licence: {data['licence']}.",
        ],
        "Quantitative analyses": [*_table(figures), *_groups(groups), *_use(card["test"].get("classifier"))],
        "Ethical considerations": [*_attacks(attacks), *_copies(figures["memorisation"])],
        "Caveats and recommendations": _caveats(figures, groups),
    }  # fmt: skip
    lines = [f"**Model card · {title}**"]
    for name, sentences in parts.items():
        lines += ["", f"**{name}**", "", *sentences]
    return "\n".join(lines)


def say(row: Row, style: str = ".2f") -> str:
    """A figure with its interval."""
    return f"{row['value']:{style}} ({row['low']:{style}} to {row['high']:{style}})"


def _details(title: str, card: Mapping[str, Any], parameters: int) -> list[str]:
    model, recipe = card["model"], card["recipe"]
    games = [recipe, recipe | recipe["then"]] if "then" in recipe else [recipe]
    return [
        f"{title}: {parameters:,} weights, images of {model['size']} pixels, {model['latent_dim']} random "
        f"numbers for each. {'. Then: '.join(map(_game, games))}, seed {recipe['seed']}: one run, so no "
        "spread over seeds."
    ]


def _game(recipe: Mapping[str, Any]) -> str:
    updates = recipe.get("updates", recipe["epochs"] * (recipe["images"] // recipe["batch_size"]))
    return (
        f"{recipe['objective'].capitalize()}. {recipe['optimizer']}; {recipe['epochs']:,} epochs, "
        f"{updates:,} updates of {recipe['batch_size']} images"
    )


def _counts(recipe: Mapping[str, Any], classes: Sequence[str]) -> str:
    counts = recipe.get("class_counts")
    if not counts:
        return "nobody wrote down how many of each class"
    return ", ".join(f"{count:,} {name}" for name, count in zip(classes, counts, strict=True))


def _table(figures: Mapping[str, Row]) -> list[str]:
    lines = ["| figure | samples | worst | real images instead |", "|---|---|---|---|"]
    for key, (name, _) in FIGURES.items():
        if key in figures:
            row = figures[key]
            ends = [f"{row[end]:.3g}" if end in row else "–" for end in ("worst", "best")]
            lines.append(f"| {name} | {say(row, '.3g')} | {ends[0]} | {ends[1]} |")
    return lines


def _groups(groups: Mapping[str, Row]) -> list[str]:
    if not groups:
        return []
    told = "; ".join(f"{name}: {say(row, '.0%')}" for name, row in groups.items())
    lowest, highest = (pick(groups, key=lambda name: groups[name]["value"]) for pick in (min, max))
    apart = groups[lowest]["high"] < groups[highest]["low"]
    verdict = f"Samples of *{lowest}* are recognised less often" if apart else "A tie between the classes"
    return [
        "",
        f"By class, share of samples that the classifier calls what was asked for: {told}. {verdict}.",
    ]


def _use(classifier: Mapping[str, Any] | None) -> list[str]:
    if not classifier:
        return []
    rows = {
        name: {"value": np.mean(values), "low": min(values), "high": max(values)}
        for name, values in classifier.items()
        if name in ("real", "samples", "both")
    }
    told = "; ".join(f"{name} {say(row, '.3f')}" for name, row in rows.items())
    loses = rows["samples"]["high"] < rows["real"]["low"]
    verdict = "Samples in place of real images " + ("lose." if loses else "are a tie over seeds.")
    gains = rows["both"]["low"] > rows["real"]["high"]
    more = "Added to real images they gain" + ("." if gains else " nothing that the seeds show.")
    head = f"A classifier trained on them, AUC over {len(classifier['real'])} seeds (lowest to highest)"
    return ["", f"{head}: {told}. {verdict} {more}"]


def _attacks(attacks: Mapping[str, tuple[Row, Row]]) -> list[str]:
    lines = []
    for name, (row, null) in attacks.items():
        found = row["low"] > null["high"]
        verdict = (
            "so this attack tells members from others, its null does not"
            if found
            else "so this attack finds nothing beyond its null; another one may"
        )
        lines.append(f"- Membership, {name}: AUC {say(row)}, null {say(null)}: {verdict}.")
    lines.append(
        "- It was trained without differential privacy and its seed is published: it promises nothing to "
        "those whose films it saw."
    )
    return lines


def _copies(row: Mapping[str, Any]) -> list[str]:
    beside = "more often than" if row["low"] > row["best"] else "no more often than"
    exact = f"; exact copies: {row['exact']:.0%}" if "exact" in row else ""
    return [
        f"- Of its samples {say(row, '.1%')} lie suspiciously near to a training image, {beside} new real "
        f"images do ({row['best']:.1%}){exact}."
    ]


def _caveats(figures: Mapping[str, Row], groups: Mapping[str, Row]) -> list[str]:
    lines = []
    if "recall" in figures:
        row = figures["recall"]
        short = row["high"] < row["best"]
        told = f"- Recall {say(row)}, that of real images {row['best']:.2f}: "
        lines.append(told + ("it misses a part." if short else "no gap that the interval shows."))
    if "frechet" in figures and figures["frechet"]["value"] < figures["frechet"]["best"]:
        lines.append(
            "- Its Fréchet distance to this split is smaller than that of the training images. That is no "
            "praise: the split itself is shifted from the training data."
        )
    lines.append("- Figures in features of one classifier: what that does not see, they do not count.")
    lines.append("- Before any other use: measure again, with `medgen evaluate` and `medgen audit`.")
    return lines
