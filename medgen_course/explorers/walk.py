"""What explorers of a latent space share: a map of codes with a cursor, sliders, and the code they move."""

import html
from collections.abc import Callable, Sequence

import ipywidgets as widgets
import numpy as np
from torch import Tensor

from medgen_course.explorers.parts.base import Explorer
from medgen_course.explorers.parts.position_map import PositionMap
from medgen_course.explorers.parts.sliders import Sliders
from medgen_course.pictures import plots_codes, render

MAX_SLIDERS = 10
_COLOUR_NAMES = ("blue", "orange", "green", "pink", "light blue", "red", "yellow", "black")


class LatentWalk(Explorer):
    """Moves one code: on a plane through the latent space, or one latent dimension at a time.

    A subclass implements `draw` for the state of `code`, adds its controls, arranges `children`, and calls
    `go_to`. The map shows a plane: codes are placed on it by (code − centre) · planeᵀ, and moving on it
    changes the code within the plane only. `map_figure` is its static twin.
    """

    def __init__(
        self,
        decode: Callable[[Tensor], Tensor],
        codes: np.ndarray,
        labels: np.ndarray,
        label_names: Sequence[str],
        captions: Sequence[str],
        alt: str,
    ):
        """Build the map on the plane of the two largest principal components, and the sliders.

        Args:
            decode: (B, latent_dim) to (B, C, H, W) in [0, 1], on the CPU.
            codes: (N, latent_dim), N ≥ 3, latent_dim ≥ 2: the dots of the map.
            labels: integers (N,), the colours of the dots.
            label_names: name of each label.
            captions, alt: see `Explorer`.
        Raises:
            ValueError: counts or shapes that do not fit, or codes that are not finite.
        """
        super().__init__(captions, alt)
        self._decode, self._names = decode, tuple(label_names)
        self._codes, self._labels = np.asarray(codes, dtype=np.float32), np.asarray(labels)
        if self._labels.shape != (len(self._codes),) or len(self._codes) < 3:
            raise ValueError(
                f"{len(self._codes)} codes and labels of shape {self._labels.shape}; expected at least 3 "
                "codes and one integer label each (for multi-label data choose one column)"
            )
        if self._codes.ndim != 2 or self._codes.shape[1] < 2:
            raise ValueError(
                f"codes have shape {self._codes.shape}; expected (N, latent_dim), latent_dim ≥ 2"
            )
        if not np.isfinite(self._codes).all():
            raise ValueError("codes hold NaN or inf: the encoder has diverged; train it again")
        self._mean = self._codes.mean(axis=0)
        self.code = self._codes[0].copy()
        self.map = PositionMap(np.full((1, 1), 255, np.uint8), label="map of the codes, coloured by label")
        self.show_components()
        self.dimensions = self.order()[:MAX_SLIDERS]
        self.sliders = self._dimension_sliders()
        self.map.observe(self._on_map, "position")
        self.sliders.observe(self._on_sliders, "values")

    def order(self) -> list[int]:
        """Latent dimensions in the order of the sliders: largest variance of the codes first."""
        return np.argsort(-self._codes.var(axis=0), kind="stable").tolist()

    def describe_dimension(self, dimension: int) -> tuple[str, str]:
        """Name and tooltip of a dimension's slider."""
        return f"z[{dimension}]", f"latent dimension {dimension}; the range holds 99 % of the images"

    def slider_range(self, dimension: int) -> tuple[float, float]:
        """What a hand can reach on a dimension's slider."""
        low, high = np.percentile(self._codes[:, dimension], [0.5, 99.5])
        return float(low), float(max(high, low + 1e-3))

    def show_components(self) -> None:
        """Make the map the plane of the two largest principal components of the codes."""
        _, scales, axes = np.linalg.svd(self._codes - self._mean, full_matrices=False)
        share = scales**2 / max(float((scales**2).sum()), 1e-12)
        self._show_plane(self._mean, axes[:2], [f"component {i + 1} ({share[i]:.0%})" for i in range(2)])

    def show_dimensions(self, first: int, second: int) -> None:
        """Make the map the plane of two latent dimensions."""
        plane = np.eye(self._codes.shape[1], dtype=np.float32)[[first, second]]
        self._show_plane(np.zeros_like(self._mean), plane, [f"z[{first}]", f"z[{second}]"])

    def go_to(self, code: np.ndarray) -> None:
        """Show this code, (latent_dim,): sliders, cursor, picture and numbers follow."""
        self.code = np.array(code, dtype=np.float32)
        with self.hold():
            self._set_sliders()
            self._move_cursor()
        self.refresh()

    def legend(self) -> widgets.HTML:
        """Which colour is which label."""
        entries = []
        for label, name in enumerate(self._names):
            colour, word = render.PALETTE[label % 8], _COLOUR_NAMES[label % 8]
            entries.append(f'<span style="color:{colour}">●</span> {html.escape(name)} ({word})')
        return widgets.HTML(" · ".join(entries))

    def map_figure(self, title: str = "") -> plots_codes.Figure:
        """The map as a static figure: the same array that the browser shows."""
        axes = self.map.x_label, self.map.y_label
        return plots_codes.dot_map(
            self.backdrop, self._extent.x_range, self._extent.y_range, self._names, *axes, title
        )

    def _show_plane(self, centre: np.ndarray, plane: np.ndarray, axes: Sequence[str]) -> None:
        self._centre, self._plane = centre, plane  # (latent_dim,), (2, latent_dim) with orthonormal rows
        radius = 2.5 if len(self._codes) < 500 else 1.6
        self.backdrop, self._extent = render.scatter(self._place(self._codes), self._labels, radius=radius)
        with self.hold(), self.map.hold_sync():
            self.map.png = render.to_png(self.backdrop)
            self.map.x_label, self.map.y_label = axes
            self.map.x_range, self.map.y_range = self._extent.x_range, self._extent.y_range
            self._move_cursor()

    def _on_sliders(self, change) -> None:
        if self._holding:
            return
        for dimension, old, new in zip(self.dimensions, change["old"], change["new"], strict=True):
            if new != old:
                self.code[dimension] = new
        with self.hold():
            self._move_cursor()
        self.refresh()

    def _on_map(self, change) -> None:
        if self._holding:
            return
        there = np.array(self._extent.to_data(*change["new"]), dtype=np.float32)
        self.code = self.code + (there - self._place(self.code)) @ self._plane
        with self.hold():
            self._set_sliders()  # the cursor is where the hand put it: sending it back would fight the hand
        self.refresh()

    def _place(self, codes: np.ndarray) -> np.ndarray:
        return (codes - self._centre) @ self._plane.T  # (…, latent_dim) -> (…, 2)

    def _set_sliders(self) -> None:
        self.sliders.values = self.code[self.dimensions].tolist()

    def _move_cursor(self) -> None:
        self.map.position = self._extent.to_position(*self._place(self.code).tolist())

    def _name(self, index: int) -> str:
        return self._names[int(self._labels[index])]

    def _dimension_sliders(self) -> Sliders:
        names, tooltips = zip(*(self.describe_dimension(d) for d in self.dimensions), strict=True)
        lows, highs = zip(*(self.slider_range(d) for d in self.dimensions), strict=True)
        return Sliders(names, tooltips, lows, highs, self.code[self.dimensions])
