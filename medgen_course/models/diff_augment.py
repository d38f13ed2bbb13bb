"""Differentiable augmentation for GANs on few images (Zhao et al. 2020).

Real and generated images pass through the same kinds of change on their way into the discriminator, in its
step and in the generator's. The discriminator can no longer learn the training images by heart, and the
generator does not learn to make augmented images, because the changes happen behind it. No flips: they
would make a heart on the right side look usual.
"""

import torch
from torch import Tensor


def diff_augment(x: Tensor) -> Tensor:
    """Brightness, contrast and a shift of its own for every image; gradients pass through.

    Args:
        x: images (B, C, H, W) in [0, 1].
    Returns:
        (B, C, H, W); grey levels may leave [0, 1], what was shifted in is black.
    Source: Zhao et al. 2020, "color" and "translation"; the shift is at most an eighth of the side.
    """
    return shift(jitter(x))


def jitter(x: Tensor, brightness: float = 0.25, contrast: float = 0.25) -> Tensor:
    """Add up to +-`brightness` to an image, and scale it about its mean by 1 +- `contrast`."""
    draw = torch.rand(2, len(x), 1, 1, 1, device=x.device) * 2 - 1
    mean = x.mean((1, 2, 3), keepdim=True)
    return (x - mean) * (1 + contrast * draw[0]) + mean + brightness * draw[1]


def shift(x: Tensor, share: float = 0.125) -> Tensor:
    """Move every image by whole pixels, at most `share` of its side, each way; black is shifted in."""
    count, _, height, width = x.shape
    reach = int(share * width + 0.5)
    down, right = torch.randint(-reach, reach + 1, (2, count, 1), device=x.device)
    rows, columns = (torch.arange(side, device=x.device) for side in (height, width))
    rows, columns = rows - down + reach, columns - right + reach  # (B, H), (B, W) in the padded image
    padded = torch.nn.functional.pad(x, [reach] * 4)
    image = torch.arange(count, device=x.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
