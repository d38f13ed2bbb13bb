"""A class-conditional VAE trained with differential privacy: DP-SGD (Abadi et al. 2016, algorithm 1).

From the top: the network, the gradient of each image, clipping and noise, what that costs (the accountant is
opacus'), one update. Two models, one trained with an image and one without it, then differ so little that
whoever sees the weights can hardly tell which is which: any event is at most e^epsilon times as likely in one
as in the other, but for a chance of delta.

What is protected is one image, not one patient with several. Sigma is stated and not fitted, because the
best one would be read off the images. The guarantee needs noise that nobody can repeat: **fixed seeds are
not private**. Who knows the seed takes the noise off again. The course fixes seeds so that its figures can be
repeated: its models show what privacy costs, they do not give it. Nor do they count what choosing step size,
clipping and updates on the images has given away, nor the logged ELBO.
"""

import math
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap

from medgen_course.batches.checks import check_between
from medgen_course.models.algorithm import Backward, Batch, CountingAlgorithm
from medgen_course.models.layers import ConvDecoder, ConvEncoder, check_latent_dim
from medgen_course.models.vae import gaussian_log_likelihood, kl_per_dimension

SIGMA = 0.1  # grey levels of [0, 1]: a guess before any image was seen
ORDERS = [1 + x / 5 for x in range(1, 50)] + [*range(11, 40), *range(40, 128, 8), 192, 256, 512, 1024]


