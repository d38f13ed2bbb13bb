"""What the few-labels explorer draws: masks with their errors coloured, and learning curves drawn once."""

from collections.abc import Mapping

import numpy as np

from medgen_course.explorers.anomaly_view import PAD, Chart, side_by_side
from medgen_course.pictures import plots
from medgen_course.pictures.render import PALETTE, Extent, enlarge, overlay, rgb_of

LESION, VENTRICLES = 1, 2  # in a label map; 0 is everything else
STRUCTURES = {"lesion": LESION, "ventricles": VENTRICLES}
COLOURS = {"lesion": PALETTE[0], "ventricles": PALETTE[4], "missed": PALETTE[6], "invented": PALETTE[5],
           "mistaken": PALETTE[3]}  # fmt: skip
CUT, HERE = rgb_of(PALETTE[7]), rgb_of(PALETTE[5])
OPACITY = 0.75

Row = Mapping[str, float]
Curves = Mapping[str, Mapping[int, Row]]  # method -> number of labels -> value, low, high


def true_picture(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """A slice with its true masks in colour: image uint8 (1, H, W), label map (H, W) -> uint8 (H, W, 3)."""
    return found_picture(image, truth, truth)


def found_picture(image: np.ndarray, truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """The masks that were found: what is right in its own colour, and each mistake in one.

    Args:
        image: uint8 (1, H, W).
        truth, found: label maps (H, W), 0, `LESION` or `VENTRICLES`.
    Returns:
        uint8 (H, W, 3). Mistaken: a lesion that was taken for ventricles, or the other way round.
    """
    regions = {
        "lesion": (truth == LESION) & (found == LESION),
        "ventricles": (truth == VENTRICLES) & (found == VENTRICLES),
        "missed": (truth > 0) & (found == 0),
        "invented": (found > 0) & (truth == 0),
        "mistaken": (found > 0) & (truth > 0) & (found != truth),
    }
    picture = image
    for name, region in regions.items():
        picture = overlay(picture, region, COLOURS[name], OPACITY).transpose(2, 0, 1)
    return picture.transpose(1, 2, 0)


def counts(truth: np.ndarray, found: np.ndarray, which: int) -> dict[str, int]:
    """Pixels of one structure: `true`, `right`, `missed`, `invented`."""
    true, told = truth == which, found == which
    return {
        "true": int(true.sum()),
        "right": int((true & told).sum()),
        "missed": int((true & ~told).sum()),
        "invented": int((told & ~true).sum()),
    }


def panels(images: np.ndarray, truth: np.ndarray, found: np.ndarray, scale: int) -> np.ndarray:
    """Slices side by side: above with their true masks, below with the masks that were found.

    Args:
        images: uint8 (S, 1, H, W).
        truth, found: label maps (S, H, W).
        scale: screen pixels for each pixel, both ways.
    Returns:
        uint8 (2 * H * scale + PAD, S * W * scale + (S - 1) * PAD, 3).
    """
    above = [true_picture(*pair) for pair in zip(images, truth, strict=True)]
    below = [found_picture(*three) for three in zip(images, truth, found, strict=True)]
    rows = [side_by_side(*(enlarge(picture, scale) for picture in row)) for row in (above, below)]
    gap = np.full((PAD, rows[0].shape[1], 3), 255, dtype=np.uint8)
    return np.concatenate([rows[0], gap, rows[1]])


def learning_curves(curves: Curves, measure: str, width: int, height: int, columns: int = 2) -> Chart:
    """All methods over the number of labels, a band each, from 0 to 1; x is log10 of the number.

    columns: of the legend below, where there is one.
    """
    places = {name: np.log10(list(rows)) for name, rows in curves.items()}
    ends = {
        e: {n: [row[e] for row in rows.values()] for n, rows in curves.items()}
        for e in ("value", "low", "high")
    }
    bands = {name: (ends["low"][name], ends["high"][name]) for name in curves}
    figure = plots.lines(places, ends["value"], "labelled slices", measure, bands=bands, columns=columns)
    numbers = sorted({n for rows in curves.values() for n in rows})
    axes = figure.axes[0]
    axes.set_xticks(np.log10(numbers), [f"{n}" for n in numbers])
    axes.set_ylim(0, 1.02)
    return Chart.of(figure, width, height)


def with_cursor(chart: Chart, labels: int, value: float) -> np.ndarray:
    """The curves with a dashed line at a number of labels, and a square where the method stands there."""
    picture = chart.picture.copy()
    (row, column), (top, _), (bottom, _) = (chart.place(np.log10(labels), y) for y in (value, 1.0, 0.0))
    rows = np.arange(top, bottom)
    picture[rows[rows // 4 % 2 == 0], max(0, column - 1) : column + 1] = CUT
    picture[max(0, row - 6) : row + 7, max(0, column - 6) : column + 7] = CUT
    picture[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5] = HERE
    return picture


def fitted(chart: Chart, width: int) -> Chart:
    """The same chart on a canvas of another width, white to the right; the extent grows with it."""
    picture = chart.picture
    if picture.shape[1] == width:
        return chart
    blank = np.full((len(picture), max(0, width - picture.shape[1]), 3), 255, dtype=np.uint8)
    (low, high), y_range = chart.extent.x_range, chart.extent.y_range
    wider = np.concatenate([picture, blank], axis=1)[:, :width]
    grown = low + (high - low) * width / picture.shape[1]
    return Chart(wider, Extent((low, grown), y_range))
