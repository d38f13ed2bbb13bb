"""What a nominal beta means where other code writes its loss with other means and sums.

Only the ratio of the two gradients decides what a VAE learns: scaling a whole loss changes its step size
at most. With D pixel values an image, L latents, the squared error SSE, summed over pixels, and the KL summed
over latents, this course minimises

    −log p(x|z) + β · KL = SSE / (2σ²) + D/2 · ln(2πσ²) + β · KL.

A loss a·SSE + b·KL becomes this one (but for its constant) when it is multiplied by 1 / (2σ²a), so it weighs
the KL like β = b / (2σ²a) here. For a loss a·(−log p(x|z)) + b·KL it is β = b / a. With the optimal σ, σ² is
the mean squared error and held fixed in the gradient: d(D/2 · ln MSE) = D/(2·MSE) · d MSE, the same ratio.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Setting:
    """What the weight of a KL depends on.

    pixels: D = channels · height · width.
    latents: L, length of the code.
    sigma: standard deviation of the Gaussian likelihood here, in grey levels of [0, 1].
    batch_share: batch size / number of training images, as a KL weight elsewhere.
    """

    pixels: int
    latents: int
    sigma: float
    batch_share: float


@dataclass(frozen=True)
class Convention:
    """One way to write the loss.

    loss: what the other code minimises, per image.
    formula: the factor in symbols.
    arithmetic: the same with the numbers of a setting.
    factor: β = 1 there weighs like β = factor here.
    """

    loss: str
    formula: str
    arithmetic: Callable[[Setting], str]
    factor: Callable[[Setting], float]


def _two_variances(s: Setting) -> float:
    return 2 * s.sigma**2


CONVENTIONS: dict[str, Convention] = {
    "this course: sums over pixels and latents, nats per image": Convention(
        "−log p(x|z) + β·KL", "1", lambda s: "1", lambda s: 1.0
    ),
    "sum of squared errors, KL summed": Convention(
        "SSE + β·KL", "1 / (2σ²)", lambda s: f"1 / (2 × {s.sigma:.4f}²)", lambda s: 1 / _two_variances(s)
    ),
    "half the sum of squared errors (σ = 1), KL summed": Convention(
        "½·SSE + β·KL", "1 / σ²", lambda s: f"1 / {s.sigma:.4f}²", lambda s: 1 / s.sigma**2
    ),
    "log-likelihood: mean over pixels, KL summed": Convention(
        "−log p(x|z) / D + β·KL", "D", lambda s: f"{s.pixels}", lambda s: float(s.pixels)
    ),
    "squared error: mean over pixels, KL summed": Convention(
        "SSE/D + β·KL",
        "D / (2σ²)",
        lambda s: f"{s.pixels} / (2 × {s.sigma:.4f}²)",
        lambda s: s.pixels / _two_variances(s),
    ),
    "squared error: mean over pixels, KL: mean over latents": Convention(
        "SSE/D + β·KL/L",
        "D / (2σ²L)",
        lambda s: f"{s.pixels} / (2 × {s.sigma:.4f}² × {s.latents})",
        lambda s: s.pixels / _two_variances(s) / s.latents,
    ),
    "squared error: mean over pixels, KL × batch size / data set size": Convention(
        "SSE/D + β·(B/N)·KL",
        "(B/N) · D / (2σ²)",
        lambda s: f"{s.batch_share:.4f} × {s.pixels} / (2 × {s.sigma:.4f}²)",
        lambda s: s.batch_share * s.pixels / _two_variances(s),
    ),
    "squared error: mean over pixels, KL / image size": Convention(
        "SSE/D + β·KL/D", "1 / (2σ²)", lambda s: f"1 / (2 × {s.sigma:.4f}²)", lambda s: 1 / _two_variances(s)
    ),
}  # fmt: skip


def explain(name: str, beta: float, setting: Setting) -> str:
    """What a nominal beta would mean there, with the arithmetic; four lines.

    Args:
        name: one of `CONVENTIONS`.
        beta: the nominal value.
        setting: of the model that is looked at.
    Raises:
        ValueError: an unknown convention; the message lists the known ones.
    """
    convention = _lookup(name)
    factor = convention.factor(setting)
    return (
        f"There: minimise {convention.loss} (D = {setting.pixels}, L = {setting.latents}, "
        f"σ here = {setting.sigma:.4f}).\n"
        f"β = 1 there weighs like β = {convention.formula} = {convention.arithmetic(setting)} = "
        f"{_number(factor)} here.\n"
        f"β = {_number(beta)} there weighs like β = {_number(beta * factor)} here, "
        f"effective β = {_number(beta * factor * setting.sigma**2)}.\n"
        f"To get this course's β = {_number(beta)}, write β = {_number(beta / factor)} there."
    )


def resemblance(
    name: str, beta: float, setting: Setting, betas: Sequence[float], sigmas: Sequence[float]
) -> str:
    """Which of the models here a model trained there would be like; one line.

    A loss on squared errors has no σ: what it fixes is the effective β = b / (2a), and the model here with
    the same one has β·σ(β)² = b / (2a), its own σ adapted. A loss on a log-likelihood fixes b / a = β.

    Args:
        name, beta, setting: see `explain`.
        betas, sigmas: of the models here, betas rising.
    """
    convention = _lookup(name)
    wanted = beta * convention.factor(setting)
    known = np.array(betas, dtype=np.float64)
    if "σ" in convention.formula:
        wanted, known = wanted * setting.sigma**2, known * np.square(sigmas)
    trained = f"A model trained there with β = {_number(beta)}"
    if wanted > known[-1]:
        return f"{trained} lies beyond this slider's end (β = {betas[-1]:g})."
    if wanted < known[0]:
        return f"{trained} lies before this slider's start (β = {betas[0]:g})."
    like = float(np.exp(np.interp(np.log(wanted), np.log(known), np.log(betas))))
    return f"{trained} would be like β = {_number(like)} on this slider, its σ adapted."


def _lookup(name: str) -> Convention:
    if name not in CONVENTIONS:
        raise ValueError(f"there is no convention {name!r}; choose one of: {'; '.join(CONVENTIONS)}")
    return CONVENTIONS[name]


def _number(value: float) -> str:
    """Three digits, with thousands separated: 0.0135, 87,300."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
