"""Pictures of an enhancement: guess, answer and truth, what the answer misses, lesions outlined."""

import numpy as np

from medgen_course.pictures.render import difference, enlarge, grid, rgb_of, to_bytes, to_rgb
from medgen_course.pictures.render_translation import INVENTED, LESION, outline

LINE = rgb_of("#E69F00")


def panels(
    guess,
    answer,
    truth,
    lesion: np.ndarray | None = None,
    invented: np.ndarray | None = None,
    limit: float = 0.3,
    scale: int = 1,
    pad: int = 8,
) -> np.ndarray:
    """Guess, answer, truth, and the answer's difference to the truth, side by side.

    Args:
        guess, answer, truth: (C, H, W), uint8 or floats in [0, 1].
        lesion: (H, W), non-zero where a lesion really is: outlined in vermilion everywhere.
        invented: (H, W), non-zero in large errors: outlined in purple, dashed, on answer and difference.
        limit: the difference that gets the full colour, whatever the image.
        scale: screen pixels for each pixel, both ways.
        pad: gap in screen pixels.
    Returns:
        uint8 (H scale, 4 W scale + 3 pad, 3).
    """
    images = [to_rgb(to_bytes(image)[None])[0] for image in (guess, answer, truth)]
    sheet = grid(np.stack([*images, difference(answer, truth, limit)]).transpose(0, 3, 1, 2), 4, pad, scale)
    step = scale * images[0].shape[1] + pad
    for mask, colour, columns, dashed in (
        (lesion, LESION, range(4), False),
        (invented, INVENTED, (1, 3), True),
    ):
        if mask is not None:
            line = outline(mask, scale, dashed=dashed)
            for column in columns:
                sheet[:, column * step :][:, : line.shape[1]][line] = colour
    return sheet


def outlined(images, masks: np.ndarray, scale: int = 2) -> np.ndarray:
    """Images with a line around their lesions, for a row of pictures.

    Args:
        images: (N, C, H, W), uint8 or floats in [0, 1].
        masks: (N, 1, H, W), non-zero where a lesion really is.
        scale: screen pixels for each pixel, both ways.
    Returns:
        uint8 (N, 3, H scale, W scale).
    """
    pictures = np.stack([magnified(image, scale) for image in images])
    for picture, mask in zip(pictures, masks, strict=True):
        picture[outline(mask, scale, width=1)] = LESION
    return pictures.transpose(0, 3, 1, 2)


def magnified(image, scale: int) -> np.ndarray:
    """One image (C, H, W) as a picture, uint8 (H scale, W scale, 3)."""
    return enlarge(to_rgb(to_bytes(image)[None])[0], scale)


def wiped(before: np.ndarray, after: np.ndarray, place: float, width: int = 2) -> np.ndarray:
    """Two pictures in one: left of a line the first, right of it the second.

    Args:
        before, after: uint8 (H, W, 3).
        place: of the line, 0 to 1.
        width: of the line in pixels.
    Returns:
        uint8 (H, W, 3).
    Raises:
        ValueError: the sizes differ.
    """
    if before.shape != after.shape:
        raise ValueError(f"pictures are {before.shape} and {after.shape}: they must have one size")
    column = round(place * before.shape[1])
    both = np.concatenate([before[:, :column], after[:, column:]], 1)
    both[:, max(0, column - width // 2) : column + width - width // 2] = LINE
    return both
