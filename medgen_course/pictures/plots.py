"""Figures: one look for the whole course, around arrays from render.py and around curves.

Every function returns a Figure that pyplot never hears of: nothing leaks, and a notebook shows it exactly
once, where it is the last expression of a cell.
"""

import math
import textwrap
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from medgen_course.pictures import render
from medgen_course.pictures.style import DPI, STYLE, Figure, use_style

__all__ = ["PALETTE", "Figure", "bars", "dots", "history", "images", "lines", "rows", "show", "use_style"]

PALETTE = render.PALETTE
_MARKERS = "osD^vP*X"


def show(picture: np.ndarray, title: str = "", scale: float = 1.0, limit: float | None = None) -> Figure:
    """One picture, unsmoothed, without axes.

    Args:
        picture: uint8 (H, W) or (H, W, 3), as the functions of render.py return it.
        title: the finding, in a few words; lines may be broken with a newline.
        scale: screen pixels per picture pixel, at 100 dpi.
        limit: of `render.difference`, where the picture holds one: a scale below says what colours mean.
    """
    height, width = (side * scale / DPI for side in picture.shape[:2])
    title_height = 0.25 * (1 + title.count("\n")) if title else 0.0
    figure = Figure(max(width, 0.085 * max(map(len, title.split("\n")))) + 0.1, height + title_height + 0.1)
    axes = _picture_axes(figure, (1, 1, 1), picture, title)
    if limit is not None:
        colour_scale(figure, axes, difference_labels(limit), signed=True)
    return figure


def images(
    images: Sequence[np.ndarray], titles: Sequence[str] = (), columns: int = 8, width: float = 9.0
) -> Figure:
    """Several images in rows, each with its own short title above it.

    Args:
        images: (N, C, H, W), or a list of (C, H, W), uint8 or floats in [0, 1]; sizes may differ in a list.
        titles: one each, or none.
        columns: images in a row.
        width: of the figure, in inches at 100 dpi.
    Raises:
        ValueError: no images, or another number of titles than of images.
    """
    if len(images) == 0 or (titles and len(titles) != len(images)):
        raise ValueError(f"{len(images)} images and {len(titles)} titles; expected at least one image and a "
                         "title for each or none")  # fmt: skip
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    side = min(width / columns, 2.2)
    lines = max((title.count("\n") + 1 for title in titles), default=0)
    figure = Figure(side * columns, rows * (side + 0.22 * lines))
    for i, image in enumerate(images):
        picture = render.to_rgb(render.to_bytes(image)[None])[0]
        _picture_axes(figure, (rows, columns, i + 1), picture, titles[i] if titles else "", size=10)
    return figure


def rows(
    named: Mapping[str, Sequence[np.ndarray]],
    headings: Sequence[str] = (),
    title="",
    width: float = 7.0,
    limit: float | None = None,
    heat: tuple[float, float] | None = None,
) -> Figure:
    """Rows of images, each with its name to the left, and headings over the columns.

    Args:
        named: name of a row to its images, (N, C, H, W) or a list of (C, H, W), uint8 or floats in [0, 1];
            all of one size. A shorter row leaves white places at its end.
        headings: one for each column, or none.
        title: states the finding.
        width: of all pictures in a row, in inches at 100 dpi, at most; small images are enlarged to about it.
        limit: of `render.difference`, where a row shows differences: a scale below says what colours mean.
        heat: the values that get no colour and the full one, where a row shows maps by `render.tint`.
    Raises:
        ValueError: no images, images of several sizes, or another number of headings than of columns.
    """
    columns = max(map(len, named.values()), default=0)
    if columns == 0 or (headings and len(headings) != columns):
        raise ValueError(f"{columns} columns and {len(headings)} headings; expected at least one column, and "
                         "a heading for each or none")  # fmt: skip
    pictures = [[render.to_rgb(render.to_bytes(image)[None]) for image in row] for row in named.values()]
    sizes = {picture.shape[1:3] for row in pictures for picture in row}
    if len(sizes) > 1:
        raise ValueError(f"images of several sizes, {', '.join(map(str, sorted(sizes)))}: rows need one size")
    blank, pad = np.full((1, *sizes.pop(), 3), 255, dtype=np.uint8), 4
    filled = [picture for row in pictures for picture in row + [blank] * (columns - len(row))]
    scale = max(1, min(4, int((width * DPI / columns - pad) / blank.shape[2])))
    sheet = render.grid(np.concatenate(filled).transpose(0, 3, 1, 2), columns, pad=pad, scale=scale)
    width = min(width, sheet.shape[1] / DPI)
    title = _wrapped(title, width)
    lines = sum(max(text.count("\n") + 1 for text in texts) for texts in ([title], headings) if any(texts))
    names_width = 0.09 * max(len(line) for name in named for line in name.split("\n"))
    height = width * sheet.shape[0] / sheet.shape[1]
    figure = Figure(width + names_width + 0.3, height + 0.23 * lines + 0.2)
    axes = _picture_axes(figure, (1, 1, 1), sheet, title)
    above = max((text.count("\n") + 1 for text in headings), default=0)
    axes.set_title(title, fontsize=12, loc="left", y=1.0, pad=6 + 12.5 * above)  # over the headings
    axes.set_axis_on()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=10, top=False, bottom=False, labeltop=True, labelbottom=False)
    down, right = (side * scale + pad for side in blank.shape[1:3])
    axes.set_yticks([(i + 0.5) * down - pad / 2 for i in range(len(named))], list(named))
    axes.set_xticks([(i + 0.5) * right - pad / 2 for i in range(len(headings))], headings)
    if limit is not None:
        colour_scale(figure, axes, difference_labels(limit), signed=True)
    elif heat is not None:
        colour_scale(figure, axes, {heat[0]: f"{heat[0]:.2g}", heat[1]: f"{heat[1]:.2g}, anomalous"})
    return figure


