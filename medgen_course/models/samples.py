"""Images out of a trained generative model, as bytes; classes in the proportions of the training images."""

from collections.abc import Sequence

import numpy as np
import torch

from medgen_course.batches.parts import at_once
from medgen_course.batches.transforms import to_uint8
from medgen_course.models.gan import Generator
from medgen_course.models.vae import VAE


@torch.inference_mode()
def draw_from_prior(model: VAE, n: int, seed: int = 0) -> np.ndarray:
    """Decoded means of z ~ N(0, I), uint8 (n, C, H, W)."""
    z = torch.randn(n, model.latent_dim, generator=torch.Generator().manual_seed(seed))
    return torch.cat([to_uint8(model.decode(part)) for part in z.split(_at_once(model))]).numpy()


def draw_labels(counts: Sequence[int], n: int, seed: int = 0) -> np.ndarray:
    """Classes in the proportions of `counts`, int64 (n,): as near to them as whole numbers allow, mixed."""
    shares = np.asarray(counts, dtype=np.float64)
    exact = shares / shares.sum() * n if shares.size else np.array([float(n)])
    whole = np.floor(exact).astype(int)
    whole[np.argsort(whole - exact, kind="stable")[: n - whole.sum()]] += 1  # the largest remainders
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(whole.size), whole))


@torch.inference_mode()
def generate(
    generator: Generator, n: int, seed: int = 0, labels: np.ndarray | None = None, truncation: float = 1.0
) -> np.ndarray:
    """Images of a generator in evaluation mode.

    Args:
        generator: on the CPU.
        n: number of images.
        seed: of the noise.
        labels: classes (n,), for a conditional generator.
        truncation: the noise is multiplied by it; below 1 less variety, nearer to the mean image.
    Returns:
        uint8 (n, C, H, W).
    """
    z = truncation * torch.randn(n, generator.latent_dim, generator=torch.Generator().manual_seed(seed))
    inputs = (z,) if labels is None else (z, torch.as_tensor(labels, dtype=torch.int64))
    split = (each.split(_at_once(generator)) for each in inputs)
    made = (generator.sample(*part) for part in zip(*split, strict=True))
    return torch.cat([to_uint8(part) for part in made]).numpy()


def _at_once(model: Generator | VAE) -> int:
    return at_once((model.config["channels"], model.config["size"], model.config["size"]))
