"""What is measured of every model that reconstructs: autoencoders and VAEs."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medgen_course import metrics
from medgen_course.batches.transforms import to_unit
from medgen_course.datasets import Dataset
from medgen_course.metrics.reconstruction import too_small_for_ssim
from medgen_course.training import RunError

MEASURES = {"psnr": metrics.psnr, "ssim": metrics.ssim, "mse": metrics.mse}
BEST = {"ssim": 1.0, "mse": 0.0}  # PSNR has no upper end
LEGEND = "worst: the mean training image in place of every reconstruction."


def check_fit(config: dict[str, Any], data: Dataset) -> None:
    """Raise RunError where the images' channels or size are not those of the model of `config.json`."""
    shape = (config["model"]["channels"], config["model"]["size"])
    if (data.channels, data.size) != shape:
        raise RunError(
            f"the model was trained on {shape[0]} channels of {shape[1]} pixels; {data.name} has "
            f"{data.channels} of {data.size}. Evaluate it on images of its own kind."
        )


def with_ends(
    rows: dict[str, dict[str, Any]], data: Dataset, device: torch.device
) -> dict[str, dict[str, Any]]:
    """Rows of psnr, ssim and mse with the ends that they can be read between.

    `worst` is what the mean training image scores when it stands in for every reconstruction, `best` that of
    a perfect one (PSNR has no upper end). Images that are too small for SSIM get None, with the reason.
    """
    mean = to_unit(torch.from_numpy(data.train.images.mean(0, keepdims=True).round().astype(np.uint8)))
    floor = measure(lambda x: mean.to(x.device).expand_as(x), data, device)
    for name in floor.keys() & rows.keys():
        rows[name]["worst"] = floor[name].mean().item()
        if name in BEST:
            rows[name]["best"] = BEST[name]
    if small := too_small_for_ssim(data.size):
        rows["ssim"] = {"value": None, "note": small}
    return rows


def measure(
    reconstruct: Callable[[Tensor], Tensor], data: Dataset, device: torch.device
) -> dict[str, Tensor]:
    """Every measure for every test image; without SSIM where the images are too small for it.

    Args:
        reconstruct: x (B, C, H, W) in [0, 1] -> x_hat of the same shape.
        data: whose test split.
        device: where to compute.
    Returns:
        Measure -> float tensor (N,), on the CPU.
    """
    names = [name for name in MEASURES if name != "ssim" or not too_small_for_ssim(data.size)]
    rows: dict[str, list[Tensor]] = {name: [] for name in names}
    with torch.inference_mode():
        for x in _batches(data.test.images, device):
            x_hat = reconstruct(x)
            for name in names:
                rows[name].append(MEASURES[name](x_hat, x).cpu())
    return {name: torch.cat(parts) for name, parts in rows.items()}


def _batches(images: np.ndarray, device: torch.device, size: int = 256) -> Iterator[Tensor]:
    """Float batches of a uint8 array, in order."""
    for start in range(0, len(images), size):
        yield to_unit(torch.from_numpy(images[start : start + size]).to(device))
