"""Variational autoencoders as run folders."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from medgen_course.batches.sampling import Sampler
from medgen_course.datasets import Dataset
from medgen_course.metrics.likelihood import evaluate_vae
from medgen_course.metrics.trust.attacks import Attack, by_elbo
from medgen_course.models.samples import draw_from_prior
from medgen_course.models.vae import LIKELIHOODS, VAE, VAEAlgorithm
from medgen_course.runs.anomaly import DETECTOR
from medgen_course.runs.anomaly import vae_scores as score
from medgen_course.runs.reconstruction import LEGEND as ENDS
from medgen_course.runs.reconstruction import check_fit, with_ends
from medgen_course.runs.schema import CHANNELS, LATENT_DIM, SIZE, WIDTH, network
from medgen_course.runs.train import Plan, Settings, train_into
from medgen_course.training import History, RunFolder, make_fabric

__all__ = ["CONFIG", "LEGEND", "SETTINGS", "SHOWN", "audit", "evaluate", "load", "sample", "score", "train"]

SETTINGS = Settings(num_epochs=20, batch_size=128, learning_rate=3e-3)
CONFIG = {
    "beta": {"type": "number", "minimum": 0},
    "model": network(
        channels=CHANNELS,
        size=SIZE,
        latent_dim=LATENT_DIM,
        width=WIDTH,
        likelihood={"enum": list(LIKELIHOODS)},
        sigma={"type": ["number", "null"], "exclusiveMinimum": 0},
    ),
}
LEGEND = f"{ENDS} elbo, reconstruction, kl, log_likelihood: nats per image."
SHOWN = {"elbo": "ELBO, nats", "bits_per_dim": "bits per pixel", "ssim": "SSIM"} | DETECTOR
SHOWN |= {"auroc_elbo": "AUROC by ELBO", "auroc_kl": "AUROC by KL"}


def train(
    dataset: str,
    out: Path,
    beta: float = 1.0,
    likelihood: str = "gaussian",
    latent_dim: int = 16,
    **settings: Any,
) -> History:
    """Train a convolutional variational autoencoder into a run folder, at a constant step size.

    Args:
        dataset, out, settings: see `train.Settings`.
        beta: weight of the KL alone; 1 is the ELBO, in nats per image for any image size.
        likelihood: gaussian (with the optimal sigma) or bernoulli (no true likelihood for grey levels).
        latent_dim: length of the code.
    Returns:
        The history.
    Raises:
        ValueError, DatasetError, DatasetUnavailable: see `train.train_into`.
    """

    def plan(data: Dataset, chosen: Settings) -> Plan:
        model = VAE(data.channels, data.size, latent_dim, likelihood=likelihood)
        algorithm = VAEAlgorithm(model, beta, learning_rate=chosen.learning_rate)
        return Plan(algorithm, Sampler(data.train, chosen.batch_size), {"beta": beta})

    return train_into(out, dataset, plan, SETTINGS, **settings)


def load(run: RunFolder, config: dict[str, Any]) -> VAE:
    """The trained VAE; raises RunNotFound or RunError."""
    model = VAE(**config["model"])
    run.load_model({"vae": model})
    return model.eval()


def evaluate(
    model: VAE,
    config: dict[str, Any],
    data: Dataset,
    device: str = "auto",
    importance_samples: int = 200,
) -> dict[str, dict[str, Any]]:
    """Figures of `likelihood.evaluate_vae` on test images; psnr and ssim with `reconstruction.with_ends`."""
    check_fit(config, data)
    place = make_fabric(device).device
    model.to(place)
    return with_ends(evaluate_vae(model, torch.from_numpy(data.test.images), importance_samples), data, place)


def sample(
    model: VAE, config: dict[str, Any], n: int, seed: int = 0, label: int | None = None
) -> tuple[np.ndarray, None]:
    """Decoded means of codes from the prior, uint8 (n, C, H, W)."""
    return draw_from_prior(model, n, seed), None


def audit(run: RunFolder, config: dict[str, Any], model: VAE) -> dict[str, Attack]:
    """An attacker who has the model looks at the ELBO of an image."""
    return {"loss threshold": lambda images, labels: by_elbo(model, images)}
