"""Security and reasons, recorded: the tables of `recipes/trust_explain.py`, and what made their figures.

Every table is long: one row a figure, with `measure`, `value`, `low`, `high` and the `images` behind it;
other columns say what was measured how. A cell that does not apply is empty.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from medgen_course import phantom, pretrained
from medgen_course.batches.transforms import to_unit
from medgen_course.datasets import Dataset
from medgen_course.datasets.domains import without_lesions
from medgen_course.metrics.anomaly.scores import smooth
from medgen_course.metrics.trust import counterfactuals as ways_of
from medgen_course.metrics.trust import saliency
from medgen_course.metrics.trust.counterfactuals import Way
from medgen_course.models.classifier import Classifier
from medgen_course.models.vae import VAE
from medgen_course.training.checkpoints import RunNotFound

TABLES = ("adversarial", "saliency", "counterfactuals", "poison")
WORDS = ("split", "target", "attack", "method", "way", "poison", "measure")  # other columns may be numbers
BLUR = 5  # pixels, side of the mean that hides a lesion behind its surroundings
SMOOTH = 1.0  # pixels, of the smoothed variants
BETA = 1.0  # of the VAE that draws counterfactuals: the ELBO itself
EPSILON = 8.0  # grey levels of the attack that stands beside counterfactuals
SETTINGS = {  # of each way, from the smallest change to the largest; val takes the first that turns half
    "VAE direction": (0.5, 1.0, 2.0, 4.0, 8.0),
    "VAE search": (1.0, 0.3, 0.1, 0.03),
    "VAE infill": (8, 16, 32, 64, 128, 256),
}

Cell = str | float


@dataclass(frozen=True)
class Slices:
    """Phantom slices with a lesion, in T1w.

    images, twins: uint8 (N, 1, H, W), with the lesion and without, the noise included. masks: the same shape.
    """

    images: np.ndarray
    twins: np.ndarray
    masks: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def at(self, chosen: np.ndarray) -> "Slices":
        """Some of them."""
        return Slices(self.images[chosen], self.twins[chosen], self.masks[chosen])


def lesion_slices(split: str, count: int = 128, size: int = 28, seed: int = 0) -> Slices:
    """Slices with a lesion each, and their healthy twins; see `phantom.generate`."""
    factors = phantom.draw_factors(count, seed, 1.0, split)
    ill, well = (
        phantom.generate(factors=table, size=size, seed=seed, split=split)
        for table in (factors, without_lesions(factors))
    )
    return Slices(ill.t1w, well.t1w, ill.masks)


def unit(images: np.ndarray) -> Tensor:
    """uint8 (N, C, H, W) to floats in [0, 1]."""
    return to_unit(torch.from_numpy(np.ascontiguousarray(images)))


def blurred(x: Tensor, size: int = BLUR) -> Tensor:
    """Each pixel the mean of its surroundings, (N, C, H, W): a cover that invents nothing."""
    return F.avg_pool2d(x, size, 1, size // 2, count_include_pad=False)


def variants(reference: Tensor) -> dict[str, dict[str, saliency.Explain]]:
    """Explanations by method and setting, among which val chooses.

    Args:
        reference: the mean training image, (1, C, H, W).
    """
    grad, hide = saliency.integrated_gradients, saliency.occlusion
    plain: dict[str, dict[str, saliency.Explain]] = {
        "occlusion": {
            "grey": hide,
            "blurred": lambda model, x, target: hide(model, x, target, fill=blurred(x)),
            "mean image": lambda model, x, target: hide(model, x, target, fill=reference),
        },
        "integrated gradients": {
            "black": grad,
            "blurred": lambda model, x, target: grad(model, x, target, blurred(x)),
            "mean image": lambda model, x, target: grad(model, x, target, reference),
        },
        "Grad-CAM": {f"stage {i + 1}": partial(saliency.grad_cam, stage=i) for i in range(3)},
    }
    smoothed = {
        method: {f"{setting}, smoothed": _smoothed(explain) for setting, explain in ways.items()}
        for method, ways in plain.items()
    }
    return {method: ways | smoothed[method] for method, ways in plain.items()}


def explainers(reference: Tensor) -> dict[str, saliency.Explain]:
    """The three explanations, each in the setting that found most lesions of the phantom's val slices.

    Args:
        reference: the mean training image, (1, C, H, W).
    Returns:
        By method, functions of classifier, images (N, C, H, W) in [0, 1] and class; see `saliency`.
    """
    rows = load_table("phantom", "saliency", split="test", depth=0.0)
    chosen = {row["method"]: row["setting"] for row in rows if row["setting"]}
    return {method: ways[chosen[method]] for method, ways in variants(reference).items()}


def generative_ways(
    model: VAE, classifier: Classifier, vector: Tensor, reference: Tensor
) -> dict[str, Callable[[float], Way]]:
    """Counterfactuals of a VAE by name: each a function of its setting, see `SETTINGS`.

    Args:
        model: a VAE of such images.
        classifier: whose answer is to be turned.
        vector: `class_direction` of the VAE.
        reference: the mean training image, (1, C, H, W).
    """
    loud = variants(reference)["integrated gradients"]["mean image, smoothed"]
    return {
        "VAE direction": lambda reach: ways_of.along(model, vector, reach),
        "VAE search": lambda weight: ways_of.by_gradient(model, classifier, weight),
        "VAE infill": lambda pixels: ways_of.infill(model, classifier, loud, int(pixels)),
    }


def control_ways(model: VAE, classifier: Classifier, means: Tensor) -> dict[str, Way]:
    """What a counterfactual has to beat; `means` are those of both classes, (2, C, H, W)."""
    return {
        "reconstruction": ways_of.reconstruction(model),
        "mean image": ways_of.mean_image(means),
        "attack": ways_of.adversarial(classifier, EPSILON),
    }


@dataclass(frozen=True)
class Parts:
    """What ways are made of: the shipped VAE, its class direction, mean images of both classes and of all."""

    model: VAE
    vector: Tensor
    means: Tensor
    reference: Tensor


def parts(data: Dataset) -> Parts:
    """Those for just these images; about a second.

    Args:
        data: PneumoniaMNIST or the phantom in T1w, 28 pixels.
    Raises:
        RunNotFound: nothing is shipped for these images.
    """
    if not pretrained.fits(data, "vae"):
        raise RunNotFound(
            f"no VAE is shipped for {data.name} at {data.size} pixels; counterfactuals need one. Take "
            "PneumoniaMNIST or the phantom at 28 pixels, or call generative_ways with your own."
        )
    model = pretrained.load_vaes(data.name)[BETA]
    x, labels = unit(data.train.images), torch.from_numpy(data.train.labels)
    means = torch.stack([x[labels == label].mean(0) for label in (0, 1)])
    return Parts(model, ways_of.class_direction(model, x, labels), means, x.mean(0, keepdim=True))


def shipped_ways(
    data: Dataset, classifier: Classifier, known: Parts | None = None, controls: bool = False
) -> dict[str, Way]:
    """All ways for just these images in the settings that val chose, of two classes also the CycleGAN.

    Args:
        data, classifier: see `parts`; whose answer is to be turned.
        known: of `parts`, where they are there already.
        controls: whether to add `control_ways`.
    Raises:
        RunNotFound: nothing is shipped for these images.
    """
    known = known or parts(data)
    rows = load_table(data.name, "counterfactuals", split="test")
    chosen = {row["way"]: row["setting"] for row in rows if row["setting"] != ""}
    made = {
        name: way(chosen[name])
        for name, way in generative_ways(known.model, classifier, known.vector, known.reference).items()
    }
    if pretrained.fits(data, "cyclegan"):
        made["CycleGAN"] = ways_of.by_translation(list(pretrained.load_translators(data.name).values())[-1])
    return made | (control_ways(known.model, classifier, known.means) if controls else {})


def _smoothed(explain: saliency.Explain) -> saliency.Explain:
    return lambda model, x, target: smooth(explain(model, x, target), SMOOTH)


def table_path(dataset: str, table: str) -> Path:
    """Where a table rests."""
    return pretrained.shelf() / dataset / f"{table}.csv"


def load_table(dataset: str, table: str, **wanted: Cell) -> list[dict[str, Cell]]:
    """Rows of a table, those with certain cells only, e.g. `split="test", attack="PGD"`.

    Args:
        dataset: "phantom" or "pneumoniamnist".
        table: one of `TABLES`.
        wanted: columns and what has to stand there.
    Returns:
        One dictionary a row; numbers are floats, empty cells "".
    Raises:
        RunNotFound: the table is not there.
        ValueError: no such table or column.
    """
    if table not in TABLES:
        raise ValueError(f"there is no table {table!r}; choose one of {', '.join(TABLES)}.")
    file = table_path(dataset, table)
    if not file.is_file():
        raise RunNotFound(f"{file} is not there. Make it: python recipes/trust_explain.py")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = [{name: _cell(name, text) for name, text in row.items()} for row in csv.DictReader(lines)]
    unknown = set(wanted) - set(rows[0])
    if unknown:
        missing = ", ".join(sorted(unknown))
        raise ValueError(f"{file.name} has no column {missing}; it has {', '.join(rows[0])}.")
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def _cell(name: str, text: str) -> Cell:
    """A number where it is one; settings are numbers in one table and words in the other."""
    try:
        return text if name in WORDS else float(text)
    except ValueError:
        return text
