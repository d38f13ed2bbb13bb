"""Sweeps over beta and seeds that notebook 02 draws: `make pretrained`. Validation figures, a CSV each.

python recipes/sweeps.py [DATASET ...]
"""

import math
import sys
import time

import numpy as np
import torch
from pretrain import training_split

from medgen_course import datasets, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.transforms import to_unit
from medgen_course.files import write_csv
from medgen_course.metrics import likelihood
from medgen_course.metrics.disentanglement import linear_probe, mig
from medgen_course.models.vae import VAE, VAEAlgorithm
from medgen_course.phantom.anatomy import FACTORS
from medgen_course.pretrained import BETAS
from medgen_course.training.loop import fit

BUDGETS = {"pneumoniamnist": (6, 128), "phantom": (2, 64)}  # epochs, batch size
SEEDS, LATENTS = (0, 1, 2), 16
PROBED = (
    "head_width", "head_aspect", "rotation", "shift_x", "shift_y", "scalp_thickness", "skull_thickness",
    "sulcal_width", "cortical_thickness", "ventricle_size", "ventricle_asymmetry", "deep_grey_size",
    "lesion_present",
)  # fmt: skip


@torch.no_grad()
def means(model: VAE, split) -> np.ndarray:
    """Posterior means (N, latent_dim)."""
    return model.encode(to_unit(torch.from_numpy(split.images)))[0].numpy()


def disentanglement(model: VAE, data) -> dict[str, float]:
    """MIG and, on validation, R^2 of a linear probe of every factor in PROBED."""
    columns = [list(FACTORS).index(name) for name in PROBED]
    factors = {name: split.extras["factors"][:, columns] for name, split in data.splits().items()}
    train, val = means(model, data.train), means(model, data.val)
    scores = linear_probe(train, factors["train"], val, factors["val"])
    named = {f"probe/{name}": float(score) for name, score in zip(PROBED, scores, strict=True)}
    return {"mig": float(mig(train, factors["train"]).mean()), "probe": float(scores.mean()), **named}


def point(data, train, beta: float, seed: int) -> dict[str, float]:
    """Train one VAE and measure it on validation."""
    torch.manual_seed(seed)
    epochs, batch = BUDGETS[data.name]
    model, sampler = VAE(data.channels, data.size, LATENTS), Sampler(train, batch)
    algorithm = VAEAlgorithm(model, beta, decay_steps=epochs * len(sampler))
    fit(algorithm, sampler, epochs, seed, progress=False)
    row = {"beta": beta, "seed": seed, **likelihood.rate_distortion(model, torch.from_numpy(data.val.images))}
    return {**row, **(disentanglement(model, data) if "factors" in data.train.extras else {})}


def sweep(name: str) -> None:
    """All points of one data set, written when all are there."""
    data, started, rows = datasets.load(name), time.perf_counter(), []
    train = training_split(data)
    for seed in SEEDS:
        for beta in BETAS:
            rows.append(point(data, train, beta, seed))
            print(
                name, {key: round(value, 4) for key, value in rows[-1].items() if "/" not in key}, flush=True
            )
    shown = [{key: f"{value:.6g}" for key, value in row.items()} for row in rows]
    write_csv(pretrained.sweep_path(name), shown)
    print(f"{name}: {math.ceil(time.perf_counter() - started)} s")


if __name__ == "__main__":
    for name in sys.argv[1:] or ("pneumoniamnist", "phantom"):
        sweep(name)
