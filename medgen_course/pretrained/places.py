"""Where weights of the course rest: `data/pretrained/DATASET/MODEL.safetensors`, a card beside each."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from medgen_course import home
from medgen_course.datasets import Dataset
from medgen_course.files import write_json
from medgen_course.training.checkpoints import RunNotFound, read_json, save_tensors


def shelf() -> Path:
    """The folder of all that was trained for the course: a folder for each data set, tables of others."""
    return home.shipped("data/pretrained")


def path(dataset: str, model: str) -> Path:
    """Where the weights of a model on a data set rest."""
    return shelf() / dataset / f"{model}.safetensors"


def card(dataset: str, model: str) -> dict[str, Any]:
    """The card of a model: data, licence, attribution, recipe, test figures. Raises RunNotFound."""
    return read_json(there(path(dataset, model).with_suffix(".json"), dataset))


def fits(data: Dataset, model: str) -> bool:
    """Whether weights of a model are shipped for just these images.

    Args:
        data: an official file (its checksum was compared) or the phantom; never an own file, whatever it is
            called, because its name says nothing about what it holds.
        model: such as "vae"; of a translator, domain A counts.
    """
    if data.source.startswith("own file") or not path(data.name, model).is_file():
        return False
    settings = card(data.name, model)["model"]
    channels = settings.get("channels", settings.get("in_channels"))
    return (channels, settings["size"]) == (data.channels, data.size)


def save(
    dataset: str, model: str, networks: dict[str, nn.Module], card: dict[str, Any], extra: dict[str, Tensor]
) -> None:
    """Store networks in half precision, buffers and `extra` (codes) beside them, and the card."""
    tensors = dict(extra)
    for name, network in networks.items():
        buffers = {key for key, _ in network.named_buffers()}
        for key, value in network.state_dict().items():
            tensors[f"{name}/{key}"] = value if key in buffers else value.half()
    target = path(dataset, model)
    save_tensors(target, tensors)
    write_json(target.with_suffix(".json"), card)


def half(model: nn.Module) -> nn.Module:
    """Round the weights in place to what half precision keeps: figures of a card are those of its weights."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())
    return model


def there(file: Path, dataset: str) -> Path:
    """The file, if it is there; raises RunNotFound."""
    if not file.is_file():
        raise RunNotFound(
            f"{file}: nothing pretrained is there for {dataset!r}. The course has it for pneumoniamnist "
            "and phantom; for other images train your own: `medgen train --help`."
        )
    return file
