"""Walk through the code of an autoencoder: a map of the data, sliders for the code, the decoded image."""

import html
from collections.abc import Callable, Sequence

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor

from medgen_course import render
from medgen_course.explorers.base import Explorer, compare, index_slider, panel_scale
from medgen_course.explorers.position_map import PositionMap
from medgen_course.explorers.sliders import Sliders

MAX_SLIDERS = 10
_COLOUR_NAMES = ("blue", "orange", "green", "pink", "light blue", "red", "yellow", "black")


class LatentExplorer(Explorer):
    """Move a code by map or slider and see what it decodes to, beside the nearest image in code space.

    The map is the plane of the two largest principal components of the codes. Moving on it changes the code
    within that plane only; the sliders set single latent dimensions, those of the largest variance first.
    For a static figure of the map: `plots.show(explorer.backdrop)`.
    """

    def __init__(
        self,
        encode: Callable[[Tensor], Tensor],
        decode: Callable[[Tensor], Tensor],
        images: np.ndarray,
        labels: np.ndarray,
        label_names: Sequence[str],
        codes: np.ndarray | None = None,
    ):
        """Encode the images once (unless `codes` are given) and show the first.

        Args:
            encode: float32 (B, C, H, W) in [0, 1] to (B, latent_dim), on the CPU.
            decode: (B, latent_dim) to (B, C, H, W) in [0, 1], on the CPU.
            images: uint8 (N, C, H, W), N ≥ 3: the training images, or a part of them.
            labels: integers (N,).
            label_names: name of each label.
            codes: (N, latent_dim), if they are at hand; `encode` is then not called.
        Raises:
            ValueError: counts or shapes that do not fit, or codes that are not finite.
        """
        super().__init__(
            ("chosen image", "decoded code", "nearest image"),
            "The chosen image, the image decoded from the code, and the image with the nearest code",
        )
        labels = np.asarray(labels)
        if len(images) < 3 or labels.shape != (len(images),):
            raise ValueError(
                f"{len(images)} images and labels of shape {labels.shape}; expected at least 3 images and "
                "one integer label each (for multi-label data choose one column)"
            )
        self._encode, self._decode = encode, decode
        self._images, self._labels, self._names = images, labels, tuple(label_names)
        self._codes = self._all_codes() if codes is None else np.asarray(codes, dtype=np.float32)
        if self._codes.ndim != 2 or self._codes.shape[1] < 2 or len(self._codes) != len(images):
            raise ValueError(
                f"codes have shape {self._codes.shape}; expected ({len(images)}, latent_dim), latent_dim ≥ 2"
            )
        if not np.isfinite(self._codes).all():
            raise ValueError("codes hold NaN or inf: the encoder has diverged; train it again")
        self._mean = self._codes.mean(axis=0)
        _, scales, axes = np.linalg.svd(self._codes - self._mean, full_matrices=False)
        self._plane = axes[:2]  # (2, latent_dim), orthonormal
        share = scales**2 / max(float((scales**2).sum()), 1e-12)
        radius = 2.5 if len(images) < 500 else 1.6
        self.backdrop, self._extent = render.scatter(self._place(self._codes), labels, radius=radius)
        self.map = PositionMap(
            self.backdrop,
            label="map of the codes, coloured by label",
            x_label=f"component 1 ({share[0]:.0%})",
            y_label=f"component 2 ({share[1]:.0%})",
            x_range=self._extent.x_range,
            y_range=self._extent.y_range,
        )
        self.index = index_slider("image", len(images), "which image is encoded and placed on the map")
        self.dimensions = self.order()[:MAX_SLIDERS]
        self.sliders = self._dimension_sliders()
        self.reset = widgets.Button(description="Back to image", tooltip="undo: the code of the chosen image")
        self.average = widgets.Button(description="Average code", tooltip="go to the mean of all the codes")
        self.code = self._codes[0].copy()
        self.map.observe(self._on_map, "position")
        self.sliders.observe(self._on_sliders, "values")
        self.observe_controls(self.index)
        self.reset.on_click(lambda _button: self.go_to(self._codes[self.index.value]))
        self.average.on_click(lambda _button: self.go_to(self._mean))
        self.children = self._arranged()
        self.go_to(self.code)

    def order(self) -> list[int]:
        """Latent dimensions in the order of the sliders: largest variance of the codes first."""
        return np.argsort(-self._codes.var(axis=0), kind="stable").tolist()

    def go_to(self, code: np.ndarray) -> None:
        """Show this code, (latent_dim,): sliders, cursor, picture and numbers follow."""
        self.code = np.array(code, dtype=np.float32)
        with self.hold():
            self._set_sliders()
            self._move_cursor()
        self.refresh()

    def draw(self) -> tuple[np.ndarray, str]:
        """Chosen image, decoded code and nearest image, with the numbers about them."""
        with torch.inference_mode():
            decoded = self._decode(torch.from_numpy(self.code)[None])[0].cpu().numpy()  # (C, H, W)
        distances = np.linalg.norm(self._codes - self.code, axis=1)
        nearest, chosen = int(distances.argmin()), self.index.value
        panels = np.stack([self._images[chosen], render.to_bytes(decoded), self._images[nearest]])
        x, y = self._place(self.code)
        text = (
            f"image {chosen} ({self._name(chosen)}) · map position ({x:.2f}, {y:.2f})\n"
            f"decoded against chosen image: {compare(panels[1], panels[0])}\n"
            f"nearest: image {nearest} ({self._name(nearest)}), code distance {distances[nearest]:.2f}, "
            f"{compare(panels[1], panels[2])}"
        )
        return render.grid(panels, columns=3, pad=8, scale=panel_scale(panels.shape[-1])), text

    def handle(self, change) -> None:
        """Another image was chosen: encode it and place it on the map."""
        self.go_to(self._codes[self.index.value])

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
        return (codes - self._mean) @ self._plane.T  # (…, latent_dim) -> (…, 2)

    def _set_sliders(self) -> None:
        self.sliders.values = self.code[self.dimensions].tolist()

    def _move_cursor(self) -> None:
        self.map.position = self._extent.to_position(*self._place(self.code).tolist())

    def _name(self, index: int) -> str:
        return self._names[int(self._labels[index])]

    def _all_codes(self) -> np.ndarray:
        with torch.inference_mode():
            parts = [
                self._encode(torch.from_numpy(self._images[i : i + 256]).float() / 255).cpu()
                for i in range(0, len(self._images), 256)
            ]
        return torch.cat(parts).float().numpy()  # (N, latent_dim)

    def _dimension_sliders(self) -> Sliders:
        shown = self._codes[:, self.dimensions]
        lows, highs = np.percentile(shown, [0.5, 99.5], axis=0)
        return Sliders(
            names=[f"z[{d}]" for d in self.dimensions],
            tooltips=[f"latent dimension {d}; the range holds 99 % of the images" for d in self.dimensions],
            lows=lows,
            highs=np.maximum(highs, lows + 1e-3),
            values=shown[0],
        )

    def _arranged(self) -> tuple[widgets.Widget, ...]:
        entries = []
        for label, name in enumerate(self._names):
            colour, word = render.PALETTE[label % 8], _COLOUR_NAMES[label % 8]
            entries.append(f'<span style="color:{colour}">●</span> {html.escape(name)} ({word})')
        legend = widgets.HTML(" · ".join(entries))
        left = widgets.VBox([self.map, legend], layout={"width": "360px"})
        chosen = widgets.HBox([self.index, self.reset, self.average], layout={"flex_flow": "row wrap"})
        right = widgets.VBox([self.picture, chosen])
        return (widgets.HBox([left, right], layout={"flex_flow": "row wrap"}), self.sliders)
