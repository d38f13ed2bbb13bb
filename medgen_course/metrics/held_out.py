"""How far are several sets of images from held-out ones? For the test split, read once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from medgen_course.metrics.distances import frechet
from medgen_course.metrics.fidelity import NEIGHBOURS
from medgen_course.metrics.neighbours import neighbourhood, radii


def compare_with(
    heldout: Tensor, sets: Mapping[str, Tensor], n: int, rounds: int = 4, seed: int = 0
) -> dict[str, dict[str, dict[str, Any]]]:
    """Frechet distance, precision, recall, density and coverage with the held-out images as the real ones.

    Args:
        heldout: features (M, F) of the images that everything is held against, M > 5.
        sets: name to features (N, F), N >= n.
        n: images in every column; from larger sets several subsets are drawn without replacement.
        rounds: subsets.
        seed: of the subsets.
    Returns:
        Set to measure to a row: `value` the mean over the subsets, `low` and `high` the ends.
    Raises:
        ValueError: a set has fewer than n images.
    """
    reach, rng, found = radii(heldout, NEIGHBOURS), np.random.default_rng(seed), {}
    for name, features in sets.items():
        if len(features) < n:
            raise ValueError(f"{name} has {len(features)} images; {n} are wanted in every column.")
        parts = [
            rng.choice(len(features), n, replace=False) for _ in range(rounds if len(features) > n else 1)
        ]
        rows = [
            {"frechet": frechet(heldout, features[part])}
            | neighbourhood(heldout, features[part], NEIGHBOURS, reach)
            for part in parts
        ]
        found[name] = {
            measure: {"value": float(np.mean(own)), "low": min(own), "high": max(own)}
            for measure in rows[0]
            for own in [[row[measure] for row in rows]]
        }
    return found
