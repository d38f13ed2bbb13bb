"""The few-labels explorer on a page: stored masks and recorded curves of notebook 12, without a network."""

import gzip
from typing import Any

import numpy as np

from medgen_course import pretrained
from medgen_course.course import findings
from medgen_course.course.tables import few_labels as tables
from medgen_course.explorers import few_labels as words
from medgen_course.explorers import few_labels_view as view
from medgen_course.explorers.anomaly_view import Chart
from medgen_course.explorers.few_labels import FewLabelsExplorer
from medgen_course.metrics.few_labels import segmentation_shelf as shelf
from medgen_course.pictures.render import rgb_of
from medgen_course.site.charts import chart_of
from medgen_course.site.controls import described
from medgen_course.site.live import Live

FIGURES = {"Dice of lesions": "dice_lesion", "Lesion-wise F1": "f1", "Dice of ventricles": "dice_ventricles"}
ENDS = ("value", "low", "high")
NARROW = 340  # side of the curves on a phone, screen pixels


def explorer() -> FewLabelsExplorer:
    """The explorer of notebook 12, as it opens there."""
    masks, rows = pretrained.load_few_masks(), pretrained.load_few_segmentation()
    known = {
        title: tables.complete({name: shelf.by_seed(rows, name, figure) for name in masks.methods})
        for title, figure in FIGURES.items()
    }
    curves = {
        title: {name: {n: findings.over_seeds(v) for n, v in by.items()} for name, by in methods.items()}
        for title, methods in known.items()
    }
    seeds = tables.seeds_in_words(next(iter(known.values())))
    return FewLabelsExplorer(masks, curves, f"mean and range of {seeds} seeds")


def build() -> Live:
    """The explorer, its masks packed, and its curves."""
    shown = explorer()
    masks, card = shown._masks, pretrained.card("phantom", "few_masks")
    labels = [int(n) for n in masks.labels]
    packed = gzip.compress(masks.truth.tobytes() + masks.found.tobytes(), mtime=0)
    data: dict[str, Any] = {
        "size": masks.images.shape[-1], "scale": shown._scale, "beside": words.SHOWN, "labels": labels,
        "controls": described(
            method=shown.method, labels=shown.labels, slices=shown.first, curve=shown.measure
        ),
        "structures": view.STRUCTURES, "opacity": view.OPACITY,
        "colours": {name: rgb_of(colour) for name, colour in view.COLOURS.items()},
        "images": masks.images.ravel(),
        "maps": np.frombuffer(packed, np.uint8),
        "curves": [_curve(shown, name) for name in shown._curves],
        "words": {
            "captions": words.CAPTIONS, "says": words.SAYS, "meaning": words.MEANING, "rows": words.ROWS,
            "labels": [words.slices(n) for n in labels], "spread": shown._spread,
            "chart": "{measure} over labelled slices, a line with a band for each method",
        },
    }  # fmt: skip
    return Live(
        "few_labels",
        "How many labels, and which method?",
        "Choose a method, give it more labelled slices, and see which lesions it finds, misses and invents.",
        data=data,
        weights_note=f"Masks of notebook 12 as they were stored, all of seed {card['recipe']['seed']}; "
        "nothing is trained here.",
    )


def narrow(by: view.Curves, name: str) -> Chart:
    """The curves for a page that has no room for the notebook's: letters stay as large as they are there."""
    return view.fitted(view.learning_curves(by, name, NARROW, NARROW, columns=1), NARROW)


def _curve(shown: FewLabelsExplorer, name: str) -> dict[str, Any]:
    """A chart, and what each method has on it at each number of labels; None where it was not measured."""
    by, masks = shown._curves[name], shown._masks
    rows = [[by[method].get(int(n)) for n in masks.labels] for method in masks.methods]
    return {
        "wide": chart_of(shown._charts[name]),
        "narrow": chart_of(narrow(by, name)),
        "rows": [[row and [row[end] for end in ENDS] for row in each] for each in rows],
    }
