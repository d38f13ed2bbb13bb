"""What the trust explorer shows: an image on its way to the other class, maps of reasons, a curve."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medgen_course.explorers.anomaly_view import PAD, Chart
from medgen_course.metrics.trust.counterfactuals import Path
from medgen_course.pictures import plots
from medgen_course.pictures.render import PALETTE, difference, enlarge, rgb_of, tint, to_bytes, to_rgb
from medgen_course.pictures.render_translation import LESION, outline

Walk = Callable[[np.ndarray], Path]  # an image, uint8 (1, C, H, W), to its way to the other class
Explain = Callable[[np.ndarray], np.ndarray]  # an image, uint8 (1, C, H, W), to a map (H, W)
CURVE, CURSOR = rgb_of(PALETTE[0]), rgb_of(PALETTE[5])
STEPS = 21  # images of a way, one for each place of the slider
LIMIT = 0.2  # of a change, on the [0, 1] scale, that gets the full colour
STRIP = 26  # screen pixels for the names of the lower row
FULL = 0.99  # quantile of a map's absolute values that gets the full colour


@dataclass(frozen=True)
class Subject:
    """Images, what a classifier says of them, and what explains it.

    Args:
        classes: names of class 0 and of class 1.
        images: uint8 (N, C, H, W).
        labels: true classes, (N,).
        walks: by name, ways to the class that the classifier does not say, of `STEPS` images: with fewer,
            some places of the slider show the same.
        explain: by name, maps of what speaks for the class that the classifier says; three at most.
        twins: the same without what makes class 1, uint8 (N, C, H, W); None where nobody knows.
        masks: where that is, (N, 1, H, W), non-zero inside.
    """

    classes: tuple[str, str]
    images: np.ndarray
    labels: np.ndarray
    walks: Mapping[str, Walk]
    explain: Mapping[str, Explain]
    twins: np.ndarray | None = None
    masks: np.ndarray | None = None
    _paths: dict[tuple[int, str], Path] = field(default_factory=dict, init=False, repr=False)
    _maps: dict[int, dict[str, np.ndarray]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self):
        count = len(self.images)
        known = [part for part in (self.twins, self.masks) if part is not None]
        if not count or any(len(part) != count for part in (self.labels, *known)):
            lengths = [len(part) for part in (self.labels, *known)]
            raise ValueError(
                f"{count} images, and labels, twins or masks of {lengths}; expected as many of each."
            )
        if not self.walks or not 1 <= len(self.explain) <= 3:
            raise ValueError(
                f"{len(self.walks)} ways and {len(self.explain)} maps; expected one way or more, and one to "
                "three maps."
            )

    def path(self, index: int, walk: str) -> Path:
        """An image's way to its other class; computed once."""
        if (index, walk) not in self._paths:
            self._paths[index, walk] = self.walks[walk](self.images[index : index + 1])
        return self._paths[index, walk]

    def maps(self, index: int) -> dict[str, np.ndarray]:
        """The maps of an image by name; computed once."""
        if index not in self._maps:
            image = self.images[index : index + 1]
            self._maps[index] = {name: np.asarray(explain(image)) for name, explain in self.explain.items()}
        return self._maps[index]

    def mask(self, index: int) -> np.ndarray | None:
        """Where what makes class 1 is, (H, W); None where nobody knows, or there is none."""
        if self.masks is None or not self.masks[index].any():
            return None
        return self.masks[index, 0]


@dataclass(frozen=True)
class Change:
    """What was changed of an image: mean absolute difference in grey levels; the share of the sum of absolute
    differences that lies inside the mask; the mean absolute difference to the twin, before and after."""

    size: float
    inside: float | None = None
    before: float | None = None
    after: float | None = None

    @classmethod
    def of(
        cls, image: np.ndarray, now: np.ndarray, mask: np.ndarray | None, twin: np.ndarray | None
    ) -> "Change":
        """Compare.

        Args:
            image, twin: uint8 (C, H, W).
            now: floats in [0, 1], (C, H, W).
            mask: (H, W), non-zero inside.
        """
        moved = np.abs(to_bytes(now).astype(float) - image)
        inside, before, after = None, None, None
        if mask is not None and moved.any():
            inside = float(moved[:, mask != 0].sum() / moved.sum())
        if twin is not None:
            before, after = (float(np.abs(x.astype(float) - twin).mean()) for x in (image, to_bytes(now)))
        return cls(float(moved.mean()), inside, before, after)


