"""Figures of notebook 01: codes as points in the plane, and what a decoder draws over that plane."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from medgen_course.pictures import render
from medgen_course.pictures.style import DPI, STYLE, Figure

POINT, GAP, LEAST = 12, 6, 90  # size of a dot; pixels between pictures; the least width of a picture


def codes(
    named: Mapping[str, np.ndarray], xlabel: str, ylabel: str, title: str = "", equal: bool = False
) -> Figure:
    """Clouds of points, one colour each, with their names in the plot.

    Args:
        named: name to points (N, 2).
        xlabel, ylabel: what the two directions are.
        title: states the finding.
        equal: one unit is equally long along both axes, so that what is round looks round.
    """
    figure = Figure(6.4, 4.6)
    with matplotlib.rc_context(STYLE):
        axes = figure.add_subplot()
        _dots(axes, named)
        axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
        if equal:
            axes.set_aspect("equal", adjustable="datalim")
    return figure


def dot_map(
    picture: np.ndarray,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    names: Sequence[str],
    xlabel: str,
    ylabel: str,
    title: str = "",
) -> Figure:
    """A map of dots as `render.scatter` drew it, with axes and the name of each colour.

    Args:
        picture: uint8 (H, W, 3).
        x_range, y_range: what its edges are, in data units.
        names: of the labels 0, 1, ..., whose colours are those of the palette.
        xlabel, ylabel: what the two directions are.
        title: states the finding.
    """
    figure = Figure(4.9, 4.5)
    figure.drawn = True
    with matplotlib.rc_context(STYLE):
        axes = figure.add_subplot()
        axes.imshow(picture, extent=(*x_range, *y_range), aspect="auto", interpolation="bilinear")
        for i, name in enumerate(names):
            axes.scatter([], [], s=40, color=render.PALETTE[i % len(render.PALETTE)], label=name)
        axes.grid(visible=False)
        axes.legend(frameon=True, framealpha=0.9, edgecolor="none")
        axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    return figure


def code_map(
    named: Mapping[str, np.ndarray],
    decode: Callable[[np.ndarray], np.ndarray],
    title: str = "",
    side: int = 5,
) -> Figure:
    """Codes of two numbers as dots; beside them what the decoder draws at places of the same range.

    Args:
        named: name to codes (N, 2).
        decode: codes (M, 2), float32, to images (M, C, H, W) in [0, 1].
        title: states the finding.
        side: side x side images are drawn.
    """
    everything = np.concatenate(list(named.values()))
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = 0.05 * (high - low) + 1e-6
    (left, bottom), (right, top) = low - margin, high + margin
    share = (np.arange(side) + 0.5) / side
    across, up = left + share * (right - left), bottom + share * (top - bottom)
    places = np.array([(x, y) for y in up[::-1] for x in across], dtype=np.float32)
    drawn = render.to_bytes(decode(places))
    scale = max(1, -(-LEAST // drawn.shape[-1]))
    sheet = render.grid(drawn, columns=side, pad=GAP, scale=scale)
    width = sheet.shape[1] / DPI
    figure = Figure(4.4 + width, sheet.shape[0] / DPI + 0.5)
    with matplotlib.rc_context(STYLE):
        dots, pictures = figure.subplots(1, 2, width_ratios=(4.0, width))
        _dots(dots, named)
        dots.set(xlabel="first number of the code", ylabel="second number", title="Codes")
        dots.set(xlim=(left, right), ylim=(bottom, top))
        pictures.imshow(sheet)
        pictures.set(title="What the decoder draws at these codes", xlabel="first number of the code")
        middles = (np.arange(side) + 0.5) * (sheet.shape[1] - GAP) / side + GAP / 2
        pictures.set_xticks(middles, [f"{value:.1f}" for value in across])
        pictures.set_yticks(middles, [f"{value:.1f}" for value in up[::-1]])
        pictures.tick_params(length=0)
        pictures.grid(visible=False)
        pictures.spines[:].set_visible(False)
        figure.suptitle(title, x=0.01, ha="left")
    return figure


def _dots(axes: Axes, named: Mapping[str, np.ndarray]) -> None:
    """All clouds in one mixed order, so that none hides another, and a legend."""
    colours = [render.PALETTE[i % len(render.PALETTE)] for i in range(len(named))]
    points = np.concatenate(list(named.values()))
    owner = np.repeat(colours, [len(cloud) for cloud in named.values()])
    order = np.random.default_rng(0).permutation(len(points))
    axes.scatter(*points[order].T, s=POINT, c=owner[order], linewidths=0)
    for name, colour in zip(named, colours, strict=True):
        axes.scatter([], [], s=40, color=colour, label=name)
    axes.legend(frameon=True, framealpha=0.9, edgecolor="none")
