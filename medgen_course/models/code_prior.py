"""A density fitted to codes after training, to draw new codes from (Ghosh et al. 2020, section 4).

The decoder is trained already: only the place where new codes are drawn changes. With it an autoencoder
without any prior can generate, and a VAE whose codes do not fill N(0, I) need not draw where no code was.
"""

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, MixtureSameFamily, MultivariateNormal


def fit_prior(codes: Tensor, components: int = 1, seed: int = 0) -> Distribution:
    """A mixture of Gaussians with full covariances, fitted to codes by expectation-maximisation.

    Args:
        codes: (N, latent_dim), of training images; for a VAE draws z from the posteriors, not their means.
        components: number of Gaussians; 1 is the Gaussian with the codes' mean and covariance.
        seed: of where the fit begins.
    Returns:
        A distribution over codes: `sample((n,))` is (n, latent_dim), `log_prob(z)` is (B,), nats.
    Raises:
        ValueError: fewer than 2 codes for each component.
    Source: Ghosh, Sajjadi, Vergari, Black & Schölkopf 2020, section 4, ex-post density estimation.
    """
    from sklearn.mixture import GaussianMixture  # here: it takes a second to import

    if components < 1 or len(codes) < 2 * components:
        raise ValueError(f"{len(codes)} codes and {components} components; give 1 or more components, and at "
                         "least 2 codes for each.")  # fmt: skip
    fitted = GaussianMixture(components, reg_covar=1e-4, random_state=seed).fit(
        codes.numpy().astype(np.float64)
    )
    weights, means, covariances = (
        torch.from_numpy(values).float() for values in (fitted.weights_, fitted.means_, fitted.covariances_)
    )
    return MixtureSameFamily(Categorical(weights), MultivariateNormal(means, covariances))
