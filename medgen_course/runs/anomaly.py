"""Trained models as anomaly detectors: how well they tell classes of a test split, scores of images."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from medgen_course.datasets import Dataset, layout
from medgen_course.datasets.anomalies import from_dataset, normal_class, only_normal
from medgen_course.files import check_place, expanded, write_atomically, write_csv
from medgen_course.metrics.anomaly.detection import auroc, average_precision
from medgen_course.metrics.anomaly.scores import Scored, check_images, kl, negative_elbo, vae_mean
from medgen_course.metrics.anomaly.scores import reconstruction_error as error
from medgen_course.models.vae import VAE

LEGEND = "worst: chance; best: every anomalous image scores higher than every normal one."
DETECTOR = {"auroc": "AUROC by reconstruction", "average_precision": "average precision by reconstruction"}
DECIMALS = 7


def restricted(data: Dataset, named: str) -> tuple[Dataset, str]:
    """The data set with training images of one class alone, and that class's name; raises DatasetError."""
    number = normal_class(data, named)
    return replace(data, train=only_normal(data, number)), data.label_names[number]


def autoencoder_scores(model: Any, images: np.ndarray) -> dict[str, Scored]:
    """Reconstruction error; images uint8 (N, C, H, W)."""
    return {"reconstruction": error(lambda x: model(x), images)}


def vae_scores(model: VAE, images: np.ndarray) -> dict[str, Scored]:
    """Reconstruction error, -ELBO and KL; images uint8 (N, C, H, W)."""
    return {
        "reconstruction": error(vae_mean(model), images),
        "elbo": negative_elbo(model, images),
        "kl": kl(model, images),
    }


def measure(
    kind: ModuleType, model: Any, config: dict[str, Any], data: Dataset, normal: str
) -> dict[str, dict[str, Any]]:
    """How well a model's scores tell the other classes of the test split from the normal one.

    Returns:
        `auroc` and `average_precision` of the kind's first score, each with `low`, `high`, `worst` and
        `best`, and with the name of a score behind them those of its others. `note` says where the model
        has seen anomalies in training.
    Raises:
        DatasetError: there is no such class, or one kind only.
    """
    task = from_dataset(data, normal)
    healthy, sick = (kind.score(model, images) for images in (task.test.healthy, task.test.anomalous))
    rows = {}
    for i, name in enumerate(healthy):
        end, pair = "" if i == 0 else f"_{name}", (healthy[name].image, sick[name].image)
        rows |= {f"auroc{end}": auroc(*pair), f"average_precision{end}": average_precision(*pair)}
    if config.get("normal_class") != task.normal:
        note = (
            f"this model was not trained on {task.normal} images alone, so it may know the anomalies: "
            f"train one with --normal-class {task.normal}"
        )
        rows = {name: row | {"note": note} for name, row in rows.items()}
    return rows


def score_file(kind: ModuleType, model: Any, images: str | Path, out: str | Path) -> dict[str, int]:
    """Write scores of every image of an .npz as a table, and the maps of the first score beside it.

    Args:
        kind, model: of the run.
        images: an .npz with `images`, or with several arrays such as `test_images`, in MedMNIST's layout.
        out: a .csv with a line for each image: array, index, and a column for each score, higher is more
            anomalous. The maps, float32 (N, H, W), go into an .npz of the same name, under the arrays' names.
    Returns:
        Name of an array -> how many images were scored.
    Raises:
        DatasetError: the images cannot be read.
        ValueError: `out` is there already or does not end in .csv, or the images are not the model's.
    """
    out = expanded(out)
    if out.suffix != ".csv":
        raise ValueError(f"out is {out}; its name must end in .csv.")
    maps_path = out.with_suffix(".npz")
    for path in (out, maps_path):
        if path.exists():
            raise ValueError(f"{path} is there already; choose another name for --out, or remove it.")
    check_place(out)
    path, rows, maps = expanded(images), [], {}
    for name, array in layout.read_images(path).items():
        check_images(array, model.config["channels"], model.config["size"], f"{path} [{name}]")
        found = kind.score(model, array)
        maps[name] = next(iter(found.values())).map
        columns = {score: scored.image for score, scored in found.items()}
        for i in range(len(array)):
            row = {"array": name, "index": i}
            rows.append(row | {score: f"{values[i]:.{DECIMALS}g}" for score, values in columns.items()})

    def write(partial: Path) -> None:
        with open(partial, "wb") as file:
            np.savez_compressed(file, **maps)

    write_atomically(maps_path, write)
    write_csv(out, rows)
    return {name: len(array) for name, array in maps.items()}