class ConditionalVAE(nn.Module):
    """Encoder q(z|x), and a decoder that is also told the class: p(x|z, y). No layer mixes images of a batch.

    BatchNorm would: then an image would have no gradient of its own that could be clipped.

    Args:
        channels, size, latent_dim, width: as in `VAE`.
        num_classes: at least 1.
        sigma: standard deviation of the Gaussian in grey levels of [0, 1].
    """

    def __init__(
        self,
        channels: int,
        size: int,
        num_classes: int,
        latent_dim: int = 16,
        width: int = 8,
        sigma: float = SIGMA,
    ):
        super().__init__()
        check_latent_dim(latent_dim)
        self.config = {
            "kind": "conditional_vae",
            "channels": channels,
            "size": size,
            "num_classes": num_classes,
            "latent_dim": latent_dim,
            "width": width,
            "sigma": sigma,
        }
        self.latent_dim, self.num_classes, self.sigma = latent_dim, num_classes, sigma
        self.encoder = ConvEncoder(channels, size, 2 * latent_dim, width)
        self.decoder = ConvDecoder(latent_dim + num_classes, channels, size, width)

    def forward(self, x: Tensor, y: Tensor, epsilon: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Images (B, C, H, W), classes (B, num_classes) as zeros and a one, noise (B, latent_dim).

        Returns:
            Means of the decoded images (B, C, H, W) in [0, 1], mu and logvar (B, latent_dim).
        """
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        z = mu + (0.5 * logvar).exp() * epsilon
        return self.decode(z, y), mu, logvar

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Codes (B, latent_dim) and classes (B, num_classes) to mean images (B, C, H, W) in [0, 1]."""
        return self.decoder(torch.cat([z, y], 1)).sigmoid()

    def one_hot(self, label: Tensor) -> Tensor:
        """Class numbers (B,) as zeros and a one, (B, num_classes)."""
        return nn.functional.one_hot(label, self.num_classes).float()


def elbo(forward: Callable, x: Tensor, y: Tensor, epsilon: Tensor, sigma: float = SIGMA) -> Tensor:
    """E_q[log p(x|z, y)] - KL(q(z|x) || p(z)) with one draw of z an image, (B,), nats.

    Args:
        forward: a `ConditionalVAE`, or its forward with other weights.
        x, y, epsilon: see its `forward`.
        sigma: the model's.
    """
    x_hat, mu, logvar = forward(x, y, epsilon)
    return gaussian_log_likelihood(x_hat, x, sigma**2) - kl_per_dimension(mu, logvar).sum(1)


def per_image_gradients(
    network: nn.Module, loss: Callable[..., Tensor], *batch: Tensor
) -> tuple[dict[str, Tensor], Tensor]:
    """The gradient that each image of a batch has by itself.

    Args:
        network: without layers that mix images.
        loss: from the network (as a function) and a batch to one loss an image, (B,).
        batch: tensors with B first.
    Returns:
        Name of a parameter -> (B, *its shape); and the losses (B,).
    """
    weights = {name: p.detach() for name, p in network.named_parameters() if p.requires_grad}
    if not len(batch[0]):  # Poisson sampling may draw nobody
        return {name: p.new_zeros(0, *p.shape) for name, p in weights.items()}, batch[0].new_zeros(0)

    def of_one(weights: dict[str, Tensor], *one: Tensor) -> Tensor:
        forward = lambda *inputs: functional_call(network, weights, inputs)  # noqa: E731
        return loss(forward, *(part[None] for part in one))[0]

    return vmap(grad_and_value(of_one), (None, *[0] * len(batch)))(weights, *batch)


def clip_and_noise(
    gradients: dict[str, Tensor],
    max_norm: float,
    noise_multiplier: float,
    expected_batch: float,
    generator: torch.Generator | None = None,
) -> dict[str, Tensor]:
    """Shorten each image's gradient to `max_norm`, add them up, add noise, divide by the expected number.

    One image moves the sum by at most `max_norm`, and noise of that size hides it. The number that is
    divided by must not be the number drawn: that would tell whether the image was among them.

    Args:
        gradients: of `per_image_gradients`, (B, *shape) each; the length is taken over all of them together.
        max_norm: C > 0; infinity clips nothing, and is private in no way.
        noise_multiplier: standard deviation of the noise in units of C, >= 0.
        expected_batch: images that a step draws on average.
        generator: of the noise; None takes torch's global one.
    Returns:
        Name -> gradient of the parameter's shape.
    Raises:
        ValueError: a number out of its range; noise without clipping.
    Source: Abadi et al. 2016, "Deep learning with differential privacy", algorithm 1.
    """
    if not max_norm > 0:
        raise ValueError(
            f"max_norm is {max_norm}; give the longest gradient that an image may have, above 0."
        )
    check_between("noise_multiplier", noise_multiplier, 0, math.inf)
    if noise_multiplier and max_norm == math.inf:
        raise ValueError(
            "noise_multiplier counts in units of max_norm, which is infinite; give a finite one."
        )
    norms = sum(g.flatten(1).square().sum(1) for g in gradients.values()).sqrt()  # (B,)
    factors = (max_norm / norms.clamp(min=1e-12)).clamp(max=1.0)
    made = {}
    for name, g in gradients.items():
        total = torch.einsum("b,b...->...", factors, g)
        if noise_multiplier:
            draw = torch.randn(total.shape, generator=generator, dtype=total.dtype)
            total = total + noise_multiplier * max_norm * draw
        made[name] = total / expected_batch
    return made


def spent(noise_multiplier: float, rate: float, steps: int, delta: float) -> float:
    """Epsilon after some updates, an upper bound by Rényi divergences; infinite without noise.

    Args:
        noise_multiplier: standard deviation of the noise in units of the clipping length.
        rate: probability of each image to be in a batch, drawn anew for every image and step (Poisson).
        steps: updates.
        delta: chance that the bound does not hold; well below 1 over the number of images.
    Source: Mironov, Talwar & Zhang 2019; the accountant is that of opacus (Yousefpour et al. 2021).
    """
    from opacus.accountants.analysis import rdp  # here: it takes seconds

    if not 0 < delta < 1 or not 0 < rate <= 1:
        raise ValueError(f"found delta {delta} and rate {rate}; expected delta in (0, 1), rate in (0, 1].")
    if not noise_multiplier:
        return math.inf
    divergences = rdp.compute_rdp(q=rate, noise_multiplier=noise_multiplier, steps=steps, orders=ORDERS)
    with warnings.catch_warnings():  # at an end of ORDERS the bound holds too, it is only not the tightest
        warnings.filterwarnings("ignore", "Optimal order is the", UserWarning)
        return float(rdp.get_privacy_spent(orders=ORDERS, rdp=divergences, delta=delta)[0])


def noise_for(epsilon: float, rate: float, steps: int, delta: float) -> float:
    """The smallest noise multiplier with which so many updates stay within epsilon; 0 for infinity.

    Raises:
        ValueError: epsilon is not above 0, or no noise up to 1,000 is enough.
    """
    if not epsilon > 0:
        raise ValueError(f"epsilon is {epsilon}; give a number above 0, or infinity for no privacy.")
    if epsilon == math.inf:
        return 0.0
    low, high = 0.2, 0.4
    while spent(high, rate, steps, delta) > epsilon:
        low, high = high, 2 * high
        if high > 1000:
            raise ValueError(f"epsilon {epsilon:g} in {steps} steps: no noise up to 1,000 is enough.")
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if spent(middle, rate, steps, delta) > epsilon else (low, middle)
    return high


class PrivateVAEAlgorithm(CountingAlgorithm):
    """DP-SGD with Adam in place of the plain step: what is done with a private gradient costs nothing more.

    Args:
        model: a `ConditionalVAE`.
        max_norm, noise_multiplier, expected_batch: see `clip_and_noise`.
        learning_rate: Adam's step size.
    """

    def __init__(
        self,
        model: ConditionalVAE,
        max_norm: float,
        noise_multiplier: float,
        expected_batch: float,
        learning_rate: float = 2e-3,
    ):
        self.model, self.config = model, model.config
        self.max_norm, self.noise_multiplier, self.expected_batch = max_norm, noise_multiplier, expected_batch
        self.networks = {"vae": model}
        self.optimizers = {"vae": torch.optim.Adam(model.parameters(), lr=learning_rate)}

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """Each image's gradient, clipped; the sum, noised; one update. `backward` is not used: one process.

        `batch` is drawn by `poisson.PoissonSampler`; it may be empty.
        """
        x, y = batch["x"], self.model.one_hot(batch["label"])
        epsilon = torch.randn(len(x), self.model.latent_dim)
        loss = lambda forward, *one: -elbo(forward, *one, self.model.sigma)  # noqa: E731
        gradients, losses = per_image_gradients(self.model, loss, x, y, epsilon)
        private = clip_and_noise(gradients, self.max_norm, self.noise_multiplier, self.expected_batch)
        for name, parameter in self.model.named_parameters():
            parameter.grad = private[name]
        self.optimizers["vae"].step()
        self.steps += 1
        return {"loss": losses.sum() / self.expected_batch}
