"""The smallest kind of model that there can be: it remembers the mean training image."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from medgen_course.batches import Sampler, to_uint8
from medgen_course.metrics import bootstrap_interval
from medgen_course.models.algorithm import Algorithm
from medgen_course.runs.reconstruction import check_fit, measure
from medgen_course.runs.train import Plan, Settings, train_into
from medgen_course.training import History

SETTINGS = Settings(num_epochs=2, batch_size=8, learning_rate=0.5)
SHOWN = {"mse": "error"}
LEGEND = "the tiny kind knows one figure: {mse[value]:.3f}"


class Mean(nn.Module):
    """One image, for everybody."""

    def __init__(self, channels: int, size: int):
        super().__init__()
        self.config = {"kind": "tiny", "channels": channels, "size": size}
        self.image = nn.Parameter(torch.zeros(channels, size, size))

    def forward(self, x):
        return self.image.expand_as(x)


class MeanAlgorithm(Algorithm):
    def __init__(self, model: Mean, learning_rate: float):
        self.networks = {"mean": model}
        self.optimizers = {"mean": torch.optim.SGD(model.parameters(), learning_rate)}
        self.config = model.config

    def step(self, batch, backward):
        model, optimizer = self.networks["mean"], self.optimizers["mean"]
        loss = (model(batch["x"]) - batch["x"]).square().flatten(1).sum(1).mean() / 2
        optimizer.zero_grad()
        backward(loss)
        optimizer.step()
        return {"loss": loss.detach()}


def train(dataset: str, out: Path, brightness: float = 1.0, **settings: Any) -> History:
    """Remember the mean training image.

    Args:
        dataset, out, settings: see `Settings`.
        brightness: of the tiny kind alone.
    """

    def plan(data, chosen):
        model = Mean(data.channels, data.size)
        algorithm = MeanAlgorithm(model, chosen.learning_rate)
        return Plan(algorithm, Sampler(data.train, chosen.batch_size), {"brightness": brightness})

    return train_into(out, dataset, plan, SETTINGS, **settings)


def load(run, config):
    model = Mean(**config["model"])
    run.load_model({"mean": model})
    return model.eval()


def evaluate(model, config, data, device="auto", **_):
    check_fit(config, data)
    found = measure(model, data, torch.device("cpu"))["mse"]
    return {"mse": bootstrap_interval(found) | {"best": 0.0}}


def sample(model, config, n, seed=0, label=None):
    image = to_uint8(model.image[None] * config["brightness"])
    return np.repeat(image.numpy(), n, axis=0), None
