"""The lesions of the phantom, drawn on the few pixels around each: which pixels they touch, and how much.

A lesion is a disc with a wavy and blurred edge. `table` has the factors by name, each (N,).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medgen_course.phantom.points import atan2, clip, reach, share, sin, sqrt

LESION_EDGE = 2.5  # mm over which a lesion fades at least
NUMBERS = ("lesion_x", "lesion_y", "lesion_radius", "fold_phase_1", "fold_phase_2")
WAVES = ((0.14, 2, "fold_phase_1"), (0.09, 3, "fold_phase_2"))  # height of the radius, number, phase


@dataclass(frozen=True)
class Lesions:
    """Pixels that are touched, image after image: K of N images.

    image, pixel: int64 (K,), the image and the place in its flattened pixels.
    share: float32 (K,), share of brain tissue that the lesion takes, > 0.
    marked: bool (K,), whether the mask has the pixel: half of it is lesion, or no pixel has more.
    """

    image: np.ndarray
    pixel: np.ndarray
    share: np.ndarray
    marked: np.ndarray

    def maps(self, n: int, size: int) -> Tensor:
        """The shares as images: (n, 1, size, size), zero where no lesion is."""
        flat = np.zeros((n, size * size), dtype=np.float32)
        flat[self.image, self.pixel] = self.share
        return torch.from_numpy(flat).view(n, 1, size, size)


def draw_lesions(table, x: np.ndarray, y: np.ndarray, tissue: np.ndarray, places, pixel: float) -> Lesions:
    """Draw the lesions of a stack of images.

    Args:
        table: factors by name, each (N,).
        x, y: places in the head in mm, (N, P, size, size), P points of a pixel.
        tissue: shares of white and of grey matter, two arrays like x.
        places: for every image the row and the column of its lesion's middle, two arrays (N,), in pixels;
            and the width of a pixel in mm.
        pixel: width in mm over which edges fade.
    """
    row, column, width = places
    ill = np.flatnonzero(table["lesion_present"] > 0)
    f = {name: table[name][ill][:, None, None, None] for name in NUMBERS}  # each (M, 1, 1, 1)
    n, each, size = len(ill), x.shape[1], x.shape[-1]
    edge = max(pixel, LESION_EDGE)
    furthest = (1.0 + sum(height for height, *_ in WAVES) + 0.01) * f["lesion_radius"] - reach(edge)
    side = min(size, 2 * math.ceil(furthest.max(initial=0.0) / width) + 3)
    top, left = (np.clip(np.rint(c[ill]) - side // 2, 0, size - side).astype(np.int64) for c in (row, column))
    flat = (top[:, None, None] + np.arange(side)[:, None]) * size + left[:, None, None] + np.arange(side)
    points = (ill[:, None] * each + np.arange(each))[:, :, None, None] * size * size + flat[:, None]
    # (M, P, side, side) each; "wrap" takes without a check
    x, y, white, grey = (stack.reshape(-1).take(points, mode="wrap") for stack in (x, y, *tissue))

    dx, dy = x - f["lesion_x"], y - f["lesion_y"]
    squared, around = dx * dx + dy * dy, atan2(dy, dx)
    wave = sum(h * sin(k * around + 2 * math.pi * f[phase]) for h, k, phase in WAVES)
    depth = f["lesion_radius"] * (1.0 + wave) - sqrt(squared)
    taken = (share(depth, edge) * (white + grey)).sum(axis=1).reshape(n, side * side)
    taken = clip(taken / each, 0.0, 1.0)
    marked = taken >= taken.max(axis=1, keepdims=True).clip(max=0.5)
    touched = np.flatnonzero(taken > 0)
    image = ill[touched // (side * side)]
    return Lesions(image, *(values.reshape(-1)[touched] for values in (flat, taken, marked)))
