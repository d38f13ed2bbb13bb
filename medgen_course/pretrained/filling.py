"""Tensors of the shelf, and networks that take them over."""

from typing import Any

import torch
from torch import Tensor, nn

from medgen_course.pretrained.places import card, path, there
from medgen_course.training.checkpoints import load_tensors


def read(dataset: str, model: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and card of a model; raises RunNotFound."""
    tensors, _ = load_tensors(there(path(dataset, model), dataset))
    return tensors, card(dataset, model)


def fill(model: nn.Module, tensors: dict[str, Tensor], name: str) -> Any:
    """The network itself, with the tensors below `name/` in single precision, for evaluation."""
    own = {
        key.removeprefix(f"{name}/"): t if t.dtype == torch.int64 else t.float()
        for key, t in tensors.items()
        if key.startswith(f"{name}/")
    }
    model.load_state_dict(own)
    return model.eval().requires_grad_(False)
