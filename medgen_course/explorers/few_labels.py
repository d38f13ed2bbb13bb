"""How many labels, and which method: a learning curve with a cursor, and the masks of three slices."""

from collections.abc import Mapping
from typing import Protocol

import ipywidgets as widgets
import numpy as np
from matplotlib.patches import Patch

from medgen_course.explorers import few_labels_view as view
from medgen_course.explorers.anomaly_view import stacked
from medgen_course.explorers.parts.base import CONTROL_LAYOUT, LABEL_STYLE, Explorer, choice
from medgen_course.pictures import plots

SHOWN = 3  # slices side by side
PANEL = 192  # side of a panel in screen pixels, about
CHART = 300  # height of the curves
ROWS = "above: the true masks, below: the masks that were found"
CAPTIONS = ("slice {number}: no lesion", "slice {number}: a lesion of {area} pixels")
SAYS = {
    "curve": "{method}, {labels}: {measure} {value} ({low} to {high}), {spread}",
    "none": "{method}, {labels}: {measure} was not measured",
    "slice": "slice {number}: lesion {lesion}; ventricles {ventricles}",
    "part": "{right} of {true} pixels found, {missed} missed, {invented} invented",
    "empty": "none there, {invented} pixels invented",
}
MEANING = {
    "lesion": "lesion, found",
    "ventricles": "ventricles, found",
    "missed": "missed",
    "invented": "invented",
    "mistaken": "taken for the other",
}


class Masks(Protocol):
    """Label maps of a few slices by every method at every number of labels (`pretrained.load_few_masks`).

    methods, labels: names (M,) and numbers (L,). images: uint8 (S, 1, H, W). truth: (S, H, W), 0, 1 lesion, 2
    ventricles. found: (M, L, S, H, W), the same.
    """

    methods: tuple[str, ...]
    labels: tuple[int, ...]
    images: np.ndarray
    truth: np.ndarray
    found: np.ndarray


