"""A U-Net that is told where things are, and then says it of new images (Ronneberger et al. 2015).

It learns from pairs of an image and its masks, pixel by pixel, by cross-entropy; one mask for each structure,
so that a pixel may lie in several. The network is that of `unet.py` with another last layer: its output is
the log-odds of each structure at every pixel.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from medgen_course.batches.transforms import to_unit
from medgen_course.models.algorithm import Backward, Batch, CountingAlgorithm, cosine_decay
from medgen_course.models.unet import UNet

AT_ONCE = 128  # images that are segmented in one go, so that memory stays small


class Segmenter(UNet):
    """Images to masks.

    Args:
        channels: 1 for grey images, 3 for RGB.
        size: side of the images in pixels, at least 8.
        masks: structures that are told apart.
        width, halvings: as for `UNet`.
        prior: how likely a structure is anywhere before anything is learnt (Lin et al. 2017, section 4.1);
            most pixels are outside, and from one half the first updates would go into learning that alone.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        masks: int = 1,
        width: int = 12,
        halvings: int | None = None,
        prior: float = 0.5,
    ):
        super().__init__(channels, size, width, halvings)
        self.config = {**self.config, "kind": "segmenter", "masks": masks}
        self.head = nn.Conv2d(width, 4 * masks, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.constant_(self.head.bias, math.log(prior / (1 - prior)))

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] to log-odds (B, masks, H, W); untrained, brighter is likelier."""
        return x.mean(1, keepdim=True) + self.correction(x)

    @torch.inference_mode()
    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """How likely each structure is at every pixel.

        Args:
            images: uint8 (N, C, H, W).
        Returns:
            float32 (N, masks, H, W) in [0, 1].
        """
        parts = torch.from_numpy(np.ascontiguousarray(images)).split(AT_ONCE)
        return torch.cat([self(to_unit(part)).float().sigmoid() for part in parts]).numpy()

    def masks(self, images: np.ndarray) -> np.ndarray:
        """Where a structure is likelier than not: uint8 {0, 1} (N, masks, H, W)."""
        return (self.probabilities(images) > 0.5).astype(np.uint8)


def soft_dice_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """1 - 2 sum(p m) / (sum(p) + sum(m)), a structure at a time over the whole batch, then their mean.

    What is small counts as much as what is large, which in the cross-entropy it does not. One pixel is added
    above and below the line, so that a batch without the structure asks for an empty mask.

    Args:
        logits: log-odds (B, K, H, W).
        masks: 0 or 1, the same shape.
    Source: Milletari, Navab & Ahmadi 2016, "V-Net"; with cross-entropy: Isensee et al. 2021, "nnU-Net".
    """
    probable = logits.sigmoid()
    both, either = (probable * masks).sum((0, 2, 3)), (probable + masks).sum((0, 2, 3))  # (K,)
    return (1 - (2 * both + 1) / (either + 1)).mean()


class SegmenterAlgorithm(CountingAlgorithm):
    """A U-Net that learns masks.

    Args:
        model: a `Segmenter`, or anything from images to log-odds whose `config` has the images' `channels`.
        learning_rate: Adam's step size.
        decay_steps: the step size falls to zero along a cosine over so many steps; 0 keeps it constant.
        change: images and masks in one tensor to the same, e.g. `augment` with `masks=`; None leaves them.
        lambda_dice: weight of `soft_dice_loss` beside the cross-entropy.
    """

    def __init__(
        self,
        model: nn.Module,
        learning_rate: float = 2e-3,
        decay_steps: int = 0,
        change: Callable[[Tensor], Tensor] | None = None,
        lambda_dice: float = 0.0,
    ):
        self.model, self.learning_rate, self.decay_steps = model, learning_rate, decay_steps
        self.change, self.lambda_dice = change, lambda_dice
        self.config: dict[str, Any] = model.config
        self.networks = {"unet": model}
        self.optimizers = {"unet": torch.optim.Adam(model.parameters(), learning_rate)}

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """Images and masks in one tensor, the masks last: (B, C + masks, H, W) in [0, 1]."""
        optimizer = self.optimizers["unet"]
        cosine_decay(optimizer, self.learning_rate, self.steps, self.decay_steps)
        both = batch["x"] if self.change is None else self.change(batch["x"])
        channels = self.config["channels"]
        logits, masks = self.model(both[:, :channels]).float(), both[:, channels:]
        loss = binary_cross_entropy_with_logits(logits, masks)
        if self.lambda_dice:
            loss = loss + self.lambda_dice * soft_dice_loss(logits, masks)
        optimizer.zero_grad()
        backward(loss)
        optimizer.step()
        self.steps += 1
        return {"loss": loss.detach()}
