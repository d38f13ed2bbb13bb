"""The sliced Wasserstein distance between patches, at each scale of a Laplacian pyramid.

One number for each side says at which scale generated images differ from real ones: the largest side knows
the finest detail, the smallest side the coarse layout.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import unfold

from medgen_course.batches.transforms import to_unit

PATCH = 7  # pixels


def sliced_wasserstein(a: Tensor, b: Tensor, directions: int = 512, seed: int = 0) -> float:
    """Wasserstein-1 distance between the projections of two sets onto a line, averaged over random lines.

    On a line the distance between two sets of as many points is the mean difference of their sorted values.

    Args:
        a, b: points (n, d) each, as many of one as of the other.
        directions: lines, drawn evenly over the sphere.
        seed: of the lines.
    Returns:
        The distance, >= 0, in the unit of the points.
    Raises:
        ValueError: the shapes differ.
    Source: Rabin et al. 2011; as a measure of GANs, Karras et al. 2018, section 5.
    """
    if a.shape != b.shape or a.ndim != 2:
        raise ValueError(
            f"a is {tuple(a.shape)}, b is {tuple(b.shape)}; give as many points of each, (n, d)."
        )
    lines = torch.randn(a.shape[1], directions, generator=torch.Generator().manual_seed(seed)).to(a)
    lines /= lines.norm(dim=0)
    parts = [
        (torch.sort(a @ part, dim=0).values - torch.sort(b @ part, dim=0).values).abs().mean(0)
        for part in lines.split(32, 1)
    ]
    return torch.cat(parts).mean().item()


def laplacian_pyramid(x: Tensor) -> list[Tensor]:
    """Images (B, C, H, W) taken apart by scale, until the side is odd or below 14 pixels.

    Each level is what is lost when the image is blurred and halved; the last one is what is left.

    Source: Burt & Adelson 1983.
    """
    from kornia.geometry.transform import pyrdown, pyrup  # loads in seconds, so late

    levels = []
    while x.shape[-1] % 2 == 0 and x.shape[-1] >= 2 * PATCH:
        smaller = pyrdown(x)
        levels.append(x - pyrup(smaller))
        x = smaller
    return [*levels, x]


def pyramid_distances(
    real: np.ndarray, fake: np.ndarray, patches: int = 64, directions: int = 512, seed: int = 0
) -> dict[int, float]:
    """Sliced Wasserstein distances between 7 x 7 patches of real and generated images, by side.

    At each side the patches of a set get mean 0 and standard deviation 1 in each channel before they are
    compared (Karras et al. 2018, section 5). So the distances are in standard deviations, and brightness or
    contrast as a whole are no difference.

    Args:
        real, fake: uint8 (n, C, H, W), as many of one as of the other.
        patches: drawn from each image and side.
        directions, seed: as in `sliced_wasserstein`; the seed is of the patches' places too.
    Returns:
        Side in pixels -> distance. Two sets of real images do not have 0: measure them too.
    Raises:
        ValueError: the shapes differ.
    """
    if real.shape != fake.shape:
        raise ValueError(f"real is {real.shape}, fake is {fake.shape}; give as many images of each.")
    found: dict[int, list[Tensor]] = {}
    for images in (real, fake):
        generator = torch.Generator().manual_seed(seed)
        for level in laplacian_pyramid(to_unit(torch.as_tensor(images))):
            found.setdefault(level.shape[-1], []).append(_descriptors(level, patches, generator))
    return {side: sliced_wasserstein(a, b, directions, seed) for side, (a, b) in found.items()}


def _descriptors(level: Tensor, patches: int, generator: torch.Generator) -> Tensor:
    """Patches of each image at random places, (n * patches, C * 49), normalised channel by channel."""
    columns = unfold(level, PATCH)  # (n, C * 49, places)
    places = torch.randint(columns.shape[2], (len(level), 1, patches), generator=generator)
    drawn = columns.gather(2, places.expand(-1, columns.shape[1], -1)).transpose(1, 2).flatten(0, 1)
    by_channel = drawn.unflatten(1, (level.shape[1], -1))  # (n * patches, C, 49)
    mean, spread = by_channel.mean((0, 2), keepdim=True), by_channel.std((0, 2), keepdim=True)
    return ((by_channel - mean) / spread.clamp_min(1e-8)).flatten(1)
