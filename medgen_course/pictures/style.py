"""One look for all figures, and a Figure that a notebook shows without pyplot."""

import io
import re

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as _Figure
from PIL import Image

from medgen_course.pictures import render

DPI = 100
_NUMBER = re.compile(r"[−\-\d.]+")  # as matplotlib writes a tick
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "axes.labelsize": 11,
    "axes.prop_cycle": matplotlib.cycler(color=render.PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "figure.constrained_layout.use": True,
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "figure.figsize": (6.4, 3.6),
    "font.size": 11,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "image.cmap": "gray",
    "image.interpolation": "nearest",
    "legend.fontsize": 10,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "savefig.dpi": DPI,
    "savefig.facecolor": "white",
}


class Figure(_Figure):
    """A matplotlib figure in the course's look that a notebook can show without pyplot.

    `alt` is its alternative text; where none is set, it is put together from titles, labels and names.
    `drawn` says that its picture, if it has one, shows dots and lines in few colours.
    """

    alt = ""
    drawn = False

    def __init__(self, width: float, height: float):
        with matplotlib.rc_context(STYLE):
            super().__init__(figsize=(width, height), dpi=DPI, layout="constrained")
        FigureCanvasAgg(self)

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        """What Jupyter shows: the PNG, and beside it the text for those who cannot see it."""
        shown = {"image/png": self._repr_png_(), "text/plain": f"Figure: {self.alternative_text()}"}
        return shown, {"image/png": {"alt": self.alternative_text()}}

    def alternative_text(self) -> str:
        """`alt`, or what the figure says of itself: titles, axes, curves and rows, in one line."""
        if self.alt:
            return self.alt
        said = [self.get_suptitle()]
        for axes in self.axes:
            said += [axes.get_title(loc="left") or axes.get_title()]
            names = [text for text in axes.get_legend_handles_labels()[1] if not text.startswith("_")]
            ticks = [tick.get_text() for tick in axes.get_yticklabels()]
            if axes.images and axes.axison and not all(_NUMBER.fullmatch(text) for text in ticks):
                said += [f"rows: {', '.join(ticks)}"]
            elif axes.axison:
                said += [f"{axes.get_ylabel()} over {axes.get_xlabel()}" if axes.get_xlabel() else
                         axes.get_ylabel(), ", ".join(names)]  # fmt: skip
        return ". ".join(" ".join(text.split()) for text in said if text) or "a picture without a title"

    def _repr_png_(self) -> bytes:
        self.canvas.draw()
        pixels = np.asarray(self.canvas.buffer_rgba())[..., :3]
        picture = Image.fromarray(pixels)
        if (pixels == pixels[..., :1]).all():
            picture = picture.convert("L")  # a third of the bytes
        elif not any(axes.images for axes in self.axes) or self.drawn:
            picture = picture.quantize(256, dither=Image.Dither.NONE)  # curves and dots have few colours
        buffer = io.BytesIO()
        picture.save(buffer, format="PNG", optimize=True)
        return buffer.getvalue()


def use_style() -> None:
    """Give every later matplotlib figure, the reader's own included, the look of the course."""
    matplotlib.rcParams.update(STYLE)
