"""Measure a trained model on the test split, and draw samples from one."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medgen_course import datasets, metrics
from medgen_course.checkpoints import RunError, write_atomically, write_json
from medgen_course.datasets import Dataset
from medgen_course.devices import make_fabric
from medgen_course.likelihood import evaluate_vae
from medgen_course.models.vae import VAE
from medgen_course.runs import load_run
from medgen_course.transforms import to_uint8, to_unit

MEASURES = {"psnr": metrics.psnr, "ssim": metrics.ssim, "mse": metrics.mse}
BEST = {"ssim": 1.0, "mse": 0.0}  # PSNR has no upper end


def evaluate(
    folder: Path, dataset: str | None = None, device: str = "auto", importance_samples: int = 200
) -> dict[str, dict[str, Any]]:
    """Measure a trained model on the test split and write `metrics.json` beside its weights.

    Args:
        folder: the run folder.
        dataset: other images than those it was trained on, e.g. where the file has moved.
        device: auto, cpu, cuda or mps.
        importance_samples: draws for the importance-weighted likelihood of a VAE; 0 leaves it out.
    Returns:
        Each figure as a mean over images with its bootstrap interval, `value`, `low`, `high`: psnr (dB),
        ssim and mse for an autoencoder; for a VAE those of `likelihood.evaluate_vae`. For psnr, ssim and
        mse also `worst`, what the mean training image scores when it stands in for every reconstruction,
        and `best`, that of a perfect one (PSNR has no upper end). None where not finite.
    Raises:
        RunNotFound, RunError, DatasetError, DatasetUnavailable: what cannot be read.
    """
    if importance_samples < 0:
        raise ValueError(f"importance_samples is {importance_samples}; give 0 to leave it out, or more.")
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
    if isinstance(model, VAE):
        result = evaluate_vae(model, torch.from_numpy(data.test.images), importance_samples)
    else:
        measured = measure(lambda x: model(x).clamp(0, 1), data, place)
        result = {name: metrics.bootstrap_interval(values) for name, values in measured.items()}
    mean = to_unit(torch.from_numpy(data.train.images.mean(0, keepdims=True).round().astype(np.uint8)))
    floor = measure(lambda x: mean.to(x.device).expand_as(x), data, place)
    for name in MEASURES.keys() & result.keys():
        result[name]["worst"] = floor[name].mean().item()
        if name in BEST:
            result[name]["best"] = BEST[name]
    finite = {
        name: {key: value if math.isfinite(value) else None for key, value in row.items()}
        for name, row in result.items()
    }
    write_json(folder / "metrics.json", finite)
    return finite


def sample(folder: Path, n: int, out: Path, seed: int = 0) -> np.ndarray:
    """Draw images from a trained VAE: z from the prior, the decoder's mean image for each.

    Args:
        folder: the run folder.
        n: number of images.
        out: an .npz to be written, with `images` uint8 (N, H, W) or (N, H, W, 3), MedMNIST's layout.
        seed: of the draws.
    Returns:
        The array that was written.
    Raises:
        RunNotFound, RunError: there is no run, or its model has no prior to draw from.
        ValueError: n below 1, or `out` does not end in .npz.
    """
    if n < 1:
        raise ValueError(f"n is {n}; give the number of images, at least 1.")
    if out.suffix != ".npz":
        raise ValueError(f"out is {out}; its name must end in .npz.")
    model, _ = load_run(folder)
    if not isinstance(model, VAE):
        raise RunError(
            f"{folder} holds an autoencoder, which has no prior to draw from; notebook 01 shows what happens "
            "if one tries. Train a VAE: medgen train vae --help."
        )
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        z = torch.randn(n, model.latent_dim, generator=generator)
        images = torch.cat([to_uint8(model.decode(part)) for part in z.split(256)]).numpy()
    images = images[:, 0] if images.shape[1] == 1 else images.transpose(0, 2, 3, 1)

    def write(partial: Path) -> None:
        with open(partial, "wb") as file:
            np.savez_compressed(file, images=images)

    write_atomically(out, write)
    return images


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
