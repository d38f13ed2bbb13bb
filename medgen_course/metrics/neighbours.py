"""Measures that ask who is whose nearest neighbour: fidelity, diversity, and copying."""

import torch
from torch import Tensor

ROWS = 512  # of a distance matrix at a time: memory stays flat


def radii(points: Tensor, k: int = 5) -> Tensor:
    """Distance of each point to its k-th nearest other one, (N,).

    Raises:
        ValueError: k or fewer other points.
    """
    if len(points) <= k:
        raise ValueError(f"{len(points)} points have no {k}-th neighbour; give at least {k + 1}.")
    parts = [torch.cdist(part, points).kthvalue(k + 1, dim=1).values for part in points.split(ROWS)]
    return torch.cat(parts)  # the nearest of all is the point itself


def nearest(points: Tensor, others: Tensor) -> Tensor:
    """Distance of each point to the nearest of `others`, (N,)."""
    return torch.cat([torch.cdist(part, others).amin(1) for part in points.split(ROWS)])


def neighbourhood(
    real: Tensor, fake: Tensor, k: int = 5, real_radii: Tensor | None = None
) -> dict[str, float]:
    """Precision, recall, density and coverage.

    Each real point has a ball that reaches to its k-th nearest real neighbour. Precision: the share of
    generated points inside any ball. Density: in how many balls a generated point lies on average, over k.
    Coverage: the share of balls with a generated point inside. Recall: the share of real points inside any
    ball of the generated ones. Coverage and recall rise with the number of generated points, so only equal
    numbers can be compared.

    Args:
        real: features (N, F).
        fake: features (M, F), M > k.
        k: which neighbour sets the radius.
        real_radii: `radii(real, k)` where it is at hand.
    Returns:
        `precision`, `recall`, `coverage` in [0, 1], `density` >= 0; higher is better.
    Source: Kynkaanniemi et al. 2019, equation 2; Naeem et al. 2020, equations 3 and 4.
    """
    real_radii = radii(real, k) if real_radii is None else real_radii
    fake_radii = radii(fake, k)
    balls = torch.zeros(len(fake))  # in how many real balls each generated point lies
    covered, recalled = [], []
    for part, reach in zip(real.split(ROWS), real_radii.split(ROWS), strict=True):
        distance = torch.cdist(part, fake)  # (rows, M)
        inside = distance < reach[:, None]
        balls += inside.sum(0)
        covered.append(inside.any(1))
        recalled.append((distance < fake_radii).any(1))
    return {
        "precision": (balls > 0).float().mean().item(),
        "recall": torch.cat(recalled).float().mean().item(),
        "density": balls.mean().item() / k,
        "coverage": torch.cat(covered).float().mean().item(),
    }


def near_threshold(train: Tensor, heldout: Tensor, quantile: float = 0.05) -> float:
    """Distance to the nearest training image below which only `quantile` of new real images lie."""
    return nearest(heldout, train).quantile(quantile).item()


def memorisation(train: Tensor, samples: Tensor, threshold: float) -> float:
    """Share of samples that lie nearer to a training image than 95 % of the held-out real images do.

    An honest model gets about 0.05: its samples are as far from the training images as new real ones are.
    Copies get 1.

    Args:
        train, samples: features or pixels, (N, F) and (M, F).
        threshold: see `near_threshold`.
    Returns:
        In [0, 1].
    """
    return (nearest(samples, train) < threshold).float().mean().item()
