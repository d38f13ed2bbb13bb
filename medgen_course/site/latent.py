"""The latent map of a VAE on a page: walk between images, and place a picture of one's own.

The neighbours are validation images, as in a notebook without training images: those are too many for a page.
"""

import numpy as np
import torch
from torch import Tensor, nn

from medgen_course import datasets, pretrained
from medgen_course.explorers import latent_words as words
from medgen_course.explorers.parts.base import panel_scale
from medgen_course.explorers.vae_latent import VAELatentExplorer, reconstruction_errors
from medgen_course.models.vae import VAE
from medgen_course.pretrained import Codes
from medgen_course.site.chest import chest
from medgen_course.site.controls import described
from medgen_course.site.data_browser import cited
from medgen_course.site.export import to_onnx
from medgen_course.site.live import Live
from medgen_course.site.walk import known, plane

BETA, SHOWN = 1.0, 524  # as in notebook 02; validation images that the page has
PANEL = 112  # width of a picture, screen pixels


class Encoder(nn.Module):
    """Images (B, C, H, W) to posterior means (B, latent_dim)."""

    def __init__(self, model: VAE):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.model.encode(x)[0]


class Decoder(nn.Module):
    """Codes (B, latent_dim) to images (B, C, H, W) in [0, 1]."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, z: Tensor) -> Tensor:
        """See the class."""
        return self.model.decode(z)


def explorer() -> tuple[VAELatentExplorer, datasets.Dataset, VAE]:
    """The explorer of notebook 02 without training images, its data, and the network."""
    data = chest()
    model, codes = pretrained.load_vaes(data.name)[BETA], pretrained.load_codes(data.name)[BETA]
    some = slice(SHOWN)
    part = Codes(codes.mu[some], codes.logvar[some], codes.labels[some])
    limit = float(np.percentile(reconstruction_errors(model, data.val.images), 99))
    labels = part.labels.numpy()
    shown = VAELatentExplorer(
        model, data.val.images[some], labels, list(data.label_names), part, error_threshold=limit
    )
    shown.start.value, shown.end.value = (int(np.flatnonzero(labels == label)[0]) for label in (0, 1))
    return shown, data, model


def build() -> Live:
    """The explorer, the codes of the images and both halves of the network."""
    shown, data, model = explorer()
    about = known(shown)
    planes = []
    for option in ("pca", "kl"):
        shown.plane.value = option
        planes.append(plane(shown))
    shown.plane.value = "pca"
    sentences = ("NUMBERS", "EDGE", "CALLED", "NEIGHBOUR", "OWN", "PANELS", "REBUILT", "USUAL", "UNUSUAL")
    about |= {
        "controls": described(plane=shown.plane, start=shown.start, end=shown.end, way=shown.way,
                              fit=shown.fit),
        "planes": planes, "images": shown._images.ravel(), "shape": [data.channels, data.size, data.size],
        "scale": panel_scale(data.size, PANEL), "threshold": shown._threshold, "upload": shown.upload.label,
        "kind": shown._near_name, "words": {name.lower(): getattr(words, name) for name in sentences},
        "some": f"{len(shown._images)} images of the validation split; {cited(data)}.",
    }  # fmt: skip
    models = {
        "encoder": to_onnx(
            Encoder(model).eval(), {"x": torch.zeros(2, data.channels, data.size, data.size)}, ["mu"]
        ),
        "decoder": to_onnx(Decoder(model).eval(), {"z": torch.zeros(2, about["latents"])}, ["images"]),
    }
    return Live(
        "latent",
        "A walk through latent space",
        "Every dot is an image. Click, drag, go from one image to another, or place a picture of your own.",
        models,
        about,
        f"A VAE trained at β = {BETA:g}.",
    )
