"""What an attacker reads off a trained model: one number an image, higher for "it was in the training set".

Repeats have to go first (`distinct`): an image that stands in both parts is a member and is not, and a
member that stands there twice is learnt twice.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.transforms import to_unit
from medgen_course.datasets.audit import fingerprint
from medgen_course.metrics.anomaly.baselines import simplicity
from medgen_course.metrics.anomaly.scores import negative_elbo
from medgen_course.metrics.memorisation import as_pixels
from medgen_course.metrics.neighbours import nearest
from medgen_course.models.gan import Discriminator
from medgen_course.models.private_vae import ConditionalVAE
from medgen_course.models.private_vae import elbo as conditional_elbo
from medgen_course.models.vae import VAE

Attack = Callable[[np.ndarray, np.ndarray], np.ndarray]  # images, labels -> scores


def distinct(images: np.ndarray, *without: np.ndarray) -> np.ndarray:
    """Places of the images that are new: no copy of an earlier one, nor of any image of `without`.

    Args:
        images: uint8 (N, C, H, W).
        without: other images, uint8 (M, C, H, W) each.
    Returns:
        int64, rising; copies are those that are equal bit for bit.
    """
    seen = {fingerprint(image) for others in without for image in others}
    kept = []
    for i, image in enumerate(images):
        mark = fingerprint(image)
        if mark not in seen:
            seen.add(mark)
            kept.append(i)
    return np.array(kept, dtype=np.int64)


def by_elbo(model: VAE, images: np.ndarray, seed: int = 0) -> np.ndarray:
    """ELBO in nats, mean of four draws, (N,): what was learnt is likelier than what was not.

    Args:
        model: a trained VAE.
        images: uint8 (N, C, H, W).
        seed: of the draws and of the dequantisation.
    """
    return -negative_elbo(model, images, seed=seed).image


@torch.inference_mode()
def by_conditional_elbo(
    model: ConditionalVAE, images: np.ndarray, labels: np.ndarray, draws: int = 4, seed: int = 0
) -> np.ndarray:
    """The same of a class-conditional VAE, log p(x|y) bounded; labels are classes (N,)."""
    x, y = to_unit(torch.from_numpy(images)), model.one_hot(torch.as_tensor(labels, dtype=torch.int64))
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(len(x), dtype=torch.float64)
    for _ in range(draws):
        epsilon = torch.randn(len(x), model.latent_dim, generator=generator)
        for place in torch.arange(len(x)).split(512):
            total[place] += conditional_elbo(model, x[place], y[place], epsilon[place], model.sigma) / draws
    return total.numpy()


@torch.inference_mode()
def by_discriminator(
    discriminator: Discriminator, images: np.ndarray, labels: np.ndarray | None = None
) -> np.ndarray:
    """The discriminator's logit for "real", (N,): it has seen only the members as real ones.

    Args:
        discriminator: in evaluation mode.
        images: uint8 (N, C, H, W).
        labels: classes (N,), for a conditional one.
    Source: Hayes et al. 2019, "LOGAN: Membership inference attacks against generative models", section 4.
    """
    x = torch.from_numpy(np.ascontiguousarray(images))
    classes = None if labels is None else torch.as_tensor(labels, dtype=torch.int64)
    parts: list[Tensor] = []
    for place in torch.arange(len(x)).split(512):
        label = None if classes is None else classes[place]
        parts.append(discriminator(to_unit(x[place]), label))
    return torch.cat(parts).double().numpy()


def by_distance(samples: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Minus the distance to the nearest generated image, between pixels, (N,); needs nothing but samples.

    Args:
        samples: what the model gave out, uint8 (M, C, H, W); the more, the better for the attacker.
        images: uint8 (N, C, H, W).
    Source: Chen, Yu, Zhang & Fritz 2020, "GAN-Leaks", section 4.1.
    """
    return -nearest(as_pixels(images), as_pixels(samples)).double().numpy()


def by_simplicity(images: np.ndarray) -> np.ndarray:
    """A control that asks no model: minus the length of the image as a PNG file, (N,).

    Where it tells "members" from "others", the two sets differ in themselves, and an attack that does so
    too has shown nothing.
    """
    return simplicity(images).image
