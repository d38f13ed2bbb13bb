"""Walk through the latent space of a VAE, beside it the training images, and place your own picture in it."""

from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np
import torch

from medgen_course.batches.parts import parts
from medgen_course.explorers import latent_words as words
from medgen_course.explorers.latent import encode_all
from medgen_course.explorers.parts.base import (
    BESIDE,
    Notice,
    choice,
    index_slider,
    one_thread,
    panel_scale,
    slider,
)
from medgen_course.explorers.parts.upload import PictureError, Upload
from medgen_course.explorers.walk import LatentWalk
from medgen_course.models.vae import VAE, kl_per_dimension
from medgen_course.pictures import render
from medgen_course.pretrained import Codes

NEIGHBOURS = 3


@torch.inference_mode()
def reconstruction_errors(model: VAE, images: np.ndarray) -> np.ndarray:
    """RMSE between images and what their posterior means decode to; uint8 (N, C, H, W) to (N,), in [0, 1].

    `np.percentile(reconstruction_errors(model, data.val.images), 99)` is the explorer's `error_threshold`.
    """
    errors = []
    for part in parts(images):
        x = part.float() / 255
        mu, _ = model.encode(x)
        errors.append((model.decode(mu) - x).square().flatten(1).mean(1).sqrt())
    return torch.cat(errors).numpy()


