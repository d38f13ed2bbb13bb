"""An image on its way to its other class, beside maps of what speaks for its class, and the true twin."""

from collections.abc import Mapping

import ipywidgets as widgets
import numpy as np
from matplotlib.patches import Patch

from medgen_course.explorers import trust_view as view
from medgen_course.explorers.parts.base import Explorer, choice, index_slider, panel_scale, slider
from medgen_course.explorers.trust_view import Subject
from medgen_course.pictures import plots

PANEL = 200  # side of a panel in screen pixels, about
CAPTIONS = {
    "image": "image {index}, true class: {label}",
    "outlined": "image {index}, lesion outlined",
    "way": "on the way to {goal}",
    "change": "what changed",
    "twin": "true healthy twin",
    "no twin": "no twin known",
}
SAYS = (
    "P({name}): {first:.2f} at the image, {now:.2f} here, {last:.2f} at the end\n"
    "changed by {size:.1f} grey levels"
)
INSIDE = ", {inside:.0%} of it inside the outline"
TWIN = "\nfrom the healthy twin: {before:.2f} grey levels at the image, {after:.2f} here"
ALT = (
    "Upper row: an image, the same on its way to its other class, what changed, and its healthy twin. Lower "
    "row: maps of reasons, and the classifier's probability along the way"
)


class TrustExplorer(Explorer):
    """Upper row: an image, the same on its way to its other class, what changed, the true healthy twin. Lower
    row: saliency maps of the image, and the classifier's probability along the way with a cursor.

    Drag *along the way*. Images, the way and the data are chosen above.
    """

    def __init__(self, subjects: Mapping[str, Subject] | Subject):
        """Show the first image of the first subject, at its start.

        Args:
            subjects: by name, or a single one.
        Raises:
            ValueError: there is none.
        """
        super().__init__(("", "", "", ""), ALT)
        self._subjects = {"": subjects} if isinstance(subjects, Subject) else dict(subjects)
        if not self._subjects:
            raise ValueError("0 subjects; expected one or more, each with images, ways and maps.")
        self._scales = {n: panel_scale(s.images.shape[-1], PANEL) for n, s in self._subjects.items()}
        self._charts = {
            name: view.frame(self._scales[name] * s.images.shape[-1], s.classes)
            for name, s in self._subjects.items()
        }
        self.subject = choice("images", list(self._subjects), "which images, and which classifier")
        self.index = index_slider("image", 1, "which image")
        self.walk = choice("way", [""], "what changes the image")
        self.place = slider("along the way", 0, 1, 0, 1 / (view.STEPS - 1), "0 is the image, 1 the end")
        with self.hold():
            self._offer()
        self.observe_controls(self.subject, self.index, self.walk, self.place)
        wrap = {"flex_flow": "row wrap"}
        first = [self.subject] if len(self._subjects) > 1 else []
        rows = ([*first, self.walk], [self.index, self.place])
        self.children = (*(widgets.HBox(row, layout=wrap) for row in rows), self.picture)
        self.refresh()

    def draw(self) -> tuple[np.ndarray, str]:
        """Panels and numbers for the state of the controls."""
        subject, index = self._shown, self.index.value
        path, mask = subject.path(index, self.walk.value), subject.mask(index)
        images, probability = path.images[:, 0].numpy(), path.probability[:, 0].numpy()
        step = round(self.place.value * (len(images) - 1))
        place, now = step / (len(images) - 1), images[step]
        image = subject.images[index]
        twin = None if subject.twins is None else subject.twins[index]
        chart = view.curve(self._charts[self.subject.value], probability, place)
        scale = self._scales[self.subject.value]
        picture = view.panels(image, now, twin, subject.maps(index), mask, chart, scale)
        self._caption(subject, int(path.to[0]), mask is not None, twin is not None)
        change = view.Change.of(image, now, mask, twin)
        return picture, self._says(subject, probability, step, change)

    def handle(self, change) -> None:
        """Draw; other images come with ways of their own, and another image begins at its start."""
        with self.hold():
            if change["owner"] is self.subject:
                self._offer()
            if change["owner"] is not self.place and change["owner"] is not self.walk:
                self.place.value = 0
        self.refresh()

    def figure(self, title: str = "") -> plots.Figure:
        """The picture as it stands, with what its colours mean."""
        figure = plots.show(self.array, title or " ")
        axes, step = figure.axes[0], (self.array.shape[1] + view.PAD) / 4
        axes.set_title(title, fontsize=12, loc="left", y=1.0, pad=22)
        axes.set_axis_on()
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, labelsize=10, top=False, bottom=False, labeltop=True, labelbottom=False)
        axes.set_xticks([column * step for column in range(4)], self.picture.captions, ha="left")
        axes.set_yticks([])
        labels = plots.difference_labels(view.LIMIT)
        plots.colour_scale(figure, figure.axes[0], labels, signed=True)
        name = "cursor" if self._shown.masks is None else "lesion's outline; cursor"
        handles = [Patch(color=view.CURSOR / 255, label=name)]
        figure.legend(handles=handles, loc="outside lower right", frameon=False)
        return figure

    @property
    def _shown(self) -> Subject:
        return self._subjects[self.subject.value]

    def _offer(self) -> None:
        """Fit images and ways to what the subject has."""
        self.index.value = 0
        self.index.max = len(self._shown.images) - 1
        self.walk.options = list(self._shown.walks)
        self.walk.value = next(iter(self._shown.walks))

    def _caption(self, subject: Subject, goal: int, outlined: bool, twin: bool) -> None:
        label = subject.classes[int(subject.labels[self.index.value])]
        self.picture.captions = [
            CAPTIONS["outlined" if outlined else "image"].format(index=self.index.value, label=label),
            CAPTIONS["way"].format(goal=subject.classes[goal]),
            CAPTIONS["change"],
            CAPTIONS["twin" if twin else "no twin"],
        ]

    def _says(self, subject: Subject, probability: np.ndarray, step: int, change: view.Change) -> str:
        ends = {"first": probability[0], "now": probability[step], "last": probability[-1]}
        text = SAYS.format(name=subject.classes[1], size=change.size, **ends)
        if change.inside is not None:
            text += INSIDE.format(inside=change.inside)
        if change.after is not None:
            text += TWIN.format(before=change.before, after=change.after)
        return text