class FewLabelsExplorer(Explorer):
    """Sliders for the number of labels and the slices, lists for method and measure.

    Nothing is trained or computed by a network: the masks were stored (`recipes/few_segmentation.py`).
    """

    def __init__(self, masks: Masks, curves: Mapping[str, view.Curves], spread: str = "over five seeds"):
        """Show the last method at the smallest number of labels.

        Args:
            masks: of the slices that are shown.
            curves: what was measured, by its name; each by method and number of labels, one row each.
            spread: what the band of a curve means, for the reader.
        Raises:
            ValueError: fewer than three slices, masks whose shape does not fit, or no curve of a method.
        """
        methods, labels = list(masks.methods), [int(n) for n in masks.labels]
        wanted = (len(methods), len(labels), *masks.truth.shape)
        if len(masks.images) < SHOWN or masks.found.shape != wanted:
            raise ValueError(
                f"masks of shape {masks.found.shape} for {len(methods)} methods, {len(labels)} numbers of "
                f"labels and {len(masks.images)} slices; expected {wanted}, of {SHOWN} slices or more."
            )
        lacking = {name: set(methods) - set(by) for name, by in curves.items() if set(methods) - set(by)}
        if lacking or not curves:
            raise ValueError(f"curves lack methods: {lacking or 'there is no curve'}; give each method one.")
        super().__init__(
            (), "Above the true masks of three slices, below what was found; then learning curves"
        )
        self._masks, self._curves, self._spread = masks, dict(curves), spread
        self._scale = max(1, PANEL // masks.images.shape[-1])
        width = SHOWN * masks.images.shape[-1] * self._scale + (SHOWN - 1) * view.PAD
        self._charts = {
            name: view.fitted(view.learning_curves(by, name, width, CHART), width)
            for name, by in curves.items()
        }
        self.method = choice("method", [(n, i) for i, n in enumerate(methods)], "how the masks were learnt")
        self.method.value = len(methods) - 1
        self.labels = widgets.SelectionSlider(
            options=[(f"{n}", i) for i, n in enumerate(labels)], value=0, description="labelled slices",
            style=LABEL_STYLE, layout=CONTROL_LAYOUT, tooltip="how many slices with masks it learnt from",
        )  # fmt: skip
        self.first = widgets.IntSlider(
            value=0, min=0, max=len(masks.images) - SHOWN, description="slices from", style=LABEL_STYLE,
            layout=CONTROL_LAYOUT, tooltip="which three slices, by the size of their lesions",
        )  # fmt: skip
        self.measure = choice("curve", list(curves), "what the curves below measure")
        self.observe_controls(self.method, self.labels, self.first, self.measure)
        wrap = {"flex_flow": "row wrap"}
        rows = ([self.method, self.labels], [self.first, self.measure])
        legend = widgets.HTML(_legend())
        self.children = (*(widgets.HBox(row, layout=wrap) for row in rows), legend, self.picture)
        self.refresh()

    @property
    def shown(self) -> slice:
        """Which slices are shown."""
        return slice(self.first.value, self.first.value + SHOWN)

    def row(self) -> Mapping[str, float] | None:
        """What the chosen method has on the curve at this number of labels; None where not measured."""
        by = self._curves[self.measure.value][self._masks.methods[self.method.value]]
        return by.get(int(self._masks.labels[self.labels.value]))

    def draw(self) -> tuple[np.ndarray, str]:
        """The masks of three slices, true and found, the curves with a cursor, and the numbers."""
        masks, part = self._masks, self.shown
        images, truth = masks.images[part], masks.truth[part]
        found = masks.found[self.method.value, self.labels.value, part]
        row, chart = self.row(), self._charts[self.measure.value]
        labels = int(masks.labels[self.labels.value])
        method = masks.methods[self.method.value]
        said = {"method": method, "labels": slices(labels), "measure": self.measure.value}
        curves = chart.picture if row is None else view.with_cursor(chart, labels, row["value"])
        lines = [SAYS["none"].format(**said)]
        if row is not None:
            said |= {end: f"{value:.2f}" for end, value in row.items()} | {"spread": self._spread}
            lines = [SAYS["curve"].format(**said)]
        lines += [
            self._of_slice(part.start + i, *pair) for i, pair in enumerate(zip(truth, found, strict=True))
        ]
        areas = (truth == view.LESION).sum((1, 2))
        self.picture.captions = [
            CAPTIONS[bool(area)].format(number=part.start + i, area=area) for i, area in enumerate(areas)
        ]
        return stacked(view.panels(images, truth, found, self._scale), curves), "\n".join(lines)

    def figure(self, title: str = "") -> plots.Figure:
        """The picture as it stands, with what its colours mean."""
        method, labels = self._masks.methods[self.method.value], self._masks.labels[self.labels.value]
        figure = super().figure(title or f"{method}, {slices(labels)}: truth above, found below")
        figure.set_figheight(figure.get_figheight() + 0.55)
        figure.legend(
            handles=[Patch(color=view.COLOURS[name], label=text) for name, text in MEANING.items()],
            loc="outside lower center", ncols=3, frameon=False,
        )  # fmt: skip
        return figure

    def _of_slice(self, number: int, truth: np.ndarray, found: np.ndarray) -> str:
        parts = {}
        for name, which in view.STRUCTURES.items():
            counted = view.counts(truth, found, which)
            parts[name] = SAYS["part" if counted["true"] else "empty"].format(**counted)
        return SAYS["slice"].format(number=number, **parts)


def slices(number: int) -> str:
    """So many labelled slices, in words."""
    return f"{number} labelled slice{'s' if number != 1 else ''}"


def _legend() -> str:
    """What the colours mean, for the widget: squares with words."""
    square = (
        "display:inline-block;width:14px;height:14px;border:1px solid #000;vertical-align:-2px;background:"
    )
    told = (
        f'<span style="margin-right:16px"><span style="{square}{view.COLOURS[name]}"></span> {text}</span>'
        for name, text in MEANING.items()
    )
    return f'<div class="medgen-legend">{"".join(told)}{ROWS}</div>'
