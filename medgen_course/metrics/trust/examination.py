"""What a generative model gives away of its training images: copies, attacks, and what chance would give.

`medgen audit` prints it for a run folder; `of_gan` is for networks that are at hand.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from medgen_course.datasets import Dataset, Split
from medgen_course.metrics.membership import FPR, auc, null, tpr_at
from medgen_course.metrics.memorisation import QUANTILE, copy_check
from medgen_course.metrics.shares import share_interval
from medgen_course.metrics.trust.attacks import (
    Attack,
    by_discriminator,
    by_distance,
    by_simplicity,
    distinct,
)
from medgen_course.models.gan import Discriminator, Generator
from medgen_course.models.samples import draw_labels, generate

SAMPLES = 2048  # that are drawn, to be looked at and to attack with
MOST = 2048  # training images that are attacked
FEWEST = 20  # images on a side

Rows = dict[str, dict[str, Any]]


def sides(train: Split, val: Split, seed: int = 0) -> tuple[Split, Split]:
    """Members, `MOST` at most, and others: no image stands twice, none on both sides.

    Args:
        train: what the model has learnt from.
        val: images of the same kind that it has not.
        seed: of the choice.
    Raises:
        ValueError: fewer than `FEWEST` are left on a side.
    """
    members = some(train, distinct(train.images, val.images))
    others = some(val, distinct(val.images, train.images))
    for name, part in (("train", members), ("val", others)):
        if len(part) < FEWEST:
            raise ValueError(
                f"found {len(part)} images of {name} that stand nowhere else; an attack needs {FEWEST} or "
                "more on each side. What to do: examine a model of a larger data set."
            )
    chosen = np.random.default_rng(seed).permutation(len(members))[:MOST]
    return some(members, np.sort(chosen)), others


def examine(
    samples: np.ndarray, attacks: Mapping[str, Attack], train: np.ndarray, members: Split, others: Split
) -> Rows:
    """Copies among samples, and every attack beside its null.

    Args:
        samples: what the model gives out, uint8 (M, C, H, W).
        attacks: that need more than samples, by name; these two are added: "distance to samples", and
            "control", which asks no model at all.
        train: all training images, uint8 (N, C, H, W).
        members, others: see `sides`.
    Returns:
        `memorisation`, and for each attack "auc, NAME" and "tpr, NAME" at 1 % false positives, each with
        `value`, `low`, `high`; of attacks also `null_low` and `null_high`, between which 95 % of random
        halves of one kind lie, the wider of members and others. `note`: why `value` is None.
    """
    check = copy_check(train, others.images)
    rows: Rows = {"memorisation": {"value": None, "note": check.why_not}}
    if check.threshold is not None:
        rows["memorisation"] = share_interval(check.copied(samples)) | {"best": QUANTILE}
    every: dict[str, Attack] = {
        **attacks,
        "distance to samples": lambda images, labels: by_distance(samples, images),
        "control": lambda images, labels: by_simplicity(images),
    }
    for name, attack in every.items():
        rows |= _rows(name, *(attack(part.images, part.labels) for part in (members, others)))
    return rows


def of_gan(
    generator: Generator, discriminator: Discriminator, data: Dataset, samples: int = SAMPLES, seed: int = 0
) -> Rows:
    """`examine` of a GAN that has learnt from the training split; others are the images of val.

    Args:
        generator, discriminator: in evaluation mode; classes are drawn as often as in the training split.
        data: the data set.
        samples: that are drawn.
        seed: of the samples.
    """
    classes, labels = generator.num_classes, None
    if classes:
        labels = draw_labels(np.bincount(data.train.labels, minlength=classes), samples, seed)
    drawn = generate(generator, samples, seed, labels)
    attack = {"discriminator": discriminator_attack(discriminator)}
    return examine(drawn, attack, data.train.images, *sides(data.train, data.val, seed))


def discriminator_attack(discriminator: Discriminator) -> Attack:
    """`by_discriminator`, with the classes where it asks for them."""
    asks = bool(discriminator.num_classes)
    return lambda images, labels: by_discriminator(discriminator, images, labels if asks else None)


def some(split: Split, chosen: np.ndarray) -> Split:
    """Images and labels at some places."""
    return Split(split.images[chosen], split.labels[chosen])


def _rows(name: str, members: np.ndarray, others: np.ndarray) -> Rows:
    """AUC and TPR of an attack, each beside the wider of its two nulls."""
    rows: Rows = {f"auc, {name}": dict(auc(members, others))}
    needed = round(1 / FPR)
    if len(others) < needed:
        note = f"fewer than {needed} others: no {FPR:.0%} of them can be accused"
        rows[f"tpr, {name}"] = {"value": None, "note": note}
    else:
        rows[f"tpr, {name}"] = dict(tpr_at(members, others))
    nothing = [null(scores) for scores in (members, others)]
    for measure in ("auc", "tpr"):
        bands = [each[measure] for each in nothing if measure in each]
        if bands:
            ends = {"null_low": min(b["low"] for b in bands), "null_high": max(b["high"] for b in bands)}
            rows[f"{measure}, {name}"] |= ends
    return rows
