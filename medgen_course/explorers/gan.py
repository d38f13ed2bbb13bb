"""Replay a recorded GAN run: samples, verdicts and curves, step by step."""

from collections.abc import Mapping

import ipywidgets as widgets
import numpy as np

from medgen_course.explorers.parts.base import BESIDE, CONTROL_LAYOUT, LABEL_STYLE, Explorer, choice
from medgen_course.explorers.parts.player import Player
from medgen_course.explorers.parts.position_map import PositionMap
from medgen_course.explorers.parts.timeline import GROUPS, Timeline, curves_of
from medgen_course.pictures import render, render_gan
from medgen_course.training.recorder import Recording

LABELS = {
    "losses": "loss",
    "mean logits": "mean logit",
    "gradient norms": "norm of the gradient",
    "metrics": "metric",
}


class GANExplorer(Explorer):
    """A step slider with play and pause; the samples, and how the discriminator judged them and real images.

    A click on the curves, or a drag along them, goes to that moment.
    """

    def __init__(self, recordings: Recording | Mapping[str, Recording]):
        """Show the last moment of the first recording.

        Args:
            recordings: one, or several by name.
        Raises:
            ValueError: there is none.
        """
        words = (
            "Generated images at this step, and below them two histograms of the discriminator's verdict: "
            "real images upwards in blue, generated images downwards in orange, from 0 at the left to 1"
        )
        captions = [
            "same noise at each step; below: D on real (blue, up) and generated images (orange, down)"
        ]
        super().__init__(captions, words)
        named = {"run": recordings} if isinstance(recordings, Recording) else dict(recordings)
        if not named:
            raise ValueError("there is no recording to replay; `medgen train gan` makes one.")
        self._recordings, self._timelines = named, {}
        self.run = choice("run", list(named), "which recorded run to replay")
        last = len(self.recording.moments) - 1
        self.moment = widgets.IntSlider(
            value=last, min=0, max=last, description="moment", readout=False, style=LABEL_STYLE,
            layout=CONTROL_LAYOUT, tooltip="which recorded step is shown",
        )  # fmt: skip
        self.play = Player(value=last, max=last, hint="play the recording, or hold it")
        self._link = widgets.link((self.play, "value"), (self.moment, "value"))
        self.group = choice("curves", [*GROUPS, "metrics"], "which curves are drawn")
        self.curves = PositionMap(np.full((1, 1), 255, np.uint8), label="curves of the run; x is the step")
        self.curves.y_label, self.curves.x_label = "", "step"
        self.run.observe(self._on_run, "value")
        self.group.observe(self._on_group, "value")
        self.curves.observe(self._on_curves, "position")
        self.observe_controls(self.moment)
        self._show_curves()
        self.children = self._arranged()
        self.refresh()

    @property
    def recording(self) -> Recording:
        """The one that is shown."""
        return self._recordings[self.run.value]

    @property
    def step(self) -> int:
        """The recorded step that is shown."""
        return int(self.recording.moments[self.moment.value])

    def go_to(self, step: float) -> None:
        """Show the recorded moment nearest to a step."""
        self.moment.value = int(np.abs(self.recording.moments - step).argmin())

    def draw(self) -> tuple[np.ndarray, str]:
        """Samples and verdicts of the moment, with the numbers about them."""
        recording, k = self.recording, self.moment.value
        picture = render_gan.moment(recording.samples[k], recording.real[k], recording.fake[k])
        return picture, "\n".join(describe(recording, k))

    def handle(self, change) -> None:
        """Show the moment, and move the cursor along."""
        with self.hold():
            self._move_cursor()
        self.refresh()

    def _on_run(self, change) -> None:
        last = len(self.recording.moments) - 1
        with self.hold():
            for control in (self.moment, self.play):
                control.max = last
                control.value = last
            self._show_curves()
        self.refresh()

    def _on_group(self, change) -> None:
        self._show_curves()

    def _on_curves(self, change) -> None:
        if self._holding:
            return
        with self.hold():  # the cursor is where the hand put it: sending it back would fight the hand
            self.go_to(self._timeline.step(change["new"]))
        self.refresh()

    def _show_curves(self) -> None:
        self._timeline = self.timeline(self.run.value, self.group.value)
        with self.hold(), self.curves.hold_sync():
            self.curves.png = render.to_png(self._timeline.picture)
            extent = self._timeline.extent
            self.curves.x_range, self.curves.y_range = extent.x_range, extent.y_range
            self._move_cursor()

    def timeline(self, run: str, group: str) -> Timeline:
        """Curves of a run as a map, drawn once; `group` is one of the choices of `group`."""
        if (run, group) not in self._timelines:
            steps, curves = curves_of(self._recordings[run], group)
            self._timelines[run, group] = Timeline(steps, curves, LABELS[group])
        return self._timelines[run, group]

    def _move_cursor(self) -> None:
        self.curves.position = self._timeline.position(self.step)

    def _arranged(self) -> tuple[widgets.Widget, ...]:
        left = widgets.VBox([self.group, self.curves], layout={"width": "560px"})
        steering = widgets.HBox([self.play, self.moment], layout={"flex_flow": "row wrap"})
        several = [self.run] if len(self._recordings) > 1 else []
        right = widgets.VBox([*several, steering, self.picture], layout=BESIDE)
        return (widgets.HBox([right, left], layout={"flex_flow": "row wrap"}),)


def describe(recording: Recording, k: int) -> list[str]:
    """Lines of numbers about a recorded moment."""
    step, about = int(recording.moments[k]), recording.about
    index = step - about["first_step"]
    curve = {name: float(values[index]) for name, values in recording.curves.items()}
    judged = [100 * float((logits > 0).mean()) for logits in (recording.real[k], recording.fake[k])]
    epoch = f" · epoch {step / about['steps_per_epoch']:.1f}" if "steps_per_epoch" in about else ""
    metrics = " · ".join(f"{name} {values[k]:.3f}" for name, values in recording.metrics.items())
    losses = f"loss: D {curve['loss/discriminator']:.3f}, G {curve['loss/generator']:.3f}"
    norms = f"gradient norm: D {curve['grad/discriminator']:.3g}, G {curve['grad/generator']:.3g}"
    verdict = f"taken for real: {judged[0]:.0f} % of real, {judged[1]:.0f} % of generated images"
    return [f"step {step:,}{epoch} · {verdict}", f"{losses} · {norms}", metrics]
