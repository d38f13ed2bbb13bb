"""`fit`: what is the same for every algorithm. Notebook 01 writes this loop out by hand once.

Device, precision and processes are Lightning Fabric's; progress, history, saving, resuming, the stop on
NaN and the clean return on an interrupt are here. Every epoch starts from a seed of its own, derived from
the run's seed, so a resumed run needs no memory of random states to repeat what would have come.
"""

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from medgen_course.batches.checks import check_seed
from medgen_course.batches.sampling import derive_seed
from medgen_course.models.algorithm import Algorithm
from medgen_course.training.checkpoints import RunError, RunFolder
from medgen_course.training.devices import make_fabric, resolved
from medgen_course.training.history import History

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class TrainingDiverged(ValueError):
    """A loss became NaN or infinite; the message names the step, the loss and what to try."""


class Epochs(Protocol):
    """What `fit` draws batches from; `sampling.Sampler` is one."""

    def batches(self, world_size: int) -> int:
        """Batches in an epoch of each process."""

    def epoch(self, epoch: int, seed: int, device: torch.device, rank: int, world_size: int) -> Any:
        """Batches of one epoch, dictionaries of tensors on `device`."""


def fit(
    algorithm: Algorithm,
    sampler: Epochs,
    num_epochs: int,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    devices: int = 1,
    callback: Callable[[int, dict[str, Tensor]], None] | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    config: dict[str, Any] | None = None,
    progress: bool = True,
) -> History:
    """Train.

    Args:
        algorithm: networks, optimisers and `step`.
        sampler: yields batches as dictionaries.
        num_epochs: epochs in all, those of an earlier part of the run counted in.
        seed: of the order of the images and of all noise; the caller's random state is left as it was.
        device, precision, devices: see `make_fabric`.
        callback: called after every step with the number of the step (from 1) and the logged scalars.
        out: a run folder, written after every epoch; None keeps everything in memory.
        resume: go on from what `out` holds.
        config: stored in `out`; on resuming it must be what it was.
        progress: print a line at about ten moments of the run.
    Returns:
        The history; `interrupted` is set when the run was stopped by hand. The networks hold what was
        learnt so far, in evaluation mode, on the device that they came from.
    Raises:
        TrainingDiverged: a logged value is NaN or infinite.
        RunError: `out` holds another run, or holds one and `resume` is not set.
        ValueError: an argument is out of range.
    """
    check_seed(seed)
    if num_epochs < 0:
        raise ValueError(f"num_epochs is {num_epochs}; give a number of epochs, 0 or more.")
    if resume and out is None:
        raise ValueError("resume=True needs out=, the run folder to go on from.")
    fabric = make_fabric(device, precision, devices)
    fabric.launch()
    folder = RunFolder(out) if out is not None else None
    homes = {name: next(net.parameters()).device for name, net in algorithm.networks.items()}
    _move(algorithm, dict.fromkeys(homes, fabric.device))
    history = History()
    if folder is not None:
        settings = {
            **(config or {}),
            "model": algorithm.config,
            "seed": seed,
            "precision": resolved(precision, device),
            "processes": fabric.world_size,
        }
        history = _open(folder, algorithm, settings, resume, fabric)
    before = len(history)
    talks = progress and fabric.is_global_zero
    run = _Run(algorithm, sampler, num_epochs, seed, callback, folder, talks, fabric)
    for network in algorithm.networks.values():
        network.train()
    try:
        run.train(history)
    except KeyboardInterrupt:
        history.interrupted = True
        print(f"Interrupted: the networks hold what {len(history)} epochs and the steps since taught them.")
    finally:
        for network in algorithm.networks.values():
            network.eval()
        _move(algorithm, homes)
    stored = len(history) > before and not history.interrupted  # with the last epoch
    if folder is not None and fabric.is_global_zero and not stored:
        folder.save_model(algorithm.networks)
        history.to_csv(folder.path / "history.csv")
    fabric.barrier()
    return history


