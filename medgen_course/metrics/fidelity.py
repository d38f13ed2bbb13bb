"""How good are generated images? Every figure between its best and its worst, with equal numbers of images.

Images are compared as features of a classifier trained on the same data set (classification.py). The figure
of real validation images against the training split is the `best` that can be hoped for, noise the `worst`,
and blurred validation images stand between: a measure that cannot tell them from sharp ones is blind to blur.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from medgen_course.batches.transforms import blur, to_uint8, to_unit
from medgen_course.datasets.sources import Dataset
from medgen_course.metrics.classification import embed
from medgen_course.metrics.neighbours import memorisation, near_threshold, neighbourhood, radii
from medgen_course.models.classifier import Classifier

if TYPE_CHECKING:
    from torchmetrics import Metric

MEASURES = ("frechet", "kernel", "precision", "recall", "density", "coverage", "memorisation")
LOWER_IS_BETTER = {"frechet", "kernel", "memorisation"}
FEW = 256  # images below which Frechet distance and coverage say more about the number than about the images
NEIGHBOURS = 5
KERNEL_SUBSETS, KERNEL_SUBSET = 20, 256


class _Given(nn.Module):
    """Hands features through, where torchmetrics expects a network that makes them."""

    def __init__(self, num_features: int):
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def frechet(real: Tensor, fake: Tensor) -> float:
    """Distance of the two Gaussians that share mean and covariance with the features (Heusel et al. 2017).

    Args:
        real, fake: features (N, F) and (M, F). It is biased upwards for few images.
    Returns:
        >= 0; 0 is best, in squared units of the features.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance  # here: it brings scipy.signal, 2 s

    return _filled(lambda: FrechetInceptionDistance(feature=_Given(real.shape[1])), real, fake)


def kernel(real: Tensor, fake: Tensor, seed: int = 0) -> float:
    """Squared maximum mean discrepancy with a cubic kernel, without bias (Binkowski et al. 2018).

    Args:
        real, fake: features (N, F) and (M, F).
        seed: of the subsets that it is averaged over.
    Returns:
        Near 0 is best; it may be slightly negative.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    size = min(KERNEL_SUBSET, len(real), len(fake))
    options = {"subsets": KERNEL_SUBSETS, "subset_size": size}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _filled(lambda: KernelInceptionDistance(_Given(real.shape[1]), **options), real, fake)


def _filled(make: Callable[[], "Metric"], real: Tensor, fake: Tensor) -> float:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Metric `Kernel Inception Distance` will save all")
        metric = make()
    metric.update(real, real=True)
    metric.update(fake, real=False)
    value = metric.compute()
    return float(value[0] if isinstance(value, tuple) else value)


@dataclass(frozen=True)
class Reference:
    """The training split as every set of images is measured against it.

    classifier: whose features are used.
    train, train_pixels: features (N, F) and pixels (N, D).
    radii: of the training features, (N,).
    near, near_pixels: distances to the training images that count as copies, in features and in pixels.
    heldout_images: real images that no model has seen, uint8 (M, C, H, W).
    """

    classifier: Classifier
    train: Tensor
    train_pixels: Tensor
    radii: Tensor
    near: float
    near_pixels: float
    heldout_images: np.ndarray

    def thinned(self, count: int) -> "Reference":
        """The same with only the first `count` training images: quicker, and with other numbers."""
        return _reference(self.classifier, self.train[:count], self.train_pixels[:count], self.heldout_images)

    def measure(self, images: np.ndarray) -> dict[str, float]:
        """All `MEASURES` of uint8 images (n, C, H, W)."""
        features, pixels = embed(self.classifier, images), _pixels(images)
        copied = [
            memorisation(self.train, features, self.near),
            memorisation(self.train_pixels, pixels, self.near_pixels),
        ]
        return {
            "frechet": frechet(self.train, features),
            "kernel": kernel(self.train, features),
            **neighbourhood(self.train, features, NEIGHBOURS, self.radii),
            "memorisation": max(copied),  # a copy may hide from one of the two, not from both
        }


def reference(data: Dataset, classifier: Classifier, split: str = "val") -> Reference:
    """Prepare the comparison with a data set's training split.

    Args:
        data: the data set that the generator learnt from.
        classifier: see `classification.feature_network`.
        split: the held-out real images: "val" for every choice, "test" once at the end.
    """
    train = data.train.images
    return _reference(classifier, embed(classifier, train), _pixels(train), getattr(data, split).images)


def _reference(classifier: Classifier, train: Tensor, train_pixels: Tensor, heldout: np.ndarray) -> Reference:
    near = near_threshold(train, embed(classifier, heldout))
    near_pixels = near_threshold(train_pixels, _pixels(heldout))
    return Reference(classifier, train, train_pixels, radii(train, NEIGHBOURS), near, near_pixels, heldout)


def evaluate_samples(
    samples: np.ndarray, against: Reference, rounds: int = 8, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Measure generated images beside real, blurred and meaningless ones, n images in every column.

    n is the number of held-out images, or of samples where these are fewer. From more samples, several
    subsets of n are drawn, each without replacement, because a repeated image would be its own nearest
    neighbour: `value` is their mean, `low` and `high` the smallest and the largest.

    Args:
        samples: uint8 (N, C, H, W); several times as many as held-out images give an interval.
        against: see `reference`.
        rounds: subsets of the samples.
        seed: of the subsets and of the noise.
    Returns:
        For each of `MEASURES`: value, low, high, best (held-out images), blurred (the same, blurred with a
        standard deviation of one pixel), worst (noise), and the number of images, n.
    Raises:
        ValueError: fewer images than neighbours are asked for.
    """
    n = min(len(samples), len(against.heldout_images))
    if n <= NEIGHBOURS:
        raise ValueError(f"{n} images; give at least {NEIGHBOURS + 1}, and better hundreds.")
    if n < FEW:
        warnings.warn(
            f"only {n} images in each column: Frechet distance and coverage depend on the number of them, "
            f"and below {FEW} they vary more with it than with the images. Compare the columns only.",
            stacklevel=2,
        )
    rng = np.random.default_rng(seed)
    rounds = rounds if len(samples) > n else 1
    rows = [against.measure(samples[rng.choice(len(samples), n, replace=False)]) for _ in range(rounds)]
    real = against.heldout_images[rng.choice(len(against.heldout_images), n, replace=False)]
    columns = {
        "best": against.measure(real),
        "blurred": against.measure(to_uint8(blur(to_unit(torch.from_numpy(real)), 1.0)).numpy()),
        "worst": against.measure(rng.integers(0, 256, real.shape, dtype=np.uint8)),
    }
    result = {}
    for name in MEASURES:
        values = [row[name] for row in rows]
        spread = {"value": float(np.mean(values)), "low": min(values), "high": max(values)}
        result[name] = spread | {column: row[name] for column, row in columns.items()} | {"n": n}
    return result


def _pixels(images: np.ndarray) -> Tensor:
    return to_unit(torch.from_numpy(np.ascontiguousarray(images))).flatten(1)
