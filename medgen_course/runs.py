"""Train into a run folder, and load what lies in one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from medgen_course import datasets
from medgen_course.checkpoints import RunError, RunFolder
from medgen_course.datasets import Dataset
from medgen_course.history import History
from medgen_course.models.algorithm import Algorithm
from medgen_course.models.autoencoder import Autoencoder, AutoencoderAlgorithm, LinearAutoencoder
from medgen_course.models.gan import Generator
from medgen_course.models.vae import VAE, VAEAlgorithm
from medgen_course.sampling import Sampler
from medgen_course.training import Epochs, fit

# kind in config.json -> the class, and the name of its network in model.safetensors
KINDS = {
    "autoencoder": (Autoencoder, "autoencoder"),
    "linear_autoencoder": (LinearAutoencoder, "autoencoder"),
    "vae": (VAE, "vae"),
    "gan": (Generator, "generator_ema"),
}
TRANSLATING = ("cyclegan", "pix2pix")  # kinds of two networks or two domains; see runs_translation.py


@dataclass
class Plan:
    """What is to be trained on which batches, with what `config.json` tells of it beside the usual."""

    algorithm: Algorithm
    sampler: Epochs
    settings: dict[str, Any] = field(default_factory=dict)
    callback: Callable[[int, dict[str, Tensor]], None] | None = None


def train_autoencoder(
    dataset: str,
    out: Path,
    num_epochs: int = 10,
    seed: int = 0,
    latent_dim: int = 16,
    size: int = 28,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    device: str = "auto",
    precision: str = "auto",
    devices: int = 1,
    resume: bool = False,
) -> History:
    """Train a convolutional autoencoder into a run folder.

    Args:
        dataset: a MedMNIST name, "phantom", or the path of your own .npz.
        out: the run folder; made if it is not there.
        num_epochs: epochs in all; with resume, those already done count.
        seed: of the first weights, the order of the images and all noise.
        latent_dim: length of the code.
        size: side of the images in pixels (28, 64, 128, 224); an own file keeps its own.
        batch_size: images in a batch, in each process.
        learning_rate: Adam's step size.
        device: auto, cpu, cuda or mps.
        precision: auto, float32 or bfloat16.
        devices: processes on this machine; several machines run under torchrun.
        resume: go on with the run in the folder; without it an existing run is left alone.
    Returns:
        The history.
    Raises:
        ValueError: a setting is out of range, or the folder holds another run (RunError).
        DatasetError, DatasetUnavailable: see `datasets.load`.
    """

    def plan(data: Dataset) -> Plan:
        model = Autoencoder(data.channels, data.size, latent_dim)
        return Plan(AutoencoderAlgorithm(model, learning_rate), Sampler(data.train, batch_size))

    return train_into(
        plan,
        dataset,
        out,
        num_epochs=num_epochs,
        seed=seed,
        size=size,
        batch_size=batch_size,
        learning_rate=learning_rate,
        device=device,
        precision=precision,
        devices=devices,
        resume=resume,
    )


def train_vae(
    dataset: str,
    out: Path,
    beta: float = 1.0,
    likelihood: str = "gaussian",
    num_epochs: int = 20,
    seed: int = 0,
    latent_dim: int = 16,
    size: int = 28,
    batch_size: int = 128,
    learning_rate: float = 3e-3,
    device: str = "auto",
    precision: str = "auto",
    devices: int = 1,
    resume: bool = False,
) -> History:
    """Train a convolutional variational autoencoder into a run folder, at a constant step size.

    Args:
        dataset: a MedMNIST name, "phantom", or the path of your own .npz.
        beta: weight of the KL alone; 1 is the ELBO, in nats per image for any image size.
        likelihood: gaussian (with the optimal sigma) or bernoulli (no true likelihood for grey levels).
        out: the run folder; made if it is not there.
        num_epochs: epochs in all; with resume, those already done count.
        seed: of the first weights, the order of the images and all noise.
        latent_dim: length of the code.
        size: side of the images in pixels (28, 64, 128, 224); an own file keeps its own.
        batch_size: images in a batch, in each process.
        learning_rate: Adam's step size.
        device: auto, cpu, cuda or mps.
        precision: auto, float32 or bfloat16.
        devices: processes on this machine; several machines run under torchrun.
        resume: go on with the run in the folder; without it an existing run is left alone.
    Returns:
        The history.
    Raises:
        ValueError: a setting is out of range, or the folder holds another run (RunError).
        DatasetError, DatasetUnavailable: see `datasets.load`.
    """

    def plan(data: Dataset) -> Plan:
        model = VAE(data.channels, data.size, latent_dim, likelihood=likelihood)
        algorithm = VAEAlgorithm(model, beta, learning_rate=learning_rate)
        return Plan(algorithm, Sampler(data.train, batch_size), {"beta": beta})

    return train_into(
        plan,
        dataset,
        out,
        num_epochs=num_epochs,
        seed=seed,
        size=size,
        batch_size=batch_size,
        learning_rate=learning_rate,
        device=device,
        precision=precision,
        devices=devices,
        resume=resume,
    )


def train_into(
    plan: Callable[[Dataset], Plan],
    dataset: str,
    out: Path,
    *,
    num_epochs: int,
    seed: int,
    size: int,
    batch_size: int,
    learning_rate: float,
    device: str,
    precision: str,
    devices: int,
    resume: bool,
) -> History:
    """What every `train_...` does: check, load the images, build from the seed, fit.

    Args:
        plan: from the images to what is trained; it runs with the global random state seeded.
        dataset, out, and the rest: as in `train_autoencoder`.
    Raises:
        ValueError: a setting is out of range, or the folder holds another run (RunError).
    """
    if not learning_rate > 0:
        raise ValueError(f"learning_rate is {learning_rate}; give a step size above 0.")
    if out.exists() and not out.is_dir():
        raise RunError(f"{out} is a file; choose a folder for the run.")
    if (out / "config.json").exists() and not resume:
        raise RunError(f"{out} holds a run already. Go on with it (--resume), or choose another folder.")
    data = datasets.load(dataset, size=size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = plan(data)
    name = str(Path(dataset).resolve()) if Path(dataset).is_file() else dataset
    config = {"dataset": name, "batch_size": batch_size, "learning_rate": learning_rate, **made.settings}
    return fit(
        made.algorithm,
        made.sampler,
        num_epochs,
        seed,
        device,
        precision,
        devices,
        made.callback,
        out,
        resume,
        config,
    )


def load_run(folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """The trained model of a run folder, in evaluation mode on the CPU, and its `config.json`.

    Raises:
        RunNotFound, RunError: there is no run, or it cannot be used.
    """
    run = RunFolder(folder)
    config = run.load_config()
    settings = dict(config.get("model", {}))
    kind = settings.pop("kind", None)
    if kind in TRANSLATING:
        raise RunError(f"{folder} holds a {kind}, which draws nothing: hand it images, medgen translate.")
    if kind not in KINDS:
        raise RunError(f"{folder}/config.json: the model is {kind!r}; known are {', '.join(KINDS)}.")
    make, network = KINDS[kind]
    model = make(**settings)
    run.load_model({network: model})
    return model.eval(), config
