"""Generative adversarial networks as run folders, with the flight recording of their training."""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from medgen_course.batches.sampling import Sampler
from medgen_course.datasets import Dataset
from medgen_course.datasets.layout import MAX_CLASSES
from medgen_course.metrics.classification import feature_network
from medgen_course.metrics.fidelity import evaluate_samples, reference
from medgen_course.metrics.trust.attacks import Attack
from medgen_course.metrics.trust.examination import discriminator_attack
from medgen_course.models.diff_augment import diff_augment
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.models.gan_objectives import OBJECTIVES
from medgen_course.models.samples import draw_labels, generate
from medgen_course.runs.progress import Progress
from medgen_course.runs.reconstruction import check_fit
from medgen_course.runs.schema import CHANNELS, LATENT_DIM, SIZE, WIDTH, integer, network
from medgen_course.runs.train import Plan, Settings, train_into
from medgen_course.training import History, RunError, RunFolder
from medgen_course.training.recorder import Recorder, spaced_moments

SETTINGS = Settings(num_epochs=60, batch_size=64, learning_rate=2e-4)
_MODEL = network(
    channels=CHANNELS,
    size=SIZE,
    latent_dim=LATENT_DIM,
    num_classes=integer(0, MAX_CLASSES),
    width=WIDTH,
)  # beside it `grain`, which may be absent
CONFIG = {
    "class_counts": {"type": "array", "items": integer(0, 2**63 - 1)},
    "objective": {"enum": list(OBJECTIVES)},
    "model": _MODEL | {"properties": _MODEL["properties"] | {"grain": {"type": "boolean"}}},
}
SHOWN = {
    "frechet": "Fréchet distance",
    "kernel": "kernel distance",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
    "memorisation": "memorisation",
}
LEGEND = (
    "{coverage[n]} images in every column. best: real test images against train; blurred: the same, blurred "
    "by one pixel, which is smooth and copies nothing; worst: noise. Compared: {coverage[features]}; for "
    "memorisation pixels. {memorisation[known]} test images stand in the training split too, bit for bit."
)
RECORDED = 256  # validation images that the discriminator judges at every recorded moment
DRAWN = 4  # as many times the test images are drawn, for an interval


def train(
    dataset: str,
    out: Path,
    objective: Literal[tuple(OBJECTIVES)] = "non_saturating",
    conditional: bool = False,
    augment: bool = False,
    latent_dim: int = 64,
    **settings: Any,
) -> History:
    """Train a DCGAN-style generator and discriminator into a run folder.

    Args:
        dataset, out, settings: see `train.Settings`. Beside the weights, `out` gets recording.safetensors.
        objective: the game that is played; see models/gan_objectives.py.
        conditional: give both players the class of the image, so that a class can be asked for.
        augment: differentiable augmentation, for a few hundred images (Zhao et al. 2020).
        latent_dim: length of the noise.
    Returns:
        The history.
    Raises:
        ValueError, DatasetError, DatasetUnavailable: see `train.train_into`.
    """
    title = Path(out).name

    def plan(data: Dataset, chosen: Settings) -> Plan:
        classes = class_counts(data) if conditional else []
        algorithm = GANAlgorithm(
            Generator(data.channels, data.size, latent_dim, len(classes)),
            Discriminator(
                data.channels, data.size, len(classes), spectral_norm=OBJECTIVES[objective].spectral_norm
            ),
            objective,
            chosen.learning_rate,
            augment=diff_augment if augment else None,
        )
        sampler = Sampler(data.train, chosen.batch_size)
        about = {"title": title, "objective": objective, "steps_per_epoch": len(sampler)}
        moments, val = spaced_moments(chosen.num_epochs * len(sampler)), data.val.first(RECORDED)
        path = Path(out) / "recording.safetensors"
        recorder = Recorder(algorithm, val.images, val.labels, moments, about, path=path)
        about = {"objective": objective, "augment": augment, "class_counts": classes}
        return Plan(algorithm, sampler, about, recorder)

    return train_into(out, dataset, plan, SETTINGS, **settings)


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


def load(run: RunFolder, config: dict[str, Any]) -> Generator:
    """The averaged generator; raises RunNotFound or RunError."""
    model = Generator(**config["model"])
    load_average(run, config, model)
    return model.eval()


def load_average(run: RunFolder, config: dict[str, Any], model: Any) -> None:
    """Give a generator the averaged weights of a run; raises RunNotFound or RunError."""
    counts = config.get("class_counts", [])
    if model.num_classes and (len(counts) != model.num_classes or not sum(counts)):
        raise RunError(
            f"{run.path}/config.json: class_counts is {counts}; expected the training images of each of the "
            f"{model.num_classes} classes. Put it back as it was, or train into a new folder."
        )
    run.load_model({"generator_ema": model})


def evaluate(model: Generator, config: dict[str, Any], data: Dataset, **_: Any) -> dict[str, dict[str, Any]]:
    """Samples against test images, classes drawn as in training; see `fidelity.evaluate_samples`."""
    check_fit(config, data)
    tell = Progress()
    n = DRAWN * len(data.test)
    network = feature_network(data)
    tell("the network whose features are compared is trained")
    against = reference(data, network, "test")
    tell(f"the {len(data.train):,} training images are looked at")
    labels = draw_labels(config["class_counts"], n) if model.num_classes else None
    return evaluate_samples(generate(model, n, labels=labels), against, tell=tell)


def sample(
    model: Generator, config: dict[str, Any], n: int, seed: int = 0, label: int | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Images uint8 (n, C, H, W); classes as often as in training, or all of the one asked for."""
    if not model.num_classes:
        return generate(model, n, seed), None
    counts = config["class_counts"]
    if label is not None and not counts[label]:
        raise ValueError(f"label is {label}; no training image had this class, so nothing was learnt of it.")
    labels = draw_labels(counts, n, seed) if label is None else np.full(n, label)
    return generate(model, n, seed, labels), labels


def audit(run: RunFolder, config: dict[str, Any], model: Generator) -> dict[str, Attack]:
    """An attacker who has both players asks the discriminator, which lies beside the generator in the run."""
    settings = {name: config["model"][name] for name in ("channels", "size", "num_classes", "width")}
    norm = OBJECTIVES[config.get("objective", "non_saturating")].spectral_norm
    discriminator = Discriminator(**settings, spectral_norm=norm)
    run.load_model({"discriminator": discriminator})
    return {"discriminator": discriminator_attack(discriminator.eval())}
