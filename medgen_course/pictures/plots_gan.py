"""Figures of notebook 03: points of a game in the plane, and the objectives over what D says."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import torch
from torch import Tensor

from medgen_course.models.gan_objectives import Objective
from medgen_course.pictures import plots
from medgen_course.pictures.style import STYLE, Figure


def points(panels: Mapping[str, Tensor], real: Tensor, title: str = "", reach: float = 3.0) -> Figure:
    """Clouds of generated points over those of the data, side by side.

    Args:
        panels: name to points (N, 2).
        real: points of the data, (M, 2), drawn in grey behind each panel.
        title: states the finding.
        reach: both axes run from -reach to reach.
    """
    figure = Figure(1.9 * len(panels) + 0.2, 2.6 if title else 2.3)
    with matplotlib.rc_context(STYLE):
        for i, (name, cloud) in enumerate(panels.items()):
            axes = figure.add_subplot(1, len(panels), i + 1)
            axes.scatter(*real.numpy().T, s=1, color="#bbbbbb", rasterized=True)
            axes.scatter(*cloud.numpy().T, s=1, color=plots.PALETTE[1], rasterized=True)
            axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
            axes.set_title(name, fontsize=10)
        if title:
            figure.suptitle(title, x=0.01, ha="left")
    return figure


def generator_losses(objectives: Mapping[str, Objective], title: str = "") -> Figure:
    """Generator's loss, and how steep it is, over D = sigmoid(logit); the slopes come from autograd.

    Args:
        objectives: name to objective; only those that speak of probabilities make sense here.
        title: states the finding, or what is shown.
    """
    probability = np.linspace(0.002, 0.998, 400)
    logit = torch.from_numpy(np.log(probability / (1 - probability)))
    figure = Figure(8.4, 3.4)
    with matplotlib.rc_context(STYLE):
        left, right = figure.subplots(1, 2)
        for i, (name, objective) in enumerate(objectives.items()):
            values, slopes = losses_and_slopes(objective, logit)
            left.plot(probability, values, color=plots.PALETTE[i], label=name)
            right.plot(probability, np.abs(slopes), color=plots.PALETTE[i], label=name)
        left.set(xlabel="D(G(z))", ylabel="generator's loss", ylim=(-6, 6))
        right.set(xlabel="D(G(z))", ylabel="|slope| by the logit")
        left.legend(frameon=False)
        if title:
            figure.suptitle(title, x=0.01, ha="left")
    return figure


def flight(
    runs: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]], title: str = ""
) -> Figure:
    """Curves of several runs over the share of each run, one panel for each curve, one colour for each run.

    Args:
        runs: name of a run to its curves: a name, which stands above its panel, to shares of the run in
            [0, 1] and values there. Curves that reach below -1 get an axis that is logarithmic beyond ±1.
        title: says what is shown.
    """
    names = list(next(iter(runs.values())))
    figure = Figure(3.2 * len(names), 3.6)
    with matplotlib.rc_context(STYLE):
        for axes, name in zip(figure.subplots(1, len(names)), names, strict=True):
            drawn = [
                axes.plot(*curves[name], color=plots.PALETTE[i])[0] for i, curves in enumerate(runs.values())
            ]
            if min(min(curves[name][1]) for curves in runs.values()) < -1:
                axes.set_yscale("symlog", linthresh=1)
                axes.yaxis.set_major_formatter("{x:g}")
            axes.set(xlabel="share of the run", xticks=[0, 0.5, 1])
            axes.set_title(name, fontsize=11)
        figure.legend(drawn, list(runs), ncols=len(runs), loc="outside lower center", frameon=False)
        if title:
            figure.suptitle(title, x=0.01, ha="left")
    return figure


def losses_and_slopes(
    objective: Objective, logits: Tensor | Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """The generator's loss for each logit by itself, and its derivative by that logit; (N,) each."""
    each = torch.as_tensor(logits).detach().clone().requires_grad_(True)
    losses = torch.stack([objective.generator(value[None]) for value in each])
    (slopes,) = torch.autograd.grad(losses.sum(), each)
    return losses.detach().numpy(), slopes.numpy()
