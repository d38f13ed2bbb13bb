"""Degrade an image, enhance it, and wipe between the two: what came back, what was lost, what was made up."""

from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np
import torch

from medgen_course.batches.transforms import to_unit
from medgen_course.datasets.domains import Truth
from medgen_course.explorers.enhancement_view import (
    GUESS,
    Shown,
    Task,
    enhance,
    judge,
    say_quality,
    say_task,
)
from medgen_course.explorers.parts.base import (
    CONTROL_LAYOUT,
    LABEL_STYLE,
    choice,
    index_slider,
    slider,
)
from medgen_course.explorers.parts.own_picture import OwnPicture
from medgen_course.explorers.parts.wipe import Wipe
from medgen_course.explorers.translation_words import say_lesions
from medgen_course.metrics.lesions import lesion_report
from medgen_course.pictures import plots, render_enhancement
from medgen_course.pictures.render_translation import LESION, outline

OWN = "your picture counts as the truth; no lesions are known"
CAPTIONS = (GUESS, "answer: {method}", "truth", "answer − truth, ±{limit}: orange brighter, blue darker")
SAME = "the same"  # what stands right of the wipe where the answer is the first guess
PANEL, WIDE = 176, 320  # side of a panel and of the wipe, in screen pixels, about


class EnhancementExplorer(OwnPicture):
    """An image, measured and restored; a wipe between guess and answer; the difference to the truth."""

    def __init__(self, tasks: Sequence[Task], images: np.ndarray, truth: Truth | None = None):
        """Show the first task at the strength that its networks learnt, with its last method.

        Args:
            tasks: what can be done to an image, and what answers it.
            images: uint8 (N, C, H, W), not trained on.
            truth: of the same images, where their lesions are known.
        Raises:
            ValueError: no tasks, no images, or a truth of other images.
        """
        super().__init__((), "First guess, answer, truth, and the answer's difference to the truth")
        if not tasks or not len(images):
            raise ValueError(f"{len(tasks)} tasks and {len(images)} images; give at least one of each.")
        if truth is not None and not np.array_equal(truth.a, images):
            raise ValueError("the truth belongs to other images; give the slices whose lesions are known.")
        self._tasks, self._images, self._truth, self._rule = list(tasks), images, truth, None
        if truth is not None and truth.masks.any():
            report = lesion_report(to_unit(torch.from_numpy(truth.a)), truth.a, truth.healthy_a, truth.masks)
            self._rule = report.threshold, report.smallest
        self.task = choice("task", [(t.label, i) for i, t in enumerate(tasks)], "what is done to the image")
        self.strength = widgets.SelectionSlider(
            options=[(f"{s:g}", s) for s in tasks[0].strengths], value=tasks[0].learnt,
            description="strength", style=LABEL_STYLE, layout=CONTROL_LAYOUT,
            tooltip="how much is taken away; networks learnt at one strength",
        )  # fmt: skip
        self.method = choice("method", [GUESS], "what answers")
        self.consistent = widgets.Checkbox(value=False, description="keep what was measured", indent=False,
                                           layout={"width": "210px"}, tooltip="data consistency")  # fmt: skip
        self.index = index_slider("image", len(images), "which image")
        if self._rule:
            self.index.value = int(truth.masks.sum((1, 2, 3)).argmax())  # the largest lesion
        self.limit = slider("full colour at", 0.05, 1, 0.3, 0.05, "the difference that gets the full colour")
        self.outlines = widgets.Checkbox(value=True, description="lesion outlines", indent=False,
                                         layout={"width": "160px"},
                                         tooltip="true lesions solid, large errors dashed")  # fmt: skip
        self.wipe = Wipe()
        self.offer_upload("Back to the images")
        self.observe_controls(self.task, self.strength, self.method, self.consistent, self.index, self.limit,
                              self.outlines)  # fmt: skip
        self._offer()
        self.children = self._arranged()
        self.refresh()

    @property
    def chosen(self) -> Task:
        """The task that is shown."""
        return self._tasks[self.task.value]

    @property
    def tasks(self) -> Sequence[Task]:
        """All tasks, in order."""
        return self._tasks

    @property
    def rule(self) -> tuple[float, int] | None:
        """Threshold and smallest area of a large error, from all images; None without lesions."""
        return self._rule

    def shown(self) -> Shown:
        """The image with its guess and answer."""
        image = self._images[self.index.value] if self._own is None else self._own
        return enhance(self.chosen, self.strength.value, self.method.value, self.consistent.value, image,
                       self.index.value)  # fmt: skip

    def draw(self) -> tuple[np.ndarray, str]:
        """The four panels, with the numbers about them; the wipe gets its two pictures too."""
        shown, marks = self.shown(), {}
        lines = [say_task(self.chosen, self.strength.value, self.method.value), say_quality(shown)]
        if self._own is not None:
            lines.append(OWN)
        elif self._rule:
            report = judge(shown.answer, self._truth, self.index.value, *self._rule)
            lines += say_lesions(report, "in the answer")
            if self.outlines.value:
                marks = {"lesion": self._truth.masks[self.index.value, 0], "invented": report.regions[0]}
        scale = max(1, round(WIDE / shown.truth.shape[-1]))
        names = (GUESS, self.method.value if self.method.value != GUESS else SAME)
        pair = (render_enhancement.magnified(x[0], scale) for x in (shown.guess, shown.answer))
        self.wipe.show(*pair, names)
        words = {"method": self.method.value, "limit": f"{self.limit.value:.2f}"}
        self.picture.captions = [caption.format(**words) for caption in CAPTIONS]
        picture = render_enhancement.panels(
            shown.guess[0], shown.answer[0], shown.truth, limit=self.limit.value,
            scale=max(1, round(PANEL / shown.truth.shape[-1])), **marks,
        )  # fmt: skip
        return picture, "\n".join(lines)

    def handle(self, change) -> None:
        """Draw; another task brings strengths and methods of its own, another image puts a picture away."""
        if change["owner"] is self.task:
            self._offer()
        elif change["owner"] is self.index:
            self.keep(None)
        self.refresh()

    def take(self) -> None:
        """Keep the newest file, as the images are; raises PictureError."""
        self.keep(self.upload.picture(self._images.shape[1], self._images.shape[-1]))

    def wiped(self) -> plots.Figure:
        """The wipe as it stands, as a static figure."""
        shown = self.shown()
        pair = [render_enhancement.magnified(x[0], 4) for x in (shown.guess, shown.answer)]
        title = f"{self.chosen.label}: left {GUESS}, right {self.method.value}"
        if self._rule and self._own is None and self.outlines.value:
            for picture in pair:
                picture[outline(self._truth.masks[self.index.value, 0], 4)] = LESION
        return plots.show(render_enhancement.wiped(*pair, self.wipe.place), title)

    def _offer(self) -> None:
        """Strengths and methods of the task; the method stays where the task has it too."""
        before = self.method.value
        with self.hold():
            self.strength.options = [(f"{s:g}", s) for s in self.chosen.strengths]
            self.strength.value = self.chosen.learnt
            self.strength.disabled = len(self.chosen.strengths) < 2
            names = [GUESS, *self.chosen.methods]
            self.method.options = names
            self.method.value = before if before in names[1:] else names[-1]

    def _arranged(self) -> tuple[widgets.Widget, ...]:
        lesions = [self.outlines] if self._rule else []
        wrap = {"flex_flow": "row wrap"}
        rows = [
            [self.task, self.method], [self.strength, self.index], [self.limit, self.consistent, *lesions]
        ]  # fmt: skip
        return (
            *(widgets.HBox(row, layout=wrap) for row in rows),
            self.wipe,
            self.picture,
            widgets.HBox([self.upload, self.put_away], layout=wrap),
            self.notice,
        )
