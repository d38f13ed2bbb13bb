"""Pictures of a translation: images above, differences below, lesions outlined without covering a pixel."""

import numpy as np
from scipy.ndimage import maximum_filter

from medgen_course.pictures.render import PALETTE, difference, enlarge, grid, rgb_of, to_bytes, to_rgb

LESION, INVENTED = rgb_of(PALETTE[5]), rgb_of(PALETTE[3])  # vermilion, reddish purple
DASH = 5  # screen pixels


def outline(mask: np.ndarray, scale: int, width: int = 2, dashed: bool = False) -> np.ndarray:
    """A line around a region of an enlarged picture, outside of it: no pixel of the region is covered.

    Where the region meets the picture's edge there is no outside, and no line.

    Args:
        mask: (H, W) or (1, H, W); non-zero marks the region.
        scale: how many screen pixels a pixel has.
        width: of the line, in screen pixels.
        dashed: broken, so that two kinds of lines are told apart without their colours.
    Returns:
        bool (H·scale, W·scale), True on the line.
    """
    region = enlarge((np.reshape(mask, np.shape(mask)[-2:]) != 0).astype(np.uint8), scale)
    line = (maximum_filter(region, 2 * width + 1, mode="constant") - region).astype(bool)
    if dashed:
        line &= np.add.outer(*map(np.arange, line.shape)) // DASH % 2 == 0
    return line


def panels(
    source,
    translated,
    back,
    truth=None,
    lesion: np.ndarray | None = None,
    invented: np.ndarray | None = None,
    limit: float = 0.3,
    scale: int = 1,
    pad: int = 8,
) -> np.ndarray:
    """Images in the upper row, and in the lower one under each what it differs in, as `difference` draws it.

    Upper: source, translated, back again, and the truth if it is known. Lower: the key of the colours from
    −limit to limit, translated − source (blank where their channels differ), back − source, and
    translated − truth.

    Args:
        source, back: (C, H, W), uint8 or floats in [0, 1].
        translated, truth: (C', H, W), the same.
        lesion: (H, W), non-zero where a lesion really is: outlined in vermilion on all images.
        invented: (H, W), non-zero in large errors: outlined in purple, dashed, on the translation and on
            its difference to the truth.
        limit: the difference that gets the full colour.
        scale: screen pixels for each pixel, both ways.
        pad: gap in screen pixels.
    Returns:
        uint8 (height, width, 3), with three columns, or four where the truth is known.
    Raises:
        ValueError: sizes that differ.
    """
    images = [source, translated, back] + ([] if truth is None else [truth])
    upper = [to_rgb(to_bytes(image)[None])[0] for image in images]
    comparable = np.shape(translated) == np.shape(source)
    lower = [
        key(*upper[0].shape[:2]),
        difference(translated, source, limit) if comparable else np.full_like(upper[0], 255),
        difference(back, source, limit),
    ]
    if truth is not None:
        lower.append(difference(translated, truth, limit))
    sheet = grid(np.stack(upper + lower).transpose(0, 3, 1, 2), len(upper), pad, scale)
    height, width = (scale * side + pad for side in upper[0].shape[:2])  # from one panel to the next

    def draw(line: np.ndarray, row: int, column: int, colour: np.ndarray) -> None:
        sheet[row * height :, column * width :][: len(line), : line.shape[1]][line] = colour

    if lesion is not None:
        line = outline(lesion, scale)
        for column in range(len(upper)):
            draw(line, 0, column, LESION)
    if invented is not None:
        line = outline(invented, scale, dashed=True)
        draw(line, 0, 1, INVENTED)
        if truth is not None:
            draw(line, 1, 3, INVENTED)
    return sheet


def key(height: int, width: int) -> np.ndarray:
    """What the colours of a difference mean: a bar from fully darker at the left to fully brighter.

    Returns:
        uint8 (height, width, 3), white around the bar.
    """
    ramp = np.tile(np.linspace(0, 1, width, dtype=np.float32), (1, max(1, height // 8), 1))
    bar = difference(ramp, ramp[..., ::-1], limit=1)  # (height // 8, width, 3)
    cell = np.full((height, width, 3), 255, dtype=np.uint8)
    top = (height - len(bar)) // 2
    cell[top : top + len(bar)] = bar
    return cell
