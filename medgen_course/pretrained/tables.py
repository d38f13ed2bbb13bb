"""What was recorded in tables and reports: a path and a loader for each."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from medgen_course.pretrained.places import shelf, there
from medgen_course.training.checkpoints import read_json


def sweep_path(dataset: str) -> Path:
    """Where the recorded sweep over beta and seeds of a data set rests."""
    return shelf() / dataset / "sweep.csv"


def load_sweep(dataset: str) -> dict[str, np.ndarray]:
    """The recorded sweep as columns, one entry for each beta and seed; raises RunNotFound."""
    return _columns(there(sweep_path(dataset), dataset))


def one_network_path(dataset: str) -> Path:
    """Where the curves of the one VAE for every beta rest, at two budgets."""
    return shelf() / dataset / "one_network.csv"


def load_one_network(dataset: str) -> dict[str, np.ndarray]:
    """Columns epochs (as one VAE had, and as shipped), beta, rate, rmse, elbo on val; raises RunNotFound."""
    return _columns(there(one_network_path(dataset), dataset))


def growing_path(dataset: str = "phantom") -> Path:
    """Where the table of growing against full size of a data set rests (`recipes/growing.py`)."""
    return shelf() / dataset / "growing.csv"


def load_growing_table(dataset: str = "phantom") -> dict[str, np.ndarray]:
    """Growing against training at full size, over time, as columns; raises RunNotFound.

    `way` is 0 for runs that grew and -1 for real images. Of the phantom, 64 pixels, 1 and 2 are a DCGAN with
    small and with large steps; of PneumoniaMNIST 1 are the same networks at full size, 2 is a DCGAN.
    """
    return _columns(there(growing_path(dataset), dataset))


def lab_path() -> Path:
    """Where the table of the hallucination lab rests."""
    return shelf() / "phantom" / "lab.csv"


def load_lab_table() -> dict[str, np.ndarray]:
    """That table as columns, one entry for each prevalence and seed; raises RunNotFound."""
    return _columns(there(lab_path(), "phantom"))


def anomaly_sweep_path(dataset: str) -> Path:
    """Where AUROC over the length of the code, seeds and hidden anomalies rests (recipes/anomaly.py)."""
    return shelf() / dataset / "anomaly_sweep.csv"


def load_anomaly_sweep(dataset: str) -> dict[str, np.ndarray]:
    """That sweep as columns, one entry for each length, seed and share of hidden anomalies; RunNotFound."""
    return _columns(there(anomaly_sweep_path(dataset), dataset))


def enhancement_curve_path() -> Path:
    """Where the table over adversarial weights rests (`recipes/enhancement.py`)."""
    return shelf() / "phantom" / "enhancement_curve.csv"


def load_enhancement_seeds(split: str) -> dict[float, dict[str, list[float]]]:
    """That table on "val" or "test": weight -> figure -> one value for each seed, in the same order for all.

    Raises RunNotFound.
    """
    with there(enhancement_curve_path(), "phantom").open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["split"] == split]
    lines.sort(key=lambda line: (float(line["lambda"]), int(line["seed"])))
    made: dict[float, dict[str, list[float]]] = {}
    for line in lines:
        figures = made.setdefault(float(line["lambda"]), {name: [] for name in list(line)[3:]})
        for name, values in figures.items():
            values.append(float(line[name]))
    return made


def load_enhancement_curve(split: str) -> dict[float, dict[str, dict[str, float]]]:
    """The same with `value`, the mean over seeds, `low` and `high` for each figure; raises RunNotFound."""
    return {
        weight: {
            name: {"value": sum(values) / len(values), "low": min(values), "high": max(values)}
            for name, values in figures.items()
        }
        for weight, figures in load_enhancement_seeds(split).items()
    }


def few_recognition_path(dataset: str) -> Path:
    """Where AUC by the number of labelled images rests (`recipes/few_recognition.py`)."""
    return shelf() / dataset / "few_recognition.csv"


def load_few_recognition(dataset: str) -> dict[str, np.ndarray]:
    """That table as columns: `method` (names), `labels`, `seed` and figures; raises RunNotFound."""
    return _named_columns(there(few_recognition_path(dataset), dataset))


def ledger_path(dataset: str) -> Path:
    """Where the ledger of synthetic data rests (`recipes/few_recognition.py`)."""
    return shelf() / dataset / "ledger.csv"


def load_ledger(dataset: str) -> dict[str, np.ndarray]:
    """The ledger as columns: `method` (names), `labels`, `seed` and figures; raises RunNotFound."""
    return _named_columns(there(ledger_path(dataset), dataset))


def few_segmentation_path() -> Path:
    """Where the table of masks learnt from few labelled slices rests (`recipes/few_segmentation.py`)."""
    return shelf() / "phantom" / "few_segmentation.csv"


def load_few_segmentation() -> list[dict[str, Any]]:
    """That table, a row for each training and split: text, whole numbers and figures; RunNotFound.

    `part` is "labels" (64 pixels, equal updates), "budget" (64 pixels, more of them) or "contrasts" (32
    pixels); then method, labels, seed, split ("val" or "test"), figures of lesions but for dice_ventricles
    (nan where there was nothing to count), updates of the network that gives masks, those of the GAN that
    drew pairs for it, seconds.
    """
    with there(few_segmentation_path(), "phantom").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    words, whole = ("part", "method", "split"), ("labels", "seed", "updates", "gan_updates")
    kinds = dict.fromkeys(words, str) | dict.fromkeys(whole, int)
    return [{name: kinds.get(name, float)(text or "nan") for name, text in row.items()} for row in rows]


def known_map_path() -> Path:
    """Where the ablations of CycleGAN's losses on a known map rest (`recipes/known_map.py`)."""
    return shelf() / "known_map.json"


