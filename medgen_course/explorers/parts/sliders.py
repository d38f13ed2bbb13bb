"""A bank of sliders with one list of values: sent in one message, moved by hand or from code.

ipywidgets' own slider rounds what code sets to its step and sends the rounded value back, late, as if a
reader had moved it. Where sliders follow another control during a drag, that fights the hand.
"""

from collections.abc import Sequence
from pathlib import Path

import anywidget
import numpy as np
import traitlets

_HERE = Path(__file__).parent


class Sliders(anywidget.AnyWidget):
    """Labelled sliders, 50 steps each; keyboard: arrow keys, Page Up and Down, Home, End.

    Traits:
        values: one each; observe it. A value outside its range is shown in numbers, its handle at the end.
        names, tooltips: one each, for the reader's eyes and for screen readers.
        lows, highs: the ranges that a hand can reach.
    """

    _esm = _HERE / "sliders.js"
    _css = _HERE / "sliders.css"

    values = traitlets.List(traitlets.Float()).tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    tooltips = traitlets.List(traitlets.Unicode()).tag(sync=True)
    lows = traitlets.List(traitlets.Float()).tag(sync=True)
    highs = traitlets.List(traitlets.Float()).tag(sync=True)

    def __init__(self, names: Sequence[str], tooltips: Sequence[str], lows, highs, values):
        """One slider for each name; all arguments are equally long.

        Raises:
            ValueError: lengths that differ, or a range that is empty or not finite.
        """
        lengths = {len(names), len(tooltips), len(lows), len(highs), len(values)}
        if len(lengths) != 1 or not (np.isfinite(highs).all() and np.all(np.less(lows, highs))):
            raise ValueError(f"sliders need lists of one length and low < high; got {lows} and {highs}")
        numbers = {"lows": lows, "highs": highs, "values": values}
        super().__init__(
            names=list(names), tooltips=list(tooltips), **{k: list(map(float, v)) for k, v in numbers.items()}
        )

    @traitlets.validate("values")
    def _one_each(self, proposal) -> list[float]:
        values = [float(value) for value in proposal["value"]]
        if len(values) != len(self.names) or not np.isfinite(values).all():
            raise traitlets.TraitError(f"got {values}; expected {len(self.names)} finite numbers")
        return values

    def move(self, slider: int, value: float) -> None:
        """Move one slider, as a hand does."""
        self.values = [value if i == slider else old for i, old in enumerate(self.values)]

    def __len__(self) -> int:
        return len(self.names)
