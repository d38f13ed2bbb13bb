"""A VAE that learns from images with and without labels: M2 of Kingma, Mohamed, Rezende & Welling 2014.

An image is drawn from a class y and a code z for all the rest: p(y) p(z) p(x|y, z). Two networks look the
other way, q(y|x), the classifier that one is after, and q(z|x, y). Where the label is known it is put in;
where it is not, every class is tried, and q(y|x) says how much each counts. So images without labels teach
the classifier too, if the class explains what the code does not.

From top to bottom: the two bounds, the network, one update step. As in vae.py all terms are sums over pixels
or latents in nats per image; bounds here are maximised, where the paper's L and U are their negatives.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medgen_course.batches.checks import check_between
from medgen_course.models.algorithm import Backward, Batch, CountingAlgorithm, cosine_decay
from medgen_course.models.classifier import Classifier
from medgen_course.models.layers import ConvDecoder, ConvEncoder, check_latent_dim
from medgen_course.models.vae import gaussian_log_likelihood, kl_per_dimension, reparameterise


def labelled_bound(log_px: Tensor, log_py: Tensor | float, kl: Tensor) -> Tensor:
    """E_q(z|x,y)[log p(x|y, z)] + log p(y) - KL(q(z|x, y) || p(z)), at most log p(x, y).

    Args:
        log_px: log p(x|y, z) at a z from q(z|x, y), or its mean over q, any shape.
        log_py: log prior probability of the class, same shape or a number.
        kl: nats, same shape.
    Returns:
        The bound, same shape, nats; the paper's -L(x, y).
    Source: Kingma et al. 2014, equation 6.
    """
    return log_px + log_py - kl


def unlabelled_bound(logits: Tensor, bounds: Tensor) -> Tensor:
    """Sum over y of q(y|x) (bound(x, y) - log q(y|x)), at most log p(x).

    Equal to it where each bound is log p(x, y) and q(y|x) = p(y|x).

    Args:
        logits: log q(y|x) up to a constant, (B, num_classes).
        bounds: `labelled_bound` of every image with every class, (B, num_classes).
    Returns:
        Shape (B,), nats; the paper's -U(x).
    Raises:
        ValueError: the shapes differ; the message gives both.
    Source: Kingma et al. 2014, equation 7.
    """
    if logits.shape != bounds.shape:
        raise ValueError(
            f"logits have shape {tuple(logits.shape)}, bounds {tuple(bounds.shape)}: every class needs both."
        )
    log_q = logits.log_softmax(1)
    return (log_q.exp() * (bounds - log_q)).sum(1)


def cost(labelled: Tensor, unlabelled: Tensor, logits: Tensor, label: Tensor, alpha: float) -> Tensor:
    """What is minimised: -mean labelled bound - mean unlabelled bound + alpha * cross-entropy.

    Without the last term q(y|x) would learn from images without labels alone: `labelled_bound` does not
    contain it. The paper sums over its N images and takes alpha = 0.1 N, so 0.1 an image. Here the means of
    both kinds of images weigh the same, however few have a label.

    Args:
        labelled: bounds of images with their own class, (B,).
        unlabelled: bounds of images without labels, (U,); U = 0 leaves that term out.
        logits: log q(y|x) of the labelled images up to a constant, (B, num_classes).
        label: their classes (B,).
        alpha: weight of the cross-entropy, nats for each nat.
    Returns:
        Scalar, nats per image.
    Source: Kingma et al. 2014, equations 8 and 9.
    """
    loss = alpha * F.cross_entropy(logits, label) - labelled.mean()
    return loss - unlabelled.mean() if len(unlabelled) else loss


class SemiVAE(nn.Module):
    """Classifier q(y|x), encoder q(z|x, y), decoder p(x|y, z); p(y) uniform, p(z) standard normal.

    Args:
        channels: 1 for grey images, 3 for RGB.
        size: side of the image in pixels, 8 or more.
        num_classes: classes, at least 2.
        latent_dim: length of the code.
        width: channels of the first stage of encoder and decoder.
        classifier_width: of q(y|x), which is a `Classifier` as one would train it without the rest.
        sigma: standard deviation of the Gaussian p(x|y, z) in grey levels of [0, 1]; None takes the optimal
            one, whose square is kept in the buffer `variance`.
    Raises:
        ValueError: a sigma that is not positive, no latent, or fewer than two classes.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        num_classes: int,
        latent_dim: int = 16,
        width: int = 12,
        classifier_width: int = 8,
        sigma: float | None = None,
    ):
        super().__init__()
        check_latent_dim(latent_dim)
        if sigma is not None and not sigma > 0:
            raise ValueError(f"sigma is {sigma}; it is a standard deviation and must be positive.")
        self.config = {
            "kind": "semi_vae",
            "channels": channels,
            "size": size,
            "num_classes": num_classes,
            "latent_dim": latent_dim,
            "width": width,
            "classifier_width": classifier_width,
            "sigma": sigma,
        }
        self.num_classes, self.latent_dim, self.sigma = num_classes, latent_dim, sigma
        self.classifier = Classifier(channels, size, num_classes, classifier_width)
        hidden = 4 * latent_dim
        self.trunk = ConvEncoder(channels, size, hidden, width)
        self.head = nn.Sequential(
            nn.Linear(hidden + num_classes, hidden), nn.SiLU(), nn.Linear(hidden, 2 * latent_dim)
        )
        self.decoder = ConvDecoder(latent_dim + num_classes, channels, size, width)
        self.register_buffer("variance", torch.tensor(sigma**2 if sigma else 1.0))

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] to logits of q(y|x), (B, num_classes): the classifier."""
        return self.classifier(x)

    def encode(self, features: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """`trunk(x)` (B, hidden) and classes (B,) to mu and logvar of q(z|x, y), each (B, latent_dim)."""
        mu, logvar = self.head(self._with_class(features, label)).float().chunk(2, dim=1)
        return mu, logvar

    def decode(self, z: Tensor, label: Tensor) -> Tensor:
        """Codes (B, latent_dim) and classes (B,) to mean images (B, C, H, W) in [0, 1]."""
        return self.decoder(self._with_class(z, label)).float().sigmoid()

    def _with_class(self, h: Tensor, label: Tensor) -> Tensor:
        return torch.cat([h, F.one_hot(label, self.num_classes).to(h.dtype)], 1)

    def log_prior(self) -> float:
        """log p(y), the same for every class, nats."""
        return -math.log(self.num_classes)


def every_class(count: int, num_classes: int, device: torch.device | str = "cpu") -> Tensor:
    """Classes for `count` images that are repeated once for each class: 0, 0, ... 1, 1, ..."""
    return torch.arange(num_classes, device=device).repeat_interleave(count)


def bounds_by_class(model: SemiVAE, x: Tensor) -> Tensor:
    """`labelled_bound` of every image with every class, one draw of z each, (B, num_classes), nats."""
    classes = every_class(len(x), model.num_classes, x.device)
    x, features = (t.repeat(model.num_classes, *[1] * (t.ndim - 1)) for t in (x, model.trunk(x)))
    mu, logvar = model.encode(features, classes)
    log_px = gaussian_log_likelihood(model.decode(reparameterise(mu, logvar), classes), x, model.variance)
    bounds = labelled_bound(log_px, model.log_prior(), kl_per_dimension(mu, logvar).sum(1))
    return bounds.view(model.num_classes, -1).T


def elbo(model: SemiVAE, x: Tensor) -> Tensor:
    """The bound on log p(x) of images without labels, one draw of z for each class, (B,), nats."""
    return unlabelled_bound(model(x), bounds_by_class(model, x))


class SemiVAEAlgorithm(CountingAlgorithm):
    """Adam on `cost`.

    Args:
        model: a `SemiVAE`.
        alpha: weight of the cross-entropy of the labelled images.
        learning_rate: Adam's step size.
        decay_steps: the step size falls to zero along a cosine over so many steps; 0 keeps it constant.
    Raises:
        ValueError: alpha is negative or not finite.
    """

    def __init__(
        self, model: SemiVAE, alpha: float = 10.0, learning_rate: float = 2e-3, decay_steps: int = 0
    ):
        check_between("alpha", alpha, 0, math.inf)
        self.model, self.alpha = model, alpha
        self.learning_rate, self.decay_steps = learning_rate, decay_steps
        self.config = model.config
        self.networks = {"semi_vae": model}
        self.optimizers = {"semi_vae": torch.optim.AdamW(model.parameters(), lr=learning_rate)}

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """One step on images `x` with classes `label` (B,), and `unlabelled` images (U, C, H, W) if any."""
        model, optimizer = self.model, self.optimizers["semi_vae"]
        x, label = batch["x"], batch["label"]
        unlabelled = batch.get("unlabelled", x[:0])
        n, k = len(x), model.num_classes
        # 1. every labelled image with its class, every other one with each class
        seen = torch.cat([x, unlabelled])
        logits, features = model(seen), model.trunk(seen)
        classes = torch.cat([label, every_class(len(unlabelled), k, x.device)])
        features = torch.cat([features[:n], features[n:].repeat(k, 1)])  # (n + k * U, hidden)
        images = torch.cat([x, unlabelled.repeat(k, 1, 1, 1)])
        # 2. encode, draw, decode
        mu, logvar = model.encode(features, classes)
        x_hat = model.decode(reparameterise(mu, logvar), classes)
        # 3. the bounds, with the sigma that makes them highest
        q = logits[n:].softmax(1)  # (U, k)
        if model.sigma is None:
            variance = best_variance((x_hat - images).square().flatten(1).mean(1), n, q)
            model.variance.lerp_(variance, max(0.1, 1 / (self.steps + 1)))
        else:
            variance = model.variance
        log_px, kl = gaussian_log_likelihood(x_hat, images, variance), kl_per_dimension(mu, logvar).sum(1)
        bounds = labelled_bound(log_px, model.log_prior(), kl)
        without = unlabelled_bound(logits[n:], bounds[n:].view(k, -1).T)
        # 4. update
        loss = cost(bounds[:n], without, logits[:n], label, self.alpha)
        cosine_decay(optimizer, self.learning_rate, self.steps, self.decay_steps)
        optimizer.zero_grad()
        backward(loss)
        optimizer.step()
        self.steps += 1
        return {
            "loss": loss.detach(),
            "labelled": bounds[:n].detach().mean(),
            "unlabelled": without.detach().mean() if len(without) else loss.new_zeros(()),
            "cross_entropy": F.cross_entropy(logits[:n], label).detach(),
        }


@torch.no_grad()
def best_variance(errors: Tensor, labelled: int, q: Tensor) -> Tensor:
    """The sigma^2 at which `cost` is lowest: errors of other classes count as much as q(y|x) says.

    Its own gradient is zero there, so that it may be taken as a constant.

    Args:
        errors: mean squared error (labelled + num_classes * U,), the classes one after the other.
        labelled: images whose class is known.
        q: q(y|x) of the others (U, num_classes).
    Returns:
        Scalar.
    """
    known, tried = errors[:labelled].mean(), errors[labelled:].view(q.shape[1], -1).T
    return (known + (q * tried).sum(1).mean()) / 2 if len(q) else known