@dataclass
class _Run:
    """The loop itself, with what stays the same from epoch to epoch."""

    algorithm: Algorithm
    sampler: Epochs
    num_epochs: int
    seed: int
    callback: Callable[[int, dict[str, Tensor]], None] | None
    folder: RunFolder | None
    talks: bool
    fabric: "Fabric"

    def __post_init__(self):
        self.steps = self.sampler.batches(self.fabric.world_size)
        self.parameters = [p for network in self.algorithm.networks.values() for p in network.parameters()]
        self.check_every = 1 if self.fabric.device.type == "cpu" else 50  # reading a loss makes a GPU wait

    def train(self, history: History) -> None:
        started, first = time.perf_counter(), len(history)
        for epoch in range(first, self.num_epochs):
            history.append(self.epoch(epoch))
            if self.fabric.world_size > 1:
                self.share_buffers()
            if self.folder is not None and self.fabric.is_global_zero:
                self.folder.save_resume(
                    {"algorithm": self.algorithm.state_dict(), "history": history.columns}
                )
                self.folder.save_model(self.algorithm.networks)  # so that a killed run can be measured
                history.to_csv(self.folder.path / "history.csv")
            if self.talks:
                self.report(history, (time.perf_counter() - started) / (epoch + 1 - first))

    def epoch(self, epoch: int) -> dict[str, float]:
        fabric, started, images = self.fabric, time.perf_counter(), 0
        total, pending, names = 0.0, [], None
        cuda = [fabric.device] if fabric.device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda):
            torch.manual_seed(derive_seed(self.seed, epoch, 1 + fabric.global_rank))
            batches = self.sampler.epoch(
                epoch, self.seed, fabric.device, fabric.global_rank, fabric.world_size
            )
            for index, batch in enumerate(batches):
                logs = self.step(batch)
                step = epoch * self.steps + index + 1
                names = names or list(logs)
                if logs.keys() != set(names):
                    raise ValueError(
                        f"step {step} logs {', '.join(logs)}; the steps before logged {', '.join(names)}. "
                        "A step must log the same values every time."
                    )
                pending.append(torch.stack([torch.as_tensor(logs[name]).float() for name in names]))
                images += len(next(iter(batch.values())))
                if len(pending) == self.check_every:
                    total, pending = total + self.checked(pending, names, step), []
                if self.callback is not None and fabric.is_global_zero:
                    self.callback(step, logs)
            if epoch + 1 == self.num_epochs:
                self.check_last_update(batch, step)
        if pending:
            total = total + self.checked(pending, names, step)
        seconds = time.perf_counter() - started
        means = (fabric.all_reduce(total) / (index + 1)).tolist()
        rate = images * fabric.world_size / seconds
        losses = dict(zip(names, means, strict=True))
        return {"epoch": epoch + 1, **losses, "seconds": seconds, "images_per_second": rate}

    def step(self, batch: Any) -> dict[str, Tensor]:
        """One update. Autocast keeps its copies of the weights until it ends, so each update has its own."""
        with self.fabric.autocast():
            return self.algorithm.step(batch, self.backward)

    def backward(self, loss: Tensor) -> None:
        """Gradients, averaged over the processes.

        One all-reduce after the backward pass, where DistributedDataParallel has hooks inside it: those
        forbid what adversarial steps do (frozen networks, two passes, gradients of gradients).
        """
        self.fabric.backward(loss)
        if self.fabric.world_size > 1:
            gradients = [p.grad for p in self.parameters if p.grad is not None]
            flat = self.fabric.all_reduce(torch.cat([g.flatten() for g in gradients]))
            for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
                gradient.copy_(mean.view_as(gradient))

    def share_buffers(self) -> None:
        """Running statistics differ between processes; the first one's are kept."""
        for network in self.algorithm.networks.values():
            for buffer in network.buffers():
                buffer.copy_(self.fabric.broadcast(buffer))

    def checked(self, pending: list[Tensor], names: list[str], last: int) -> Tensor:
        """Sum of the pending logs.

        Raises:
            TrainingDiverged: one of them is not finite.
        """
        rows = torch.stack(pending)  # (steps, names)
        bad = (~rows.isfinite()).nonzero()
        if len(bad):
            row, column = bad[0].tolist()
            raise TrainingDiverged(
                f"step {last - len(pending) + 1 + row}: {names[column]} is {rows[row, column].item()}. "
                "Lower the learning rate, look for a logarithm or a division of zero in the loss, and check "
                "that the images lie in [0, 1]. The run folder, if there is one, keeps the last whole epoch."
            )
        return rows.sum(0)

    def check_last_update(self, batch: Any, step: int) -> None:
        """A loss is that of the weights before an update, so nothing has seen the last one yet: try it.

        One more step on the last batch is taken and taken back.

        Raises:
            TrainingDiverged: a loss or a weight is not finite.
        """
        state = copy.deepcopy(self.algorithm.state_dict())
        logs = self.step(batch)
        finite = all(math.isfinite(float(value)) for value in logs.values())
        if not finite or not all(bool(parameter.isfinite().all()) for parameter in self.parameters):
            raise TrainingDiverged(
                f"step {step}: after this last update a loss or a weight is NaN or infinite. Lower the "
                "learning rate. The run folder, if there is one, keeps the last whole epoch."
            )
        self.algorithm.load_state_dict(state)

    def report(self, history: History, seconds: float) -> None:
        """Print a line at the first, the last and about eight epochs between."""
        done = len(history)
        if done in (1, self.num_epochs) or done % max(1, self.num_epochs // 10) == 0:
            hidden = ("epoch", "seconds", "images_per_second")
            losses = "  ".join(
                f"{name} {c[-1]:.4g}" for name, c in history.columns.items() if name not in hidden
            )
            rate, left = history["images_per_second"][-1], seconds * (self.num_epochs - done)
            print(
                f"epoch {done}/{self.num_epochs}  {losses}  {rate:,.0f} images/s  {left:.0f} s left",
                flush=True,
            )


def _move(algorithm: Algorithm, devices: dict[str, torch.device]) -> None:
    """Networks to their devices, in the algorithm's memory format; optimiser states after them."""
    for name, network in algorithm.networks.items():
        network.to(devices[name], memory_format=algorithm.memory_format)
    for optimizer in algorithm.optimizers.values():
        optimizer.load_state_dict(optimizer.state_dict())


def _open(
    folder: RunFolder, algorithm: Algorithm, config: dict[str, Any], resume: bool, fabric: "Fabric"
) -> History:
    """Take up the run in `folder`, or begin one there."""
    config = json.loads(json.dumps(config))  # tuples become lists, as they will in the file
    there = (folder.path / "config.json").exists()
    if there and not resume:
        raise RunError(f"{folder.path}: a run is there already. Go on with resume, or choose another folder.")
    if there:
        found = folder.load_config()
        folder.check_config(found, "resume.safetensors")
        differ = sorted(key for key in found if found[key] != config.get(key))
        if "images" in found and "images" not in differ:
            differ = [key for key in differ if key != "dataset"]  # the same images at another place
        if differ:
            pairs = "; ".join(f"{key} was {found[key]!r} and is {config.get(key)!r}" for key in differ)
            raise RunError(
                f"{folder.path}: another run is there: {pairs}. "
                "Resume with its settings, or choose another folder."
            )
    fabric.barrier()
    state = folder.load_resume() if there else None
    if fabric.is_global_zero and not there:
        folder.save_config(config)
    if state is None:
        return History()
    try:
        algorithm.load_state_dict(state["algorithm"])
        return History(state["history"])
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise RunError(
            f"{folder.path / 'resume.safetensors'}: what it holds does not fit this model ({error!r:.200}). "
            "Resume with the version of the course that wrote it, or train into a new folder."
        ) from error
