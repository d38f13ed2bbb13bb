"""The table of kinds: what `medgen train` offers and what a run folder's `config.json` may name.

A kind is a module; it has those of these verbs that make sense for it:

    train(dataset, out, ..., **settings) -> History     with SETTINGS, its defaults of what all kinds share
    load(run, config) -> model                          in evaluation mode, on the CPU
    evaluate(model, config, data, device, importance_samples) -> figure -> row
    sample(model, config, n, seed, label) -> images uint8 (N, C, H, W), labels (N,) or None
    translate(model, images, to, name) -> images        uint8 (N, C, H, W) both
    score(model, images) -> name -> Scored              how anomalous; the first score has maps
    enhance(model, config, images, consistent, name) -> images      the same
    segment(model, config, images, name) -> masks       uint8 {0, 1} (N, K, H, W)

where a row's `note` is why its value is None, or what must be known of it. A kind also says CONFIG, what
`config.json` holds of it (see schema.py); LEGEND, how its figures are to be read; SHOWN, which of them README
shows and what it calls them; and INSTEAD, for a verb that it lacks, why, and what to do instead.
"""

from importlib import import_module
from types import ModuleType

KINDS = {  # name -> its module
    "autoencoder": "medgen_course.runs.autoencoder",
    "linear_autoencoder": "medgen_course.runs.linear_autoencoder",
    "vae": "medgen_course.runs.vae",
    "semi_vae": "medgen_course.runs.semi_vae",
    "gan": "medgen_course.runs.gan",
    "progressive": "medgen_course.runs.progressive",
    "cyclegan": "medgen_course.runs.cyclegan",
    "pix2pix": "medgen_course.runs.pix2pix",
    "enhancer": "medgen_course.runs.enhancer",
    "segmenter": "medgen_course.runs.segmenter",
}


def kind_named(name: str) -> ModuleType:
    """The module of a kind.

    Raises:
        KeyError: there is no such kind.
    """
    return import_module(KINDS[name])


def kinds_with(verb: str) -> dict[str, ModuleType]:
    """The kinds that have a verb, by name."""
    modules = {name: kind_named(name) for name in KINDS}
    return {name: module for name, module in modules.items() if hasattr(module, verb)}
