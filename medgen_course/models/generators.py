"""Generators of translators by their configuration."""

from typing import Any

from torch import nn

from medgen_course.models.cyclegan_networks import ResNetGenerator
from medgen_course.models.local_enhancer import LocalEnhancer
from medgen_course.models.pix2pix import UNetGenerator

KINDS = {"resnet_generator": ResNetGenerator, "unet_generator": UNetGenerator}


def build(config: dict[str, Any]) -> nn.Module:
    """The generator, with new weights, that has this `config`."""
    settings = {name: value for name, value in config.items() if name != "kind"}
    if config["kind"] == "local_enhancer":
        return LocalEnhancer(build(settings["coarse"]), settings["width"], settings["layers"])
    return KINDS[config["kind"]](**settings)


def turned(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of the generator for the way back."""
    back = {"in_channels": config["out_channels"], "out_channels": config["in_channels"]}
    coarse = {"coarse": turned(config["coarse"])} if "coarse" in config else {}
    return config | back | coarse
