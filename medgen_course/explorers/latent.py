"""Walk through the code of an autoencoder: a map of the data, sliders for the code, the decoded image."""

from collections.abc import Callable, Sequence

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.parts import parts
from medgen_course.explorers import latent_words as words
from medgen_course.explorers.parts.base import compare, index_slider, panel_scale
from medgen_course.explorers.walk import LatentWalk
from medgen_course.pictures import render


class LatentExplorer(LatentWalk):
    """Move a code by map or slider and see what it decodes to, beside the nearest image in code space.

    The map is the plane of the two largest principal components of the codes; the sliders set single latent
    dimensions, those of the largest variance first.
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
        labels, self._images = np.asarray(labels), images
        if len(images) < 3 or labels.shape != (len(images),):
            raise ValueError(
                f"{len(images)} images and labels of shape {labels.shape}; expected at least 3 images and "
                "one integer label each (for multi-label data choose one column)"
            )
        codes = encode_all(encode, images) if codes is None else np.asarray(codes)
        if len(codes) != len(images):
            raise ValueError(f"codes have shape {codes.shape}; expected ({len(images)}, latent_dim)")
        alt = "The chosen image, the image decoded from the code, and the image with the nearest code"
        super().__init__(decode, codes, labels, label_names, words.CAPTIONS, alt)
        self.index = index_slider("image", len(images), "which image is encoded and placed on the map")
        self.reset = widgets.Button(description="Back to image", tooltip="undo: the code of the chosen image")
        self.average = widgets.Button(description="Average code", tooltip="go to the mean of all the codes")
        self.observe_controls(self.index)
        self.reset.on_click(lambda _button: self.go_to(self._codes[self.index.value]))
        self.average.on_click(lambda _button: self.go_to(self._mean))
        self.children = self._arranged()
        self.go_to(self.code)

    def draw(self) -> tuple[np.ndarray, str]:
        """Chosen image, decoded code and nearest image, with the numbers about them."""
        with torch.inference_mode():
            decoded = self._decode(torch.from_numpy(self.code)[None])[0].cpu().numpy()  # (C, H, W)
        distances = np.linalg.norm(self._codes - self.code, axis=1)
        nearest, chosen = int(distances.argmin()), self.index.value
        panels = np.stack([self._images[chosen], render.to_bytes(decoded), self._images[nearest]])
        x, y = self._place(self.code)
        here, back, near = words.CODES
        lines = [
            here.format(chosen=chosen, name=self._name(chosen), x=f"{x:.2f}", y=f"{y:.2f}"),
            back.format(apart=compare(panels[1], panels[0])),
            near.format(nearest=nearest, label=self._name(nearest), distance=f"{distances[nearest]:.2f}",
                        apart=compare(panels[1], panels[2])),
        ]  # fmt: skip
        return render.grid(panels, columns=3, pad=8, scale=panel_scale(panels.shape[-1])), "\n".join(lines)

    def handle(self, change) -> None:
        """Another image was chosen: encode it and place it on the map."""
        self.go_to(self._codes[self.index.value])

    def _arranged(self) -> tuple[widgets.Widget, ...]:
        left = widgets.VBox([self.map, self.legend()], layout={"width": "360px"})
        chosen = widgets.HBox([self.index, self.reset, self.average], layout={"flex_flow": "row wrap"})
        right = widgets.VBox([self.picture, chosen])
        return (widgets.HBox([left, right], layout={"flex_flow": "row wrap"}), self.sliders)


def encode_all(encode: Callable[[Tensor], Tensor], images: np.ndarray) -> np.ndarray:
    """Codes of uint8 images (N, C, H, W): float32 (N, latent_dim)."""
    with torch.inference_mode():
        codes = [encode(part.float() / 255).cpu() for part in parts(images)]
    return torch.cat(codes).float().numpy()
