"""Mistakes in a VAE's loss, heads and validation (notebook 02): one of three in each part."""

MISTAKES = {
    "mean": "The reconstruction is a mean over pixels beside a summed KL: beta acts far too strongly.",
    "batch": "The reconstruction is summed over the batch too, so beta weakens as the batch grows.",
    "latents": "The KL is a mean over latents: beta weakens as the code gets longer.",
    "norm mu": "BatchNorm on mu: the code of an image depends on the rest of its batch.",
    "norm logvar": "BatchNorm on logvar: how sure the code is depends on the rest of the batch.",
    "relu": "mu cannot be negative, so half of the prior is never used.",
    "training": "Validation uses the training beta: models of different beta are not comparable.",
    "sign": "The KL is added to the ELBO: a model looks better the more its codes leave the prior.",
    "forgotten": "The KL is missing from the ELBO: the best model is the one that remembers most.",
}
PARTS = (("mean", "batch", "latents"), ("norm mu", "norm logvar", "relu"), ("training", "sign", "forgotten"))
OWN = ("mean", "norm mu", "training")


def cells(mistakes: frozenset[str]) -> tuple[str, ...]:
    """The sources with these mistakes: heads, then loss and validation."""
    return _heads(mistakes), _objective(mistakes)


def _heads(mistakes: frozenset[str]) -> str:
    linear, norm = "torch.nn.Linear(features, latent_dim)", "torch.nn.BatchNorm1d(latent_dim)"
    sequence = f"torch.nn.Sequential({linear}, norm)"
    before = f"        norm = {norm}\n" if mistakes & {"norm mu", "norm logvar"} else ""
    mu = sequence if "norm mu" in mistakes else linear
    mu = f"torch.nn.Sequential({linear}, torch.nn.ReLU())" if "relu" in mistakes else mu
    logvar = sequence if "norm logvar" in mistakes else linear
    return f'''\
class MyHeads(torch.nn.Module):
    def __init__(self, features, latent_dim, beta):
        super().__init__()
        self.beta, self.variance = beta, 0.01  # sigma is 0.1 grey levels
{before}        self.to_mu = {mu}
        self.to_logvar = {logvar}

    def heads(self, h):
        """The trunk's features (B, features) to mu and logvar, each (B, latent_dim)."""
        return self.to_mu(h), self.to_logvar(h)'''


def _objective(mistakes: frozenset[str]) -> str:
    summed = "error.flatten(1).sum(dim=1).mean()"
    summed = "error.mean()" if "mean" in mistakes else "error.sum()" if "batch" in mistakes else summed
    right = "vae.kl_divergence(mu, logvar)"
    kl = "vae.kl_per_dimension(mu, logvar).mean()" if "latents" in mistakes else right
    rest = f" + {right}" if "sign" in mistakes else "" if "forgotten" in mistakes else f" - {right}"
    elbo = f"""\
        log_likelihood = vae.gaussian_log_likelihood(x_hat, x, self.variance).mean()
        return log_likelihood{rest}"""
    if "training" in mistakes:
        elbo = "        return -self.loss(x_hat, x, mu, logvar)"
    return f'''\
class MyVAE(MyHeads):
    def loss(self, x_hat, x, mu, logvar):
        """What training minimises: -log p(x|z) + beta * KL, nats per image."""
        error = (x - x_hat) ** 2 / self.variance + math.log(2 * math.pi * self.variance)
        return {summed} / 2 + self.beta * {kl}

    def validation_elbo(self, x_hat, x, mu, logvar):
        """The ELBO of validation images, nats per image, to compare models of different beta."""
{elbo}


MyVAE(16, 5, beta=4.0)'''
