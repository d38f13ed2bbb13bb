"""The picture of an explorer, captions above and numbers below, sent to the browser in one message."""

from collections.abc import Sequence
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from medgen_course.pictures import render

_HERE = Path(__file__).parent


class Picture(anywidget.AnyWidget):
    """A PNG, unsmoothed, that never stands beside the numbers of another one.

    Traits:
        png: the file's bytes.
        text: lines of numbers, announced to screen readers.
        captions: one for each panel of the picture, left to right.
        row_names: one for each row of the picture, from the top; none for a picture of one row.
        alt: what the picture shows, for a reader who cannot see it.
    """

    _esm = _HERE / "picture.js"
    _css = _HERE / "picture.css"

    png = traitlets.Bytes().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    captions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    row_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)

    def __init__(self, captions: Sequence[str], alt: str):
        super().__init__(captions=list(captions), alt=alt)

    def show(self, array: np.ndarray, text: str, row_names: Sequence[str] = ()) -> None:
        """Send a picture, uint8 (H, W) or (H, W, 3), its numbers and the names of its rows together."""
        with self.hold_sync():
            self.row_names = list(row_names)
            self.png = render.to_png(array)
            self.text = text
