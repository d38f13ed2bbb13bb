"""What all explorers share: a picture with its numbers, and one way to redraw them."""

import contextlib
import html
import math
import textwrap
from collections.abc import Iterator, Sequence

import ipywidgets as widgets
import numpy as np
import torch

from medgen_course.explorers.parts.picture import Picture
from medgen_course.pictures import plots, render

LABEL_STYLE = {"description_width": "130px"}
CONTROL_LAYOUT = {"width": "430px"}
APART = ("identical", "RMSE {rmse}, PSNR {psnr} dB")
BESIDE = {"flex": "1 1 0", "min_width": "560px"}  # beside a map while there is room, long lines broken


class Explorer(widgets.VBox):
    """A box of controls around one picture.

    A subclass builds its controls, hands them to `observe_controls`, arranges everything in `children`, and
    implements `draw`. The picture that the browser gets is `array`, encoded; `figure` draws the same array.
    Handlers are attached with `observe` and run synchronously, so an error in one is never swallowed.
    """

    def __init__(self, captions: Sequence[str], alt: str):
        """Prepare `picture`; the subclass places it among its controls.

        Args:
            captions: one for each panel of the picture, left to right.
            alt: what the picture shows, for a reader who cannot see it.
        """
        super().__init__()
        self.add_class("medgen-explorer")
        self.array = np.zeros((1, 1, 3), dtype=np.uint8)
        self.row_names: tuple[str, ...] = ()  # for pictures of several rows, set by draw
        self.picture = Picture(captions, alt)
        self._holding = False

    def draw(self) -> tuple[np.ndarray, str]:
        """The picture, uint8 (H, W, 3), and the line of numbers, for the state of the controls."""
        raise NotImplementedError(f"{type(self).__name__} must implement draw()")

    def refresh(self) -> None:
        """Draw once and send picture and numbers."""
        with one_thread():
            self.array, text = self.draw()
        self.picture.show(self.array, text, self.row_names)

    def observe_controls(self, *controls: widgets.Widget) -> None:
        """Redraw whenever the value of one of these changes."""
        for control in controls:
            control.observe(self._on_control, "value")

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Set several controls from code without redrawing for each: `handle` runs for none of them."""
        before, self._holding = self._holding, True
        try:
            yield
        finally:
            self._holding = before

    def handle(self, change) -> None:
        """What a control's change does; a subclass may act on its state first."""
        self.refresh()

    def _on_control(self, change) -> None:
        if not self._holding:
            self.handle(change)

    def figure(self, title: str = "", limit: float | None = None) -> plots.Figure:
        """The picture as it stands, as a static figure: the same array that the browser shows.

        Args:
            title: the finding; empty gives the captions of the panels.
            limit: of the difference map, if there is one: a scale below says what its colours mean.
        """
        captions = textwrap.fill(" | ".join(self.picture.captions), max(20, self.array.shape[1] // 9))
        return plots.show(self.array, title or captions, limit=limit)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.picture.text}>"


class Notice(widgets.HTML):
    """One line about what a reader has done, for eyes and screen readers; empty when there is none."""

    def __init__(self):
        super().__init__()
        self.add_class("medgen-notice")

    def say(self, text: str, alert: bool = False) -> None:
        """Show a line, as an alert where something is wrong or unusual; no text takes it away."""
        role, colour = ("alert", render.PALETTE[5]) if alert else ("status", render.PALETTE[0])
        style = f"border-left: 6px solid {colour}; padding: 4px 10px; line-height: 20px; max-width: 700px"
        self.value = f'<div role="{role}" style="{style}">{html.escape(text)}</div>' if text else ""


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, then on as many as before.

    A single image is too little work to share: while the browser needs the other core, threads that wait
    for one another made a slider take 100 ms instead of 9.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def slider(description: str, low: float, high: float, value: float, step: float, tooltip: str, **options):
    """A labelled slider that reports while it is being dragged (the browser sends only the newest value)."""
    return widgets.FloatSlider(
        value=value, min=low, max=high, step=step, description=description, tooltip=tooltip,
        style=LABEL_STYLE, layout=CONTROL_LAYOUT, **options,
    )  # fmt: skip


def choice(description: str, options, tooltip: str) -> widgets.Dropdown:
    """A labelled drop-down list; options are values or (text, value) pairs."""
    return widgets.Dropdown(
        options=options, description=description, tooltip=tooltip, style=LABEL_STYLE, layout=CONTROL_LAYOUT
    )


def index_slider(description: str, count: int, tooltip: str) -> widgets.IntSlider:
    """A labelled slider over the numbers 0 to count − 1."""
    return widgets.IntSlider(
        value=0, min=0, max=max(count - 1, 0), description=description, tooltip=tooltip,
        style=LABEL_STYLE, layout=CONTROL_LAYOUT,
    )  # fmt: skip


def panel_scale(size: int, panel: int = 224) -> int:
    """How many screen pixels a pixel of a `size` × `size` image gets, so that it is about `panel` wide."""
    return max(1, panel // size)


def compare(a: np.ndarray, b: np.ndarray) -> str:
    """How far two uint8 images are apart, in words: RMSE on the [0, 1] scale and PSNR with data range 1."""
    rmse = float(np.sqrt(np.mean((a.astype(np.float32) - b) ** 2)) / 255)
    if rmse == 0:
        return APART[0]
    return APART[1].format(rmse=f"{rmse:.3f}", psnr=f"{-20 * math.log10(rmse):.1f}")
