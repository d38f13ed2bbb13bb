"""What is measured of trained models, on which images; kinds.py says which kind does what."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medgen_course import datasets
from medgen_course.datasets import Dataset
from medgen_course.datasets.anomalies import normal_class
from medgen_course.files import write_json
from medgen_course.runs import anomaly as detectors
from medgen_course.runs import privacy_audit
from medgen_course.runs.opening import open_run, verb_of
from medgen_course.runs.reconstruction import check_fit
from medgen_course.training import RunError, RunFolder

Row = dict[str, Any]
MAX_DRAWS = 100_000  # of importance weights: more would run for days


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
    kind, config = open_run(folder)
    model = kind.load(RunFolder(folder), config)
    data = _images(folder, config, model.config["size"], dataset)
    if anomaly is None:
        rows = kind.evaluate(model, config, data, device=device, importance_samples=importance_samples)
    else:
        verb_of(folder, kind, config, "score")
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
    kind, config = open_run(folder)
    verb_of(folder, kind, config, "audit")
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


def _check_unchanged(folder: str | Path, config: dict[str, Any], data: Dataset) -> None:
    """Raise RunError where other images stand under the name of those that the run was trained on."""
    if config.get("images", data.checksum) != data.checksum:
        raise RunError(
            f"{config['dataset']}: other images stand there than those that {folder} was trained on (SHA-256 "
            f"{data.checksum[:12]}..., then {config['images'][:12]}...). To measure on these all the same, "
            "name them: --dataset."
        )


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


def _endless(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
