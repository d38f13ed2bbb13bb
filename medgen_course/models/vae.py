"""The variational autoencoder (Kingma & Welling 2014; Rezende, Mohamed & Wierstra 2014).

From top to bottom: the reparameterisation, the two terms of the ELBO, the likelihoods, the network, one
update step. All terms are sums over pixels or latents and averages over images: nats per image. So
beta = 1 is the ELBO itself, whatever the size of the image.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medgen_course.batches.checks import check_between
from medgen_course.models.algorithm import Backward, Batch, CountingAlgorithm, cosine_decay
from medgen_course.models.layers import ConvDecoder, ConvEncoder, check_latent_dim

LIKELIHOODS = ("gaussian", "bernoulli")


def reparameterise(mu: Tensor, logvar: Tensor) -> Tensor:
    """A draw from N(mu, exp(logvar)) through which gradients flow: z = mu + exp(logvar / 2) * epsilon.

    Args:
        mu: posterior means (B, latent_dim).
        logvar: natural log of the posterior variances, same shape.
    Returns:
        z of the same shape.
    Source: Kingma & Welling 2014, section 2.4.
    """
    return mu + (0.5 * logvar).exp() * torch.randn_like(mu)


def kl_per_dimension(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(q(z_j|x) || N(0, 1)) for every image and latent dimension, shape (B, latent_dim), nats, >= 0.

    Raises:
        ValueError: the shapes differ; the message gives both.
    Source: Kingma & Welling 2014, appendix B.
    """
    if mu.shape != logvar.shape:
        raise ValueError(
            f"mu has shape {tuple(mu.shape)}, logvar has {tuple(logvar.shape)}; they must be equal."
        )
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar)


