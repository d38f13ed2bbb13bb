"""What every training has in common: its settings, and the way from images to a run folder."""

import math
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from medgen_course import datasets
from medgen_course.batches.checks import check_seed
from medgen_course.datasets import Dataset
from medgen_course.datasets.audit import doubts
from medgen_course.files import check_place, expanded
from medgen_course.models.algorithm import Algorithm
from medgen_course.runs.anomaly import restricted
from medgen_course.training import History, RunError, fit
from medgen_course.training.loop import Epochs


@dataclass(frozen=True)
class Settings:
    """What can be set for every kind of model; a kind's SETTINGS are its defaults.

    Args:
        dataset: a MedMNIST name, "phantom" (T1w), "phantom-t2w", or the path of your own .npz.
        out: the run folder; made if it is not there.
        num_epochs: epochs in all; with resume, those already done count.
        normal_class: train on the images of one class alone, by name or number, to find what is not like
            them; val and test keep all classes.
        batch_size: images in a batch (of each domain, where there are two), in each process.
        learning_rate: the optimiser's step size.
        seed: of the first weights, the order of the images and all noise.
        size: side of the images in pixels (28, 64, 128, 224); by default 28, and an own file keeps its own.
        device: auto, cpu, cuda or mps.
        precision: auto, float32 or bfloat16.
        devices: processes on this machine; several machines run under torchrun.
        resume: go on with the run in the folder; without it an existing run is left alone. The images and
            all settings must be the run's, but for dataset's place, device (whose rounding differs) and
            num_epochs.
    """

    num_epochs: int
    batch_size: int
    learning_rate: float
    seed: int = 0
    size: int | None = None
    normal_class: str | None = None
    device: str = "auto"
    precision: str = "auto"
    devices: int = 1
    resume: bool = False


@dataclass
class Plan:
    """What is to be trained on which batches, with what `config.json` tells of it beside the usual."""

    algorithm: Algorithm
    sampler: Epochs
    about: dict[str, Any] = field(default_factory=dict)
    callback: Callable[[int, dict[str, Tensor]], None] | None = None


def train_into(
    out: str | Path,
    dataset: str,
    plan: Callable[[Dataset, Settings], Plan],
    settings: Settings,
    **changes: Any,
) -> History:
    """What every `train` does: check, load the images, build from the seed, fit.

    Args:
        out: the run folder; made if it is not there.
        dataset: a MedMNIST name, "phantom" (T1w), "phantom-t2w", or the path of your own .npz.
        plan: from images and settings to what is trained; it runs with the global random state seeded.
        settings: the kind's defaults.
        changes: other values for some of them.
    Raises:
        ValueError: a setting is out of range, or the folder holds another run (RunError).
        TypeError: there is no such setting.
        DatasetError, DatasetUnavailable: see `datasets.load`.
    """
    chosen, out = replace(settings, **changes), expanded(out)
    if not 0 < chosen.learning_rate < math.inf:
        raise ValueError(f"learning_rate is {chosen.learning_rate}; give a finite step size above 0.")
    check_seed(chosen.seed)
    if out.exists() and not out.is_dir():
        raise RunError(f"{out} is a file; choose a folder for the run.")
    check_place(out)
    if (out / "config.json").exists() and not chosen.resume:
        raise RunError(f"{out} holds a run already. Go on with it (--resume), or choose another folder.")
    data = datasets.load(dataset, size=chosen.size or 28)
    if chosen.size not in (None, data.size):
        raise ValueError(f"size is {chosen.size}; the images of {data.name} have {data.size}. Leave it out.")
    for doubt in doubts(data):
        warnings.warn(f"{data.name}, {doubt}", stacklevel=2)
    checksum, normal = data.checksum, {}
    if chosen.normal_class is not None:
        data, name = restricted(data, chosen.normal_class)
        normal = {"normal_class": name}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chosen.seed)
        made = plan(data, chosen)
    given = asdict(chosen)
    del given["normal_class"]  # by its name, in config.json
    about = {
        "dataset": str(Path(dataset).resolve()) if Path(dataset).is_file() else dataset,
        "images": checksum,
        "batch_size": given.pop("batch_size"),
        "learning_rate": given.pop("learning_rate"),
        **normal,
        **made.about,
    }
    del given["size"]  # the model's own, in config.json
    return fit(made.algorithm, made.sampler, **given, callback=made.callback, out=out, config=about)