def frame(side: int, classes: tuple[str, str]) -> Chart:
    """The empty chart of a probability along a way, square: drawn once for each subject."""
    figure = plots.lines([0, 1], {"": [0.5, 0.5]}, "along the way", f"P({classes[1]})", markers=False)
    axes = figure.axes[0]
    axes.lines[0].set(color="#999999", linestyle=":", linewidth=1)
    axes.set(xlim=(0, 1), ylim=(-0.03, 1.03), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    return Chart.of(figure, side, side)


def curve(chart: Chart, probability: np.ndarray, place: float) -> np.ndarray:
    """The probability along the way, and a cursor where the slider stands.

    Args:
        chart: see `frame`.
        probability: of class 1 at evenly spaced places from 0 to 1, (S,).
        place: of the cursor, 0 to 1.
    """
    picture = Image.fromarray(chart.picture)
    pen = ImageDraw.Draw(picture)
    places = np.linspace(0, 1, len(probability))
    points = [chart.place(x, y)[::-1] for x, y in zip(places, probability, strict=True)]
    (top, here), (bottom, _) = chart.place(place, 1), chart.place(place, 0)
    pen.line([(here, top), (here, bottom)], fill=tuple(map(int, CURSOR)), width=1)
    pen.line(points, fill=tuple(map(int, CURVE)), width=2)
    down, right = chart.place(place, float(np.interp(place, places, probability)))[0], here
    pen.ellipse((right - 5, down - 5, right + 5, down + 5), fill=tuple(map(int, CURSOR)))
    return np.asarray(picture)


def panels(
    image: np.ndarray,
    now: np.ndarray,
    twin: np.ndarray | None,
    maps: Mapping[str, np.ndarray],
    mask: np.ndarray | None,
    chart: np.ndarray,
    scale: int,
) -> np.ndarray:
    """Upper row: image, on the way, what changed, the twin. Lower row, named: up to three maps, the chart.

    Args:
        image: uint8 (C, H, W).
        now: floats in [0, 1], (C, H, W).
        twin: uint8 (C, H, W); None leaves the place white.
        maps: by name, (H, W) each; orange speaks for the class that the classifier says, blue against it.
            Each is drawn on a scale of its own: methods have different units.
        mask: (H, W), outlined everywhere but on the twin; None outlines nothing.
        chart: uint8 (H·scale, W·scale, 3).
        scale: screen pixels for each pixel.
    """
    blank = np.full((*image.shape[1:], 3), 255, dtype=np.uint8)
    twin_shown = blank if twin is None else to_rgb(twin[None])[0]
    changed = difference(now, image / np.float32(255), LIMIT)
    upper = [to_rgb(image[None])[0], to_rgb(now[None])[0], changed, twin_shown]
    lower = [tint(m, max(float(np.quantile(np.abs(m), FULL)), 1e-12)) for m in maps.values()]
    lower += [blank] * (3 - len(maps))
    upper, lower = ([enlarge(picture, scale) for picture in row] for row in (upper, lower))
    if mask is not None:
        line = outline(mask, scale)
        for picture in (*upper[:3], *lower[: len(maps)]):
            picture[line] = LESION
    names = [*maps, *[""] * (3 - len(maps)), "probability"]
    return np.concatenate([_row(upper), _named(names, chart.shape[1]), _row([*lower, chart])])


def _named(names: list[str], width: int) -> np.ndarray:
    """A white strip with a name at the start of each column."""
    strip = Image.new("RGB", (len(names) * (width + PAD) - PAD, STRIP), "white")
    pen, font = ImageDraw.Draw(strip), ImageFont.load_default(13)
    for column, name in enumerate(names):
        pen.text((column * (width + PAD), 5), name, fill="black", font=font)
    return np.asarray(strip)


def _row(pictures: list[np.ndarray]) -> np.ndarray:
    gap = np.full((len(pictures[0]), PAD, 3), 255, dtype=np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)]
    return np.concatenate(parts[:-1], axis=1)
