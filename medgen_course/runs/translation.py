"""What CycleGAN and pix2pix have in common as run folders: figures, how README shows them, translating."""

from pathlib import Path
from typing import Any

import numpy as np

from medgen_course.batches.transforms import to_uint8
from medgen_course.datasets import Dataset
from medgen_course.datasets.domains import Domains, from_dataset, named_classes
from medgen_course.datasets.errors import problem
from medgen_course.metrics.translation_eye import translation_eye
from medgen_course.metrics.translators import class_change, evaluate_translators
from medgen_course.models.cyclegan_networks import SIZES, PatchDiscriminator
from medgen_course.models.local_enhancer import JUDGE_WIDTH, LocalEnhancer
from medgen_course.models.translators import Direction, Translators
from medgen_course.runs.opening import load
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


def generator_config(kind: str, told: bool, depth: int = 3, **more: dict[str, Any]) -> dict[str, Any]:
    """Schema of a generator's configuration, or of a `LocalEnhancer` on top of such a one.

    Args:
        kind: of the generator.
        told: whether the configuration holds its kind, too.
        depth: how many enhancers may stand on top of one another.
        more: what else the kind has.
    """

    def shape(name: str, **own: dict[str, Any]) -> dict[str, Any]:
        ends = {"in_channels": CHANNELS, "out_channels": CHANNELS, "size": integer(*SIZES), "width": WIDTH}
        return network(**ends, **own, **({"kind": {"const": name}} if told else {}))

    alone = shape(kind, halvings=integer(0, 6), **more)
    if not depth:
        return alone
    coarse = generator_config(kind, True, depth - 1, **more)
    enhancer = shape("local_enhancer", layers=integer(1, 16), coarse=coarse)
    return {"if": {"required": ["coarse"]}, "then": enhancer, "else": alone}


def on_top_of(coarse: Path, kind: str, two: Domains, ways: tuple[Direction, ...]) -> list[LocalEnhancer]:
    """New generators on top of the trained ones of a run folder of half the side.

    Args:
        coarse: the run folder.
        kind: of the run.
        two: the domains to translate between.
        ways: the domains to translate to.
    Raises:
        RunError, RunNotFound: there is no such run, or it is of another kind, side or direction.
    """
    model, config = load(coarse)
    half = two.size // 2
    if config["kind"] != kind or 2 * model.size != two.size or not set(ways) <= set(model.directions):
        found = f"a {config['kind']}" + (f" of {model.size} pixels" if hasattr(model, "size") else "")
        raise RunError(
            f"{coarse}: this is {found}, to {' and '.join(getattr(model, 'directions', '-'))}. To build on "
            f"for {two.size} pixels, give a {kind} of {half} pixels to {' and '.join(ways)}: train one with "
            f"--size {half} first."
        )
    if model.channels != two.channels:
        raise RunError(f"{coarse}: its images have {model.channels} channels, yours {two.channels}.")
    return [LocalEnhancer(model[to]) for to in ways]


def judge(channels: int, size: int, coarse: Path | None) -> PatchDiscriminator:
    """A new discriminator of generators from nothing, or of those on top of a coarse run."""
    width = {} if coarse is None else {"width": JUDGE_WIDTH}
    return PatchDiscriminator(channels, size, **width)


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
