"""What CycleGAN and pix2pix have in common as run folders: figures, how README shows them, translating."""

from typing import Any

import numpy as np

from medgen_course.batches.transforms import to_uint8
from medgen_course.datasets import Dataset
from medgen_course.datasets.domains import Domains, from_dataset, named_classes
from medgen_course.datasets.errors import problem
from medgen_course.metrics.translation_eye import translation_eye
from medgen_course.metrics.translators import class_change, evaluate_translators
from medgen_course.models.cyclegan_networks import SIZES
from medgen_course.models.translators import Direction, Translators
from medgen_course.runs.schema import CHANNELS, TEXT, WIDTH, integer, network
from medgen_course.training import RunError

DOMAINS = {
    "domains": {"type": "string"},
    "names": {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2},
    "step_size_falls_over_epochs": integer(0, 2**63),
}
LEGEND = "worst: the image left as it is. best of frechet: training images of the target domain."
INSTEAD = {"sample": "which draws nothing: hand it images, medgen translate."}
SHOWN = {
    "ssim_ab": "SSIM A → B",
    "ssim_ba": "SSIM B → A",
    "erased_ab": "lesions erased A → B",
    "invented_ab": "slices with large errors A → B",
    "domain_auc": "AUC of the classes",
    "domain_auc_translated": "AUC after translation",
    "cycle_l1": "cycle error",
}


def generator_config(**more: dict[str, Any]) -> dict[str, Any]:
    """Schema of a generator's configuration, with what else its kind has."""
    ends = {"in_channels": CHANNELS, "out_channels": CHANNELS}
    return network(**ends, size=integer(*SIZES), width=WIDTH, halvings=integer(0, 6), **more)


def described(data: Dataset, two: Domains, domains: str, num_epochs: int) -> dict[str, Any]:
    """What `config.json` tells of the domains, and of the epochs over which the step size falls."""
    named = "" if data.drawn else domains
    return {"domains": named, "names": [two.name_a, two.name_b], "step_size_falls_over_epochs": num_epochs}


def evaluate(
    model: Translators, config: dict[str, Any], data: Dataset, **_: Any
) -> dict[str, dict[str, Any]]:
    """Figures on test images; see `metrics.translators`."""
    classes = named_classes(data, config["domains"]) if config.get("domains") else (0, 1)
    domains, eye = from_dataset(data, classes), translation_eye(data)
    if domains.channels != model.channels or domains.size != model.size:
        raise RunError(
            f"the model translates {model.channels} channels of {model.size} pixels; "
            f"{data.name} has {domains.channels} of {domains.size}. Evaluate it on images of its own kind."
        )
    rows = evaluate_translators(model, domains, eye)
    if domains.test.truth is not None:
        return rows
    return rows | class_change(model, domains, eye, ((classes[0],), (classes[1],)))


def translate(model: Translators, images: np.ndarray, to: Direction, name: str = "images") -> np.ndarray:
    """Images of the other domain, uint8 (N, C, H, W), to domain `to`: uint8 (N, C', H, W).

    `name` is what an error calls them.

    Raises:
        DatasetError: channels or size are not those that the translator was trained on.
        ValueError: there is no translator to this domain.
    """
    channels, size = model[to].config["in_channels"], model.size
    if images.shape[1:] != (channels, size, size):
        raise problem(
            name,
            f"images of {images.shape[1]} channels and {images.shape[2]} x {images.shape[3]} pixels",
            f"{channels} channels and {size} x {size} pixels, as the translator to {to} was trained on",
            "resize the images, or train on images of this size",
        )
    return to_uint8(model.translate(images, to)).numpy()