def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(q(z|x) || N(0, I)), summed over latents, averaged over the batch.

    Args:
        mu: posterior means (B, latent_dim).
        logvar: natural log of the posterior variances, same shape.
    Returns:
        Scalar, nats per image, >= 0.
    Raises:
        ValueError: the shapes differ; the message gives both.
    Source: Kingma & Welling 2014, appendix B.
    """
    return kl_per_dimension(mu, logvar).sum(1).mean()


def gaussian_log_likelihood(x_hat: Tensor, x: Tensor, variance: Tensor | float) -> Tensor:
    """log N(x; x_hat, variance * I), summed over pixels.

    Args:
        x_hat: means (B, C, H, W).
        x: images of the same shape.
        variance: sigma^2 > 0, one for all or (B, 1, 1, 1).
    Returns:
        Shape (B,), nats.
    """
    variance = torch.as_tensor(variance, device=x.device, dtype=x.dtype)
    terms = (x - x_hat).square() / variance + (2 * math.pi * variance).log()
    return -0.5 * terms.flatten(1).sum(1)


def optimal_variance(x_hat: Tensor, x: Tensor) -> Tensor:
    """The sigma^2 that maximises the Gaussian likelihood of a batch: the mean squared error (a scalar).

    Source: Rybkin, Daniilidis & Levine 2021, section 4.
    """
    return (x - x_hat).square().mean()


def bernoulli_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    """x log p + (1 - x) log(1 - p), summed over pixels, shape (B,).

    For grey levels this is no likelihood: it is not normalised over [0, 1], and its best value is not 0.
    Figures made with it compare with nothing but each other (Loaiza-Ganem & Cunningham 2019).
    """
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


class VAE(nn.Module):
    """Convolutional encoder and decoder, Gaussian posterior, standard normal prior.

    Args:
        channels: 1 for grey images, 3 for RGB.
        size: side of the image in pixels, 8 or more.
        latent_dim: length of the code.
        width: channels of the first stage.
        likelihood: "gaussian" or "bernoulli".
        sigma: standard deviation of the Gaussian in grey levels of [0, 1]; None takes the optimal one,
            whose square is kept in the buffer `variance` for evaluation.
    Raises:
        ValueError: an unknown likelihood, a sigma that is not positive, or no latent.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        latent_dim: int = 16,
        width: int = 32,
        likelihood: str = "gaussian",
        sigma: float | None = None,
    ):
        super().__init__()
        check_latent_dim(latent_dim)
        if likelihood not in LIKELIHOODS:
            raise ValueError(f"likelihood is {likelihood!r}; choose {' or '.join(LIKELIHOODS)}.")
        if sigma is not None and not sigma > 0:
            raise ValueError(f"sigma is {sigma}; it is a standard deviation and must be positive.")
        self.config = {
            "kind": "vae",
            "channels": channels,
            "size": size,
            "latent_dim": latent_dim,
            "width": width,
            "likelihood": likelihood,
            "sigma": sigma,
        }
        self.latent_dim, self.likelihood, self.sigma = latent_dim, likelihood, sigma
        self.encoder = ConvEncoder(channels, size, 2 * latent_dim, width)
        self.decoder = ConvDecoder(latent_dim, channels, size, width)
        self.register_buffer("variance", torch.tensor(sigma**2 if sigma else 1.0))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) in [0, 1] to mu and logvar, each (B, latent_dim)."""
        mu, logvar = self.encoder(x).float().chunk(2, dim=1)
        return mu, logvar

    def mean(self, logits: Tensor) -> Tensor:
        """What the decoder's output means: grey levels in [0, 1]."""
        return logits.float().sigmoid()

    def decode(self, z: Tensor) -> Tensor:
        """Codes (B, latent_dim) to mean images (B, C, H, W) in [0, 1]."""
        return self.mean(self.decoder(z))

    def log_likelihood(self, logits: Tensor, x: Tensor, variance: Tensor | None = None) -> Tensor:
        """log p(x|z), shape (B,), nats; `variance` overrides the stored sigma^2."""
        if self.likelihood == "bernoulli":
            return bernoulli_log_likelihood(logits, x)
        return gaussian_log_likelihood(self.mean(logits), x, self.variance if variance is None else variance)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Images to the logits of a reconstruction from a drawn z, mu and logvar."""
        mu, logvar = self.encode(x)
        return self.decoder(reparameterise(mu, logvar)).float(), mu, logvar


def elbo(model: VAE, x: Tensor) -> dict[str, Tensor]:
    """Evidence lower bound with one draw of z per image, E_q[log p(x|z)] - KL(q(z|x) || p(z)).

    Args:
        model: its stored sigma^2 is used.
        x: images (B, C, H, W); for a density on pixels, uniformly dequantised.
    Returns:
        `elbo`, `reconstruction`, `kl`, each (B,), nats; elbo = reconstruction - kl, higher is better.
    Source: Kingma & Welling 2014, equation 3.
    """
    logits, mu, logvar = model(x)
    reconstruction, kl = model.log_likelihood(logits, x), kl_per_dimension(mu, logvar).sum(1)
    return {"elbo": reconstruction - kl, "reconstruction": reconstruction, "kl": kl}


class VAEAlgorithm(CountingAlgorithm):
    """Adam on the negative ELBO, the KL weighted by `beta` (Higgins et al. 2017).

    Args:
        model: a `VAE`.
        beta: weight of the KL alone; 1 is the ELBO.
        warmup_steps: beta rises linearly to its value over so many steps (Bowman et al. 2016).
        free_bits: nats below which the KL of a latent, averaged over the batch, costs nothing more
            (Kingma et al. 2016, equation 15).
        learning_rate: Adam's step size.
        decay_steps: the step size falls to zero along a cosine over so many steps; 0 keeps it constant.
    Raises:
        ValueError: an argument is negative or not finite.
    """

    def __init__(
        self,
        model: VAE,
        beta: float = 1.0,
        warmup_steps: int = 0,
        free_bits: float = 0.0,
        learning_rate: float = 3e-3,
        decay_steps: int = 0,
    ):
        check_between("beta", beta, 0, math.inf)
        check_between("warmup_steps", warmup_steps, 0, math.inf)
        check_between("free_bits", free_bits, 0, math.inf)
        self.model, self.beta, self.warmup_steps, self.free_bits = model, beta, warmup_steps, free_bits
        self.learning_rate, self.decay_steps = learning_rate, decay_steps
        self.config = model.config
        self.networks = {"vae": model}
        self.optimizers = {"vae": torch.optim.Adam(model.parameters(), lr=learning_rate)}

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """Encode, draw, decode; maximise reconstruction - beta * KL."""
        x, optimizer = batch["x"], self.optimizers["vae"]
        logits, mu, logvar = self.model(x)
        variance = self.model.variance
        if self.model.likelihood == "gaussian" and self.model.sigma is None:
            variance = optimal_variance(self.model.mean(logits), x)
            self.model.variance.lerp_(variance.detach(), max(0.1, 1 / (self.steps + 1)))
        reconstruction = self.model.log_likelihood(logits, x, variance).mean()
        kl = kl_per_dimension(mu, logvar).mean(0)  # (latent_dim,)
        beta = self.beta * min(1.0, (self.steps + 1) / max(1, self.warmup_steps))
        loss = beta * kl.clamp(min=self.free_bits).sum() - reconstruction
        cosine_decay(optimizer, self.learning_rate, self.steps, self.decay_steps)
        optimizer.zero_grad()
        backward(loss)
        optimizer.step()
        self.steps += 1
        return {"loss": loss.detach(), "reconstruction": reconstruction.detach(), "kl": kl.sum().detach()}
