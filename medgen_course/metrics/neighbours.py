"""Measures that ask who is whose nearest neighbour: fidelity and diversity. Copies: memorisation.py."""

import torch
from torch import Tensor

ROWS, COLUMNS = 512, 16_384  # of a distance matrix at a time: memory stays flat, whatever the numbers


def closest(points: Tensor, others: Tensor, k: int) -> Tensor:
    """Distances of each point to its k nearest `others`, nearest first, (N, k).

    Raises:
        ValueError: fewer than k others.
    """
    if len(others) < k:
        raise ValueError(f"{len(others)} points have no {k}-th neighbour; give at least {k}.")
    found = []
    for part in points.split(ROWS):
        distances = (torch.cdist(part, block) for block in others.split(COLUMNS))
        near = [block.topk(min(k, block.shape[1]), largest=False).values for block in distances]
        found.append(torch.cat(near, 1).topk(k, largest=False).values)
    return torch.cat(found)


def radii(points: Tensor, k: int = 5) -> Tensor:
    """Distance of each point to its k-th nearest other one, (N,).

    Raises:
        ValueError: k or fewer other points.
    """
    if len(points) <= k:
        raise ValueError(f"{len(points)} points have no {k}-th neighbour; give at least {k + 1}.")
    return closest(points, points, k + 1)[:, k]  # the nearest of all is the point itself


def nearest(points: Tensor, others: Tensor) -> Tensor:
    """Distance of each point to the nearest of `others`, (N,)."""
    return closest(points, others, 1)[:, 0]


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
