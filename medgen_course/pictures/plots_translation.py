"""Figures of notebook 04: signed differences between images, each row with the scale of its colours."""

from collections.abc import Mapping, Sequence

import numpy as np

from medgen_course.pictures.plots import _picture_axes, _wrapped, colour_scale, difference_labels
from medgen_course.pictures.render import grid, tint
from medgen_course.pictures.style import Figure

THUMBNAIL, PAD = 100, 6  # screen pixels


def differences(named: Mapping[str, tuple[np.ndarray, float]], title: str = "") -> Figure:
    """Rows of signed differences, orange brighter and blue darker, with the colour scale beside each row.

    Args:
        named: name of a row -> differences, floats (N, H, W), equally many in each row, and the one that gets
            the full colour.
        title: the finding, or what is shown.
    """
    columns, side = len(next(iter(named.values()))[0]), next(iter(named.values()))[0].shape[-1]
    scale = max(1, round(THUMBNAIL / side))
    width, height = columns * (side * scale + PAD) / 100, (side * scale + PAD) / 100 + 0.12
    names = 0.09 * max(len(line) for name in named for line in name.split("\n"))
    title = _wrapped(title, width + names + 1)
    figure = Figure(width + names + 1, height * len(named) + 0.22 * (1 + title.count("\n")) + 0.2)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    places = figure.add_gridspec(len(named), 2, width_ratios=[width, 0.14])
    for i, (name, (maps, limit)) in enumerate(named.items()):
        picture = grid(tint(np.asarray(maps), limit).transpose(0, 3, 1, 2), columns, PAD, scale)
        axes = _picture_axes(figure, (places[i, 0],), picture, "")
        axes.set_axis_on()
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.set_xticks([])
        axes.set_yticks([len(picture) / 2], [name])
        axes.tick_params(length=0)
        bar = figure.add_subplot(places[i, 1])
        ramp = np.linspace(limit, -limit, 101, dtype=np.float32)[:, None]
        bar.imshow(tint(ramp, limit), aspect="auto", extent=(0, 1, -limit, limit))
        bar.grid(visible=False)
        bar.set_xticks([])
        bar.yaxis.tick_right()
        bar.set_yticks([-limit, 0, limit], [f"{-limit:g}", "0", f"+{limit:g}"], fontsize=9)
    told = [f"{' '.join(name.split())} (full colour at ±{limit:g})" for name, (_, limit) in named.items()]
    figure.alt = f"{title}. Rows of differences, orange brighter, blue darker: {', '.join(told)}."
    return figure


def panels(
    picture: np.ndarray, above: Sequence[str], below: Sequence[str], limit: float, title: str = ""
) -> Figure:
    """A picture of `render_translation.panels` with a name at each panel and a scale for its differences.

    Args:
        picture: uint8 (height, width, 3), two rows of equally wide panels.
        above, below: names of the panels of the upper and of the lower row.
        limit: the difference that has the full colour.
        title: the finding, or what is shown.
    """
    height, width = (side / 100 for side in picture.shape[:2])
    figure = Figure(width + 0.2, height + 0.8)
    axes = _picture_axes(figure, (1, 1, 1), picture, title)
    axes.set_axis_on()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=10, labelleft=False, top=False, labeltop=True)
    places = (np.arange(len(above)) + 0.5) * picture.shape[1] / len(above)
    axes.set_xticks(places, above)
    for place, name in zip(places, below, strict=True):
        axes.text(place, picture.shape[0] + 4, name, ha="center", va="top", fontsize=10)
    axes.tick_params(labelbottom=False)
    colour_scale(figure, axes, difference_labels(limit), signed=True)
    figure.alt = f"{title}. Above: {', '.join(above)}. Below: {', '.join(filter(None, below))}, ±{limit:g}."
    return figure
