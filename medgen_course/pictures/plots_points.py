"""Clouds of points with their legend in the plot."""

from collections.abc import Mapping

import matplotlib
import numpy as np

from medgen_course.pictures.render import PALETTE
from medgen_course.pictures.style import STYLE, Figure

_MARKERS = "o^sDv"


def scatter(clouds: Mapping[str, np.ndarray], xlabel: str, ylabel: str, title: str = "") -> Figure:
    """Points in the plane, each cloud with its colour, its marker and its name in the legend.

    Args:
        clouds: name to points (N, 2).
        xlabel, ylabel: with units.
        title: states the finding.
    """
    figure = Figure(6.4, 5.2)
    with matplotlib.rc_context(STYLE):
        axes = figure.add_subplot()
        axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
        for i, (name, points) in enumerate(clouds.items()):
            marker, colour = _MARKERS[i % len(_MARKERS)], PALETTE[i % len(PALETTE)]
            x, y = np.asarray(points).T
            axes.scatter(x, y, s=9, alpha=0.6, marker=marker, color=colour, linewidths=0, label=name)
        axes.legend(markerscale=2.5, loc="best", frameon=True, framealpha=0.85)
    return figure
