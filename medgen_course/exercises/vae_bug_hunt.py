"""Check for notebook 02_vae: a VAE with three common mistakes, which the student finds and repairs.

Each mistake is looked for by itself and by what it does, so the message says which of them remain and shows
their effect, whatever the repair looks like in code.
"""

import inspect
from collections.abc import Callable

import torch
from torch import Tensor, nn

from medgen_course.exercises.verdict import RAISED, WRONG, Finding, Verdict, call, judge
from medgen_course.models.vae import gaussian_log_likelihood, kl_divergence

FEATURES, LATENTS, BETAS = 16, 5, (4.0, 0.3)


def check_bug_hunt(cls: type[nn.Module]) -> Verdict:
    """Check the repair of a VAE's heads, loss and validation, each by itself.

    Args:
        cls: a module cls(features, latent_dim, beta) with the attribute `variance` (sigma^2 of a pixel) and
            the methods heads(h) -> mu, logvar for h (B, features); loss(x_hat, x, mu, logvar) -> what
            training minimises, the negative log-likelihood + beta * KL; validation_elbo(x_hat, x, mu,
            logvar) -> the ELBO. Both are scalars in nats per image.
    Returns:
        The verdict, after showing it: it names the repairs that hold and those that remain.
    """
    praise = "All three repairs hold: loss, heads and validation_elbo each do what they say."
    return judge("bug hunt", cls, _examine, praise)


def _examine(cls: Callable) -> None:
    if not (inspect.isclass(cls) and issubclass(cls, nn.Module)):
        raise Finding("Give the class itself, an nn.Module: not an object of it, and not a function.")
    parts = {"loss": _examine_loss, "heads": _examine_heads, "validation_elbo": _examine_validation}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        models = {beta: call(cls, FEATURES, LATENTS, beta) for beta in BETAS}
        missing = [name for name in ("variance", *parts) if not hasattr(models[BETAS[0]], name)]
        if missing:
            raise Finding(f"The class has no {', '.join(missing)}: repair it, keep its names.")
        findings = {name: _finding(examine, models) for name, examine in parts.items()}
    remain = {name: finding for name, finding in findings.items() if finding}
    if not remain:
        return
    done = [name for name in parts if name not in remain]
    held = f" ({', '.join(done)})" if done else ""
    lines = [f"{len(done)} of {len(parts)} repairs hold{held}. What remains:"]
    lines += [f"- {name}: {finding}" for name, finding in remain.items()]
    raised = any(finding.status == RAISED for finding in remain.values())
    raise Finding("\n".join(lines), RAISED if raised else WRONG)


def _finding(examine: Callable[[nn.Module, float], None], models: dict[float, nn.Module]) -> Finding | None:
    try:
        for beta, model in models.items():
            examine(model, beta)
    except Finding as finding:
        return finding
    return None


