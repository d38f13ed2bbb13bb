"""Convolutional autoencoders as run folders."""

from pathlib import Path
from typing import Any

from medgen_course.batches.sampling import Sampler
from medgen_course.datasets import Dataset
from medgen_course.metrics import bootstrap_interval
from medgen_course.models.autoencoder import Autoencoder, AutoencoderAlgorithm
from medgen_course.runs.anomaly import DETECTOR
from medgen_course.runs.anomaly import autoencoder_scores as score
from medgen_course.runs.reconstruction import LEGEND, check_fit, measure, with_ends
from medgen_course.runs.schema import CHANNELS, LATENT_DIM, SIZE, WIDTH, network
from medgen_course.runs.train import Plan, Settings, train_into
from medgen_course.training import History, RunFolder, make_fabric

__all__ = ["CONFIG", "INSTEAD", "LEGEND", "SETTINGS", "SHOWN", "evaluate", "load", "score", "train"]

SETTINGS = Settings(num_epochs=10, batch_size=128, learning_rate=1e-3)
CONFIG = {"model": network(channels=CHANNELS, size=SIZE, latent_dim=LATENT_DIM, width=WIDTH)}
SHOWN = {"psnr": "PSNR, dB", "ssim": "SSIM"} | DETECTOR
INSTEAD = {
    "sample": "which has no prior to draw from; notebook 01 shows what happens if one tries. Train a VAE or "
    "a GAN: medgen train --help."
}


def train(dataset: str, out: Path, latent_dim: int = 16, **settings: Any) -> History:
    """Train a convolutional autoencoder into a run folder.

    Args:
        dataset, out, settings: see `train.Settings`.
        latent_dim: length of the code.
    Returns:
        The history.
    Raises:
        ValueError, DatasetError, DatasetUnavailable: see `train.train_into`.
    """

    def plan(data: Dataset, chosen: Settings) -> Plan:
        model = Autoencoder(data.channels, data.size, latent_dim)
        return Plan(AutoencoderAlgorithm(model, chosen.learning_rate), Sampler(data.train, chosen.batch_size))

    return train_into(out, dataset, plan, SETTINGS, **settings)


def load(run: RunFolder, config: dict[str, Any], make: type = Autoencoder) -> Autoencoder:
    """The trained autoencoder; raises RunNotFound or RunError."""
    model = make(**config["model"])
    run.load_model({"autoencoder": model})
    return model.eval()


def evaluate(
    model: Autoencoder, config: dict[str, Any], data: Dataset, device: str = "auto", **_: Any
) -> dict[str, dict[str, Any]]:
    """psnr (dB), ssim and mse of reconstructed test images; ends: see `reconstruction.with_ends`."""
    check_fit(config, data)
    place = make_fabric(device).device
    model.to(place)
    measured = measure(lambda x: model(x).clamp(0, 1), data, place)
    return with_ends({name: bootstrap_interval(values) for name, values in measured.items()}, data, place)
