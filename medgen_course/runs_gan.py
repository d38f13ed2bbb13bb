"""Train a GAN into a run folder: the networks, what labels need to be drawn, and the flight recording."""

from pathlib import Path
from typing import Literal

import numpy as np

from medgen_course.datasets import Dataset
from medgen_course.history import History
from medgen_course.models.diff_augment import diff_augment
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.models.gan_objectives import OBJECTIVES
from medgen_course.recorder import Recorder, spaced_moments
from medgen_course.runs import Plan, train_into
from medgen_course.sampling import Sampler

RECORDED = 256  # validation images that the discriminator judges at every recorded moment


def train_gan(
    dataset: str,
    out: Path,
    objective: Literal[tuple(OBJECTIVES)] = "non_saturating",
    conditional: bool = False,
    augment: bool = False,
    num_epochs: int = 60,
    seed: int = 0,
    latent_dim: int = 64,
    size: int = 28,
    batch_size: int = 64,
    learning_rate: float = 2e-4,
    device: str = "auto",
    precision: str = "auto",
    devices: int = 1,
    resume: bool = False,
) -> History:
    """Train a DCGAN-style generator and discriminator into a run folder.

    Args:
        dataset: a MedMNIST name, "phantom", or the path of your own .npz.
        out: the run folder; made if it is not there. Beside the weights it gets recording.safetensors.
        objective: the game that is played; see models/gan_objectives.py.
        conditional: give both players the class of the image, so that a class can be asked for.
        augment: differentiable augmentation, for a few hundred images (Zhao et al. 2020).
        num_epochs: epochs in all; with resume, those already done count.
        seed: of the first weights, the order of the images and all noise.
        latent_dim: length of the noise.
        size: side of the images in pixels (28, 64, 128); an own file keeps its own.
        batch_size: images in a batch, in each process.
        learning_rate: Adam's step size, for both players.
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
        classes = class_counts(data) if conditional else []
        algorithm = GANAlgorithm(
            Generator(data.channels, data.size, latent_dim, len(classes)),
            Discriminator(
                data.channels, data.size, len(classes), spectral_norm=OBJECTIVES[objective].spectral_norm
            ),
            objective,
            learning_rate,
            augment=diff_augment if augment else None,
        )
        sampler = Sampler(data.train, batch_size)
        about = {"title": out.name, "objective": objective, "steps_per_epoch": len(sampler)}
        moments, count = spaced_moments(num_epochs * len(sampler)), min(RECORDED, len(data.val))
        val = (data.val.images[:count], data.val.labels[:count])
        recorder = Recorder(algorithm, *val, moments, about, path=out / "recording.safetensors")
        settings = {"objective": objective, "augment": augment, "class_counts": classes}
        return Plan(algorithm, sampler, settings, recorder)

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


def class_counts(data: Dataset) -> list[int]:
    """Training images of each class.

    Raises:
        ValueError: the data set has several labels for an image, so none of them is its class.
    """
    if data.train.labels.ndim != 1:
        raise ValueError(
            f"{data.name} has {data.train.labels.shape[1]} labels for each image and no single class: "
            "train without --conditional."
        )
    return np.bincount(data.train.labels, minlength=len(data.label_names)).tolist()
