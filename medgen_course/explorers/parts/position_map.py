"""A picture with a cursor that is moved by click, drag or arrow keys; any two-dimensional choice fits it."""

from pathlib import Path

import anywidget
import numpy as np
import traitlets

from medgen_course.pictures import render

_HERE = Path(__file__).parent


class PositionMap(anywidget.AnyWidget):
    """A map to choose a position on: x to the right, y upwards, both in [0, 1].

    The picture is sent once; the browser draws the cursor and sends the newest position, at most one each
    animation frame. The arrow keys move by 0.02, with Shift by 0.1.

    Traits:
        position: (x, y); observe it. Values beyond the edge are moved to the edge.
        label: what the map is, for the tooltip and for screen readers.
        x_label, y_label: what the axes are.
        x_range, y_range: the data values at the edges, for the text under the map and for screen readers.
    """

    _esm = _HERE / "position_map.js"
    _css = _HERE / "position_map.css"

    png = traitlets.Bytes().tag(sync=True)
    position = traitlets.Tuple(traitlets.Float(), traitlets.Float(), default_value=(0.5, 0.5)).tag(sync=True)
    label = traitlets.Unicode("map").tag(sync=True)
    x_label = traitlets.Unicode("x").tag(sync=True)
    y_label = traitlets.Unicode("y").tag(sync=True)
    x_range = traitlets.Tuple(traitlets.Float(), traitlets.Float(), default_value=(0.0, 1.0)).tag(sync=True)
    y_range = traitlets.Tuple(traitlets.Float(), traitlets.Float(), default_value=(0.0, 1.0)).tag(sync=True)

    def __init__(self, picture: np.ndarray, **traits):
        """Show `picture`, uint8 (H, W) or (H, W, 3), square or not."""
        super().__init__(png=render.to_png(picture), **traits)

    @traitlets.validate("position")
    def _inside(self, proposal) -> tuple[float, float]:
        x, y = (float(np.clip(value, 0, 1)) for value in proposal["value"])
        if not np.isfinite(x + y):
            raise traitlets.TraitError(f"position is {(x, y)}; expected two numbers in [0, 1]")
        return x, y

    @property
    def x(self) -> float:
        """0 at the left edge, 1 at the right."""
        return self.position[0]

    @property
    def y(self) -> float:
        """0 at the bottom edge, 1 at the top."""
        return self.position[1]
