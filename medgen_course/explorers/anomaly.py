"""A lesion of your own making on a phantom slice: does the score see it, and what does the threshold cost?"""

from collections.abc import Mapping

import ipywidgets as widgets
import numpy as np
from matplotlib.patches import Patch

from medgen_course import phantom
from medgen_course.datasets.anomalies import Trial
from medgen_course.datasets.domains import without_lesions
from medgen_course.explorers import anomaly_view as view
from medgen_course.explorers.parts.base import choice, index_slider, one_thread, slider
from medgen_course.explorers.parts.own_picture import OwnPicture
from medgen_course.metrics.anomaly.detection import confusion, threshold_at
from medgen_course.metrics.anomaly.scores import Detector
from medgen_course.pictures import plots

SLICES = 40  # validation anatomies to choose from
PANEL = 256  # side of a panel in screen pixels, about
CHART = 230  # height of the charts
FULL = 0.9995  # quantile of the healthy maps at which a map gets its full colour
NOWHERE = "here the lesion would touch no brain tissue: the slice is shown without it"
UNLIKE = "your picture: nothing like it was in training, so a high score says little about it"
CAPTIONS = {
    "slice": "slice {index}",
    "own": "your picture",
    "outlined": "{what}, lesion outlined",
    "rebuilt": "reconstruction",
    "not rebuilt": "this score rebuilds nothing",
    "map": "map, full colour at {limit}",
    "no map": "this score has no map",
}
SAYS = (
    "score {score}, above {below} of the healthy val images; threshold {threshold}: {verdict}\n"
    "val images: {found} anomalous found, {missed} missed; {false_alarms} healthy flagged, {left_alone} left "
    "alone"
)
VERDICTS = ("flagged", "not flagged")


