"""How good an enhanced image is: near the truth, like true images, and with the same lesions.

The first two pull apart (Blau & Michaeli 2018): the nearest answer is a mean of many images, and looks like
none of them. So every method has two coordinates, a distortion (reconstruction.py) and a distance between
sets of images in the features of a network (distances.py).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medgen_course import pretrained
from medgen_course.batches.transforms import to_uint8, to_unit
from medgen_course.datasets.domains import Truth
from medgen_course.datasets.sources import Dataset
from medgen_course.metrics.classification import embed, random_network
from medgen_course.metrics.distances import frechet, kernel
from medgen_course.metrics.lesions import LesionReport, lesion_report
from medgen_course.metrics.reconstruction import bootstrap_interval, psnr, ssim, too_small_for_ssim
from medgen_course.models.classifier import Classifier

Row = dict[str, Any]
ROUNDS = 8  # subsets of half of the images, for a band


class Eye:
    """The network whose features are compared, and what it saw of the training images.

    `about` says which network it is: the shipped classifier of these very images, or else a random one, whose
    figures compare with no other network's.
    """

    def __init__(self, data: Dataset):
        shipped = pretrained.fits(data, "classifier")
        self.network: Classifier = (
            pretrained.load_classifier(data.name) if shipped else random_network(data.train.images)
        )
        self.about = self.network.about
        self.train = embed(self.network, data.train.images)

    def distances(self, made: Tensor, seed: int = 0) -> dict[str, Row]:
        """Fréchet and kernel distance of images to the training images.

        Args:
            made: floats in [0, 1], (N, C, H, W), N at least 4.
            seed: of the subsets; the same one means the same images for every method.
        Returns:
            `frechet` and `kernel`: mean, smallest and largest over `ROUNDS` subsets of half of the images,
            each drawn without replacement; the number of images in one, `n`, and `features`.
        """
        seen, rng = embed(self.network, to_uint8(made).numpy()), np.random.default_rng(seed)
        parts = [rng.choice(len(seen), len(seen) // 2, replace=False) for _ in range(ROUNDS)]
        rows = {}
        for name, measure in {"frechet": frechet, "kernel": kernel}.items():
            values = [measure(self.train, seen[part]) for part in parts]
            rows[name] = {
                "value": float(np.mean(values)),
                "low": min(values),
                "high": max(values),
                "n": len(parts[0]),
                "features": self.about,
            }
        return rows


def distortion(made: Tensor, truth: np.ndarray) -> dict[str, Row]:
    """`psnr` in dB and `ssim` against the truth, uint8 (N, C, H, W), with intervals over images."""
    x = to_unit(torch.from_numpy(truth))
    rows = {"psnr": bootstrap_interval(psnr(made, x))}
    if not too_small_for_ssim(x.shape[-1]):
        rows["ssim"] = bootstrap_interval(ssim(made, x))
    return rows


def place(made: Tensor, truth: np.ndarray, eye: Eye) -> dict[str, Row]:
    """A method's place on the plane of perception and distortion: `distortion` and `Eye.distances`."""
    return distortion(made, truth) | eye.distances(made)


def lesion_rows(made: Tensor, truth: Truth) -> dict[str, Row]:
    """`erased`, share of the lesions, and `invented`, share of the slices; see `fate`."""
    report = fate(made, truth)
    return {
        "erased": bootstrap_interval(report.erased.astype(float)) | {"best": 0.0},
        "invented": bootstrap_interval((report.invented > 0).astype(float)) | {"best": 0.0},
    }


def fate(made: Tensor, truth: Truth) -> LesionReport:
    """What became of the lesions of slices whose healthy twins are known; thresholds of `lesion_report`."""
    return lesion_report(made, truth.a, truth.healthy_a, truth.masks)


def other_kind(truth: Truth) -> Truth:
    """The same slices with lesions of the opposite contrast: as much brighter as they were darker.

    No training slice has such a lesion; the place, size and strength are those of the usual ones.
    """
    healthy = truth.healthy_a.astype(np.int16)
    images = np.clip(2 * healthy - truth.a, 0, 255).astype(np.uint8)
    return Truth(images, truth.b, truth.masks, truth.healthy_a, truth.healthy_b)


def best_strength(
    method: Callable[[Tensor, float], Tensor], grid: Sequence[float], guess: Tensor, truth: Tensor
) -> float:
    """The strength of a classic method with the highest mean PSNR; give it validation images.

    Args:
        method: (images (N, C, H, W), strength) to images.
        grid: strengths to try.
        guess, truth: floats in [0, 1], (N, C, H, W).
    """
    return max(grid, key=lambda strength: float(psnr(method(guess, strength), truth).mean()))
