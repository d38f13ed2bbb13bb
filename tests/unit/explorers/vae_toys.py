"""Small VAEs and images for the tests of explorers; nothing here is trained for long."""

from types import SimpleNamespace

import numpy as np
import torch

from medgen_course.models.vae import VAE, VAEAlgorithm
from medgen_course.pretrained import Codes

NAMES = ("well", "ill")
BETAS = (0.1, 3.0, 300.0)


def images(n, channels=1, size=28, seed=0):
    """Bright discs that differ in place and radius: uint8 (n, channels, size, size)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    cx, cy, r = (rng.uniform(low, high, (n, 1, 1)) for low, high in ((0.35, 0.65), (0.35, 0.65), (0.1, 0.3)))
    discs = 1 / (1 + np.exp((np.hypot(x - cx, y - cy) - r) * 40))
    return np.repeat((255 * discs[:, None]).astype(np.uint8), channels, axis=1)


def data(channels=1, size=28, val=20):
    def split(n, seed):
        return SimpleNamespace(images=images(n, channels, size, seed), labels=np.arange(n) % 2)

    return SimpleNamespace(name="discs", size=size, channels=channels, label_names=NAMES,
                           train=split(64, 1), val=split(val, 3), test=split(20, 2))  # fmt: skip


def vae(beta=1.0, steps=40, channels=1, size=28, latent_dim=6):
    """A VAE of a few steps."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VAE(channels, size, latent_dim, width=8)
        algorithm = VAEAlgorithm(model, beta, learning_rate=3e-3)
        x = torch.from_numpy(images(64, channels, size, 1)).float() / 255
        for _ in range(steps):
            algorithm.step({"x": x}, lambda loss: loss.backward())
    return model.eval().requires_grad_(False)


def codes(model, split):
    with torch.no_grad():
        mu, logvar = model.encode(torch.from_numpy(split.images).float() / 255)
    return Codes(mu, logvar, torch.from_numpy(split.labels))
