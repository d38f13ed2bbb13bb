"""Translators that come with the course: CycleGAN, pix2pix and the lab, at 32 pixels and on top at 64."""

from typing import Any

from torch import Tensor

from medgen_course.datasets import Dataset
from medgen_course.models.generators import build, turned
from medgen_course.models.local_enhancer import LocalEnhancer
from medgen_course.models.translators import Translators
from medgen_course.pretrained.filling import fill, read
from medgen_course.pretrained.places import fits


def load_translators(dataset: str) -> dict[int, Translators]:
    """The CycleGAN of a task after some steps of its training, the shipped one last; raises RunNotFound.

    That of the phantom is of 32 pixels; see `load_finer_translators`.
    """
    tensors, about = read(dataset, "cyclegan")
    return {step: _translators(tensors, about, f"{step}/") for step in about["recipe"]["moments"]}


def translators_for(data: Dataset) -> dict[int, Translators] | None:
    """`load_translators`, where they were trained on these very images (`fits`); None otherwise."""
    return load_translators(data.name) if fits(data, "cyclegan") else None


def load_finer_translators() -> dict[int, Translators]:
    """The phantom's CycleGAN at 64 pixels, a `LocalEnhancer` on top of the shipped one of 32 pixels.

    Returns:
        Updates at 64 pixels -> translators; after none they are the coarse answer, enlarged. Raises
        RunNotFound.
    """
    tensors, about = read("phantom", "cyclegan_64")
    recorded = load_translators("phantom")
    coarse, moments = recorded[max(recorded)], about["recipe"]["moments"]
    return {step: _finer(coarse, tensors, about, f"{step}/") for step in moments}


def load_pix2pix() -> Translators:
    """pix2pix between the phantom's contrasts at 32 pixels, both ways; raises RunNotFound."""
    tensors, about = read("phantom", "pix2pix")
    return _translators(tensors, about, "")


def load_finer_pix2pix() -> Translators:
    """The same at 64 pixels, a `LocalEnhancer` on top of it; raises RunNotFound."""
    return _finer(load_pix2pix(), *read("phantom", "pix2pix_64"), "")


def load_lab() -> dict[float, dict[int, Translators]]:
    """The hallucination lab, 64 pixels: share of lesions in T2w while training -> steps -> translators.

    The steps are those at 64 pixels, on top of networks of 32 pixels of the same lab. Raises RunNotFound.
    """
    tensors, about = read("phantom", "lab")
    recipe = about["recipe"]
    return {
        share: {recipe["steps_64"]: _translators(tensors, about, f"{share:g}/")}
        for share in recipe["prevalences_b"]
    }


def _translators(tensors: dict[str, Tensor], about: dict[str, Any], prefix: str) -> Translators:
    there = {**about["model"], "kind": about["kind"]}
    ways = zip((there, turned(there)), ("to_b", "to_a"), strict=True)
    return Translators(*(fill(build(config), tensors, prefix + way) for config, way in ways))


def _finer(
    coarse: Translators, tensors: dict[str, Tensor], about: dict[str, Any], prefix: str
) -> Translators:
    """Translators whose file holds only what was learnt at full size; they share the coarse networks."""
    settings = {name: about["model"][name] for name in ("width", "layers")}
    made = {f"to_{to}": LocalEnhancer(coarse[to], **settings).eval() for to in coarse.directions}
    for way, network in made.items():
        fill(network.fine, tensors, prefix + way)
    return Translators(**made)
