"""From tissue to grey level: the MR physics of the phantom.

Tissue values are those of BrainWeb for 1.5 T (file `tissue_mr_parameters.txt` of the Montreal Neurological
Institute's simulated brain database), used in Kwan, Evans & Pike 1999, "MRI simulation-based evaluation of
image-processing and classification methods", IEEE Trans. Med. Imaging 18(11):1085-1097.
"""

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

# name: (PD relative to water, T1 in ms, T2 in ms). Bone gives no signal and needs no row.
TISSUES = {
    "fat": (1.00, 350.0, 70.0),
    "muscle": (1.00, 900.0, 47.0),
    "csf": (1.00, 2569.0, 329.0),
    "grey": (0.86, 833.0, 83.0),
    "white": (0.77, 500.0, 70.0),
}

# contrast: (TR in ms, TE in ms, signal that is shown as 1.0). The window is fixed, never per image.
SEQUENCES = {"t1w": (400.0, 10.0, 0.50), "t2w": (4000.0, 100.0, 0.58)}

SPREADS = torch.tensor([0.7, 0.7, 0.4, 0.3, 0.4])  # of the weights of the bias field's polynomials


def spin_echo(pd: float, t1: float, t2: float, tr: float, te: float) -> float:
    """Signal of a spin echo, S = PD (1 - exp(-TR/T1)) exp(-TE/T2), for TE much shorter than TR.

    Args:
        pd: proton density relative to water, 0 to 1.
        t1, t2: relaxation times in ms, > 0.
        tr, te: repetition and echo time in ms, > 0.
    Returns:
        The signal, 0 to pd, in units of fully relaxed water.
    Raises:
        ValueError: a time is not positive; the message gives all four.
    Source: Haacke et al. 1999, "Magnetic Resonance Imaging: Physical Principles and Sequence Design".
    """
    if min(t1, t2, tr, te) <= 0:
        raise ValueError(f"T1={t1}, T2={t2}, TR={tr}, TE={te}: all four are times in ms and must be > 0")
    return pd * (1.0 - math.exp(-tr / t1)) * math.exp(-te / t2)


def tissue_signals(contrast: str) -> Tensor:
    """Noise-free grey level of every tissue, in the order of `TISSUES`, on a scale where 1.0 is white.

    Args:
        contrast: "t1w" or "t2w".
    Returns:
        Shape (5,), float32. Fat lies above 1 in T1w and is clipped, as a display window does.
    Raises:
        ValueError: another contrast.
    """
    if contrast not in SEQUENCES:
        raise ValueError(f"contrast {contrast!r}: the phantom has {', '.join(map(repr, SEQUENCES))}")
    tr, te, white = SEQUENCES[contrast]
    return torch.tensor([spin_echo(*tissue, tr, te) / white for tissue in TISSUES.values()])


def bias_field(n: int, size: int, strength: float, generator: torch.Generator) -> Tensor:
    """Smooth receive field of a coil: a random polynomial of second degree, exponentiated.

    Args:
        n: number of fields.
        size: pixels per side.
        strength: about half the span of the field over the frame; 0.15 runs from roughly 0.85 to 1.15.
        generator: source of the random coefficients.
    Returns:
        Shape (n, 1, size, size), > 0, about 1 on average.
    """
    weights = torch.randn(n, 5, generator=generator).mul_(SPREADS)
    field = (weights @ _polynomials(size)).mul_(strength).numpy()
    return torch.from_numpy(np.exp(field, out=field)).reshape(n, 1, size, size)  # faster than torch's


@lru_cache(maxsize=4)
def _polynomials(size: int) -> Tensor:
    """Polynomials of first and second degree over the frame: (5, size * size)."""
    line = (torch.arange(size) + 0.5) / size * 2 - 1
    y, x = torch.meshgrid(-line, line, indexing="ij")
    return torch.stack([x, y, x * y, x * x - y * y, x * x + y * y - 2 / 3]).reshape(5, -1)


def rician(signal: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    """Magnitude of a complex signal with Gaussian noise of standard deviation sigma in both channels.

    Args:
        signal: noise-free magnitude, any shape, >= 0.
        sigma: in the same unit as signal, >= 0. Where the signal is zero, the result follows a Rayleigh
            distribution with mean sigma * sqrt(pi / 2).
        generator: source of the noise.
    Returns:
        Same shape, >= 0.
    Source: Gudbjartsson & Patz 1995, "The Rician distribution of noisy MRI data".
    """
    real = torch.randn(signal.shape, generator=generator).mul_(sigma).add_(signal)
    imaginary = torch.randn(signal.shape, generator=generator)
    return real.square_().addcmul_(imaginary, imaginary, value=sigma * sigma).sqrt_()
