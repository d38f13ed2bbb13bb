"""What an image is, in numbers: head tilt, ventricle size, a lesion and its place, each with an interval.

Tilt needs no training, it is geometry. Ventricles and lesion come from a segmenter's maps. How far each
number may be off is not assumed but counted, on slices whose truth is known and which trained nothing (split
conformal prediction): no matter how bad the estimate is, the interval holds the truth as often as it says,
for new slices of the same kind.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from medgen_course.batches.checks import describe
from medgen_course.metrics.detection import regions
from medgen_course.phantom import COLUMN
from medgen_course.phantom.anatomy import FIELD_OF_VIEW

SKIN = 38  # grey level of 255 above which a pixel belongs to the head
NUMBERS = {"tilt": "degrees", "ventricles": "log of the ratio", "x": "mm", "y": "mm"}

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class Head:
    """The outline of heads as ellipses.

    tilt: degrees, counter-clockwise is positive, (N,). centre: mm to the right and up from the middle of the
    image, (N, 2). area: mm², (N,).
    """

    tilt: np.ndarray
    centre: np.ndarray
    area: np.ndarray


def head(images: np.ndarray) -> Head:
    """The main axis and the middle of what is not air, by second moments; nothing is learnt.

    Args:
        images: uint8 (N, 1, H, W), longer from front to back than from side to side.
    Raises:
        ValueError: other shapes, or an image without a head.
    """
    if images.ndim != 4 or images.shape[1] != 1 or images.dtype != np.uint8:
        raise ValueError(f"expected grey images, uint8 (N, 1, H, W), but got {describe(images)}.")
    inside = (images[:, 0] > SKIN).astype(float)
    count = inside.sum((1, 2))
    if not count.all():
        raise ValueError(f"image {int(np.flatnonzero(count == 0)[0])} has no pixel brighter than {SKIN}.")
    width = FIELD_OF_VIEW / images.shape[-1]
    right = (np.arange(images.shape[-1]) + 0.5) * width - FIELD_OF_VIEW / 2
    up = -right[:, None]
    centre = np.stack([(inside * place).sum((1, 2)) / count for place in (right, up)], 1)
    dx, dy = right - centre[:, 0, None, None], up - centre[:, 1, None, None]
    xx, yy, xy = ((inside * product).sum((1, 2)) for product in (dx * dx, dy * dy, dx * dy))
    return Head(-0.5 * np.degrees(np.arctan2(2 * xy, yy - xx)), centre, count * width**2)


def in_head(place: np.ndarray, size: int, of: Head) -> np.ndarray:
    """Rows and columns of an image to mm in the head: x to the right of an upright one, y to the face.

    Args:
        place: row and column, pixels, (N, 2).
        size: pixels per side.
        of: the heads, N of them.
    """
    width = FIELD_OF_VIEW / size
    right = (place[:, 1] + 0.5) * width - FIELD_OF_VIEW / 2 - of.centre[:, 0]
    up = FIELD_OF_VIEW / 2 - (place[:, 0] + 0.5) * width - of.centre[:, 1]
    c, s = np.cos(np.radians(of.tilt)), np.sin(np.radians(of.tilt))
    return np.stack([c * right + s * up, c * up - s * right], 1)


def measure(images: np.ndarray, maps: np.ndarray) -> Values:
    """Raw numbers of each image, before anything is learnt about what they mean.

    Args:
        images: uint8 (N, 1, H, W).
        maps: probabilities (N, 2, H, W) of lesion and ventricles.
    Returns:
        `tilt`, degrees; `ventricles`, log of their share of the head's area; `x` and `y` of the strongest
        lesion region in mm, NaN where none is above one half; `score`, log-odds where the map is highest.
    """
    size, outline = images.shape[-1], head(images)
    told = [regions(each, 0.5) for each in maps[:, 0]]
    place = np.array([each[0].centre if each else (np.nan, np.nan) for each in told])
    x, y = in_head(place, size, outline).T
    fluid = maps[:, 1].sum((1, 2)) * (FIELD_OF_VIEW / size) ** 2
    share = np.log(np.maximum(fluid, 1.0) / outline.area)
    return {"tilt": outline.tilt, "ventricles": share, "x": x, "y": y, "score": _height(maps[:, 0])}


def _height(maps: np.ndarray) -> np.ndarray:
    """Log-odds of a lesion where a map is highest, over 3 x 3 pixels, (N,)."""
    from scipy.ndimage import uniform_filter

    peak = uniform_filter(maps.astype(np.float64), (0, 3, 3)).max((1, 2)).clip(1e-9, 1 - 1e-9)
    return np.log(peak / (1 - peak))


def true_numbers(factors: np.ndarray) -> Values:
    """What `measure` is after, from a factor table (N, F); x and y are NaN without a lesion."""
    table = np.asarray(factors, dtype=float)
    sick = table[:, COLUMN["lesion_present"]] > 0
    return {
        "tilt": table[:, COLUMN["rotation"]],
        "ventricles": np.log(table[:, COLUMN["ventricle_size"]]),
        "x": np.where(sick, table[:, COLUMN["lesion_x"]], np.nan),
        "y": np.where(sick, table[:, COLUMN["lesion_y"]], np.nan),
    }


@dataclass(frozen=True)
class Lines:
    """For each number a line from what is measured to what is true, by least squares: slope and offset."""

    of: Mapping[str, tuple[float, float]]

    @classmethod
    def fit(cls, measured: Values, truth: Values) -> "Lines":
        """On labelled slices; where fewer than three have both numbers, the measured one is kept as it is."""
        made = {}
        for name in NUMBERS:
            both = np.isfinite(measured[name]) & np.isfinite(truth[name])
            pair = measured[name][both], truth[name][both]
            slope, offset = np.polyfit(*pair, 1) if both.sum() > 2 else (1.0, 0.0)
            made[name] = float(slope), float(offset)
        return cls(made)

    def __call__(self, measured: Values) -> Values:
        """The estimates; `score` is passed on."""
        made = {name: slope * measured[name] + offset for name, (slope, offset) in self.of.items()}
        return made | {"score": measured["score"]}


def half_width(residuals: np.ndarray, level: float = 0.9) -> float:
    """How far an estimate must reach to both sides to hold the truth with probability `level`.

    The ceil((n + 1) · level)-th smallest of n absolute residuals; inf where n is too small for that level.

    Args:
        residuals: estimate minus truth on slices that trained nothing, (n,); NaN is left out.
        level: between 0 and 1.
    Source: Vovk, Gammerman & Shafer 2005; Lei et al. 2018, theorem 2.2.
    """
    off = np.sort(np.abs(residuals[np.isfinite(residuals)]))
    rank = math.ceil((len(off) + 1) * level - 1e-9)
    return float(off[rank - 1]) if rank <= len(off) else math.inf


def p_values(calibration: np.ndarray, scores: np.ndarray, above: bool) -> np.ndarray:
    """How unusual scores are among those of one class: (1 + how many are as extreme) / (n + 1), (N,).

    Args:
        calibration: scores of the class, (n,).
        scores: of new images, (N,).
        above: whether high scores are unusual for the class, or low ones.
    Source: Vovk, Gammerman & Shafer 2005, chapter 4 (a p-value for each class).
    """
    sign = 1 if above else -1
    as_extreme = (sign * calibration[None] >= sign * scores[:, None]).sum(1)
    return (1 + as_extreme) / (len(calibration) + 1)
