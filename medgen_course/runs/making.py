"""What trained models make of images, or of nothing, written to files; kinds.py says which kind does what."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from medgen_course.batches.checks import check_seed
from medgen_course.datasets import layout
from medgen_course.datasets.memory import memory_limit
from medgen_course.files import check_place, expanded
from medgen_course.models.translators import Direction
from medgen_course.runs import anomaly as detectors
from medgen_course.runs.opening import open_run, verb_of
from medgen_course.training import RunFolder


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
        ValueError: n below 1, `out` is there already or does not end in .npz, or a label that the model does
            not know.
    """
    if n < 1:
        raise ValueError(f"n is {n}; give the number of images, at least 1.")
    check_seed(seed)
    kind, config = open_run(folder)
    draw, out = verb_of(folder, kind, config, "sample"), _npz(out)
    model = kind.load(RunFolder(folder), config)
    _check_memory(n, config["model"])
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
        ValueError: `out` is there already or does not end in .npz, or there is no translator to this
            domain.
    """
    return _each_array(
        folder, "translate", "translated", images, out,
        lambda turn, model, config, array, name: turn(model, array, to, name),
    )  # fmt: skip


def score(folder: str | Path, images: Path, out: Path) -> dict[str, int]:
    """Say of every image in an .npz how anomalous it is for the model of a run folder; see `score_file`.

    Raises:
        RunNotFound, RunError: there is no run, or its model gives no such score.
        DatasetError, ValueError: see `score_file`.
    """
    kind, config = open_run(folder)
    verb_of(folder, kind, config, "score")
    return detectors.score_file(kind, kind.load(RunFolder(folder), config), images, out)


def enhance(folder: str | Path, images: Path, out: Path, consistent: bool = False) -> dict[str, np.ndarray]:
    """Make better images of every array of images in an .npz.

    Args:
        folder: the run folder of an enhancer.
        images: an .npz with `images`, or with several arrays such as `test_images`, in MedMNIST's layout, as
            they were measured: noisy ones, coarse ones (smaller by the factor), or zero-filled ones.
        out: an .npz to be written, with arrays of the same names.
        consistent: keep what was measured; see `degradations`.
    Returns:
        Name -> uint8 (N, C, H, W), as written (but for the place of the channels).
    Raises:
        RunNotFound, RunError: there is no run, or it does not enhance.
        DatasetError: the images cannot be used.
        ValueError: `out` is there already, is the input, or does not end in .npz.
    """
    return _each_array(
        folder, "enhance", "enhanced", images, out,
        lambda better, model, config, array, name: better(model, config, array, consistent, name),
    )  # fmt: skip


def segment(folder: str | Path, images: Path, out: Path) -> dict[str, np.ndarray]:
    """Draw the masks of every array of images in an .npz.

    Args:
        folder: the run folder of a segmenter.
        images: an .npz with `images`, or with several arrays such as `test_images`, in MedMNIST's layout.
        out: an .npz to be written, with `masks` or arrays such as `test_masks`: uint8, 1 inside, 0 outside,
            (N, H, W), or (N, H, W, K) of K structures, whose names are `mask_names`. Beside the images of an
            own file they are what a segmenter learns from.
    Returns:
        Name -> masks as written.
    Raises:
        RunNotFound, RunError: there is no run, or it does not segment.
        DatasetError: the images cannot be used.
        ValueError: `out` is there already, is the input, or does not end in .npz.
    """
    does, out, model, config, arrays = _all_of(folder, "segment", "segmented", images, out)
    made = {}
    for name, array in arrays.items():
        masks = does(model, config, array, f"{expanded(images)} [{name}]")
        laid = masks[:, 0] if masks.shape[1] == 1 else np.moveaxis(masks, 1, 3)
        made[f"{name.removesuffix('images')}masks"] = laid
    names = {"mask_names": np.array(config["structures"])} if config.get("structures") else {}
    layout.save_images(out, {}, made | names)
    return made


def _each_array(
    folder: str | Path, verb: str, done: str, images: Path, out: Path, work: Callable[..., np.ndarray]
) -> dict[str, np.ndarray]:
    """Do something to every array of images in an .npz, and write them under the same names to `out`.

    `work` gets what the kind has for the verb, the model, `config.json`, an array and its name for errors.
    """
    does, out, model, config, arrays = _all_of(folder, verb, done, images, out)
    path = expanded(images)
    made = {name: work(does, model, config, array, f"{path} [{name}]") for name, array in arrays.items()}
    layout.save_images(out, made)
    return made


def _all_of(
    folder: str | Path, verb: str, done: str, images: Path, out: Path
) -> tuple[Any, Path, Any, dict[str, Any], dict[str, np.ndarray]]:
    """What the kind has for a verb, the file to be written, the model, `config.json` and the images."""
    images = expanded(images)
    if expanded(out).resolve() == images.resolve():
        raise ValueError(f"out is {out}, the file that is to be {done}; give it another name.")
    kind, config = open_run(folder)
    does, out = verb_of(folder, kind, config, verb), _npz(out)
    return does, out, kind.load(RunFolder(folder), config), config, layout.read_images(images)


def _npz(out: str | Path) -> Path:
    """The file to be written; raises ValueError."""
    path = expanded(out)
    if path.suffix != ".npz":
        raise ValueError(f"out is {out}; its name must end in .npz.")
    if path.exists():
        raise ValueError(f"out is {out}, which is there already; choose another name, or remove it.")
    check_place(path)
    return path


def _check_memory(n: int, model: dict[str, Any]) -> None:
    """Raise ValueError where n images, with the floats that they are made of, are more than memory holds."""
    needed = n * (10 * model.get("channels", 1) * model.get("size", 1) ** 2 + 4 * model.get("latent_dim", 0))
    limit = memory_limit()
    if needed > limit:
        raise ValueError(
            f"n is {n}; they need {needed / 1e9:,.1f} GB of memory, and {limit / 1e9:,.1f} GB are free. "
            "Draw fewer at a time, each time with another seed."
        )
