"""From autoencoder to collapse: one slider for beta, and all that it changes."""

import copy
import itertools
from collections.abc import Mapping, Sequence

import ipywidgets as widgets
import numpy as np
import torch

from medgen_course.explorers.beta_view import COLUMNS, Figures, between, from_codes, measure, rows
from medgen_course.explorers.conventions import CONVENTIONS, Setting, explain, resemblance
from medgen_course.explorers.parts.base import (
    BESIDE,
    CONTROL_LAYOUT,
    LABEL_STYLE,
    Explorer,
    choice,
    index_slider,
    one_thread,
    panel_scale,
)
from medgen_course.explorers.parts.curve import RateDistortion
from medgen_course.explorers.parts.position_map import PositionMap
from medgen_course.models.multirate import ConditionedVAE
from medgen_course.models.vae import VAE
from medgen_course.pictures import plots, render
from medgen_course.pretrained import BETAS, Codes

KNOT_DECADES, STOPS_BETWEEN = 0.25, 10  # of a conditioned network: measured betas, and slider stops between
MEASURED_IMAGES, KNOT_IMAGES = 512, 128
KEY_STEP = 0.11  # a key moves the map's cursor by less than this, along one axis


class BetaExplorer(Explorer):
    """Moves between models that were trained at these betas, or along one model that knows every beta.

    All figures are measured once, on up to 512 validation images for each separately trained model. Of a
    conditioned one they are measured at 15 betas, on up to 128, and interpolated in log β between; its
    pictures and its σ are those of the very β. Without images KL and active units come from the stored codes
    of the validation split, a conditioned model stops at the betas of these codes only, and the first row is
    what the model rebuilds from stored codes.
    """

    def __init__(
        self,
        models: Mapping[float, VAE] | ConditionedVAE,
        data=None,
        codes: Mapping[float, Codes] | None = None,
        curve: Mapping[str, Sequence[float]] | None = None,
        beta: float = 1.0,
        batch_size: int = 128,
        train_count: int | None = None,
    ):
        """Measure, and show the models at `beta`.

        Args:
            models: VAEs by their betas, on the CPU, or a `ConditionedVAE`.
            data: the Dataset whose validation images are shown, or None where there are no images.
            codes: posteriors of the validation split by beta; needed where `data` is None.
            curve: `beta`, `rate` (nats) and `distortion` (RMSE), equally long: the backdrop. None draws the
                measured figures, for which images are needed.
            beta: where the slider starts (the nearest stop).
            batch_size, train_count: B and N of the convention that weighs the KL by B/N; N is the number of
                training images of `data` unless given, 4,708 (PneumoniaMNIST) where both are missing.
        Raises:
            ValueError: neither images nor codes, images of another shape than the models', or a likelihood
                that is not Gaussian.
        """
        super().__init__(
            (), "Rows of validation images, their reconstructions, samples from the prior, traversals"
        )
        if data is None and not codes:
            raise ValueError("neither images nor stored codes: give `data`, `codes`, or both")
        self._models, self._codes = _fast(models), dict(codes or {})
        self._images = None if data is None else data.val.images
        self.betas = self._stops()
        with torch.inference_mode():
            first = self.model(self.betas[0])
            self._shape = tuple(first.decode(torch.zeros(1, first.latent_dim)).shape[1:])  # (C, H, W)
        self._check(first)
        self._sigmas = [float(self.model(b).variance.sqrt()) for b in self.betas]
        with one_thread():
            self._figures = self._measured()
        count = train_count or (len(data.train.images) if data is not None else 4708)
        self._latents, self._share = first.latent_dim, batch_size / count
        self._draws, self._rows = 0, {}
        self.beta = widgets.SelectionSlider(
            options=[(f"{b:.3g}", b) for b in self.betas],
            value=self._stop(beta),
            description="β (log scale)",
            tooltip="weight of the KL, from autoencoder to collapse",
            style=LABEL_STYLE,
            layout=CONTROL_LAYOUT,
        )
        count = len(next(iter(self._codes.values())).mu) if data is None else len(self._images)
        self.first = index_slider("images from", max(count - COLUMNS + 1, 1), "which images are rebuilt")
        self.again = widgets.Button(description="Draw again", tooltip="other samples from the prior")
        self.convention = choice("β written as", list(CONVENTIONS), "what this β would mean in other code")
        self.curve = self._curve(curve)
        self.children = self._arranged()
        self.observe_controls(self.beta, self.first, self.convention)
        self.again.on_click(self._on_again)
        self.refresh()

    def model(self, beta: float) -> VAE:
        """The VAE at one stop of the slider."""
        return self._models.at(beta) if isinstance(self._models, ConditionedVAE) else self._models[beta]

    def figures(self, beta: float) -> Figures:
        """The figures at one stop of the slider."""
        if beta in self._figures:
            return self._figures[beta]
        return between(self._figures, beta, self._sigmas[self.betas.index(beta)])

    def draw(self) -> tuple[np.ndarray, str]:
        """The rows of pictures as one, and the numbers."""
        beta, generator = self.beta.value, torch.Generator().manual_seed(self._draws)
        noise = torch.randn(COLUMNS, self._latents, generator=generator)
        shown, x, mu = slice(self.first.value, self.first.value + COLUMNS), None, None
        if self._images is None:
            mu = self._codes[beta].mu[shown]
        else:
            x = torch.from_numpy(self._images[shown]).float() / 255
        figures = self.figures(beta)
        self._rows = rows(self.model(beta), x, mu, noise, figures.kl)
        self.row_names = tuple(self._rows)
        sheet = render.grid(
            np.concatenate(list(self._rows.values())), COLUMNS, pad=2, scale=panel_scale(self._shape[-1], 70)
        )
        return sheet, self._numbers(beta, figures)

    def refresh(self) -> None:
        """Draw once, send picture and numbers, and put the cursor on the curve."""
        super().refresh()
        if self.curve is not None:
            with self.hold():
                self.map.position = self.curve.position(self.beta.value)

    def figure(self, title: str = "") -> plots.Figure:
        """The rows as a static figure, titled with the numbers; `curve.picture` is the curve."""
        return plots.rows(self._rows, title=title or self.picture.text)

    def _numbers(self, beta: float, figures: Figures) -> str:
        sigma = figures.sigma
        if figures.rmse is None:
            rebuilt = "reconstruction: needs the images"
            source = (
                f"KL and active units from {len(self._codes[beta].mu)} stored codes of the validation split"
            )
        else:
            rebuilt = f"reconstruction: RMSE {figures.rmse:.4f}, {figures.reconstruction:,.1f} nats"
            source = f"on {self._measured_count} validation images, one draw of z each"
            if beta not in self._figures:
                source += "; interpolated between measured β"
        lines = [
            f"β = {beta:.3g} · σ = {sigma:.4f} · effective β = β·σ² = {beta * sigma**2:.3g}",
            f"{rebuilt} · KL {figures.rate:.2f} nats",
            f"{figures.active:.0f} of {self._latents} units active ({source})",
        ]
        if self.convention.value != next(iter(CONVENTIONS)):
            setting = Setting(int(np.prod(self._shape)), self._latents, sigma, self._share)
            lines.append(explain(self.convention.value, beta, setting))
            lines.append(resemblance(self.convention.value, beta, setting, self.betas, self._sigmas))
        return "\n".join(lines)

    def _stops(self) -> list[float]:
        if not isinstance(self._models, ConditionedVAE):
            return sorted(self._models)
        if self._images is None:
            return sorted(self._codes)
        return divided(divided(BETAS, KNOT_DECADES), KNOT_DECADES / STOPS_BETWEEN)

    def _stop(self, beta: float) -> float:
        return min(self.betas, key=lambda b: abs(np.log(b / beta)))

    def _check(self, model: VAE) -> None:
        if model.likelihood != "gaussian":
            raise ValueError(f"the likelihood is {model.likelihood}; σ and effective β need a Gaussian one")
        if self._images is not None and self._images.shape[1:] != self._shape:
            raise ValueError(
                f"images are {self._images.shape[1:]}, the models decode {self._shape}; expected equal"
            )
        missing = set(self.betas) - set(self._codes)
        if self._images is None and missing:
            raise ValueError(f"no stored codes at β = {', '.join(f'{b:g}' for b in sorted(missing))}")

    def _measured(self) -> dict[float, Figures]:
        if self._images is None:
            return {beta: from_codes(self.model(beta), self._codes[beta]) for beta in self.betas}
        conditioned = isinstance(self._models, ConditionedVAE)
        images = self._images[: KNOT_IMAGES if conditioned else MEASURED_IMAGES]
        self._measured_count = len(images)
        knots = divided(BETAS, KNOT_DECADES) if conditioned else self.betas
        return {beta: measure(self.model(beta), images) for beta in knots}

    def _curve(self, given: Mapping[str, Sequence[float]] | None) -> RateDistortion | None:
        if given is not None:
            return RateDistortion.of(given)
        if self._images is None or len(self._figures) < 2:
            return None
        figures = self._figures.values()
        return RateDistortion(list(self._figures), [f.rate for f in figures], [f.rmse for f in figures])

    def _on_map(self, change) -> None:
        """Go to the stop nearest to the cursor; a key's small step goes to the next stop in its direction."""
        if self._holding:
            return
        old, new = np.array(change["old"]), np.array(change["new"])
        stop, now = self.curve.nearest(change["new"], self.betas), self.betas.index(self.beta.value)
        step = new - old
        if stop == now and (step == 0).any() and np.abs(step).max() < KEY_STEP:
            here = np.array(self.curve.position(self.betas[now]))
            for other in (now - 1, now + 1):
                if 0 <= other < len(self.betas):
                    ahead = np.array(self.curve.position(self.betas[other])) - here
                    stop = other if ahead @ step > 0 else stop
        if stop == now:
            self.refresh()  # puts the cursor back on the curve
        self.beta.value = self.betas[stop]

    def _on_again(self, _button) -> None:
        self._draws += 1
        self.refresh()

    def _arranged(self) -> tuple[widgets.Widget, ...]:
        self.convention.layout.width = "640px"
        controls = [self.beta, widgets.HBox([self.first, self.again]), self.convention]
        if self.curve is None:
            return (*controls, self.picture)
        self.map = PositionMap(
            self.curve.picture,
            label="rate-distortion curve",
            x_label="rate, nats",
            y_label="distortion, RMSE",
            x_range=self.curve.extent.x_range,
            y_range=self.curve.extent.y_range,
        )
        self.map.observe(self._on_map, "position")
        left = widgets.VBox([self.map], layout={"width": "360px"})
        right = widgets.VBox([self.picture], layout=BESIDE)
        return (*controls, widgets.HBox([left, right], layout={"flex_flow": "row wrap"}))


def _fast(models: Mapping[float, VAE] | ConditionedVAE) -> dict[float, VAE] | ConditionedVAE:
    """Copies whose convolutions read channels last: the same pictures in half the time on one core."""
    if isinstance(models, ConditionedVAE):
        return copy.deepcopy(models).to(memory_format=torch.channels_last)
    return {beta: copy.deepcopy(m).to(memory_format=torch.channels_last) for beta, m in models.items()}


def divided(betas: Sequence[float], decades: float) -> list[float]:
    """These betas, and between them so many more, evenly in log β, that steps are about so many decades."""
    stops = [float(betas[0])]
    for low, high in itertools.pairwise(betas):
        count = max(1, round(np.log10(high / low) / decades))
        stops += [float(low * (high / low) ** (i / count)) for i in range(1, count)] + [float(high)]
    return stops
