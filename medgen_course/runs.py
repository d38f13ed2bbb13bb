"""A run from beginning to end: train into a run folder, load it, measure it on the test split."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from medgen_course import datasets, metrics
from medgen_course.checkpoints import RunError, RunFolder, write_json
from medgen_course.datasets import Dataset
from medgen_course.devices import make_fabric
from medgen_course.history import History
from medgen_course.models.autoencoder import Autoencoder, AutoencoderAlgorithm, LinearAutoencoder
from medgen_course.sampling import Sampler
from medgen_course.training import fit
from medgen_course.transforms import to_unit

MEASURES = {"psnr": metrics.psnr, "ssim": metrics.ssim, "mse": metrics.mse}
BEST = {"ssim": 1.0, "mse": 0.0}  # PSNR has no upper end


def train_autoencoder(
    dataset: str,
    out: Path,
    num_epochs: int = 10,
    seed: int = 0,
    latent_dim: int = 16,
    size: int = 28,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    device: str = "auto",
    precision: str = "auto",
    devices: int = 1,
    resume: bool = False,
) -> History:
    """Train a convolutional autoencoder into a run folder.

    Args:
        dataset: a MedMNIST name, "phantom", or the path of your own .npz.
        out: the run folder; made if it is not there.
        num_epochs: epochs in all; with resume, those already done count.
        seed: of the first weights and of the order of the images.
        latent_dim: length of the code.
        size: side of the images in pixels (28, 64, 128, 224); an own file keeps its own.
        batch_size: images in a batch, in each process.
        learning_rate: Adam's step size.
        device: auto, cpu, cuda or mps.
        precision: auto, float32 or bfloat16.
        devices: processes on this machine; several machines run under torchrun.
        resume: go on with the run in the folder; without it an existing run is left alone.
    Returns:
        The history.
    Raises:
        ValueError: a setting is out of range, or the folder holds another run (RunError).
        DatasetError, DatasetUnavailable: see `datasets.load`.
    """
    if out.exists() and not out.is_dir():
        raise RunError(f"{out} is a file; choose a folder for the run.")
    if (out / "config.json").exists() and not resume:
        raise RunError(f"{out} holds a run already. Go on with it (--resume), or choose another folder.")
    if latent_dim < 1 or not learning_rate > 0:
        raise ValueError(f"latent-dim is {latent_dim}, learning-rate {learning_rate}; both must be above 0.")
    data = datasets.load(dataset, size=size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Autoencoder(data.channels, data.size, latent_dim)
    config = {
        "dataset": str(Path(dataset).resolve()) if Path(dataset).is_file() else dataset,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
    }
    return fit(
        AutoencoderAlgorithm(model, learning_rate),
        Sampler(data.train, batch_size),
        num_epochs,
        seed,
        device,
        precision,
        devices,
        out=out,
        resume=resume,
        config=config,
    )


def load_run(folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """The trained model of a run folder, in evaluation mode on the CPU, and its `config.json`.

    Raises:
        RunNotFound, RunError: there is no run, or it cannot be used.
    """
    run = RunFolder(folder)
    config = run.load_config()
    kinds = {"autoencoder": Autoencoder, "linear_autoencoder": LinearAutoencoder}
    settings = dict(config.get("model", {}))
    kind = settings.pop("kind", None)
    if kind not in kinds:
        raise RunError(f"{folder}/config.json: the model is {kind!r}; known are {', '.join(kinds)}.")
    model = kinds[kind](**settings)
    run.load_model({"autoencoder": model})
    return model.eval(), config


def evaluate(folder: Path, dataset: str | None = None, device: str = "auto") -> dict[str, dict[str, Any]]:
    """Measure a trained autoencoder on the test split and write `metrics.json` beside its weights.

    Args:
        folder: the run folder.
        dataset: other images than those it was trained on, e.g. where the file has moved.
        device: auto, cpu, cuda or mps.
    Returns:
        For psnr (dB), ssim and mse a mean over images with its bootstrap interval, `value`, `low`, `high`;
        `worst`, what the mean training image scores when it stands in for every reconstruction; and
        `best`, that of a perfect one (not for PSNR, which has no upper end). None where not finite.
    Raises:
        RunNotFound, RunError, DatasetError, DatasetUnavailable: what cannot be read.
    """
    model, config = load_run(folder)
    shape = (config["model"]["channels"], config["model"]["size"])
    data = datasets.load(dataset or config["dataset"], size=shape[1])
    if (data.channels, data.size) != shape:
        raise RunError(
            f"{folder} was trained on {shape[0]} channels of {shape[1]} pixels; {data.name} has "
            f"{data.channels} of {data.size}. Evaluate it on images of its own kind."
        )
    place = make_fabric(device).device
    model.to(place)
    mean = to_unit(torch.from_numpy(data.train.images.mean(0, keepdims=True).round().astype(np.uint8)))
    measured = measure(model, data, place)
    floor = measure(lambda x: mean.to(x.device).expand_as(x), data, place)
    result = {
        name: {**metrics.bootstrap_interval(values), "worst": floor[name].mean().item()}
        | ({"best": BEST[name]} if name in BEST else {})
        for name, values in measured.items()
    }
    finite = {
        name: {key: value if math.isfinite(value) else None for key, value in row.items()}
        for name, row in result.items()
    }
    write_json(folder / "metrics.json", finite)
    return finite


def measure(reconstruct: Any, data: Dataset, device: torch.device) -> dict[str, Tensor]:
    """Every measure for every test image.

    Args:
        reconstruct: x (B, C, H, W) in [0, 1] -> x_hat of the same shape.
        data: whose test split.
        device: where to compute.
    Returns:
        Measure -> float tensor (N,), on the CPU.
    """
    rows: dict[str, list[Tensor]] = {name: [] for name in MEASURES}
    with torch.inference_mode():
        for x in _batches(data.test.images, device):
            x_hat = reconstruct(x)
            for name, function in MEASURES.items():
                rows[name].append(function(x_hat, x).cpu())
    return {name: torch.cat(parts) for name, parts in rows.items()}


def _batches(images: np.ndarray, device: torch.device, size: int = 256) -> Iterator[Tensor]:
    """Float batches of a uint8 array, in order."""
    for start in range(0, len(images), size):
        yield to_unit(torch.from_numpy(images[start : start + size]).to(device))
