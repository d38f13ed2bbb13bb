"""What CycleGAN and pix2pix have in common as run folders: figures, how README shows them, translating."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from medgen_course.batches.transforms import to_uint8
from medgen_course.datasets import Dataset
from medgen_course.datasets.domains import Domains, from_dataset, named_classes
from medgen_course.datasets.errors import problem
from medgen_course.files import expanded
from medgen_course.metrics.translation_eye import translation_eye
from medgen_course.metrics.translators import class_change, evaluate_translators
from medgen_course.models.cyclegan_networks import SIZES, PatchDiscriminator
from medgen_course.models.local_enhancer import JUDGE_WIDTH, LocalEnhancer
from medgen_course.models.translators import Direction, Translators
from medgen_course.runs.opening import load, open_run
from medgen_course.runs.schema import CHANNELS, TEXT, WIDTH, integer, network
from medgen_course.training import RunError

DOMAINS = {
    "domains": {"type": "string"},
    "names": {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2},
    "step_size_falls_over_epochs": integer(0, 2**63),
}
DOUBLINGS = int(math.log2(SIZES[1] / SIZES[0]))  # enhancers that can stand on top of one another
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


def generator_config(kind: str, told: bool, depth: int = DOUBLINGS, **more: dict[str, Any]) -> dict[str, Any]:
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
        RunError, RunNotFound: there is no such run, or it is of another kind, side, direction or domains; or
            the side has no half that a generator could have.
    """
    half = two.size // 2
    if two.size % 2 or half < SIZES[0]:
        raise RunError(
            f"images of {two.size} pixels: a coarse run has half of an even side, and {SIZES[0]} pixels at "
            "least. Leave --coarse out."
        )
    model, config = load(coarse)
    found = f"a {config['kind']}"
    if config["kind"] == kind:
        if model.size == half and set(ways) <= set(model.directions):
            _check_same_domains(coarse, model, config, two)
            return [LocalEnhancer(model[to]) for to in ways]
        found += f" of {model.size} pixels, to {' and '.join(model.directions)}"
    raise RunError(
        f"{coarse}: this is {found}. To build on for {two.size} pixels, give a {kind} of {half} pixels, to "
        f"{' and '.join(ways)}: train one on the same images of that side first, or leave --coarse out."
    )


def _check_same_domains(coarse: Path, model: Translators, config: dict[str, Any], two: Domains) -> None:
    """Raise RunError if the coarse run translates between others, or the other way round."""
    a, b = config.get("names", ("?", "?"))
    if (a, b) != (two.name_a, two.name_b):
        raise RunError(
            f"{coarse}: its domains are A = {a} and B = {b}, yours A = {two.name_a} and B = {two.name_b}. "
            "Give the same images, and --domains in the same order."
        )
    if model.channels != two.channels:
        ours, theirs = (" and ".join(map(str, channels)) for channels in (two.channels, model.channels))
        raise RunError(
            f"{coarse}: its images have {theirs} channels (A and B), yours {ours}. Train a coarse run on "
            "your images first."
        )


def begun(out: Path, kind: str, resume: bool) -> dict[str, Any]:
    """The model's configuration of a run that goes on; empty for one that begins, or of another kind.

    What an enhancer stands on is in the run's own folder, so the coarse run may be gone by then.
    """
    folder = expanded(out)
    if not (resume and (folder / "resume.safetensors").exists()):
        return {}
    _, config = open_run(folder)
    return config["model"] if config["kind"] == kind else {}


def judge(channels: int, generator: nn.Module) -> PatchDiscriminator:
    """A new discriminator of such a generator's answers; it is narrower beside a `LocalEnhancer`."""
    width = {"width": JUDGE_WIDTH} if isinstance(generator, LocalEnhancer) else {}
    return PatchDiscriminator(channels, generator.config["size"], **width)


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
