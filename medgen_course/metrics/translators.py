"""Every figure of trained translators on held-out images, beside what must be beaten."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import bootstrap, rankdata
from torch import Tensor

from medgen_course.batches.transforms import to_uint8, to_unit
from medgen_course.datasets.domains import Domains, Part
from medgen_course.metrics import classification, fidelity
from medgen_course.metrics.lesions import lesion_report
from medgen_course.metrics.reconstruction import bootstrap_interval
from medgen_course.metrics.translation import apply_lookup, fit_lookup, match_histogram, quality
from medgen_course.models.classifier import Classifier
from medgen_course.models.translators import Direction, Translators

WAYS: dict[Direction, str] = {"b": "ab", "a": "ba"}
Row = dict[str, Any]
Groups = tuple[Sequence[int], Sequence[int]]


def ends(part: Part, to: Direction) -> tuple[np.ndarray, np.ndarray]:
    """Images that are translated to domain `to`, and held-out images of it; uint8 (N, C, H, W) each."""
    return (part.a, part.b) if to == "b" else (part.b, part.a)


def known(part: Part, to: Direction) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Where the truth is known: source, truth, truth without lesions, lesion masks; (N, 1, H, W) each."""
    truth = part.truth
    if to == "b":
        return truth.a, truth.b, truth.healthy_b, truth.masks
    return truth.b, truth.a, truth.healthy_a, truth.masks


def evaluate_translators(
    translators: Translators, domains: Domains, eye: Classifier | None, split: str = "test"
) -> dict[str, Row]:
    """Measure both directions.

    Args:
        translators: both directions, or one (pix2pix).
        domains: what they were trained on.
        eye: whose features the Frechet distance compares; see `translation_eye`. None leaves it out.
        split: "val" for every choice, "test" once at the end.
    Returns:
        Figure -> `value`, with `low` and `high` (bootstrap over images) and the ends `worst` and `best` where
        they make sense. `psnr_ab`, `ssim_ab` and the errors inside and outside lesions, where the truth is
        known (worst: the source left alone); `erased_ab` and `invented_ab`, shares of the lesions and of the
        slices; `frechet_ab` (worst: the source left alone, best: training images of B); `cycle_l1`. The same
        with `_ba`.
    """
    part, rows, cycles = getattr(domains, split), {}, []
    for to in translators.directions:
        way, (source, target) = WAYS[to], ends(part, to)
        if len(translators.directions) == 2:
            made, again = translators.round_trip(source, to)
            cycles.append((again - to_unit(torch.from_numpy(source))).abs().mean((1, 2, 3)))
        else:
            made = translators.translate(source, to)
        if part.truth is not None:
            rows |= {f"{name}_{way}": row for name, row in against_truth(made, part, to).items()}
        if eye is not None:
            rows[f"frechet_{way}"] = frechet_row(made, source, target, ends(domains.train, to)[1], eye)
    if cycles:
        rows["cycle_l1"] = bootstrap_interval(torch.cat(cycles)) | {"best": 0.0}
    return rows


def against_truth(made: Tensor, part: Part, to: Direction) -> dict[str, Row]:
    """Distance to the truth, and what became of the lesions; see `quality` and `lesion_report`."""
    source, truth, healthy, masks = known(part, to)
    found = {name: bootstrap_interval(values) for name, values in quality(made, truth, masks).items()}
    if source.shape == truth.shape:
        for name, values in quality(to_unit(torch.from_numpy(source)), truth, masks).items():
            found[name]["worst"] = float(values.mean())
    found["ssim"]["best"] = 1.0
    report = lesion_report(made, truth, healthy, masks)
    found["erased"] = bootstrap_interval(report.erased.astype(float)) | {"best": 0.0}
    found["invented"] = bootstrap_interval((report.invented > 0).astype(float)) | {"best": 0.0}
    return found