class VAELatentExplorer(LatentWalk):
    """Move a code by map, slider or between two images; beside it the nearest training images.

    The map shows the posterior means of the validation images, on the plane of their two largest principal
    components or of the two latents with the highest KL. A reader's own picture is encoded and placed on it,
    with a warning where the model rebuilds it worse than 99 % of the validation images.
    Without images everything that would show one shows what the model decodes from its stored code instead,
    and says so.
    """

    def __init__(
        self,
        model: VAE,
        images: np.ndarray | None,
        labels: np.ndarray,
        label_names: Sequence[str],
        codes: Codes,
        train_images: np.ndarray | None = None,
        train_labels: np.ndarray | None = None,
        error_threshold: float | None = None,
    ):
        """Encode the training images once and show the first validation image.

        Args:
            model: a VAE on the CPU (or `ConditionedVAE.at(beta)`).
            images: validation images, uint8 (N, C, H, W), or None where there are none.
            labels: of the validation images, integers (N,).
            label_names: name of each label.
            codes: posteriors of the validation images, in the same order.
            train_images, train_labels: uint8 (M, C, H, W) and integers (M,), or None: neighbours are then
                validation images.
            error_threshold: 99th percentile of `reconstruction_errors` on the validation images; None where
                there are none.
        Raises:
            ValueError: counts or shapes that do not fit, or codes that are not finite.
        """
        mu, self._model, self._images = codes.mu.numpy(), model, images
        if images is not None and len(images) != len(mu):
            raise ValueError(f"{len(images)} images and {len(mu)} codes; expected the codes of these images")
        if train_images is not None:
            found = 0 if train_labels is None else len(train_labels)
            if found != len(train_images) or found < NEIGHBOURS:
                raise ValueError(
                    f"{len(train_images)} training images and {found} training labels; expected equally "
                    f"many, at least {NEIGHBOURS}"
                )
        self._kl = kl_per_dimension(codes.mu, codes.logvar).mean(0).numpy()  # (latent_dim,)
        self._own, self._own_code, self._threshold = None, None, error_threshold
        alt = "The starting image, the decoded code, the image to go to, and the nearest images in code space"
        super().__init__(model.decode, mu, labels, label_names, [""] * (3 + NEIGHBOURS), alt)
        self.size, self.channels = self._decoded(mu[:1]).shape[-1], self._decoded(mu[:1]).shape[1]
        self._near_images, self._near_labels, self._near_codes = images, self._labels, self._codes
        self._near_name = "validation image"
        if train_images is not None:
            self._near_images, self._near_labels = train_images, np.asarray(train_labels)
            self._near_codes = encode_all(self._mu, train_images)
            self._near_name = "training image"
        last = len(mu) - 1
        self.plane = choice(
            "map", [("main directions (PCA)", "pca"), ("the two latents with the highest KL", "kl")],
            "which plane through the latent space the map shows",
        )  # fmt: skip
        self.start = index_slider("from image", len(mu), "the validation image to start from")
        self.end = index_slider("to image", len(mu), "the validation image to go to")
        self.end.value = min(1, last)
        self.way = slider("way", 0, 1, 0, 0.02, "0: the code of the first image, 1: of the second")
        self.fit = choice("fit picture by", [("cutting out the middle", False), ("padding with black", True)],
                          "what happens to an oblong picture")  # fmt: skip
        self.upload = Upload()
        self.notice = Notice()
        self.plane.observe(self._on_plane, "value")
        self.observe_controls(self.start, self.end, self.way)
        self.upload.observe(self._on_upload, "count")
        self.fit.observe(self._on_upload, "value")
        self.children = self._arranged()
        self.go_to(self.code)

    def order(self) -> list[int]:
        """Latent dimensions in the order of the sliders: highest KL first."""
        return np.argsort(-self._kl, kind="stable").tolist()

    def describe_dimension(self, dimension: int) -> tuple[str, str]:
        """Name with its KL, and tooltip."""
        text = f"latent dimension {dimension}, KL {self._kl[dimension]:.2f} nats per image"
        return f"z[{dimension}] · {self._kl[dimension]:.1f} nats", text

    def slider_range(self, dimension: int) -> tuple[float, float]:
        """The bulk of the prior, or more where the codes reach further."""
        low, high = super().slider_range(dimension)
        return min(low, -3.0), max(high, 3.0)

    def draw(self) -> tuple[np.ndarray, str]:
        """Start, decoded code, end and the nearest images, with the numbers about them."""
        distances = np.linalg.norm(self._near_codes - self.code, axis=1)
        nearest = np.argpartition(distances, NEIGHBOURS - 1)[:NEIGHBOURS]
        nearest = nearest[np.argsort(distances[nearest])]
        wanted = {"code": self.code}
        if self._images is None:
            wanted |= {"start": self._codes[self.start.value], "end": self._codes[self.end.value]}
        if self._near_images is None:
            wanted |= {int(i): self._near_codes[i] for i in nearest}
        made = dict(zip(wanted, render.to_bytes(self._decoded(np.stack([*wanted.values()]))), strict=True))
        start = made["start"] if self._images is None else self._images[self.start.value]
        end = made["end"] if self._images is None else self._images[self.end.value]
        near = [made[int(i)] if self._near_images is None else self._near_images[i] for i in nearest]
        panels = np.stack([start if self._own is None else self._own, made["code"], end, *near])
        picture = render.grid(panels, columns=len(panels), pad=8, scale=panel_scale(self.size, 112))
        return picture, self._numbers(panels, nearest, distances)

    def handle(self, change) -> None:
        """Go to the code between the two chosen images; choosing a start puts an own picture away."""
        if change["owner"] is self.start:
            self._own, self._own_code = None, None
            self.notice.say("")
        self._name_panels()
        a = self._codes[self.start.value] if self._own is None else self._own_code
        self.go_to(a + self.way.value * (self._codes[self.end.value] - a))

    def _numbers(self, panels: np.ndarray, nearest: np.ndarray, distances: np.ndarray) -> str:
        """What the picture shows, in numbers: all RMSE on the [0, 1] scale."""
        a = words.OWN if self._own is not None else self._called(self.start.value)
        x, y = self._place(self.code).tolist()
        (left, right), (bottom, top) = self._extent.x_range, self._extent.y_range
        edge = "" if left <= x <= right and bottom <= y <= top else words.EDGE
        neighbours = "; ".join(
            words.NEIGHBOUR.format(
                index=i, name=self._names[int(self._near_labels[i])], distance=f"{distances[i]:.2f}"
            )
            for i in nearest
        )
        here, near, back = words.NUMBERS
        lines = [
            here.format(
                way=f"{self.way.value:.0%}", a=a, b=self._called(self.end.value), x=f"{x:.2f}", y=f"{y:.2f}",
                edge=edge, length=f"{np.linalg.norm(self.code):.2f}", prior=f"{np.sqrt(len(self.code)):.1f}",
            ),
            near.format(kind=self._near_name, neighbours=neighbours),
            back.format(
                first=f"{_rmse(panels[1], panels[0]):.3f}", near=f"{_rmse(panels[1], panels[3]):.3f}"
            ),
        ]  # fmt: skip
        if self._images is None:
            lines.append("No images at hand: panels called “rebuilt” are the model's own reconstructions of "
                         "stored codes. Load the data set to see the images.")  # fmt: skip
        return "\n".join(lines)

    def _called(self, index: int) -> str:
        return words.CALLED.format(index=index, name=self._name(index))

    def _name_panels(self) -> None:
        kind = "image" if self._images is not None else "rebuilt image"
        near = self._near_name if self._near_images is not None else f"rebuilt {self._near_name}"
        first, code, last, nearest, *others = words.PANELS
        first = first.format(kind=kind, index=self.start.value) if self._own is None else words.OWN
        last = last.format(kind=kind, index=self.end.value)
        self.picture.captions = [first, code, last, nearest.format(kind=near), *others]

    def _on_plane(self, change) -> None:
        if self.plane.value == "pca":
            self.show_components()
        else:
            self.show_dimensions(*self.order()[:2])
        self.refresh()

    def _on_upload(self, change) -> None:
        """Fit, encode and place the reader's picture; warn where the model does not know its like."""
        if self.upload.count == 0:
            return
        try:
            own = self.upload.picture(self.channels, self.size, self.fit.value)
        except PictureError as error:
            self.notice.say(str(error), alert=True)
            return
        with one_thread():
            error = float(reconstruction_errors(self._model, own[None])[0])
            self._own, self._own_code = own, encode_all(self._mu, own[None])[0]
        said = words.REBUILT.format(error=f"{error:.3f}")
        if self._threshold is None:
            self.notice.say(words.UNKNOWN.format(said=said))
        else:
            sentence = words.USUAL if error <= self._threshold else words.UNUSUAL
            text = sentence.format(said=said, threshold=f"{self._threshold:.3f}")
            self.notice.say(text, alert=error > self._threshold)
        with self.hold():
            self.way.value = 0
        self._name_panels()
        self.go_to(self._own_code)

    def _mu(self, x: torch.Tensor) -> torch.Tensor:
        return self._model.encode(x)[0]

    @torch.inference_mode()
    def _decoded(self, codes: np.ndarray) -> np.ndarray:
        return self._decode(torch.from_numpy(codes)).numpy()  # (B, latent_dim) -> (B, C, H, W)

    def _arranged(self) -> tuple[widgets.Widget, ...]:
        self._name_panels()
        left = widgets.VBox([self.plane, self.map, self.legend()], layout={"width": "360px"})
        self.plane.layout.width, self.plane.style.description_width = "340px", "40px"
        right = widgets.VBox([self.picture, self.start, self.end, self.way], layout=BESIDE)
        own = widgets.HBox([self.upload, self.fit], layout={"flex_flow": "row wrap"})
        return (widgets.HBox([left, right], layout={"flex_flow": "row wrap"}), own, self.notice, self.sliders)


def _rmse(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a.astype(np.float32) - b) ** 2)) / 255)
