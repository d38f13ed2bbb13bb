"""Distances between two sets of features: do mean and covariance differ, or moments up to the third?"""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from torchmetrics import Metric

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