def _batch(size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x_hat, x (6, 1, size, size), mu and logvar (6, LATENTS), in double precision."""
    generator = torch.Generator().manual_seed(size)
    x_hat, x = torch.rand(2, 6, 1, size, size, generator=generator, dtype=torch.float64)
    mu, logvar = torch.randn(2, 6, LATENTS, generator=generator, dtype=torch.float64)
    return x_hat, x, mu, logvar


def _scalar(method: Callable, *arguments: Tensor) -> Tensor:
    found = call(method, *arguments)
    if not isinstance(found, Tensor) or found.ndim:
        what = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"a {type(found).__name__}"
        raise Finding(f"it returns {what}; expected a scalar tensor, nats per image.")
    return found


def _weights(method: Callable, size: int, variance: float) -> tuple[float, float]:
    """By how much the reconstruction (log-likelihood) and the KL enter the value of a method."""
    x_hat, x, mu, logvar = _batch(size)
    zeros = torch.zeros_like(mu)  # mu = logvar = 0: no KL
    value, without_kl, perfect = (
        _scalar(method, *arguments).item()
        for arguments in ((x_hat, x, mu, logvar), (x_hat, x, zeros, zeros), (x, x, zeros, zeros))
    )
    change = gaussian_log_likelihood(x_hat, x, variance) - gaussian_log_likelihood(x, x, variance)
    kl = kl_divergence(mu, logvar)
    return (without_kl - perfect) / change.mean().item(), (value - without_kl) / kl.item()


def _examine_loss(model: nn.Module, beta: float) -> None:
    variance = float(model.variance)
    for size in (8, 28):
        pixels = size * size
        reconstruction, kl = _weights(model.loss, size, variance)
        if _close(kl, -beta):
            raise Finding("the KL enters with the wrong sign: a loss is -log p(x|z) + beta * KL.")
        if _close(reconstruction, -1 / pixels) and not _close(kl, beta):
            raise Finding(
                f"both terms are off: at {size} px the reconstruction counts 1/{pixels}, the KL {kl:.3g} "
                f"times (expected 1 and beta = {beta:g}). Sum over pixels, and sum over latents."
            )
        if _close(reconstruction, -1 / pixels):
            raise Finding(
                "the reconstruction is a mean over pixels, the KL a sum over latents: here beta = "
                f"{beta:g} acts like {beta * pixels:,.0f} at {size} px, and like {beta * 784:,.0f} at 28 px. "
                "Sum over the pixels of an image, then average over the batch."
            )
        if not _close(kl, beta):
            raise Finding(f"the KL counts {kl:.3g} times; expected beta = {beta:g}, on the sum over latents.")
        if not _close(reconstruction, -1):
            raise Finding(
                f"at {size} px the negative log-likelihood counts {-reconstruction:.3g} times; expected 1: "
                "(x - x_hat)^2 / (2 sigma^2), summed over the pixels of an image, averaged over the batch."
            )
        x_hat, x, mu, logvar = _batch(size)
        expected = beta * kl_divergence(mu, logvar) - gaussian_log_likelihood(x_hat, x, variance).mean()
        loss = _scalar(model.loss, x_hat.requires_grad_(), x, mu.requires_grad_(), logvar)
        if not _close(loss.item(), expected.item()):
            raise Finding(
                f"it returns {loss.item():.5g}; expected {expected.item():.5g}. The weights are right, the "
                "constant log(2 pi sigma^2) / 2 of every pixel is not."
            )
        if not loss.requires_grad:
            raise Finding("no gradient can flow back: leave out detach, item and no_grad.")


def _examine_heads(model: nn.Module, beta: float) -> None:
    model.train()
    h = 3 * torch.randn(12, FEATURES, generator=torch.Generator().manual_seed(0)) + 1
    whole = call(model.heads, h)
    if not isinstance(whole, tuple | list) or len(whole) != 2:
        raise Finding(f"it returns a {type(whole).__name__}; expected the pair mu, logvar.")
    part = call(model.heads, h[:4])
    for name, among_all, among_few in zip(("mu", "logvar"), whole, part, strict=True):
        if not isinstance(among_all, Tensor) or among_all.shape != (12, LATENTS):
            shape = tuple(among_all.shape) if isinstance(among_all, Tensor) else type(among_all).__name__
            raise Finding(f"{name} is {shape}; expected a tensor (12, {LATENTS}).")
        shift = (among_all[:4] - among_few).abs().max().item()
        if not shift < 1e-4:
            raise Finding(
                f"the {name} of an image depends on the rest of its batch: with 11 others it differs by "
                f"up to {shift:.2g} from the one with 3 others. BatchNorm on {name} does so in training, and "
                "in evaluation it uses other statistics: one image has several codes. Leave it out."
            )
        if not among_all.requires_grad:
            raise Finding(f"no gradient reaches {name}.")
    _check_range(model, h)


def _check_range(model: nn.Module, h: Tensor) -> None:
    mu, _ = model.heads(h)
    far, _ = model.heads(100 * h)
    if mu.min() >= 0:
        raise Finding("mu is never negative: leave the head linear, without ReLU or softplus.")
    if far.std() < 3 * mu.std():
        raise Finding("mu hardly grows with h: it is still normalised or squashed. Leave the head linear.")


def _examine_validation(model: nn.Module, beta: float) -> None:
    variance, size = float(model.variance), 8
    reconstruction, kl = _weights(model.validation_elbo, size, variance)
    if reconstruction < 0:
        raise Finding("it returns a loss: the ELBO is its negative, higher is better.")
    if _close(kl, -beta):
        raise Finding(
            f"with beta = {beta:g} it subtracts {beta:g} * KL: the training objective. Models trained with "
            "different betas cannot be compared by it, and below beta = 1 it is no bound on log p(x). "
            "The ELBO has the KL once, whatever beta was trained."
        )
    if _close(kl, 1):
        raise Finding("its KL has the wrong sign: a model would look better the more its codes tell.")
    if abs(kl) < 1e-6:
        raise Finding("it does not notice the KL: the ELBO also pays for what a code tells beyond the prior.")
    if not _close(kl, -1):
        raise Finding(f"the KL counts {-kl:.3g} times; the ELBO subtracts it once, summed over latents.")
    if _loss_is_off(model):
        return  # the reconstruction is usually taken from `loss`, where its mistake is named
    x_hat, x, mu, logvar = _batch(size)
    expected = (gaussian_log_likelihood(x_hat, x, variance).mean() - kl_divergence(mu, logvar)).item()
    found = _scalar(model.validation_elbo, x_hat, x, mu, logvar).item()
    if not _close(found, expected):
        raise Finding(
            f"it returns {found:.5g}; expected {expected:.5g}. The KL is right, the log-likelihood is not: "
            "sum it over the pixels of an image, with its constant, and average over the batch."
        )


def _loss_is_off(model: nn.Module) -> bool:
    try:
        reconstruction, _ = _weights(model.loss, 8, float(model.variance))
    except Finding:
        return True
    return not _close(reconstruction, -1)


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-3 * max(abs(a), abs(b))
