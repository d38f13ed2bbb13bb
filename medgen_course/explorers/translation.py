"""Translate between two domains and back: what is kept, erased, far off, and hidden in faint noise."""

from collections.abc import Mapping

import ipywidgets as widgets
import numpy as np

from medgen_course.datasets.domains import Part
from medgen_course.explorers.parts.base import (
    CONTROL_LAYOUT,
    LABEL_STYLE,
    choice,
    index_slider,
    slider,
)
from medgen_course.explorers.parts.own_picture import OwnPicture
from medgen_course.explorers.parts.player import Player
from medgen_course.explorers.parts.upload import fit_picture
from medgen_course.explorers.translation_view import Known, Moments, by_share, check, travel
from medgen_course.explorers.translation_words import SHOWN, captions, say_cycle, say_lesions, say_quality
from medgen_course.models.translators import Translators
from medgen_course.pictures import plots, plots_translation, render_translation

PANEL = 168  # side of a panel in screen pixels, about


class TranslationExplorer(OwnPicture):
    """An image, its translation, the way back, and what differs; beside them the truth, where it is known.

    Sliders go through the recorded moments of training and through the share of lesions that domain B had in
    training, if there are several; another adds noise to the translation on its way back.
    """

    def __init__(
        self,
        translators: Translators | Moments | Mapping[float, Moments],
        part: Part,
        names: tuple[str, str],
        moments_label: str = "epoch",
    ):
        """Show a slice with a lesion, if one is known, at the last moment of training.

        Args:
            translators: one pair; or pairs by moment of training; or such mappings by the share of training
                images of domain B that had a lesion, in [0, 1] (shown first: one half, else the first one).
            part: images that the translators were not trained on.
            names: of the domains A and B.
            moments_label: what moments are counted in.
        Raises:
            ValueError: no translators, no images, or images that the translators do not take.
        """
        super().__init__((), "An image, its translation, the way back, the truth; below, their differences")
        self._runs, self._part, self._names = by_share(translators), part, tuple(names)
        self._moments_label = moments_label
        check(self._runs, part, self._names)
        self._known = {to: Known.of(part, to) for to in ("a", "b")}
        a, b = self._names
        self.direction = choice("direction", [(f"{a} → {b}", "b"), (f"{b} → {a}", "a")], "what becomes what")
        self.index = index_slider("image", len(part.a), "which image is translated")
        if part.truth is not None:
            self.index.value = int(part.truth.masks.sum((1, 2, 3)).argmax())  # the largest lesion
        shares = [(f"{100 * share:g} %", share) for share in self._runs]
        self.share = _stops(f"lesions in {b}", shares, f"how many training images of {b} had a lesion")
        self.share.value = 0.5 if 0.5 in self._runs else self.share.value
        self.moment = _stops(moments_label, self._moments(), "how long the translators had been trained")
        self.moment.index = last = len(self._moments()) - 1
        self.play = Player(value=last, max=last, interval=500, hint="play the training, or hold it")
        self._link = widgets.link((self.play, "value"), (self.moment, "index"))
        self.limit = slider("full colour at", 0.05, 1, 0.3, 0.05, "the difference that gets the full colour")
        self.noise = slider("noise on way back", 0, 0.1, 0, 0.005,
                            "σ of the noise that is added to the translation before it is translated back",
                            readout_format=".3f")  # fmt: skip
        self.outlines = widgets.Checkbox(value=True, description="lesion outlines", indent=False,
                                         layout={"width": "160px"},
                                         tooltip="true lesions solid, large errors dashed")  # fmt: skip
        self.fit = choice("fit picture by", [("cutting out the middle", False), ("padding with black", True)],
                          "what happens to an oblong picture")  # fmt: skip
        self.offer_upload("Back to the images")
        self.observe_controls(self.direction, self.index, self.share, self.moment, self.limit, self.noise,
                              self.outlines, self.fit)  # fmt: skip
        self.children = self._arranged()
        self.refresh()

    @property
    def translators(self) -> Translators:
        """The pair that is shown."""
        return self._runs[self.share.value][self.moment.value]

    @property
    def source(self) -> np.ndarray:
        """The image that is translated, uint8 (1, C, H, W)."""
        return (self._images[self.index.value] if self._own is None else self._own)[None]

    @property
    def known(self) -> Known | None:
        """What is known about the images that are shown; None for a reader's own."""
        return self._known[self.direction.value] if self._own is None else None

    def draw(self) -> tuple[np.ndarray, str]:
        """Images and differences, with the numbers about them."""
        journey = travel(self.translators, self.source, self.direction.value, self.noise.value)
        known, i, truth, marks = self.known, self.index.value, None, {}
        lines = [" · ".join(self._shown()), say_cycle(journey)]
        if known is None:
            whose = "these images" if self._own is None else SHOWN["own"]
            lines.append(SHOWN["unknown"].format(whose=whose))
        else:
            truth, report = known.truth[i], known.report(journey.translated, i)
            lines.append(say_quality(journey.translated, truth[None]))
            if self.outlines.value:
                marks["lesion"] = known.masks[i]
            if report is not None:
                lines += say_lesions(report)
                marks |= {"invented": report.regions[0]} if self.outlines.value else {}
        self.picture.captions = captions(self._called, *self._way, self.limit.value, truth is not None)
        picture = render_translation.panels(
            journey.source[0], journey.translated[0], journey.back[0], truth, limit=self.limit.value,
            scale=max(1, round(PANEL / journey.source.shape[-1])), **marks,
        )  # fmt: skip
        return picture, "\n".join(lines)

    def figure(self, title: str = "") -> plots.Figure:
        """The picture as it stands, with a name at each panel and a scale of the differences."""
        here, there = self._way
        above = [here, f"translated to {there}", f"back to {here}", f"the truth, {there}"]
        below = ["", "minus source", "minus source", "minus truth"]
        shown = len(self.picture.captions)
        return plots_translation.panels(self.array, above[:shown], below[:shown], self.limit.value, title)

    def handle(self, change) -> None:
        """Draw; another direction or share changes what there is to choose, and an image puts one away."""
        owner = change["owner"]
        with self.hold():
            if owner is self.index:
                self.keep(None)
            elif owner is self.direction:
                self.index.max = len(self._images) - 1
            elif owner is self.share:
                self._on_share()
            if owner in (self.direction, self.fit):
                self._show(self._file)
        self.refresh()

    def take(self) -> None:
        """Show the newest file; raises PictureError."""
        self.upload.picture(1, self.source.shape[-1])
        self._show(bytes(self.upload.content))

    def keep(self, own: np.ndarray | None) -> None:
        """As for all; without a picture no file is kept either."""
        super().keep(own)
        self._file = None

    def _show(self, file: bytes | None) -> None:
        """Show a reader's file, fitted to the domain that is translated, or none."""
        shape = self._images.shape
        self.keep(None if file is None else fit_picture(file, shape[1], shape[3], self.fit.value))
        self._file = file

    @property
    def _images(self) -> np.ndarray:
        return self._part.a if self.direction.value == "b" else self._part.b

    def _moments(self) -> list[tuple[str, int]]:
        return [(str(moment), moment) for moment in self._runs[self.share.value]]

    def _on_share(self) -> None:
        """Offer this share's moments; stay at the one that is shown, or go to the nearest."""
        shown, offered = self.moment.value, self._moments()
        self.moment.options = offered
        self.moment.value = min((moment for _, moment in offered), key=lambda moment: abs(moment - shown))
        self.play.max = len(offered) - 1

    def _shown(self) -> list[str]:
        """Which image, and which translators."""
        here, there = self._way
        parts = [SHOWN["way"].format(here=here, there=there), self._called]
        if self._has_moments:
            parts.append(SHOWN["moment"].format(label=self._moments_label, moment=self.moment.value))
        if len(self._runs) > 1:
            parts.append(
                f"trained with a lesion in {100 * self.share.value:g} % of the {self._names[1]} images"
            )
        return parts

    @property
    def _has_moments(self) -> bool:
        return any(len(moments) > 1 for moments in self._runs.values())

    @property
    def _way(self) -> tuple[str, str]:
        return self._names if self.direction.value == "b" else self._names[::-1]

    @property
    def _called(self) -> str:
        return SHOWN["image"].format(index=self.index.value) if self._own is None else SHOWN["own"]

    def _arranged(self) -> tuple[widgets.Widget, ...]:
        several = [self.share] if len(self._runs) > 1 else []
        if self._has_moments:
            several += [self.moment, self.play]
        lesions = [self.outlines] if any(known is not None for known in self._known.values()) else []
        wrap = {"flex_flow": "row wrap"}
        rows = [[self.direction, self.index], several, [self.limit, self.noise, *lesions]]
        return (
            *(widgets.HBox(row, layout=wrap) for row in rows if row),
            self.picture,
            widgets.HBox([self.upload, self.fit, self.put_away], layout=wrap),
            self.notice,
        )


def _stops(description: str, options, tooltip: str) -> widgets.SelectionSlider:
    return widgets.SelectionSlider(
        options=options, description=description, tooltip=tooltip, style=LABEL_STYLE, layout=CONTROL_LAYOUT
    )