class AnomalyExplorer(OwnPicture):
    """A slice with a lesion, its reconstruction, the map of a score; below, where the score lies among those
    of validation images, and the ROC curve with a cursor at the threshold.

    Sliders set the lesion's size, contrast and place; another sets the threshold, by the share of healthy
    validation images that it flags.
    """

    def __init__(
        self,
        detectors: Mapping[str, Detector],
        trial: Trial,
        size: int = 64,
        contrast: str = "t2w",
        seed: int = 0,
    ):
        """Score the trial once with every detector, and show a slice with a lesion.

        Args:
            detectors: by name; the first is shown.
            trial: validation images for distributions and ROC curve, uint8 (N, 1, size, size).
            size: pixels per side.
            contrast: "t1w" or "t2w", as in the trial.
            seed: of the phantom's noise.
        Raises:
            ValueError: no detector, or images of another size.
        """
        super().__init__(("", "", ""), "A slice, its reconstruction, the map of a score; below, two charts")
        shape = trial.healthy.shape[1:]
        if not detectors or shape != (1, size, size):
            raise ValueError(
                f"{len(detectors)} detectors and validation images of {shape}; expected a detector or "
                f"more, and images of (1, {size}, {size})."
            )
        self._detectors, self._size, self._contrast, self._seed = dict(detectors), size, contrast, seed
        self._factors = phantom.draw_factors(SLICES, seed + 1, 1.0, "val")
        self._scale = max(1, PANEL // size)
        self._measured = {name: self._measure(detector, trial) for name, detector in self._detectors.items()}
        self.detector = choice("score", list(self._detectors), "what is computed of the image")
        self.index = index_slider("slice", SLICES, "which validation anatomy")
        self.radius = slider("lesion radius, mm", 2, 14, 9, 0.5, "half the lesion's width")
        self.fraction = slider("lesion contrast", 0, 1, 0.35, 0.05, "how much of the tissue is free water")
        self.x = slider("left – right, mm", -50, 50, 30, 1, "place, from the middle of the head")
        self.y = slider("back – front, mm", -60, 60, 0, 1, "place, from the middle of the head")
        self.flagged = slider("healthy flagged", 0, 0.5, 0.05, 0.01,
                              "the threshold: share of healthy validation images above it")  # fmt: skip
        self.offer_upload("Back to the slices")
        self.observe_controls(
            self.detector, self.index, self.radius, self.fraction, self.x, self.y, self.flagged
        )
        wrap = {"flex_flow": "row wrap"}
        rows = ([self.detector, self.index], [self.radius, self.fraction], [self.x, self.y], [self.flagged])
        self.children = (
            *(widgets.HBox(row, layout=wrap) for row in rows),
            self.picture,
            widgets.HBox([self.upload, self.put_away], layout=wrap),
            self.notice,
        )
        self.refresh()

    def slice(self) -> tuple[np.ndarray, np.ndarray, bool]:
        """The slice as the sliders say, uint8 (1, 1, H, W), its mask (1, 1, H, W), and whether it fits."""
        row = self._factors[self.index.value : self.index.value + 1].copy()
        for name, control in (
            ("x", self.x),
            ("y", self.y),
            ("radius", self.radius),
            ("contrast", self.fraction),
        ):
            row[:, phantom.COLUMN[f"lesion_{name}"]] = control.value
        try:
            made, fits = self._drawn(row if self.fraction.value else without_lesions(row)), True
        except ValueError:
            made, fits = self._drawn(without_lesions(row)), False
        return getattr(made, self._contrast), made.masks, fits

    def draw(self) -> tuple[np.ndarray, str]:
        """Panels above, charts below, and the numbers."""
        detector, measured = self._detectors[self.detector.value], self._measured[self.detector.value]
        image, mask, fits = self.slice() if self._own is None else (self._own[None], None, True)
        if self._own is None:
            self.notice.say("" if fits else NOWHERE, alert=True)
        scored = detector.score(image)
        rebuilt = None if detector.rebuild is None else detector.rebuild(image)[0]
        score_map = None if scored.map is None else scored.map[0]
        above = view.panels(
            image[0], rebuilt, score_map, None if mask is None else mask[0, 0], measured.limit, self._scale
        )
        threshold = threshold_at(measured.healthy, self.flagged.value)
        counts = confusion(measured.healthy, measured.anomalous, threshold)
        shares = (
            counts["false_alarms"] / len(measured.healthy),
            counts["found"] / len(measured.anomalous),
        )
        charts = (
            view.with_lines(measured.chart, scored.image[0], threshold),
            view.with_point(measured.roc, *shares),
        )
        what = CAPTIONS["slice" if self._own is None else "own"].format(index=self.index.value)
        self.picture.captions = [
            CAPTIONS["outlined"].format(what=what) if mask is not None and mask.any() else what,
            CAPTIONS["rebuilt" if rebuilt is not None else "not rebuilt"],
            CAPTIONS["map" if score_map is not None else "no map"].format(limit=f"{measured.limit:.2g}"),
        ]
        below = view.side_by_side(*charts)
        return view.stacked(above, below), self._says(scored.image[0], threshold, counts, measured)

    def figure(self, title: str = "") -> plots.Figure:
        """The picture as it stands, with what its colours and lines mean."""
        figure = super().figure(title)
        limit = self._measured[self.detector.value].limit
        plots.colour_scale(figure, figure.axes[0], {0.0: "map: 0", limit: f"{limit:.2g} and more"})
        colours = {"outline; this slice's score": view.HERE, "threshold": view.CUT}
        figure.legend(
            handles=[Patch(color=np.divide(rgb, 255), label=name) for name, rgb in colours.items()],
            loc="outside lower right", ncols=2, frameon=False,
        )  # fmt: skip
        return figure

    def handle(self, change) -> None:
        """Draw; a control of the lesion or the slice puts an own picture away."""
        if change["owner"] in (self.index, self.radius, self.fraction, self.x, self.y):
            self.keep(None)
        self.refresh()

    def take(self) -> None:
        """Keep the newest file, grey and as large as the slices; raises PictureError."""
        self.keep(self.upload.picture(1, self._size))
        self.notice.say(UNLIKE)

    def _says(self, score: float, threshold: float, counts: dict[str, int], measured: "Measured") -> str:
        below = float((measured.healthy < score).mean())
        return SAYS.format(
            score=f"{score:.4g}",
            below=f"{below:.0%}",
            threshold=f"{threshold:.4g}",
            verdict=VERDICTS[0 if score > threshold else 1],
            **counts,
        )

    def _drawn(self, row: np.ndarray) -> phantom.Phantom:
        return phantom.generate(factors=row, size=self._size, seed=self._seed, split="val")

    @property
    def measured(self) -> dict[str, "Measured"]:
        """What every detector says of the trial, by name."""
        return self._measured

    @property
    def factors(self) -> np.ndarray:
        """The anatomies to choose from, a factor table (SLICES, F)."""
        return self._factors

    def _measure(self, detector: Detector, trial: Trial) -> "Measured":
        with one_thread():
            healthy, anomalous = detector.score(trial.healthy), detector.score(trial.anomalous)
        limit = 1.0 if healthy.map is None else float(np.quantile(healthy.map, FULL))
        width = 3 * self._scale * self._size + 2 * view.PAD
        half = (width - view.PAD) // 2
        pair = healthy.image, anomalous.image
        return Measured(
            *pair,
            limit,
            view.distributions(*pair, half, CHART),
            view.roc(*pair, width - view.PAD - half, CHART),
        )


class Measured:
    """A detector's scores of the trial, the limit of its map, and its two charts."""

    def __init__(self, healthy, anomalous, limit: float, chart: view.Chart, roc: view.Chart):
        self.healthy, self.anomalous, self.limit, self.chart, self.roc = healthy, anomalous, limit, chart, roc
