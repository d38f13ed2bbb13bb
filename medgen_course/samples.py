"""Draw images from a trained generative model."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from medgen_course.checkpoints import RunError, write_atomically
from medgen_course.models.gan import Generator
from medgen_course.models.vae import VAE
from medgen_course.runs import load_run
from medgen_course.transforms import to_uint8


def sample(
    folder: Path, n: int, out: Path, seed: int = 0, label: int | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Draw images from the model of a run folder: a VAE's decoded means, or a GAN's averaged generator.

    Args:
        folder: the run folder.
        n: number of images.
        out: an .npz to be written, in MedMNIST's layout: `images` uint8 (N, H, W) or (N, H, W, 3), and
            `labels` (N, 1) from a conditional generator.
        seed: of the draws.
        label: the class wanted from a conditional generator; None draws classes as often as they were in
            training.
    Returns:
        The images as written, and the labels (N,) or None.
    Raises:
        RunNotFound, RunError: there is no run, or its model has no prior to draw from.
        ValueError: n below 1, `out` does not end in .npz, or a label that the model does not know.
    """
    if n < 1:
        raise ValueError(f"n is {n}; give the number of images, at least 1.")
    if out.suffix != ".npz":
        raise ValueError(f"out is {out}; its name must end in .npz.")
    model, config = load_run(folder)
    classes = getattr(model, "num_classes", 0)
    if label is not None and not 0 <= label < classes:
        known = f"this one knows 0 to {classes - 1}" if classes else "this model was trained without classes"
        raise ValueError(f"label is {label}; {known}.")
    if isinstance(model, VAE):
        images, labels = draw_from_prior(model, n, seed), None
    elif isinstance(model, Generator):
        counts = config.get("class_counts") or [1] * classes
        wanted = np.full(n, label) if label is not None else draw_labels(counts, n, seed)
        labels = wanted if classes else None
        images = generate(model, n, seed, labels)
    else:
        raise RunError(
            f"{folder} holds an autoencoder, which has no prior to draw from; notebook 01 shows what happens "
            "if one tries. Train a VAE or a GAN: medgen train --help."
        )
    others = {} if labels is None else {"labels": labels[:, None]}
    return save_images(out, {"images": images}, others)["images"], labels


def save_images(
    out: Path, images: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Write an .npz in MedMNIST's layout, atomically.

    Args:
        out: the file.
        images: name -> uint8 (N, C, H, W).
        others: arrays that are written as they are.
    Returns:
        The images as written, (N, H, W) or (N, H, W, 3).
    """
    laid = {n: x[:, 0] if x.shape[1] == 1 else x.transpose(0, 2, 3, 1) for n, x in images.items()}

    def write(partial: Path) -> None:
        with open(partial, "wb") as file:
            np.savez_compressed(file, **laid, **(others or {}))

    write_atomically(out, write)
    return laid


@torch.inference_mode()
def draw_from_prior(model: VAE, n: int, seed: int = 0) -> np.ndarray:
    """Decoded means of z ~ N(0, I), uint8 (n, C, H, W)."""
    z = torch.randn(n, model.latent_dim, generator=torch.Generator().manual_seed(seed))
    return torch.cat([to_uint8(model.decode(part)) for part in z.split(256)]).numpy()


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
    classes = [None] * n if labels is None else torch.as_tensor(labels, dtype=torch.int64)
    parts = range(0, n, 256)
    made = [generator.sample(z[i : i + 256], None if labels is None else classes[i : i + 256]) for i in parts]
    return to_uint8(torch.cat(made)).numpy()