def difference_labels(limit: float) -> dict[float, str]:
    """What a colour scale says of a difference: value -> text, from -limit to limit."""
    return {-limit: f"−{limit:g}, darker", 0: "0", limit: f"+{limit:g}, brighter"}


def colour_scale(figure: Figure, axes: Axes, labels: Mapping[float, str], signed: bool = False) -> None:
    """What the colours of `render.tint` mean, below a picture.

    Args:
        figure, axes: the picture; the figure grows.
        labels: value -> text, from the lowest value of the scale to the highest.
        signed: the scale runs from blue to orange, not from no colour to orange.
    """
    figure.set_figheight(figure.get_figheight() + 0.55)
    shades = np.linspace(-1.0 if signed else 0.0, 1.0, 255)
    colours = matplotlib.colors.ListedColormap(render.tint(shades, 1.0) / 255)
    scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(min(labels), max(labels)), colours)
    bar = figure.colorbar(scale, ax=axes, orientation="horizontal", shrink=0.5, aspect=30, pad=0.02,
                          panchor=False)  # fmt: skip
    bar.set_ticks(list(labels), labels=list(labels.values()))
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=10)


def history(history, title: str = "") -> Figure:
    """The losses of a training run over its epochs, one line each.

    Args:
        history: has `columns`, a dict of equally long lists: "epoch" and whatever was logged. Columns that
            are called "loss" or hold "loss" before or after a slash are drawn.
        title: the finding; empty gives the last value of each loss.
    Raises:
        ValueError: no such column; the message lists those that are there.
    """
    columns = history.columns
    losses = {name: values for name, values in columns.items() if "loss" in name.split("/")}
    if not losses:
        raise ValueError(f'no loss to draw: found columns {", ".join(columns)}; expected "loss" or "loss/…"')
    if not title:
        title = ", ".join(f"{name} {values[-1]:.4g}" for name, values in losses.items() if values)
    return lines(columns["epoch"], losses, "epoch", "loss", title)


