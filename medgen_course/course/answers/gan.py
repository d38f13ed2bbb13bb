"""Sentences behind the folds of notebook 03: each is picked by a rule that tests it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medgen_course.course.findings import than
from medgen_course.course.tables.gan import interval
from medgen_course.training.recorder import Recording

PARTED = 5.0  # mean logits of real and generated images so far apart: D is sure of nearly every image
Row = Mapping[str, float]


def beside_real(report: Mapping[str, Mapping[str, Any]], lower_is_better: set[str]) -> str:
    """Where samples score better or worse than new real images, beyond the spread of their subsets.

    Args:
        report: measure to a row with `low`, `high`, and `best`, the figure of new real images.
        lower_is_better: measures that are better when low.
    """
    above = {name for name, row in report.items() if row["low"] > row["best"]}
    below = {name for name, row in report.items() if row["high"] < row["best"]}
    worse = [n for n in report if n in (above if n in lower_is_better else below)]
    better = [n for n in report if n in (below if n in lower_is_better else above)]
    tied = [n for n in report if n not in above | below]
    groups = {"worse than new real images": worse, "better": better, "a tie": tied}
    told = "; ".join(f"{words} in {', '.join(names)}" for words, names in groups.items() if names)
    return f"The samples are, beyond the spread of their subsets: {told}."


def slopes(steep: float, flat: float) -> str:
    """How much steeper the second generator's loss is than the first, by the logit of D."""
    text = (
        f"{steep / flat:,.0f} times: {steep:.3f} against {flat:.4f}. Both losses pull in the same direction. "
    )
    if steep < 2 * flat:
        return text + "Here they are about as steep."
    return text + (
        "The minimax slope by the logit is −D: an image that is surely false teaches next to nothing. The "
        "non-saturating slope is D − 1: the worst images teach most. So what practice calls the GAN loss is "
        "not equation 1."
    )


def density(
    row: Row, inside: float, chance: tuple[float, float], halves: Sequence[float], moved: Sequence[Row]
) -> str:
    """Why samples can have a higher density than new real images, and how much of it is explained.

    Args:
        row: density of the samples, with `best`.
        inside: share of the samples nearer to the training images than the median new real image.
        chance: lowest and highest share that chance explains.
        halves: density of the nearer and of the farther half of the new real images.
        moved: measures of real images, unmoved and moved the first part of the way.
    """
    mixed = inside * halves[0] + (1 - inside) * halves[1]
    start, nudged = moved[0], moved[1]
    kept = "also falls" if nudged["recall"] < start["recall"] - 0.02 else "hardly changes"
    text = (
        f"Density {interval(row)}, new real images {row['best']:.2f}. Of the samples {inside:.0%} have "
        "their five nearest training images nearer than the median new real image has (chance: "
        f"{chance[0]:.0%} to {chance[1]:.0%}). Real images differ too: the half that lies nearer has density "
        f"{halves[0]:.2f}, the other half {halves[1]:.2f}. Take {inside:.0%} of the first and the rest of "
        f"the second, and you get {mixed:.2f}"
    )
    if row["low"] > row["best"]:
        explained = (mixed - row["best"]) / (row["value"] - row["best"])
        text += f": that explains {explained:.0%} of the difference"
    return text + (
        ". Real images that are moved a tenth of the way towards their neighbours reach "
        f"{nudged['density']:.2f}, and recall {kept} ({start['recall']:.2f}, {nudged['recall']:.2f}). "
        "So a high density can mean that unusual images are missing, or only that all images lie a little "
        "too near to those that were learnt from. Read recall beside it."
    )


