"""A U-Net that is told where every anomaly is: the ceiling of a detector that is told nothing.

It learns from pairs of an image and a mask (Ronneberger et al. 2015), pixel by pixel, by cross-entropy. The
network is that of `unet.py`; here its output is the log-odds of an anomaly at every pixel.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from medgen_course.models.algorithm import Backward, Batch, CountingAlgorithm, cosine_decay
from medgen_course.models.unet import UNet


def odds(model: UNet, x: Tensor) -> Tensor:
    """Images (B, C, H, W) in [0, 1] to the log-odds of an anomaly at every pixel, (B, 1, H, W)."""
    return model(x).mean(1, keepdim=True)


class SegmenterAlgorithm(CountingAlgorithm):
    """A U-Net that learns masks.

    Args:
        model: of as many channels as the images.
        learning_rate: Adam's step size.
        decay_steps: the step size falls to zero along a cosine over so many steps; 0 keeps it constant.
    """

    def __init__(self, model: UNet, learning_rate: float = 2e-3, decay_steps: int = 0):
        self.model, self.learning_rate, self.decay_steps = model, learning_rate, decay_steps
        self.config: dict[str, Any] = model.config
        self.networks = {"unet": model}
        self.optimizers = {"unet": torch.optim.Adam(model.parameters(), learning_rate)}

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """Images and masks in one tensor, the mask last: (B, C + 1, H, W) in [0, 1]."""
        optimizer = self.optimizers["unet"]
        cosine_decay(optimizer, self.learning_rate, self.steps, self.decay_steps)
        x, mask = batch["x"][:, :-1], batch["x"][:, -1:]
        loss = binary_cross_entropy_with_logits(odds(self.model, x), mask)
        optimizer.zero_grad()
        backward(loss)
        optimizer.step()
        self.steps += 1
        return {"loss": loss.detach()}
