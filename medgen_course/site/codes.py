"""The map of an autoencoder's codes on a page: what lies between the images."""

import torch

from medgen_course import datasets, pretrained
from medgen_course.explorers import latent_words as words
from medgen_course.explorers.latent import LatentExplorer
from medgen_course.explorers.parts.base import APART, panel_scale
from medgen_course.site.chest import chest
from medgen_course.site.controls import described
from medgen_course.site.data_browser import cited
from medgen_course.site.export import to_onnx
from medgen_course.site.latent import Decoder
from medgen_course.site.live import Live
from medgen_course.site.walk import known, plane

SHOWN = 500  # training images that the page has; the notebook has more


def explorer() -> tuple[LatentExplorer, datasets.Dataset, torch.nn.Module]:
    """The explorer of notebook 01 on fewer images, its data, and the network."""
    data = chest()
    model, some = pretrained.load_autoencoder(data.name), data.train.images[:SHOWN]
    labels = data.train.labels[:SHOWN].reshape(len(some))
    return LatentExplorer(model.encode, model.decode, some, labels, list(data.label_names)), data, model


def build() -> Live:
    """The explorer, codes of its images and the decoder."""
    shown, data, model = explorer()
    about = known(shown) | {
        "controls": described(image=shown.index, reset=shown.reset, average=shown.average),
        "planes": [plane(shown)], "images": shown._images.ravel(), "mean": shown._mean,
        "shape": [data.channels, data.size, data.size], "scale": panel_scale(data.size),
        "words": {"codes": words.CODES, "captions": words.CAPTIONS, "apart": APART},
        "some": f"The first {SHOWN} images of the training split; {cited(data)}.",
    }  # fmt: skip
    models = {"decoder": to_onnx(Decoder(model).eval(), {"z": torch.zeros(2, about["latents"])}, ["images"])}
    sentence = "Every dot is an image. Click, drag or move a slider: the decoder answers everywhere."
    return Live("codes", "The map of the codes", sentence, models, about, "An autoencoder of notebook 01.")