def lines(
    x: Sequence[float] | Mapping[str, Sequence[float]],
    series: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    title: str = "",
    *,
    bands: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    markers: bool = True,
    columns: int = 2,
) -> Figure:
    """Curves over a common axis, told apart by colour, marker and legend.

    Args:
        x: (N,) positions; or name to (N,), where each curve has its own.
        series: name to (N,) values.
        xlabel, ylabel: with units.
        title: states the finding.
        bands: name (one of series) to its lower and upper values, (N,) each: drawn as a pale band.
        log_x, log_y: logarithmic axes.
        markers: mark each value (switch off for many values).
        columns: of the legend, where it stands below because there are many curves.
    """
    figure = Figure(6.4, 3.6)
    axes = _curve_axes(figure, xlabel, ylabel, title)
    places = x if isinstance(x, Mapping) else dict.fromkeys(series, x)
    for i, (name, values) in enumerate(series.items()):
        colour = PALETTE[i % len(PALETTE)]
        marker = _MARKERS[i % len(_MARKERS)] if markers else None
        axes.plot(places[name], values, color=colour, marker=marker, label=name)
        if bands and name in bands:
            axes.fill_between(places[name], *bands[name], color=colour, alpha=0.2, linewidth=0)
    ticks = sorted({float(value) for positions in places.values() for value in positions})
    if log_x:
        axes.set_xscale("log")
        if len(ticks) <= 12:
            axes.set_xticks(ticks, [f"{value:g}" for value in ticks])
            axes.minorticks_off()
    elif len(ticks) <= 4:
        axes.set_xticks(ticks)
    elif all(value.is_integer() for value in ticks):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if log_y:
        axes.set_yscale("log")
    if len(series) > 3:  # so many leave no room among the curves
        figure.legend(ncols=columns, loc="outside lower center", frameon=False)
    elif len(series) > 1:
        axes.legend(frameon=False)
    return figure


def bars(names: Sequence[str], series: Mapping[str, Sequence[float]], ylabel: str, title: str = "") -> Figure:
    """Groups of bars with their values written on top, for counts and shares.

    Args:
        names: the groups, along the axis.
        series: name to one value for each group; several series stand side by side.
        ylabel: with unit.
        title: states the finding.
    """
    figure = Figure(max(4.5, min(10.0, 1.2 + 0.55 * len(names) * len(series))), 3.6)
    axes = _curve_axes(figure, "", ylabel, title)
    axes.grid(visible=False, axis="x")
    axes.margins(y=0.12)
    width = 0.8 / len(series)
    for i, (name, values) in enumerate(series.items()):
        places = np.arange(len(names)) + (i - (len(series) - 1) / 2) * width
        drawn = axes.bar(places, values, width * 0.94, color=PALETTE[i % len(PALETTE)], label=name)
        axes.bar_label(drawn, fmt=_three_digits, fontsize=9, padding=2)
    axes.set_xticks(range(len(names)), names)
    longest = max(len(line) for name in names for line in name.split("\n"))
    if longest * len(names) > 12 * figure.get_figwidth():
        axes.set_xticks(range(len(names)), names, rotation=30, ha="right", rotation_mode="anchor")
    if len(series) > 1:
        figure.legend(ncols=len(series), loc="outside lower center", frameon=False)
    return figure


def dots(rows: Mapping[str, Mapping[str, float]], ylabel: str, title: str = "") -> Figure:
    """A dot with its interval for each name, where bars from zero would hide the differences.

    Args:
        rows: name to {"value", "low", "high"}.
        ylabel: with unit.
        title: states the finding.
    """
    figure = Figure(max(4.5, min(10.0, 1.6 + 1.2 * len(rows))), 3.6)
    axes = _curve_axes(figure, "", ylabel, title)
    axes.margins(x=0.12)
    for place, row in enumerate(rows.values()):
        axes.plot([place, place], [row["low"], row["high"]], color=PALETTE[0], linewidth=2)
        axes.plot(place, row["value"], "o", color=PALETTE[0], markersize=7)
        axes.annotate(_three_digits(row["value"]), (place, row["value"]), (9, 0), textcoords="offset points",
                      va="center", fontsize=9)  # fmt: skip
    axes.set_xticks(range(len(rows)), list(rows))
    return figure


def _three_digits(value: float) -> str:
    """Write 4708 as 4,708 and 74.2142 as 74.2."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _wrapped(title: str, width: float) -> str:
    """Break a title where it would run out of `width` inches."""
    return "\n".join(textwrap.fill(line, max(16, int(width / 0.086))) for line in title.split("\n"))


def _curve_axes(figure: Figure, xlabel: str, ylabel: str, title: str) -> Axes:
    with matplotlib.rc_context(STYLE):
        axes = figure.add_subplot()
        axes.set(xlabel=xlabel, ylabel=ylabel, title=_wrapped(title, figure.get_figwidth() - 0.9))
    return axes


def _picture_axes(figure: Figure, place: tuple[int, int, int], picture: np.ndarray, title: str, size=12):
    with matplotlib.rc_context(STYLE):
        axes = figure.add_subplot(*place)
        axes.imshow(picture, vmin=0, vmax=255)
        axes.set_title(title, fontsize=size, loc="left")
        axes.set_anchor("W")  # room for the title to the right
        axes.set_axis_off()
    return axes
