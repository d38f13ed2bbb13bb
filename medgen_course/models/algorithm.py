"""What every algorithm remembers: its networks and its optimisers."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn, optim

Backward = Callable[[Tensor], None]
Batch = dict[str, Tensor]


class Algorithm:
    """Networks, optimisers and one update step.

    A subclass fills the two dictionaries and writes `step`. One that remembers more (an average of the
    weights, a schedule, a pool of images) adds it to both state methods, so that training can stop and
    go on as if it had never stopped.

    Attributes:
        networks: everything with weights, by name; `training.fit` moves them to the device.
        optimizers: by name.
        config: what rebuilds the model, JSON values only; stored beside the weights.
        memory_format: how `training.fit` lays out the weights, and with them all that flows through.
    """

    networks: dict[str, nn.Module]
    optimizers: dict[str, optim.Optimizer]
    config: dict[str, Any]
    memory_format: torch.memory_format = torch.channels_last  # convolutions like it

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """One update on one batch.

        Args:
            batch: `x` (B, C, H, W) in [0, 1] and `label`, or whatever the sampler yields.
            backward: call it in place of `loss.backward()`; it also averages over processes.
        Returns:
            Named scalars to be logged, detached.
        """
        raise NotImplementedError(f"{type(self).__name__} must write step(batch, backward)")

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on: tensors and plain values, nested as they come."""
        return {
            "networks": {name: network.state_dict() for name, network in self.networks.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state made by `state_dict` of an algorithm built with the same arguments."""
        for name, network in self.networks.items():
            network.load_state_dict(state["networks"][name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])


class CountingAlgorithm(Algorithm):
    """An algorithm that remembers how many updates it has made, because something depends on it.

    Attributes:
        steps: updates so far; `step` adds to it.
    """

    steps: int = 0

    def state_dict(self) -> dict[str, Any]:
        """Adds the number of steps."""
        return {**super().state_dict(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over the number of steps too."""
        super().load_state_dict(state)
        self.steps = state["steps"]


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, ema: float, step: int) -> None:
    """Move averaged weights, and running statistics, towards a network's.

    Args:
        average, network: two of the same kind.
        ema: share of the average that is kept, in [0, 1).
        step: the network's updates so far, >= 1. The share rises from 0.1 to `ema`, so that the first weights
            are soon forgotten.
    """
    mean, now = (
        [t for t in (*n.parameters(), *n.buffers()) if t.is_floating_point()] for n in (average, network)
    )
    torch._foreach_lerp_(mean, now, 1 - min(ema, step / (step + 9)))


def cosine_decay(optimizer: optim.Optimizer, learning_rate: float, step: int, num_steps: int) -> None:
    """Let the step size fall from `learning_rate` to zero over `num_steps`; 0 steps keep it constant.

    Source: Loshchilov & Hutter 2017, equation 5, without restarts.
    """
    share = min(1.0, step / num_steps) if num_steps else 0.0
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * 0.5 * (1 + math.cos(math.pi * share))
