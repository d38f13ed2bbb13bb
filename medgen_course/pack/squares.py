"""Any image as a square of the size wanted, without aliasing and without new extremes."""

from typing import Literal

import numpy as np
from PIL import Image as Pillow

BLACK = 0.0


def to_square(
    image: np.ndarray, size: int, fit: Literal["pad", "crop"], spacing: tuple[float, float] = (1.0, 1.0)
) -> np.ndarray:
    """Resize an image to `size` x `size`, shapes kept as they are in the body.

    A triangle filter as wide as the pixels that become one averages them (no aliasing); it never leaves the
    range of the values, as sharper filters do at edges.

    Args:
        image: float32 (H, W) or (H, W, 3), 0 to 255.
        size: side of the result in pixels.
        fit: "pad" fits the whole image in, with black at both ends of the shorter side; "crop" fills the
            square and cuts as much off both ends of the longer side.
        spacing: height and width of a pixel.
    Returns:
        uint8 (size, size) or (size, size, 3).
    """
    height, width = image.shape[:2]
    tall, wide = height * spacing[0], width * spacing[1]
    if fit == "crop":
        side = min(tall, wide)
        rows, columns, box = size, size, _middle(height, side / spacing[0], width, side / spacing[1])
    else:
        side = max(tall, wide)
        rows, columns = (max(1, round(size * extent / side)) for extent in (tall, wide))
        box = (0, 0, width, height)
    channels = image[..., None] if image.ndim == 2 else image
    square = np.full((size, size, channels.shape[2]), BLACK, np.float32)
    top, left = (size - rows) // 2, (size - columns) // 2
    for channel in range(channels.shape[2]):
        plane = Pillow.fromarray(np.ascontiguousarray(channels[..., channel], np.float32))
        plane = plane.resize((columns, rows), Pillow.Resampling.BILINEAR, box)
        square[top : top + rows, left : left + columns, channel] = np.asarray(plane)
    return np.rint(square).clip(0, 255).astype(np.uint8).reshape(size, size, *image.shape[2:])


def _middle(height: int, tall: float, width: int, wide: float) -> tuple[float, float, float, float]:
    """Left, upper, right and lower edge of the middle part of an image, in its pixels."""
    tall, wide = min(tall, height), min(wide, width)
    left, top = (width - wide) / 2, (height - tall) / 2
    return left, top, left + wide, top + tall
