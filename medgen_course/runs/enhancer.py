"""Enhancers as run folders: a U-Net that undoes one degradation."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from medgen_course.batches.degradations import Coarse
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.tasks import STRENGTHS, degradation
from medgen_course.batches.transforms import to_uint8, to_unit
from medgen_course.datasets import Dataset
from medgen_course.datasets.domains import truth_of
from medgen_course.datasets.errors import problem
from medgen_course.metrics.enhancement import Eye, distortion, fate
from medgen_course.metrics.reconstruction import too_small_for_ssim
from medgen_course.models.cyclegan_networks import PatchDiscriminator
from medgen_course.models.unet import DISTANCES, Enhancer, EnhancerAlgorithm, UNet
from medgen_course.runs.reconstruction import check_fit
from medgen_course.runs.schema import CHANNELS, SIZE, WIDTH, integer, network
from medgen_course.runs.train import Plan, Settings, train_into
from medgen_course.training import History, RunFolder

SETTINGS = Settings(num_epochs=10, batch_size=16, learning_rate=2e-3)
CONFIG = {
    "task": {"enum": list(STRENGTHS)},
    "strength": {"type": "number"},
    "step_size_falls_over_epochs": integer(0, 2**63),
    "model": network(channels=CHANNELS, size=SIZE, width=WIDTH, halvings=integer(0, 8)),
}
SHOWN = {
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "frechet": "Fréchet distance",
    "erased": "lesions erased",
    "invented": "healthy places drawn as lesions",
    "kept": "lesion contrast kept",
}
LEGEND = (
    "worst: the first guess (the noisy image, bicubic, zero-filled, the hole in mean grey). best of the "
    "distances: the true test images. Compared: {frechet[features]}, {frechet[n]} images."
)
INSTEAD = {"sample": "which draws nothing: hand it images, medgen enhance."}
FEW = 4  # images that the distances need: two in each half


def train(
    dataset: str,
    out: Path,
    task: Literal[tuple(STRENGTHS)] = "denoise",
    strength: float | None = None,
    distance: Literal[tuple(DISTANCES)] = "squared",
    lambda_adversarial: float = 0.0,
    **settings: Any,
) -> History:
    """Train an enhancer into a run folder: a U-Net that undoes one degradation of images.

    Args:
        dataset, out, settings: see `train.Settings`. The step size falls over the epochs, so a run cannot be
            resumed with more of them.
        task: denoise (Rician), lowdose, superres, mri or inpaint.
        strength: σ of the noise (0.1), photons at black (30), the factor (2 or 4), share of k-space (0.25),
            share of the area (0.1).
        distance: squared or absolute error.
        lambda_adversarial: weight of an adversarial loss beside it; 0 trains without a judge.
    Returns:
        The history.
    Raises:
        ValueError, DatasetError, DatasetUnavailable: see `train.train_into`; or the strength is out of its
            range.
    """
    worse = degradation(task, strength)

    def plan(data: Dataset, chosen: Settings) -> Plan:
        worse.measure(to_unit(torch.from_numpy(data.train.images[:1])))  # raises where that cannot be done
        sampler = Sampler(data.train, chosen.batch_size)
        model = UNet(data.channels, data.size)
        judge = PatchDiscriminator(2 * data.channels, data.size, width=8) if lambda_adversarial else None
        steps = chosen.num_epochs * len(sampler)
        algorithm = EnhancerAlgorithm(
            model, worse, distance, lambda_adversarial, judge, chosen.learning_rate, steps
        )
        about = {
            "task": task,
            "strength": STRENGTHS[task] if strength is None else strength,
            "distance": distance,
            "lambda_adversarial": lambda_adversarial,
            "step_size_falls_over_epochs": chosen.num_epochs,
        }
        return Plan(algorithm, sampler, about)

    return train_into(out, dataset, plan, SETTINGS, **settings)


def load(run: RunFolder, config: dict[str, Any]) -> Enhancer:
    """The averaged network with its degradation; raises RunNotFound or RunError."""
    model = UNet(**config["model"])
    run.load_model({"unet_ema": model})
    worse = degradation(config.get("task", "denoise"), config.get("strength"))
    return Enhancer(model.eval().requires_grad_(False), worse)


def evaluate(model: Enhancer, config: dict[str, Any], data: Dataset, **_: Any) -> dict[str, dict[str, Any]]:
    """Figures on test images, degraded with seed 0: see `metrics.enhancement`.

    psnr, ssim, frechet, kernel; on the phantom also erased, invented and kept, for its lesions are known.
    """
    check_fit(config, data)
    images = data.test.images
    x = to_unit(torch.from_numpy(images))
    y = model.degradation.measure(x, torch.Generator().manual_seed(0))
    made, guess = model.restore(y), model.degradation.guess(y)
    rows, floor = distortion(made, images), distortion(guess, images)
    if small := too_small_for_ssim(data.size):
        rows["ssim"] = {"value": None, "note": small}
    else:
        rows["ssim"]["best"] = 1.0
    for name, row in floor.items():
        rows[name]["worst"] = row["value"]
    rows |= _distances(made, guess, x, data)
    if data.drawn:  # then its lesions are known
        truth = truth_of(data, "test")
        if truth.masks.any():
            lesions, control = (
                fate(answer, model.degradation, truth).rows()
                for answer in (model.restore, model.degradation.guess)
            )
            rows |= {name: row | {"worst": control[name]["value"]} for name, row in lesions.items()}
    return rows


def enhance(
    model: Enhancer, config: dict[str, Any], images: np.ndarray, consistent: bool, name: str = "images"
) -> np.ndarray:
    """Better images of measured ones, uint8 (N, C, H, W) both.

    `name` is what an error calls them.

    Raises:
        DatasetError: channels or size are not those that the model was trained on.
        ValueError: the model fills holes, and images do not say where they are.
    """
    if config.get("task") == "inpaint":
        raise ValueError(
            "this model fills a hole, and an image does not say where its hole is: use it from Python, "
            "medgen_course.models.unet.restore, whose measurement does."
        )
    worse = model.degradation
    factor = worse.factor if isinstance(worse, Coarse) else 1
    channels, size = model.config["channels"], model.config["size"] // factor
    if images.shape[1:] != (channels, size, size):
        raise problem(
            name,
            f"images of {images.shape[1]} channels and {images.shape[2]} x {images.shape[3]} pixels",
            f"{channels} channels and {size} x {size} pixels, as the model's measurements have",
            "resize the images, or train on images of this size",
        )
    y = to_unit(torch.from_numpy(np.ascontiguousarray(images)))
    if config.get("task") == "mri":
        y = worse.measure(y)  # zero-filled images hold the lines that were measured
    return to_uint8(model.restore(y, consistent)).numpy()


def _distances(made: torch.Tensor, guess: torch.Tensor, x: torch.Tensor, data: Dataset) -> dict[str, Any]:
    """Fréchet and kernel distance, with those of the first guess and of the truth beside them."""
    if len(made) < FEW or len(data.train) < 2:
        note = f"{len(made)} images; {FEW} are needed, and hundreds are better"
        return {name: {"value": None, "n": len(made), "features": "none", "note": note}
                for name in ("frechet", "kernel")}  # fmt: skip
    eye = Eye(data)
    rows, worst, best = (eye.distances(images) for images in (made, guess, x))
    for name, row in rows.items():
        row |= {"worst": worst[name]["value"], "best": best[name]["value"]}
    return rows