def measured(run: Recording) -> dict[str, float]:
    """What to look at in a recorded run.

    Returns:
        steps; variety, density and coverage at the end; `pull`, the median gradient of G in the second half;
        `swing`, how far the mean grey level of all samples swings there (standard deviation, of 255);
        `parted`, the first step at which the mean logits of real and generated images are 5 apart, or -1.
    """
    half = len(run.curves["grad/generator"]) // 2
    grey = run.samples[len(run.samples) // 2 :].mean((1, 2, 3, 4))
    gap = run.curves["real"] - run.curves["fake"] > PARTED
    ends = {name: float(run.metrics[name][-1]) for name in ("variety", "density", "coverage")}
    return {
        **ends,
        "steps": len(run.curves["fake"]),
        "pull": float(np.median(run.curves["grad/generator"][half:])),
        "swing": float(grey.std()),
        "parted": int(np.argmax(gap)) if gap.any() else -1,
    }


MADE = (
    "How the faults were made (recipes/recordings.py): {same} and {swung} begin half-way through {well}, "
    "with larger steps of G, and with a fixed map in the place of each BatchNorm, so that nothing keeps the "
    "codes of a batch apart (Radford et al. 2016 brought in BatchNorm against just that). Their settings "
    "were chosen by looking at the frames, and in the second half of {same} both step sizes are cut to "
    "5e-5: the collapse was kept by hand. So these are specimens of faults, and no measurement of how often "
    "they happen."
)


def runs(looks: Mapping[str, Mapping[str, float]], what: Mapping[str, str]) -> str:
    """What went on in the four recordings: healthy, collapse, winner, oscillation, in this order.

    Args:
        looks: title to `measured`.
        what: title to what the recording is called.
    """
    (well, good), (same, alike), (won, lost), (swung, moving) = looks.items()
    like = "are alike" if alike["variety"] < good["variety"] / 2 else "are not alike"
    crowd = "They lie where real images crowd" if alike["density"] > good["density"] else "Density is lower"
    few = "but near few of them" if alike["coverage"] < good["coverage"] / 2 else "and near as many of them"
    dies = "G's gradient dies" if lost["pull"] < 0.1 * good["pull"] else "G still has a gradient"
    parts = f"after {lost['parted']} steps" if lost["parted"] >= 0 else "at no step"
    swings = "swings" if moving["swing"] > 2 * good["swing"] else "is steady"
    told = {
        well: "Compare the others with it.",
        same: f"The samples {like}: their variety ends at {alike['variety']:.3f}, in {well} at "
        f"{good['variety']:.3f}. {crowd} (density {alike['density']:.2f}, in {well} {good['density']:.2f}), "
        f"{few} (coverage {alike['coverage']:.2f}, in {well} {good['coverage']:.2f}). Density is no realism: "
        "look at the grain of this row.",
        won: f"The mean logits of real and generated images are {PARTED:g} apart {parts}, and {dies}: median "
        f"{lost['pull']:.2g} in the second half, in {well} {good['pull']:.2g}. The game is minimax, see "
        "section 5.",
        swung: f"The mean grey level of all samples together {swings}: standard deviation "
        f"{moving['swing']:.0f} of 255 in the second half, in {well} {good['swing']:.0f}.",
    }
    lines = [
        f"<b>{title}: {what[title]}</b> ({looks[title]['steps']:,} steps). {text}"
        for title, text in told.items()
    ]
    return "<br>".join([*lines, MADE.format(well=well, same=same, swung=swung)])


def turned(means: Mapping[str, Sequence[float]], share: float = 0.9) -> str:
    """Which runs turned down, from means over several moments: both ends are of the same kind.

    Args:
        means: run to the mean coverage of every few neighbouring moments, in order.
        share: a run turns down if its last mean is below this share of its highest.
    """
    told = []
    for name, values in means.items():
        kept = values[-1] / max(values)
        word = "turns down" if kept < share else "does not turn down"
        told.append(
            f"{name} {word}: {max(values):.3f} at its highest, {values[-1]:.3f} at the end ({kept:.0%})"
        )
    return "; ".join(told) + "."


def switched(class_only: Row, code_only: Row, both: Row) -> str:
    """How much a switch of the class, of the code, and of both change a pixel, in grey levels."""
    ratio = class_only["value"] / code_only["value"]
    word = than(class_only, code_only, "more than", "less than")
    word = "about as much as (a tie)" if word == "a tie" else word
    kept = 1 - class_only["value"] / both["value"]
    return (
        f"Switching the class changes a pixel by {class_only['value']:.1f} grey levels on average, {word} "
        f"another code of the same class ({code_only['value']:.1f}): {ratio:.0%} of it. Another code "
        f"<i>and</i> class change it by {both['value']:.1f}; to keep the code takes {kept:.0%} off that. "
        "Nobody told the network that a code is a patient; whatever is kept, it found by itself."
    )
