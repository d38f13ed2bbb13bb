"""Linear autoencoders as run folders: trained in notebook 01 or by `training.fit`, not from the shell."""

from typing import Any

from medgen_course.models.autoencoder import LinearAutoencoder
from medgen_course.runs import autoencoder
from medgen_course.runs.autoencoder import INSTEAD, LEGEND, SHOWN, evaluate, score
from medgen_course.runs.schema import CHANNELS, LATENT_DIM, SIZE, network
from medgen_course.training import RunFolder

__all__ = ["CONFIG", "INSTEAD", "LEGEND", "SHOWN", "evaluate", "load", "score"]

CONFIG = {"model": network(channels=CHANNELS, size=SIZE, latent_dim=LATENT_DIM)}


def load(run: RunFolder, config: dict[str, Any]) -> LinearAutoencoder:
    """The trained autoencoder; raises RunNotFound or RunError."""
    return autoencoder.load(run, config, LinearAutoencoder)