def load_known_map() -> dict[str, Any]:
    """These ablations: `recipe`, and `runs`, one entry for each number of steps, seed and ablation."""
    return read_json(there(known_map_path(), "the known map"))


def tell_apart_path() -> Path:
    """Where it rests how well classifiers tell real slices from translated ones (`recipes/tell_apart.py`)."""
    return shelf() / "tell_apart.json"


def load_tell_apart() -> dict[str, Any]:
    """That: `recipe`, and `runs`, an AUC for each translator and seed; raises RunNotFound."""
    return read_json(there(tell_apart_path(), "real and translated slices"))


def games_path() -> Path:
    """Where the games on eight Gaussians rest (recipes/games.py)."""
    return shelf() / "games.json"


def load_games() -> list[dict[str, Any]]:
    """One row for each game and seed, with its budget, modes found and share near one; raises RunNotFound."""
    return read_json(there(games_path(), "eight Gaussians"))["rows"]


def seeds_path() -> Path:
    """Where comparisons of notebooks 02 and 03 rest, repeated with several seeds (`recipes/seeds.py`)."""
    return shelf() / "seeds.json"


def load_seeds() -> dict[str, Any]:
    """These: `generators` and `cures`, a row for each way to draw or training, and seed; RunNotFound."""
    return read_json(there(seeds_path(), "several seeds"))


def results_path() -> Path:
    """Where the figures of README's table rest (`make report`)."""
    return shelf() / "results.json"


def _columns(file: Path) -> dict[str, np.ndarray]:
    table = np.genfromtxt(file, delimiter=",", names=True, deletechars="")
    return {name: table[name] for name in table.dtype.names}


def _named_columns(file: Path) -> dict[str, np.ndarray]:
    """Columns of a table whose `method` is a name and all else a number."""
    with file.open(encoding="utf-8", newline="") as opened:
        lines = list(csv.DictReader(opened))
    return {
        name: np.array([line[name] for line in lines], dtype=str if name == "method" else float)
        for name in lines[0]
    }
