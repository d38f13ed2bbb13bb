"""Pictures of a generator that grows: its images beside the power that they have at each frequency."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medgen_course.pictures.render import PALETTE, enlarge, rgb_of, to_rgb

PANEL, GAP = 128, 8  # side of an image in screen pixels, and between two
HEIGHT, LEFT, BELOW, RIGHT = 190, 78, 34, 130  # of the spectrum's plot; what its labels and legend take
DECADES = (-6, 0)  # powers of ten that it reaches over
TALL = 2  # lines are drawn at twice the size, then halved


def panels(images: Sequence[np.ndarray]) -> np.ndarray:
    """Images of several sides in a row, all enlarged to `PANEL` pixels, unsmoothed.

    Args:
        images: uint8 (C, side, side) each, side a divisor of `PANEL`, or smaller than it.
    Returns:
        uint8 (PANEL, width, 3).
    """
    parts = []
    for image in images:
        picture = to_rgb(image[None])[0]
        picture = enlarge(picture, max(1, PANEL // len(picture)))
        rest = [max(0, PANEL - size) for size in picture.shape[:2]]
        parts += [np.pad(picture, ((0, rest[0]), (0, rest[1]), (0, 0)), constant_values=255)]
        parts += [np.full((len(parts[-1]), GAP, 3), 255, np.uint8)]
    return np.concatenate(parts[:-1], axis=1)


def spectrum(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], width: int, finest: int) -> np.ndarray:
    """Power over frequency, both axes logarithmic, a line for each curve, their names at the right.

    Args:
        curves: name to frequencies (F,), whole numbers from 1, and powers (F,), >= 0.
        width: of the picture, in pixels.
        finest: the last frequency of the axis, in cycles an image.
    Returns:
        uint8 (HEIGHT, width, 3).
    """
    picture = Image.new("RGB", (TALL * width, TALL * HEIGHT), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=TALL * 12)
    low, high = DECADES
    across, up = width - LEFT - RIGHT, HEIGHT - BELOW - 10

    def place(frequency: float, power: float) -> tuple[float, float]:
        x = np.log(frequency) / np.log(finest)
        y = (np.log10(np.clip(power, 10.0**low, 10.0**high)) - low) / (high - low)
        return TALL * (LEFT + x * across), TALL * (10 + (1 - y) * up)

    for decade in range(low, high + 1):
        pen.line([place(1, 10.0**decade), place(finest, 10.0**decade)], fill="#dddddd", width=TALL)
        if decade % 2 == 0:
            pen.text(place(0.93, 10.0**decade), f"1e{decade}", "black", font, anchor="rm")
    frequency = 1
    while frequency <= finest:
        pen.line([place(frequency, 10.0**low), place(frequency, 10.0**high)], fill="#dddddd", width=TALL)
        x, y = place(frequency, 10.0**low)
        pen.text((x, y + TALL * 4), str(frequency), "black", font, anchor="mt")
        frequency *= 2
    pen.text((TALL * (LEFT + across / 2), TALL * HEIGHT - 2), "cycles an image", "black", font, anchor="mb")
    for i, (name, (frequencies, power)) in enumerate(curves.items()):
        colour = tuple(int(c) for c in rgb_of(PALETTE[i]))
        points = [place(f, p) for f, p in zip(frequencies, power, strict=True)]
        pen.line(points, fill=colour, width=2 * TALL, joint="curve")
        x, y = TALL * (width - RIGHT + 12), TALL * (20 + 20 * i)
        pen.line([(x, y), (x + TALL * 16, y)], fill=colour, width=3 * TALL)
        pen.text((x + TALL * 22, y), name, "black", font, anchor="lm")
    pen.text((TALL * 6, TALL * 10), "power", "black", font, anchor="lt")
    return np.asarray(picture.resize((width, HEIGHT), Image.Resampling.BOX))


def growth(images: Sequence[np.ndarray], curves: Mapping, finest: int) -> np.ndarray:
    """`panels`, and below them `spectrum`: uint8 (height, width, 3)."""
    row = panels(images)
    gap = np.full((GAP, row.shape[1], 3), 255, np.uint8)
    return np.concatenate([row, gap, spectrum(curves, row.shape[1], finest)])