def frechet_row(
    made: Tensor, source: np.ndarray, target: np.ndarray, train: np.ndarray, eye: Classifier
) -> Row:
    """Frechet distance to held-out images of the target domain; equally many images in every column.

    One image has no covariance: then the value is None, and `note` says so.
    """
    n = min(len(made), len(target), len(train))
    if n < 2:
        return {"value": None, "n": n, "note": "1 image; 2 are needed, and hundreds are better"}
    real = classification.embed(eye, target[:n])

    def distance(images: np.ndarray) -> float:
        return fidelity.frechet(real, classification.embed(eye, images[:n]))

    row = {"value": distance(to_uint8(made).numpy()), "best": distance(train), "n": n}
    return row | ({"worst": distance(source)} if source.shape[1] == target.shape[1] else {})


def baselines(domains: Domains, split: str = "test") -> dict[str, dict[str, Row]]:
    """What needs no network, against the truth: name -> rows of `against_truth`, with `_ab` and `_ba`.

    The identity, histogram matching, and the best lookup from grey level to grey level, fitted on pairs.
    """
    part, train = getattr(domains, split), domains.train
    table: dict[str, dict[str, Row]] = {"left alone": {}, "histogram matching": {}, "lookup": {}}
    for to, way in WAYS.items():
        source = ends(part, to)[0]
        pairs = (train.truth.a, train.truth.b) if to == "b" else (train.truth.b, train.truth.a)
        tried = {
            "left alone": to_unit(torch.from_numpy(source)),
            "histogram matching": match_histogram(source, ends(train, to)[1][:256]),
            "lookup": apply_lookup(fit_lookup(*pairs), source),
        }
        for name, made in tried.items():
            table[name] |= {f"{k}_{way}": row for k, row in against_truth(made, part, to).items()}
    return table


def domain_auc(
    eye: Classifier, a: np.ndarray, b: np.ndarray, classes: Groups = ((0,), (1,)), seed: int = 0
) -> Row:
    """How well a classifier tells images of B (up) from images of A (down): area under the ROC curve.

    Args:
        eye: a classifier that knows both classes; it must never have seen the generators.
        a, b: uint8 (N, C, H, W) and (M, C, H, W).
        classes: the classifier's classes that belong to A, and those that belong to B.
        seed: of the bootstrap.
    Returns:
        `value`, `low`, `high`: 1 tells them apart, 0.5 cannot, 0 takes each for the other.
    """
    found = classification.probabilities(eye, np.concatenate([a, b]))
    of_a, of_b = (found[:, list(group)].sum(1) for group in classes)
    score, label = of_b / (of_a + of_b), np.repeat([0, 1], [len(a), len(b)])

    def area(label: np.ndarray, score: np.ndarray) -> float:
        """Share of pairs in the right order, from ranks: Mann & Whitney 1947, ties count half."""
        up, down = int(label.sum()), int((1 - label).sum())
        return (rankdata(score)[label == 1].sum() - up * (up + 1) / 2) / (up * down) if up * down else 0.5

    drawn = bootstrap(
        (label, score), area, paired=True, vectorized=False, n_resamples=400, method="percentile", rng=seed
    ).confidence_interval
    return {"value": float(area(label, score)), "low": float(drawn.low), "high": float(drawn.high)}


def class_change(
    translators: Translators,
    domains: Domains,
    eye: Classifier,
    classes: Groups = ((0,), (1,)),
    split: str = "test",
) -> dict[str, Row]:
    """Two rows: `domain_auc` of held-out images, and `domain_auc_translated`, each labelled by its *source*.

    A translation that convinces the classifier brings the second one to 1 minus the first.
    """
    part = getattr(domains, split)
    made = {to: to_uint8(translators.translate(ends(part, to)[0], to)).numpy() for to in WAYS}
    return {
        "domain_auc": domain_auc(eye, part.a, part.b, classes),
        "domain_auc_translated": domain_auc(eye, made["b"], made["a"], classes),
    }
