"""Before and after in one place: two pictures with a line between them, moved by mouse or keyboard."""

from collections.abc import Sequence
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from medgen_course.pictures import render

_HERE = Path(__file__).parent


class Wipe(anywidget.AnyWidget):
    """Two pictures of one size; left of the line the first, right of it the second.

    The browser moves the line by itself. The arrow keys move it by 0.02, with Shift by 0.1; Home and End go
    to the edges.

    Traits:
        place: of the line, 0 (left edge: all of the second picture) to 1.
        before, after: PNG bytes.
        names: what the two are.
    """

    _esm = _HERE / "wipe.js"
    _css = _HERE / "wipe.css"

    before = traitlets.Bytes().tag(sync=True)
    after = traitlets.Bytes().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    place = traitlets.Float(0.5).tag(sync=True)

    def __init__(self, names: Sequence[str] = ("before", "after")):
        super().__init__(names=list(names))

    @traitlets.validate("place")
    def _inside(self, proposal) -> float:
        place = float(np.clip(proposal["value"], 0, 1))
        if not np.isfinite(place):
            raise traitlets.TraitError(f"place is {place}; expected a number in [0, 1]")
        return place

    def show(self, before: np.ndarray, after: np.ndarray, names: Sequence[str]) -> None:
        """Send both pictures, uint8 (H, W) or (H, W, 3), and their names together."""
        with self.hold_sync():
            self.before, self.after, self.names = render.to_png(before), render.to_png(after), list(names)
