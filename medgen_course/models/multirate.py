"""One VAE for every beta (Multi-Rate VAE, Bae et al., ICLR 2023).

The weights are shared; how strongly each channel speaks depends on log beta. Training draws a beta for
every image, so that one network learns the whole rate-distortion curve.
"""

import math

import torch
from torch import Tensor, nn

from medgen_course.models.algorithm import Backward, Batch, CountingAlgorithm, cosine_decay
from medgen_course.models.layers import stage_widths
from medgen_course.models.vae import VAE, kl_per_dimension, reparameterise

BETA_RANGE = (0.1, 300.0)
KNOTS = 33  # of the table of sigma^2 over log beta


class _Gate(nn.Module):
    """Scales and shifts features by amounts that depend on log beta; starts as the identity."""

    def __init__(self, condition: int, features: int):
        super().__init__()
        self.linear = nn.Linear(condition, 2 * features)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        scale, shift = self.linear(c).view(c.shape[0], 2, -1, *[1] * (h.ndim - 2)).unbind(1)
        return h * scale.exp() + shift


class ConditionedVAE(nn.Module):
    """A `VAE` with gates after every stage, driven by log beta.

    Args:
        channels: 1 for grey images, 3 for RGB.
        size: side of the image in pixels.
        latent_dim: length of the code.
        width: channels of the first stage.
        condition: width of the small network that reads log beta.
    """

    def __init__(self, channels: int, size: int, latent_dim: int = 16, width: int = 32, condition: int = 32):
        super().__init__()
        self.config = {
            "kind": "conditioned_vae",
            "channels": channels,
            "size": size,
            "latent_dim": latent_dim,
            "width": width,
            "condition": condition,
        }
        self.vae = VAE(channels, size, latent_dim, width)
        self.latent_dim = latent_dim
        self.trunk = nn.Sequential(
            nn.Linear(1, condition), nn.SiLU(), nn.Linear(condition, condition), nn.SiLU()
        )
        widths = stage_widths(size, width)
        self.encoder_gates = nn.ModuleList(_Gate(condition, w) for w in [*widths, 2 * latent_dim])
        self.decoder_gates = nn.ModuleList(_Gate(condition, w) for w in [latent_dim, *widths[::-1], channels])
        self.register_buffer("log_variance", torch.full((KNOTS,), -2.0))

    def _condition(self, log_beta: Tensor) -> Tensor:
        low, high = (math.log(b) for b in BETA_RANGE)
        return self.trunk((2 * (log_beta - low) / (high - low) - 1)[:, None])  # (B, condition)

    def encode(self, x: Tensor, log_beta: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) and log beta (B,) to mu and logvar, each (B, latent_dim)."""
        c, h = self._condition(log_beta), x - 0.5
        *gates, last = self.encoder_gates
        for stage, gate in zip(self.vae.encoder.stages, gates, strict=True):
            h = gate(stage(h), c)
        mu, logvar = last(self.vae.encoder.head(h.flatten(1)), c).float().chunk(2, dim=1)
        return mu, logvar

    def logits(self, z: Tensor, log_beta: Tensor) -> Tensor:
        """Codes (B, latent_dim) and log beta (B,) to logits of grey levels (B, C, H, W)."""
        c, decoder = self._condition(log_beta), self.vae.decoder
        first, second, *gates = self.decoder_gates
        h = second(decoder.stem(first(z, c)).unflatten(1, decoder.start), c)
        for stage, gate in zip(decoder.stages, gates, strict=True):
            h = gate(stage(h), c)
        return h.float()

    def variance(self, log_beta: Tensor) -> Tensor:
        """sigma^2 at each log beta, read between the knots of the table; shape (B,)."""
        index, weight = _knots(log_beta)
        return torch.lerp(self.log_variance[index], self.log_variance[index + 1], weight).exp()

    def at(self, beta: float) -> "FixedBeta":
        """The VAE at one beta, with the methods of `VAE`."""
        return FixedBeta(self, beta)


def _knots(log_beta: Tensor) -> tuple[Tensor, Tensor]:
    """The knot below each log beta and the share of the way to the next."""
    low, high = (math.log(b) for b in BETA_RANGE)
    position = ((log_beta - low) / (high - low) * (KNOTS - 1)).clamp(0, KNOTS - 1)
    index = position.long().clamp(max=KNOTS - 2)
    return index, position - index


class FixedBeta(nn.Module):
    """A `ConditionedVAE` held at one beta; encodes, decodes and judges as a `VAE` does.

    Args:
        model: the network for every beta.
        beta: within `BETA_RANGE`.
    Raises:
        ValueError: beta lies outside the range that the network was trained on.
    """

    def __init__(self, model: ConditionedVAE, beta: float):
        super().__init__()
        low, high = BETA_RANGE
        if not low <= beta <= high:
            raise ValueError(f"beta is {beta}; this network knows {low} to {high}.")
        self.model, self.latent_dim, self.likelihood, self.sigma = model, model.latent_dim, "gaussian", None
        self.register_buffer("log_beta", torch.tensor([math.log(beta)]))

    @property
    def variance(self) -> Tensor:
        """sigma^2 at this beta, a scalar."""
        return self.model.variance(self.log_beta)[0]

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See `VAE.encode`."""
        return self.model.encode(x, self.log_beta.expand(len(x)))

    def decoder(self, z: Tensor) -> Tensor:
        """Codes to logits."""
        return self.model.logits(z, self.log_beta.expand(len(z)))

    mean = VAE.mean
    decode = VAE.decode
    log_likelihood = VAE.log_likelihood
    forward = VAE.forward


