"""What the anomaly explorer draws: charts that are drawn once, lines on them for every move, and panels."""

from dataclasses import dataclass

import numpy as np

from medgen_course.pictures import plots
from medgen_course.pictures.render import PALETTE, Extent, enlarge, rgb_of, tint, to_bytes, to_rgb
from medgen_course.pictures.render_translation import LESION, outline

PAD = 8
HERE, CUT = rgb_of(PALETTE[5]), rgb_of(PALETTE[7])  # this image's score; the threshold
BINS = 40


@dataclass(frozen=True)
class Chart:
    """A picture of curves, uint8 (H, W, 3), and what its edges stand for."""

    picture: np.ndarray
    extent: Extent

    @classmethod
    def of(cls, figure: plots.Figure, width: int, height: int) -> "Chart":
        """Draw a figure with one pair of axes in so many pixels."""
        figure.set_size_inches(width / figure.dpi, height / figure.dpi)
        figure.canvas.draw()
        corners = figure.transFigure.transform([(0, 0), (1, 1)])
        (x0, y0), (x1, y1) = figure.axes[0].transData.inverted().transform(corners)
        extent = Extent((float(x0), float(x1)), (float(y0), float(y1)))
        return cls(np.array(figure.canvas.buffer_rgba())[..., :3], extent)

    def place(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of a point in data units; beyond the edge, on the edge."""
        right, up = self.extent.to_position(x, y)
        height, width = self.picture.shape[:2]
        return round((1 - up) * (height - 1)), round(right * (width - 1))


def distributions(healthy: np.ndarray, anomalous: np.ndarray, width: int, height: int) -> Chart:
    """How many validation images have which score, healthy and anomalous ones."""
    edges = np.histogram_bin_edges(np.concatenate([healthy, anomalous]), BINS)
    middle = (edges[1:] + edges[:-1]) / 2
    shares = {
        name: np.histogram(values, edges)[0] / len(values)
        for name, values in (("healthy", healthy), ("anomalous", anomalous))
    }
    figure = plots.lines(middle, shares, "score", "share of val images", markers=False)
    return Chart.of(figure, width, height)


def roc(healthy: np.ndarray, anomalous: np.ndarray, width: int, height: int) -> Chart:
    """Share of anomalous images found over the share of healthy ones flagged."""
    cuts = np.unique(np.concatenate([[-np.inf], healthy, anomalous]))
    flagged, found = ((values[None] > cuts[:, None]).mean(1) for values in (healthy, anomalous))
    curves = {"this score": (flagged, found), "chance": (np.array([0, 1.0]), np.array([0, 1.0]))}
    figure = plots.lines({n: x for n, (x, _) in curves.items()}, {n: y for n, (_, y) in curves.items()},
                         "healthy flagged", "anomalous found", markers=False)  # fmt: skip
    return Chart.of(figure, width, height)


def with_lines(chart: Chart, score: float | None, threshold: float) -> np.ndarray:
    """The distributions with the threshold as a dashed line, and this image's score as a solid one."""
    picture = chart.picture.copy()
    top, bottom = 6, chart.place(0, 0)[0]
    _, cut = chart.place(threshold, 0)
    rows = np.arange(top, bottom)
    picture[rows[rows // 4 % 2 == 0], max(0, cut - 1) : cut + 1] = CUT
    if score is not None:
        _, here = chart.place(score, 0)
        picture[top:bottom, max(0, here - 1) : here + 2] = HERE
    return picture


def with_point(chart: Chart, flagged: float, found: float) -> np.ndarray:
    """The ROC curve with a square where the threshold stands."""
    picture = chart.picture.copy()
    row, column = chart.place(flagged, found)
    picture[max(0, row - 5) : row + 6, max(0, column - 5) : column + 6] = CUT
    picture[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4] = HERE
    return picture


def panels(
    image: np.ndarray,
    rebuilt: np.ndarray | None,
    score_map: np.ndarray | None,
    mask: np.ndarray | None,
    limit: float,
    scale: int,
) -> np.ndarray:
    """Image, reconstruction and map side by side, the lesion outlined in the first and the last.

    Args:
        image: uint8 (C, H, W).
        rebuilt: floats in [0, 1], the same shape; None leaves the place white.
        score_map: (H, W); None leaves the place white.
        mask: (H, W), non-zero in the lesion; None outlines nothing.
        limit: of the map, the value that gets the full colour: one for all images.
        scale: screen pixels for each pixel, both ways.
    Returns:
        uint8 (H * scale, 3 * W * scale + 2 * PAD, 3).
    """
    blank = np.full((*image.shape[1:], 3), 255, dtype=np.uint8)
    shown = [
        to_rgb(image[None])[0],
        blank if rebuilt is None else to_rgb(to_bytes(rebuilt)[None])[0],
        blank if score_map is None else tint(score_map, limit),
    ]
    drawn = [enlarge(picture, scale) for picture in shown]
    if mask is not None and mask.any():
        line = outline(mask, scale)
        drawn[0][line] = LESION
        if score_map is not None:
            drawn[2][line] = 0
    return side_by_side(*drawn)


def side_by_side(*pictures: np.ndarray) -> np.ndarray:
    """Pictures of one height in a row, with white gaps."""
    gap = np.full((len(pictures[0]), PAD, 3), 255, dtype=np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)]
    return np.concatenate(parts[:-1], axis=1)


def stacked(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Two pictures of one width, one below the other, with a white gap."""
    return np.concatenate([upper, np.full((PAD, upper.shape[1], 3), 255, dtype=np.uint8), lower])
