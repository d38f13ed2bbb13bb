"""The walk through a generator's noise on a page: the GAN of notebook 03, and the classifier beside it."""

from typing import Any

import torch
from torch import Tensor, nn

from medgen_course import datasets, pretrained
from medgen_course.datasets import Dataset
from medgen_course.explorers import generator as view
from medgen_course.explorers.generator import GeneratorExplorer
from medgen_course.explorers.parts.base import panel_scale
from medgen_course.models.classifier import Classifier
from medgen_course.models.gan import Generator
from medgen_course.site.charts import png
from medgen_course.site.chest import chest
from medgen_course.site.controls import described
from medgen_course.site.export import to_onnx
from medgen_course.site.live import Live


class Drawing(nn.Module):
    """Noise (B, latent_dim) and classes as floats (B,) to images (B, C, H, W) in [0, 1]."""

    def __init__(self, generator: Generator):
        super().__init__()
        self.generator = generator

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """See the class."""
        return self.generator.sample(z, label.long())


class Judging(nn.Module):
    """Images (B, C, H, W) in [0, 1] to the shares of the classes, (B, num_classes)."""

    def __init__(self, classifier: Classifier):
        super().__init__()
        self.classifier = classifier

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        return self.classifier(image).softmax(1)


def shelf() -> Dataset:
    """The data whose models are shown, as notebook 03 chooses them."""
    data = chest()
    return data if pretrained.fits(data, "gan") else datasets.load("phantom")


def explorer() -> GeneratorExplorer:
    """The explorer of notebook 03, as it stands there."""
    data = shelf()
    generator, _ = pretrained.load_gan(data.name)
    return GeneratorExplorer(generator, data.label_names, pretrained.load_classifier(data.name))


def build() -> Live:
    """The explorer, its two networks and its maps."""
    shown, trained_on = explorer(), shelf()
    generator, names, classifier = shown._generator, trained_on.label_names, shown._classifier
    size, channels = generator.config["size"], generator.config["channels"]
    z, image = torch.zeros(2, generator.latent_dim), torch.zeros(2, channels, size, size)
    models = {
        "generator": to_onnx(Drawing(generator).eval(), {"z": z, "label": torch.zeros(2)}, ["image"]),
        "classifier": to_onnx(Judging(classifier).eval(), {"image": image}, ["share"]),
    }
    controls = described(**{
        "class": shown.kind, "from": shown.start, "to": shown.end, "way": shown.way,
        "truncation": shown.truncation,
    })  # fmt: skip
    words = {
        "alt": shown.picture.alt, "captions": shown.picture.captions, "says": view.SAYS,
        "map": shown.map.label, "axes": (shown.map.x_label, shown.map.y_label),
    }  # fmt: skip
    data: dict[str, Any] = {
        "size": size, "channels": channels, "scale": panel_scale(size, view.PANEL), "latents": z.shape[1],
        "controls": controls, "words": words, "names": list(names),
        "classes": min(len(names), view.SHOWN_CLASSES),
        "reach": view.REACH, "noise": shown._noise.numpy().ravel(),
        "directions": shown._directions.numpy().ravel(), "maps": _maps(shown),
    }  # fmt: skip
    about = pretrained.card(trained_on.name, "gan")["data"]
    return Live(
        "gan_walk",
        "A walk through noise",
        "Go from one noise to another, along two directions, to another class, and see what a generator "
        "draws on the way.",
        models,
        data,
        f"Generator and classifier of notebook 03, trained on {about['attribution']}.",
    )


def _maps(shown: GeneratorExplorer) -> list[Any]:
    """The map of each class."""
    maps = []
    for kind in range(len(shown.kind.options)):
        shown.kind.index = kind
        maps.append(png(shown.backdrop))
    return maps
