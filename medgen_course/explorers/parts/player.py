"""A play and pause button with a name; ipywidgets' own has icons only, which a screen reader cannot tell."""

from pathlib import Path

import anywidget
import traitlets

_HERE = Path(__file__).parent


class Player(anywidget.AnyWidget):
    """Counts `value` up to `max` while it plays; pressed at the end, it begins again at 0.

    Traits:
        value: observe it.
        max: where it stops.
        interval: milliseconds between two values.
        hint: what is played.
    """

    _esm = _HERE / "player.js"

    value = traitlets.Int().tag(sync=True)
    max = traitlets.Int().tag(sync=True)
    interval = traitlets.Int(250).tag(sync=True)
    hint = traitlets.Unicode().tag(sync=True)
