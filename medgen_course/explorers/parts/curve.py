"""A rate-distortion curve as a map: drawn once, with places for a cursor."""

from collections.abc import Mapping, Sequence

import numpy as np

from medgen_course.pictures import plots
from medgen_course.pictures.render import Extent

DOTS = 200  # per inch: two for each screen pixel


class RateDistortion:
    """The curve's picture, and the way between a beta and a place on the picture.

    Attributes:
        picture: uint8 (H, W, 3).
        extent: the data values at the picture's edges.
    """

    def __init__(self, beta: Sequence[float], rate: Sequence[float], distortion: Sequence[float]):
        """Draw the curve.

        Args:
            beta: positive, of any order.
            rate: KL in nats per image.
            distortion: RMSE on the [0, 1] scale.
        Raises:
            ValueError: lists of several lengths or fewer than two points, or numbers that are not finite.
        """
        if not len(beta) == len(rate) == len(distortion) >= 2:
            raise ValueError(
                f"the curve has {len(beta)} betas, {len(rate)} rates and {len(distortion)} distortions; "
                "expected equally many, at least 2"
            )
        points = np.array(sorted(zip(beta, rate, distortion, strict=True)), dtype=np.float64)
        if not np.isfinite(points).all() or points[0, 0] <= 0:
            raise ValueError("the curve holds numbers that are not finite, or a beta that is not positive")
        self._log_beta, self._points = np.log(points[:, 0]), points[:, 1:]
        self.picture, self.extent = _drawn(points)

    @classmethod
    def of(cls, curve: Mapping[str, Sequence[float]]) -> "RateDistortion":
        """The curve of a dict with the keys beta, rate and distortion; ValueError where one is missing."""
        missing = {"beta", "rate", "distortion"} - set(curve)
        if missing:
            raise ValueError(f"the curve has no {', '.join(sorted(missing))}; found {', '.join(curve)}")
        return cls(curve["beta"], curve["rate"], curve["distortion"])

    def position(self, beta: float) -> tuple[float, float]:
        """Where a beta lies on the picture, in [0, 1]²; between two points of the curve on their line."""
        x, y = (np.interp(np.log(beta), self._log_beta, column) for column in self._points.T)
        return self.extent.to_position(float(x), float(y))

    def nearest(self, position: tuple[float, float], betas: Sequence[float]) -> int:
        """Which of these betas lies nearest to a place on the picture."""
        places = np.array([self.position(beta) for beta in betas])
        return int(np.linalg.norm(places - np.array(position), axis=1).argmin())


def _drawn(points: np.ndarray) -> tuple[np.ndarray, Extent]:
    """Picture of (beta, rate, distortion) rows, and what its edges stand for."""
    beta, rate, distortion = points.T
    figure = plots.lines(rate, {"": distortion}, "rate: KL (nats per image)", "distortion: RMSE", "")
    figure.set_size_inches(3.4, 3.0)
    axes = figure.axes[0]
    for i in range(len(beta)):
        if len(beta) <= 8:
            axes.annotate(
                f"β {beta[i]:g}", (rate[i], distortion[i]), (5, 5), textcoords="offset points", fontsize=9
            )
    axes.margins(0.12)
    figure.set_dpi(DOTS)
    figure.canvas.draw()
    picture = np.array(figure.canvas.buffer_rgba())[..., :3]
    corners = figure.transFigure.transform([(0, 0), (1, 1)])
    (x0, y0), (x1, y1) = axes.transData.inverted().transform(corners)
    return picture, Extent((float(x0), float(x1)), (float(y0), float(y1)))
