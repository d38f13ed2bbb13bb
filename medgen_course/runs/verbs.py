"""What can be done with any trained model; the table of kinds says who does it."""

import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from medgen_course.datasets import layout
from medgen_course.files import write_json
from medgen_course.models.translators import Direction
from medgen_course.runs.kinds import KINDS, kind_named, kinds_with
from medgen_course.training import RunError, RunFolder

Row = dict[str, Any]


def kind_of(folder: str | Path) -> ModuleType:
    """The kind of the model in a run folder; raises RunNotFound or RunError."""
    return _open(folder)[0]


def load(folder: str | Path) -> tuple[Any, dict[str, Any]]:
    """The trained model of a run folder, in evaluation mode on the CPU, and its configuration.

    Returns:
        The model (`Translators` for a CycleGAN or a pix2pix), and `config.json` with `kind` beside `model`.
    Raises:
        RunNotFound, RunError: there is no run, or it cannot be used.
    """
    kind, config = _open(folder)
    return kind.load(RunFolder(folder), config), config


def evaluate(folder: str | Path, *arguments: Any, **options: Any) -> dict[str, Row]:
    """`measure` and `store`."""
    rows = measure(folder, *arguments, **options)
    store(folder, rows)
    return rows


def store(folder: str | Path, rows: dict[str, Row]) -> None:
    """Write figures as `metrics.json` beside the weights; raises OSError."""
    write_json(Path(folder) / "metrics.json", rows)


def measure(
    folder: str | Path, dataset: str | None = None, device: str = "auto", importance_samples: int = 200
) -> dict[str, Row]:
    """Measure a trained model on the test split.

    Args:
        folder: the run folder.
        dataset: other images than those it was trained on, e.g. where the file has moved.
        device: auto, cpu, cuda or mps.
        importance_samples: draws for the importance-weighted likelihood of a VAE; 0 leaves it out.
    Returns:
        Each figure as a mean over images with its bootstrap interval, `value`, `low`, `high`, and where they
        make sense the ends that it can be read between, `worst` and `best`. Which figures: see `evaluate` of
        the kind, `medgen_course/runs/KIND.py`. None where not finite. `note` is why there is no value, or
        what must be known of it.
    Raises:
        RunNotFound, RunError, DatasetError, DatasetUnavailable: what cannot be read.
    """
    if importance_samples < 0:
        raise ValueError(f"importance_samples is {importance_samples}; give 0 to leave it out, or more.")
    kind, config = _open(folder)
    model = kind.load(RunFolder(folder), config)
    rows = kind.evaluate(
        model, config, dataset or config["dataset"], device=device, importance_samples=importance_samples
    )
    return {
        name: {key: None if _endless(value) else value for key, value in row.items()}
        for name, row in rows.items()
    }


def _endless(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def sample(
    folder: str | Path, n: int, out: Path, seed: int = 0, label: int | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Draw images from the model of a run folder: a VAE's decoded means, or a GAN's averaged generator.

    Args:
        folder: the run folder.
        n: number of images.
        out: an .npz to be written, in MedMNIST's layout: `images` uint8 (N, H, W) or (N, H, W, 3), and
            `labels` (N, 1) from a conditional generator.
        seed: of the draws.
        label: the class wanted from a conditional generator; None draws classes as often as they were in
            training.
    Returns:
        The images as written, and the labels (N,) or None.
    Raises:
        RunNotFound, RunError: there is no run, or its model has no prior to draw from.
        ValueError: n below 1, `out` does not end in .npz, or a label that the model does not know.
    """
    if n < 1:
        raise ValueError(f"n is {n}; give the number of images, at least 1.")
    out = _npz(out)
    kind, config = _open(folder)
    draw = _verb(folder, kind, config, "sample")
    model = kind.load(RunFolder(folder), config)
    classes = getattr(model, "num_classes", 0)
    if label is not None and not 0 <= label < classes:
        known = f"this one knows 0 to {classes - 1}" if classes else "this model was trained without classes"
        raise ValueError(f"label is {label}; {known}.")
    images, labels = draw(model, config, n, seed, label)
    others = {} if labels is None else {"labels": labels[:, None]}
    return layout.save_images(out, {"images": images}, others)["images"], labels


def translate(folder: str | Path, images: Path, to: Direction, out: Path) -> dict[str, np.ndarray]:
    """Translate every array of images in an .npz.

    Args:
        folder: the run folder of a CycleGAN or a pix2pix.
        images: an .npz with `images`, or with several arrays such as `test_images`, in MedMNIST's layout.
        to: the domain wanted, "a" or "b"; the images are from the other one.
        out: an .npz to be written, with arrays of the same names.
    Returns:
        Name -> uint8 (N, C, H, W), as written (but for the place of the channels).
    Raises:
        RunNotFound, RunError: there is no run, or it does not translate.
        DatasetError: the images cannot be used.
        ValueError: `out` does not end in .npz, or there is no translator to this domain.
    """
    out = _npz(out)
    if out.resolve() == Path(images).resolve():
        raise ValueError(f"out is {out}, the file that is to be translated; give it another name.")
    kind, config = _open(folder)
    turn = _verb(folder, kind, config, "translate")
    model, made = kind.load(RunFolder(folder), config), {}
    for name, array in layout.read_images(images).items():
        made[name] = turn(model, array, to, f"{images} [{name}]")
    layout.save_images(out, made)
    return made


def _open(folder: str | Path) -> tuple[ModuleType, dict[str, Any]]:
    """The kind of a run folder's model, and `config.json` with that kind beside `model` instead of in it."""
    config = RunFolder(folder).load_config()
    model = dict(config.get("model", {}))
    name = model.pop("kind", None)
    if name not in KINDS:
        raise RunError(f"{folder}/config.json: the model is {name!r}; known are {', '.join(KINDS)}.")
    return kind_named(name), config | {"kind": name, "model": model}


def _verb(folder: str | Path, kind: ModuleType, config: dict[str, Any], verb: str) -> Any:
    """What a kind does, or an error that says what else there is to do."""
    if hasattr(kind, verb):
        return getattr(kind, verb)
    instead = getattr(kind, "INSTEAD", {}).get(verb)
    if instead is None:
        instead = f"which cannot {verb}; those that can: {', '.join(kinds_with(verb))}."
    raise RunError(f"{folder} holds a model of kind {config['kind']!r}, {instead}")


def _npz(out: str | Path) -> Path:
    """The file to be written; raises ValueError."""
    if Path(out).suffix != ".npz":
        raise ValueError(f"out is {out}; its name must end in .npz.")
    return Path(out)
