"""Curves of a recorded run as a map: drawn once, with a place for every step."""

from collections.abc import Mapping

import numpy as np

from medgen_course.pictures import plots
from medgen_course.pictures.render import Extent
from medgen_course.training.recorder import Recording

DOTS = 200  # per inch: two for each screen pixel
POINTS = 300  # of a curve that are drawn

GROUPS: dict[str, tuple[str, ...]] = {
    "losses": ("loss/discriminator", "loss/generator"),
    "mean logits": ("real", "fake"),
    "gradient norms": ("grad/discriminator", "grad/generator"),
}


def curves_of(recording: Recording, group: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Steps (T,) and named curves (T,) of one of `GROUPS`, or of "metrics"."""
    if group == "metrics":
        return recording.moments, dict(recording.metrics)
    first = recording.about["first_step"]
    wanted = {name: recording.curves[name] for name in GROUPS[group]}
    steps = np.arange(first, first + len(next(iter(wanted.values()))))
    stride = max(1, len(steps) // POINTS)
    usable = len(steps) // stride * stride
    smooth = {
        name.removeprefix("loss/").removeprefix("grad/"): values[:usable].reshape(-1, stride).mean(1)
        for name, values in wanted.items()
    }
    return steps[:usable].reshape(-1, stride)[:, -1], smooth


class Timeline:
    """The picture of some curves over the steps, and the way between a step and a place on it.

    Attributes:
        picture: uint8 (H, W, 3).
        extent: the data values at the picture's edges.
    """

    def __init__(self, steps: np.ndarray, curves: Mapping[str, np.ndarray], ylabel: str):
        figure = plots.lines(steps, dict(curves), "step", ylabel, "", markers=False)
        figure.set_size_inches(5.6, 2.7)
        axes = figure.axes[0]
        figure.set_dpi(DOTS)
        figure.canvas.draw()
        self.picture = np.array(figure.canvas.buffer_rgba())[..., :3]
        corners = figure.transFigure.transform([(0, 0), (1, 1)])
        (x0, y0), (x1, y1) = axes.transData.inverted().transform(corners)
        self.extent = Extent((float(x0), float(x1)), (float(y0), float(y1)))
        self._steps, self._curve = steps, next(iter(curves.values()))

    def position(self, step: int) -> tuple[float, float]:
        """Where a step lies on the picture, on the first curve, in [0, 1]²."""
        return self.extent.to_position(step, float(np.interp(step, self._steps, self._curve)))

    def step(self, position: tuple[float, float]) -> float:
        """The step at a place on the picture."""
        return self.extent.to_data(*position)[0]