class ConditionedVAEAlgorithm(CountingAlgorithm):
    """Adam on the negative ELBO of every image at a beta of its own, drawn log-uniformly.

    sigma^2 is the mean squared error as a function of beta, kept in the model's table. An image's loss is
    divided by 1 + beta / scale, so that the large betas do not drown the small ones.

    Args:
        model: a `ConditionedVAE`.
        learning_rate: Adam's step size.
        decay_steps: the step size falls to zero along a cosine over so many steps; 0 keeps it constant.
        scale: beta from which the weight of an image falls.
    """

    def __init__(
        self, model: ConditionedVAE, learning_rate: float = 3e-3, decay_steps: int = 0, scale: float = 30.0
    ):
        self.model, self.config = model, model.config
        self.learning_rate, self.decay_steps, self.scale = learning_rate, decay_steps, scale
        self.networks = {"vae": model}
        self.optimizers = {"vae": torch.optim.Adam(model.parameters(), lr=learning_rate)}

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """Draw a beta an image, rebuild at that beta, update the table of sigma^2 and the weights."""
        x, optimizer = batch["x"], self.optimizers["vae"]
        low, high = (math.log(b) for b in BETA_RANGE)
        log_beta = low + (high - low) * torch.rand(len(x), device=x.device)
        mu, logvar = self.model.encode(x, log_beta)
        x_hat = self.model.logits(reparameterise(mu, logvar), log_beta).sigmoid()
        squared = (x - x_hat).square().flatten(1).mean(1)  # (B,)
        self._update_table(squared.detach(), log_beta)
        variance = self.model.variance(log_beta)
        pixels, kl = x[0].numel(), kl_per_dimension(mu, logvar).sum(1)
        loss = (0.5 * pixels * squared / variance + log_beta.exp() * kl) / (1 + log_beta.exp() / self.scale)
        cosine_decay(optimizer, self.learning_rate, self.steps, self.decay_steps)
        optimizer.zero_grad()
        backward(loss.mean())
        optimizer.step()
        self.steps += 1
        return {"loss": loss.mean().detach(), "mse": squared.mean().detach(), "kl": kl.mean().detach()}

    @torch.no_grad()
    def _update_table(self, squared: Tensor, log_beta: Tensor) -> None:
        """Move the knots that this batch touched towards its mean squared errors."""
        index, weight = _knots(log_beta)
        total, mass = torch.zeros_like(self.model.log_variance), torch.zeros_like(self.model.log_variance)
        for knot, share in ((index, 1 - weight), (index + 1, weight)):
            total.index_add_(0, knot, share * squared)
            mass.index_add_(0, knot, share)
        rate = (mass * max(0.01, 1 / (self.steps + 1))).clamp(max=1)
        new = (total / mass.clamp(min=1e-9)).clamp(min=1e-9).log()
        self.model.log_variance.copy_(
            torch.where(mass > 0, torch.lerp(self.model.log_variance, new, rate), self.model.log_variance)
        )
