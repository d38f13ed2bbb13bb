"""Measure a trained model on the test split."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medgen_course import datasets, metrics
from medgen_course.checkpoints import RunError, RunFolder, write_json
from medgen_course.classification import feature_network
from medgen_course.datasets import Dataset
from medgen_course.devices import make_fabric
from medgen_course.fidelity import evaluate_samples, reference
from medgen_course.likelihood import evaluate_vae
from medgen_course.models.gan import Generator
from medgen_course.models.vae import VAE
from medgen_course.runs import TRANSLATING, load_run
from medgen_course.runs_translation import load_translators
from medgen_course.samples import draw_labels, generate
from medgen_course.transforms import to_unit
from medgen_course.translation import from_dataset, named_classes
from medgen_course.translation_evaluation import class_change, evaluate_translators
from medgen_course.translation_eye import translation_eye

MEASURES = {"psnr": metrics.psnr, "ssim": metrics.ssim, "mse": metrics.mse}
BEST = {"ssim": 1.0, "mse": 0.0}  # PSNR has no upper end
GAN_SAMPLES = 4  # as many times the test images are drawn, for an interval


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
        and `best`, that of a perfect one (PSNR has no upper end). None where not finite. For a GAN those of
        `fidelity.evaluate_samples`: test images are the held-out ones, classes are drawn as in training. For
        a CycleGAN or a pix2pix those of `translation_evaluation`.
    Raises:
        RunNotFound, RunError, DatasetError, DatasetUnavailable: what cannot be read.
    """
    if importance_samples < 0:
        raise ValueError(f"importance_samples is {importance_samples}; give 0 to leave it out, or more.")
    if RunFolder(folder).load_config().get("model", {}).get("kind") in TRANSLATING:
        return _stored(folder, evaluate_translation(folder, dataset))
    model, config = load_run(folder)
    shape = (config["model"]["channels"], config["model"]["size"])
    data = datasets.load(dataset or config["dataset"], size=shape[1])
    if (data.channels, data.size) != shape:
        raise RunError(
            f"{folder} was trained on {shape[0]} channels of {shape[1]} pixels; {data.name} has "
            f"{data.channels} of {data.size}. Evaluate it on images of its own kind."
        )
    if isinstance(model, Generator):
        return _stored(folder, evaluate_gan(model, config, data))
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
    return _stored(folder, result)


def evaluate_gan(generator: Generator, config: dict[str, Any], data: Dataset) -> dict[str, dict[str, Any]]:
    """Samples of a generator against a data set; see `fidelity.evaluate_samples`."""
    classes, n = generator.num_classes, GAN_SAMPLES * len(data.test)
    labels = draw_labels(config["class_counts"], n) if classes else None
    against = reference(data, feature_network(data), "test")
    return evaluate_samples(generate(generator, n, labels=labels), against)


def evaluate_translation(folder: Path, dataset: str | None = None) -> dict[str, dict[str, Any]]:
    """Figures of a CycleGAN or a pix2pix; see `translation_evaluation.evaluate_translators`."""
    translators, config = load_translators(folder)
    data = datasets.load(dataset or config["dataset"], size=translators.size)
    classes = named_classes(data, config["domains"]) if config["domains"] else (0, 1)
    domains, eye = from_dataset(data, classes), translation_eye(data)
    if domains.channels != translators.channels or domains.size != translators.size:
        raise RunError(
            f"{folder} translates {translators.channels} channels of {translators.size} pixels; "
            f"{data.name} has {domains.channels} of {domains.size}. Evaluate it on images of its own kind."
        )
    rows = evaluate_translators(translators, domains, eye)
    if domains.test.truth is not None:
        return rows
    return rows | class_change(translators, domains, eye, ((classes[0],), (classes[1],)))


def _stored(folder: Path, result: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Figures with None where they are not finite, as they are written to `metrics.json`."""
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
