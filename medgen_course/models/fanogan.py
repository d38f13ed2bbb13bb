"""f-AnoGAN: an encoder for a generator that is trained already (Schlegl et al. 2019).

The generator draws normal images only. What it cannot draw, it cannot rebuild. The encoder learns where in
the noise an image lies, from normal images, with generator and discriminator frozen: the paper's izi_f.
"""

import torch
from torch import Tensor, nn

from medgen_course.models.algorithm import Backward, Batch, CountingAlgorithm, cosine_decay
from medgen_course.models.gan import Discriminator, Generator
from medgen_course.models.layers import ConvEncoder


class FAnoGAN(nn.Module):
    """Encoder, generator and discriminator as one: image -> noise -> image, and features to compare in.

    Args:
        generator, discriminator: trained; they are frozen here.
        label: the class that the generator is asked for, where it knows classes.
        width: channels of the encoder's first stage.
    """

    def __init__(
        self, generator: Generator, discriminator: Discriminator, label: int | None = None, width: int = 16
    ):
        super().__init__()
        shape = {name: generator.config[name] for name in ("channels", "size")}
        self.config = {"kind": "fanogan", **shape, "label": label, "width": width}
        self.label = label
        self.encoder = ConvEncoder(shape["channels"], shape["size"], generator.latent_dim, width)
        self.generator = generator.eval().requires_grad_(False)
        self.discriminator = discriminator.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "FAnoGAN":
        """Only the encoder has anything to train; the other two stay as they are."""
        super().train(mode)
        self.generator.eval()
        self.discriminator.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) to the generator's nearest idea of them, the same shape, in [0, 1]."""
        label = None if self.label is None else torch.full((len(x),), self.label, device=x.device)
        return self.generator.sample(self.encoder(x), label)

    def features(self, x: Tensor) -> Tensor:
        """Images to what the discriminator's last stage sees, (B, F)."""
        return self.discriminator.stages(2 * x - 1).flatten(1)


def fanogan_distance(model: FAnoGAN, x: Tensor, x_hat: Tensor, kappa: float = 1.0) -> Tensor:
    """Mean squared difference of pixels + kappa times that of the discriminator's features, shape (B,).

    Args:
        model: whose features.
        x, x_hat: images (B, C, H, W) in [0, 1].
        kappa: weight of the features; 1 in the source.
    Source: Schlegl et al. 2019, equations 4 (the encoder's loss) and 5 (the score).
    """
    pixels = (x - x_hat).square().flatten(1).mean(1)
    return pixels + kappa * (model.features(x) - model.features(x_hat)).square().mean(1)


class FAnoGANAlgorithm(CountingAlgorithm):
    """Adam on `fanogan_distance` between images and what the generator makes of their codes.

    Args:
        model: a `FAnoGAN`; its encoder alone moves.
        learning_rate: Adam's step size.
        decay_steps: the step size falls to zero along a cosine over so many steps; 0 keeps it constant.
    """

    def __init__(self, model: FAnoGAN, learning_rate: float = 1e-3, decay_steps: int = 0):
        self.model, self.learning_rate, self.decay_steps = model, learning_rate, decay_steps
        self.config = model.config
        self.networks = {"fanogan": model}
        self.optimizers = {"encoder": torch.optim.Adam(model.encoder.parameters(), lr=learning_rate)}

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """Encode, generate, compare in pixels and in features; move the encoder."""
        x, optimizer = batch["x"], self.optimizers["encoder"]
        loss = fanogan_distance(self.model, x, self.model(x)).mean()
        cosine_decay(optimizer, self.learning_rate, self.steps, self.decay_steps)
        optimizer.zero_grad()
        backward(loss)
        optimizer.step()
        self.steps += 1
        return {"loss": loss.detach()}
