"""VAEs that learn from images with and without labels (M2) as run folders."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from medgen_course.batches.drawn import DrawnSampler
from medgen_course.batches.transforms import to_uint8
from medgen_course.datasets import Dataset
from medgen_course.datasets.few import draw_labelled
from medgen_course.datasets.layout import MAX_CLASSES
from medgen_course.metrics.few_labels.semi_vae import evaluate_semi_vae
from medgen_course.models.samples import draw_labels
from medgen_course.models.semi_vae import SemiVAE, SemiVAEAlgorithm
from medgen_course.runs.reconstruction import check_fit
from medgen_course.runs.schema import CHANNELS, LATENT_DIM, SIZE, WIDTH, integer, network
from medgen_course.runs.train import Plan, Settings, train_into
from medgen_course.training import History, RunFolder, make_fabric

SETTINGS = Settings(num_epochs=4, batch_size=32, learning_rate=5e-3)
CONFIG = {
    "labelled": integer(1, 2**63 - 1),
    "alpha": {"type": "number", "minimum": 0},
    "model": network(
        channels=CHANNELS,
        size=SIZE,
        num_classes=integer(2, MAX_CLASSES),
        latent_dim=LATENT_DIM,
        width=WIDTH,
        classifier_width=WIDTH,
        sigma={"type": ["number", "null"], "exclusiveMinimum": 0},
    ),
}
SHOWN = {"auc": "AUC", "accuracy": "accuracy", "elbo": "ELBO, nats", "bits_per_dim": "bits per pixel"}
LEGEND = (
    "auc, accuracy: of q(y|x); worst: chance, and always the most frequent class. elbo: nats per image, the "
    "class summed out."
)


def train(
    dataset: str, out: Path, labelled: int = 100, alpha: float = 10.0, latent_dim: int = 16, **settings: Any
) -> History:
    """Train a classifier inside a VAE, on a few labelled images and all others without their labels.

    An epoch has as many updates as batches of all training images; in each, labelled images of every class
    are drawn equally often.

    Args:
        dataset, out, settings: see `train.Settings`.
        labelled: images whose label is looked at, as many of each class, drawn by the seed.
        alpha: weight of the labelled images' cross-entropy.
        latent_dim: length of the code.
    Returns:
        The history.
    Raises:
        ValueError, DatasetError, DatasetUnavailable: see `train.train_into`; or the images have several
            labels each, one class only, or too few of a class.
    """

    def plan(data: Dataset, chosen: Settings) -> Plan:
        known = draw_labelled(data.train.labels, labelled, chosen.seed)
        images, labels = data.train.images, data.train.labels
        if len(np.unique(labels)) < 2:
            raise ValueError(
                f"{data.name}: all training images are of one class; there is nothing to tell apart."
            )
        model = SemiVAE(data.channels, data.size, len(data.label_names), latent_dim)
        steps = max(1, len(images) // chosen.batch_size)
        sampler = DrawnSampler(images[known], labels[known], steps, chosen.batch_size, unlabelled=images)
        algorithm = SemiVAEAlgorithm(model, alpha, chosen.learning_rate)
        return Plan(algorithm, sampler, {"labelled": len(known), "alpha": alpha})

    return train_into(out, dataset, plan, SETTINGS, **settings)


def load(run: RunFolder, config: dict[str, Any]) -> SemiVAE:
    """The trained model; raises RunNotFound or RunError."""
    model = SemiVAE(**config["model"])
    run.load_model({"semi_vae": model})
    return model.eval()


def evaluate(
    model: SemiVAE, config: dict[str, Any], data: Dataset, device: str = "auto", **_: Any
) -> dict[str, dict[str, Any]]:
    """Figures of `evaluate_semi_vae` on test images."""
    check_fit(config, data)
    model.to(make_fabric(device).device)
    return evaluate_semi_vae(model, data.test)


@torch.inference_mode()
def sample(
    model: SemiVAE, config: dict[str, Any], n: int, seed: int = 0, label: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Decoded means of codes from the prior, uint8 (n, C, H, W); every class equally often, or one alone."""
    labels = draw_labels([1] * model.num_classes, n, seed) if label is None else np.full(n, label)
    z = torch.randn(n, model.latent_dim, generator=torch.Generator().manual_seed(seed))
    pairs = zip(z.split(256), torch.from_numpy(labels).split(256), strict=True)
    return torch.cat([to_uint8(model.decode(*pair)) for pair in pairs]).numpy(), labels
