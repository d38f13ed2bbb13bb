"""What can be done with any trained model; the table of kinds says who does it."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from medgen_course import datasets
from medgen_course.batches.checks import check_seed
from medgen_course.datasets import Dataset, layout
from medgen_course.datasets.anomalies import normal_class
from medgen_course.datasets.memory import memory_limit
from medgen_course.files import check_place, expanded, write_json
from medgen_course.models.translators import Direction
from medgen_course.runs import anomaly as detectors
from medgen_course.runs import privacy_audit, schema
from medgen_course.runs.kinds import KINDS, kind_named, kinds_with
from medgen_course.runs.reconstruction import check_fit
from medgen_course.training import RunError, RunFolder

Row = dict[str, Any]
MAX_DRAWS = 100_000  # of importance weights: more would run for days


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


@dataclass(frozen=True)
class Figures:
    """What was measured of which weights on which images.

    rows: figure -> `value`, `low`, `high`, and `worst` and `best` where they make sense.
    measured_on: `dataset` and `source` of the images, `split`, and the SHA-256 of `images` and `weights`.
    """

    rows: dict[str, Row]
    measured_on: dict[str, Any]

    def json(self) -> dict[str, Any]:
        """As they are written and printed: the rows beside `measured_on`."""
        return {"measured_on": self.measured_on, **self.rows}


def evaluate(folder: str | Path, *arguments: Any, **options: Any) -> Figures:
    """`measure` and `store`."""
    figures = measure(folder, *arguments, **options)
    store(folder, figures)
    return figures


def store(folder: str | Path, figures: Figures) -> None:
    """Write figures beside the weights, as `metrics.json`, or `anomaly.json` those of a detector; OSError."""
    name = "anomaly.json" if "normal" in figures.measured_on else "metrics.json"
    write_json(Path(folder) / name, figures.json())


def measure(
    folder: str | Path,
    dataset: str | None = None,
    device: str = "auto",
    importance_samples: int = 200,
    anomaly: str | None = None,
) -> Figures:
    """Measure a trained model on the test split.

    Args:
        folder: the run folder.
        dataset: other images than those it was trained on, or the place to which these have moved.
        device: auto, cpu, cuda or mps.
        importance_samples: draws for the importance-weighted likelihood of a VAE; 0 leaves it out.
        anomaly: a class, by name or number, that counts as normal: then only how well the model tells the
            other classes from it, see `anomaly.measure`.
    Returns:
        Each figure as a mean over images with its bootstrap interval, `value`, `low`, `high`, and where they
        make sense the ends that it can be read between, `worst` and `best`. Which figures: see `evaluate` of
        the kind, `medgen_course/runs/KIND.py`. None where not finite. `note` is why there is no value, or
        what must be known of it.
    Raises:
        RunNotFound, RunError, DatasetError, DatasetUnavailable: what cannot be read; or the images that the
            model was trained on have been replaced since, and `dataset` does not name them.
    """
    if not 0 <= importance_samples <= MAX_DRAWS:
        raise ValueError(
            f"importance_samples is {importance_samples}; give 0 to leave it out, or up to {MAX_DRAWS}."
        )
    kind, config = _open(folder)
    model = kind.load(RunFolder(folder), config)
    data = _images(folder, config, model.config["size"], dataset)
    if anomaly is None:
        rows = kind.evaluate(model, config, data, device=device, importance_samples=importance_samples)
    else:
        _verb(folder, kind, config, "score")
        check_fit(config, data)
        rows = detectors.measure(kind, model, config, data, anomaly)
    measured_on = _about(folder, data, "test")
    if anomaly is not None:
        measured_on["normal"] = data.label_names[normal_class(data, anomaly)]
    return Figures(_finite(rows), measured_on)


def audit(folder: str | Path, dataset: str | None = None) -> Figures:
    """What a trained model gives away of its training images; see `privacy_audit.measure`.

    Args:
        folder: the run folder of a VAE or a GAN.
        dataset: the place to which the images have moved that it was trained on.
    Raises:
        RunNotFound, RunError: there is no run, its model cannot be attacked, or these are not the images
            that it was trained on.
        DatasetError, DatasetUnavailable: see `datasets.load`.
    """
    kind, config = _open(folder)
    _verb(folder, kind, config, "audit")
    run = RunFolder(folder)
    model = kind.load(run, config)
    data = _images(folder, config, model.config["size"], dataset)
    check_fit(config, data)
    if config.get("images", data.checksum) != data.checksum:
        raise RunError(
            f"{dataset}: these are not the images that {folder} was trained on, and an audit asks what it "
            "gives away of those. Name their place: --dataset, or leave it out."
        )
    found = privacy_audit.measure(kind, run, model, config, data)
    counts = {"members": found.members, "others": found.others}
    return Figures(_finite(found.rows), _about(folder, data, "val") | counts)


def _images(folder: str | Path, config: dict[str, Any], size: int, dataset: str | None) -> Dataset:
    """The images that a run is to be measured on, by default those that it was trained on."""
    if dataset is None and "dataset" not in config:
        raise RunError(f"{folder}/config.json does not say of which images; name them: --dataset.")
    data = datasets.load(dataset or config["dataset"], size=size)
    if dataset is None:
        _check_unchanged(folder, config, data)
    return data


def _about(folder: str | Path, data: Dataset, split: str) -> dict[str, Any]:
    """Which weights are measured on which images."""
    return {
        "dataset": data.name,
        "source": data.source,
        "split": split,
        "images": data.checksum,
        "weights": hashlib.sha256((Path(folder) / "model.safetensors").read_bytes()).hexdigest(),
    }


def _finite(rows: dict[str, Row]) -> dict[str, Row]:
    """None in place of what JSON does not know."""
    return {
        name: {key: None if _endless(value) else value for key, value in row.items()}
        for name, row in rows.items()
    }


def _check_unchanged(folder: str | Path, config: dict[str, Any], data: Dataset) -> None:
    """Raise RunError where other images stand under the name of those that the run was trained on."""
    if config.get("images", data.checksum) != data.checksum:
        raise RunError(
            f"{config['dataset']}: other images stand there than those that {folder} was trained on (SHA-256 "
            f"{data.checksum[:12]}..., then {config['images'][:12]}...). To measure on these all the same, "
            "name them: --dataset."
        )


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
        ValueError: n below 1, `out` is there already or does not end in .npz, or a label that the model does
            not know.
    """
    if n < 1:
        raise ValueError(f"n is {n}; give the number of images, at least 1.")
    check_seed(seed)
    kind, config = _open(folder)
    draw, out = _verb(folder, kind, config, "sample"), _npz(out)
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
    kind, config = _open(folder)
    _verb(folder, kind, config, "score")
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
    kind, config = _open(folder)
    does, out = _verb(folder, kind, config, verb), _npz(out)
    return does, out, kind.load(RunFolder(folder), config), config, layout.read_images(images)


def _open(folder: str | Path) -> tuple[ModuleType, dict[str, Any]]:
    """The kind of a run folder's model, and `config.json` with that kind beside `model` instead of in it."""
    run = RunFolder(folder)
    config, path = run.load_config(), run.path / "config.json"
    schema.check(path, config, {})
    model = dict(config["model"])
    name = model.pop("kind", None)
    if not isinstance(name, str) or name not in KINDS:
        raise RunError(
            f"{path}: the model is {name!r:.80}; known are {', '.join(KINDS)}. Use the version of the course "
            "that wrote it, or train into a new folder."
        )
    kind, opened = kind_named(name), config | {"kind": name, "model": model}
    schema.check(path, opened, getattr(kind, "CONFIG", {}))
    run.check_config(config)
    return kind, opened


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
