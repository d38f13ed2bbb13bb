"""Segmenters as run folders: a U-Net that learns where structures are from masks."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from medgen_course.batches.sampling import Sampler
from medgen_course.batches.transforms import augment as moved
from medgen_course.datasets import Dataset, DatasetError, Split
from medgen_course.datasets.errors import problem
from medgen_course.datasets.labelled import Labelled, from_dataset
from medgen_course.metrics.few_labels.segmenters import PRIOR, atlas
from medgen_course.metrics.segmentation import figures
from medgen_course.models.segmenter import Segmenter, SegmenterAlgorithm
from medgen_course.runs.reconstruction import check_fit
from medgen_course.runs.schema import CHANNELS, SIZE, TEXT, WIDTH, integer, network
from medgen_course.runs.train import Plan, Settings, train_into
from medgen_course.training import History, RunError, RunFolder

SETTINGS = Settings(num_epochs=10, batch_size=16, learning_rate=3e-3)
MOVES = {"rotation": 0.04, "shift": 0.05, "brightness": 0.2}  # no mirror: it would move a heart to the right
CONFIG = {
    "structures": {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 8},
    "step_size_falls_over_epochs": integer(0, 2**63),
    "model": network(channels=CHANNELS, size=SIZE, masks=integer(1, 8), width=WIDTH, halvings=integer(0, 8)),
}
SHOWN = {
    "dice_lesion": "Dice, lesions",
    "f1_lesion": "F1, lesion by lesion",
    "dice_ventricles": "Dice, ventricles",
}
LEGEND = (
    "dice: slices that have the structure; clean: slices without it in which nothing is drawn; precision, "
    "recall, f1: region by region. worst: the pixels that lie inside in half of the training masks, whatever "
    "the image."
)
INSTEAD = {"sample": "which draws nothing: hand it images, medgen segment."}


def train(
    dataset: str, out: Path, labelled: int | None = None, augment: bool = False, **settings: Any
) -> History:
    """Train a segmenter into a run folder: a U-Net that learns masks of structures.

    Args:
        dataset, out, settings: see `train.Settings`. An own .npz holds train_masks, val_masks and test_masks
            beside the images: (N, H, W), 1 inside and 0 outside, or (N, H, W, K) for K structures, and
            mask_names, if they have names. The phantom brings masks of lesions and ventricles. The step size
            falls over the epochs, so a run cannot be resumed with more of them.
        labelled: learn from so many training slices, the first ones; by default from all.
        augment: turn, move and brighten each slice anew, its masks with it; good where labels are few.
    Returns:
        The history.
    Raises:
        ValueError, DatasetUnavailable: see `train.train_into`.
        DatasetError: there are no masks, or those to learn from are empty.
    """

    def plan(data: Dataset, chosen: Settings) -> Plan:
        slices = _training(data, labelled)
        kinds = len(slices.names)
        sampler = Sampler(Split(slices.pairs, np.zeros(len(slices), np.int64)), chosen.batch_size)
        steps = chosen.num_epochs * len(sampler)
        algorithm = SegmenterAlgorithm(
            Segmenter(data.channels, data.size, kinds, prior=PRIOR),
            chosen.learning_rate,
            steps,
            partial(moved, **MOVES, masks=kinds) if augment else None,
            lambda_dice=1.0,
        )
        about = {
            "structures": list(slices.names),
            "labelled": len(slices),
            "augment": augment,
            "step_size_falls_over_epochs": chosen.num_epochs,
        }
        return Plan(algorithm, sampler, about)

    return train_into(out, dataset, plan, SETTINGS, **settings)


def _training(data: Dataset, labelled: int | None) -> Labelled:
    """The slices to learn from; raises DatasetError or ValueError."""
    slices = from_dataset(data)["train"]
    if labelled is not None and not 1 <= labelled <= len(slices):
        raise ValueError(f"labelled is {labelled}; {data.name} has {len(slices)} labelled training slices.")
    slices = slices.first(labelled or len(slices))
    for name, marked in zip(slices.names, slices.masks.any((0, 2, 3)), strict=True):
        if not marked:
            raise DatasetError(
                f"{data.name}: the {len(slices)} training masks of {name!r} are empty, so nothing can be "
                "learnt of it. Take more slices, or others."
            )
    return slices


def load(run: RunFolder, config: dict[str, Any]) -> Segmenter:
    """The network; raises RunNotFound or RunError."""
    model = Segmenter(**config["model"])
    if len(config.get("structures", ())) not in (0, config["model"]["masks"]):
        raise RunError(
            f"{run.path}/config.json: {len(config['structures'])} structures for {config['model']['masks']} "
            "masks. Put it back as it was, or train into a new folder."
        )
    run.load_model({"unet": model})
    return model.eval().requires_grad_(False)


def evaluate(model: Segmenter, config: dict[str, Any], data: Dataset, **_: Any) -> dict[str, dict[str, Any]]:
    """Figures on test images, of every structure; see `metrics.segmentation.figures`.

    Raises:
        RunError: the images are not the model's kind, or have masks of other structures.
        DatasetError: there are no masks.
    """
    check_fit(config, data)
    slices = from_dataset(data)
    test, names = slices["test"], tuple(config.get("structures", slices["test"].names))
    if test.names != names:
        raise RunError(
            f"the model knows {', '.join(names)}; the masks of {data.name} are of {', '.join(test.names)}. "
            "Evaluate it on masks of the same structures, in the same order."
        )
    train = slices["train"].first(config.get("labelled", len(slices["train"])))
    rows = figures(model.masks(test.images), test.masks, names)
    for name, row in figures(atlas(train, len(test)), test.masks, names).items():
        if rows[name]["value"] is not None:
            rows[name] |= {"worst": row["value"], "best": 1.0}
    return rows


def segment(model: Segmenter, config: dict[str, Any], images: np.ndarray, name: str = "images") -> np.ndarray:
    """Masks uint8 {0, 1} (N, K, H, W) of images uint8 (N, C, H, W); `name` is what an error calls them.

    Raises:
        DatasetError: channels or size are not those that the model was trained on.
    """
    channels, size = model.config["channels"], model.config["size"]
    if images.shape[1:] != (channels, size, size):
        raise problem(
            name,
            f"images of {images.shape[1]} channels and {images.shape[2]} x {images.shape[3]} pixels",
            f"{channels} channels and {size} x {size} pixels, as the model was trained on",
            "resize the images, or train on images of this size",
        )
    return model.masks(images)
