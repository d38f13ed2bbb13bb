"""One noise through all stages of a generator that grew."""

import math
from collections.abc import Mapping, Sequence

import ipywidgets as widgets
import numpy as np
import torch

from medgen_course.batches.transforms import to_uint8, to_unit
from medgen_course.explorers.parts.base import (
    CONTROL_LAYOUT,
    LABEL_STYLE,
    Explorer,
    choice,
    index_slider,
)
from medgen_course.explorers.parts.player import Player
from medgen_course.metrics.spectrum import radial_power
from medgen_course.models.progressive_networks import ProgressiveGenerator
from medgen_course.pictures import render_growing

NOISES = 100  # to choose from
AVERAGED = 64  # samples whose power is averaged; as many real images
PARTS = 20  # steps of the slider while one block fades in
SAYS = {
    "held": "level {level:.2f}: {side} px, every block has its full weight",
    "fading": "level {level:.2f}: {side} px come in with alpha {alpha:.2f}, the {before} px keep {rest:.2f}",
    "power": "noise {noise} · power at {finest} cycles an image, the finest: samples {share} of real images",
}


class GrowingExplorer(Explorer):
    """A slider, or play, over the levels of a GAN that grew; the same noise at each of them.

    While a block fades in, the weights are those of half-way through its fade, so that nothing but alpha
    changes there; at a whole level they are those at the end of its training.
    """

    def __init__(
        self,
        stages: Mapping[float, ProgressiveGenerator],
        real: np.ndarray,
        label_names: Sequence[str] = (),
    ):
        """Show the last stage.

        Args:
            stages: level -> the averaged generator as it was then: each whole level from 0 to the last, and
                between two of them the middle of the fade.
            real: images uint8 (N, C, size, size) to compare the power with.
            label_names: name of each class; for a conditional generator.
        Raises:
            ValueError: a level is missing, or another number of names than of classes.
        """
        last = max(stages)
        self._sizes = next(iter(stages.values())).sizes
        wanted = {i / 2 for i in range(2 * (len(self._sizes) - 1) + 1)}
        if set(stages) != wanted:
            raise ValueError(f"there are stages {sorted(stages)}; give just {sorted(wanted)}.")
        self._classes = stages[last].num_classes
        if len(label_names) != self._classes:
            raise ValueError(f"{len(label_names)} names for {self._classes} classes; give each one.")
        captions = ["at this level", *(f"{side} px" for side in self._sizes)]
        words = (
            "The same noise as an image at the chosen level and at each whole one; below them the power over "
            "frequency, of samples at this level in blue and of real images of the same side in orange"
        )
        super().__init__(captions, words)
        self._stages, self._real = dict(stages), to_unit(torch.from_numpy(real[:AVERAGED]))
        noise = torch.Generator().manual_seed(0)
        self._noise = torch.randn(max(NOISES, AVERAGED), stages[last].latent_dim, generator=noise)
        self.kind = choice("class", [(n, i) for i, n in enumerate(label_names)], "which class is drawn")
        self.noise = index_slider("noise", NOISES, "which noise goes through all stages")
        steps = PARTS * (len(self._sizes) - 1)
        self.position = widgets.IntSlider(
            value=steps, min=0, max=steps, description="level", readout=False, style=LABEL_STYLE,
            layout=CONTROL_LAYOUT, tooltip="how far the generator has grown",
        )  # fmt: skip
        self.play = Player(value=steps, max=steps, interval=150, hint="let the generator grow, or hold it")
        self._link = widgets.link((self.play, "value"), (self.position, "value"))
        self._powers: dict[tuple[float, int | None], tuple] = {}
        self.observe_controls(self.kind, self.noise, self.position)
        steering = widgets.HBox([self.play, self.position], layout={"flex_flow": "row wrap"})
        classes = [self.kind] if self._classes else []
        self.children = (*classes, self.noise, steering, self.picture)
        self.refresh()

    @property
    def level(self) -> float:
        """How far the generator has grown; a fraction is the alpha of the block that fades in."""
        return self.position.value / PARTS

    def go_to(self, level: float) -> None:
        """Show this level."""
        self.position.value = round(PARTS * level)

    def generator(self, level: float) -> ProgressiveGenerator:
        """The weights that are shown at a level."""
        return self._stages[level if level == int(level) else math.floor(level) + 0.5]

    @torch.inference_mode()
    def images(self, noises: torch.Tensor, level: float) -> np.ndarray:
        """Noises (B, latent_dim) to uint8 images (B, C, side, side) at a level."""
        label = torch.full((len(noises),), self.kind.value) if self._classes else None
        return to_uint8(self.generator(level).sample(noises, label, level)).numpy()

    def powers(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Frequencies and power at this level: of samples, and of real images of the same side."""
        key = (self.level, self.kind.value)
        if key not in self._powers:
            shrunk = to_uint8(self.generator(self.level).shrink(self._real, self.level)).numpy()
            samples = radial_power(self.images(self._noise[:AVERAGED], self.level))
            self._powers[key] = samples, radial_power(shrunk)
        return dict(zip(("samples", "real images"), self._powers[key], strict=True))

    def draw(self) -> tuple[np.ndarray, str]:
        """The noise at this level and at the whole ones, and the two spectra, with the numbers about them."""
        z = self._noise[self.noise.value : self.noise.value + 1]
        levels = [self.level, *range(len(self._sizes))]
        shown, curves = [self.images(z, float(level))[0] for level in levels], self.powers()
        picture = render_growing.growth(shown, curves, self._sizes[-1] // 2)
        stage = math.ceil(self.level)
        said = {"level": self.level, "side": self._sizes[stage]}
        if self.level == stage:
            lines = [SAYS["held"].format(**said)]
        else:
            alpha = self.level - stage + 1
            said |= {"alpha": alpha, "rest": 1 - alpha, "before": self._sizes[stage - 1]}
            lines = [SAYS["fading"].format(**said)]
        (frequencies, made), (_, real) = curves.values()
        share = f"{made[-1] / max(real[-1], 1e-12):.0%}"
        told = {"noise": self.noise.value, "finest": frequencies[-1], "share": share}
        lines.append(SAYS["power"].format(**told))
        return picture, "\n".join(lines)
