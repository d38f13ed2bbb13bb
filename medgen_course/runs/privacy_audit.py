"""What a run gives away of its training images: copies among samples, attacks, and what chance would give.

(What to know of images before they are learnt from is another audit, `datasets/audit.py`.)
"""

from types import ModuleType
from typing import Any

import numpy as np

from medgen_course.datasets import Dataset, Split
from medgen_course.datasets.anomalies import normal_class
from medgen_course.metrics.membership import FPR, auc, null, tpr_at
from medgen_course.metrics.memorisation import QUANTILE, copy_check
from medgen_course.metrics.shares import share_interval
from medgen_course.metrics.trust.attacks import by_distance, by_simplicity, distinct
from medgen_course.training import RunError, RunFolder

SAMPLES = 2048  # that are drawn, to be looked at and to attack with
MOST = 2048  # training images that are attacked
FEWEST = 20  # images on a side
SMALL = "fewer than {n} {side}: no {share:.0%} of them can be accused"
LEGEND = (
    "Members: {members} training images; others: {others} of val, repeats and shared images left out. An AUC "
    "of 0.5 is guessing; null: 95 % of random halves of one kind, where there is nothing to find, lie there. "
    "The control asks no model: where it is outside its null, the splits differ in themselves, and so will "
    "attacks. Memorisation has an honest model at about {honest:.2f}."
)


def sides(config: dict[str, Any], data: Dataset, seed: int = 0) -> tuple[Split, Split]:
    """Training images and images of val that the run has not seen; no image twice, none on both sides.

    Raises:
        RunError: there are too few.
    """
    train, val = data.train, data.val
    if "normal_class" in config:
        number = normal_class(data, config["normal_class"])
        train, val = (_some(part, np.flatnonzero(part.labels == number)) for part in (train, val))
    members = _some(train, distinct(train.images, val.images))
    others = _some(val, distinct(val.images, train.images))
    for name, part in (("train", members), ("val", others)):
        if len(part) < FEWEST:
            raise RunError(
                f"{data.name}: found {len(part)} images of {name} that stand nowhere else; an attack needs "
                f"{FEWEST} or more on each side. Audit a run on a larger data set."
            )
    chosen = np.random.default_rng(seed).permutation(len(members))[:MOST]
    return _some(members, np.sort(chosen)), others


def measure(
    kind: ModuleType, run: RunFolder, model: Any, config: dict[str, Any], data: Dataset, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Memorisation of the samples and every attack that the kind allows.

    Args:
        kind, run, model, config: of the run folder.
        data: the images that it was trained on.
        seed: of samples and draws.
    Returns:
        `memorisation`, and `auc` and `tpr` behind the name of each attack and of the control, each with
        `value`, `low`, `high`; of an attack also `null_low`, `null_high`. `note`: why there is no value.
    Raises:
        RunError: see `sides`.
    """
    members, others = sides(config, data, seed)
    samples, _ = kind.sample(model, config, SAMPLES, seed)
    known = data.train.images
    if "normal_class" in config:
        known = known[data.train.labels == normal_class(data, config["normal_class"])]
    check = copy_check(known, others.images)
    rows: dict[str, dict[str, Any]] = {"memorisation": {"value": None, "note": check.why_not}}
    if check.threshold is not None:
        rows["memorisation"] = share_interval(check.copied(samples)) | {"best": QUANTILE}
    attacks = kind.audit(run, config, model)
    attacks["distance to samples"] = lambda images, labels: by_distance(samples, images)
    attacks["control"] = lambda images, labels: by_simplicity(images)
    for name, attack in attacks.items():
        rows |= _rows(name, *(attack(part.images, part.labels) for part in (members, others)))
    return rows


def legend(measured_on: dict[str, Any]) -> str:
    """How the rows are to be read."""
    return LEGEND.format(**measured_on, honest=QUANTILE)


def _rows(name: str, members: np.ndarray, others: np.ndarray) -> dict[str, dict[str, Any]]:
    """AUC and TPR of an attack, each beside the wider of its two nulls."""
    nothing = [null(scores) for scores in (members, others)]
    rows = {f"auc, {name}": auc(members, others)}
    needed = round(1 / FPR)
    if len(others) < needed:
        rows[f"tpr, {name}"] = {"value": None, "note": SMALL.format(n=needed, side="others", share=FPR)}
    else:
        rows[f"tpr, {name}"] = tpr_at(members, others)
    for measure in ("auc", "tpr"):
        bands = [each[measure] for each in nothing if measure in each]
        if bands:
            ends = {"null_low": min(b["low"] for b in bands), "null_high": max(b["high"] for b in bands)}
            rows[f"{measure}, {name}"] |= ends
    return rows


def _some(split: Split, chosen: np.ndarray) -> Split:
    return Split(split.images[chosen], split.labels[chosen])
