"""What a batch of images must be, and what to say when it is not.

Each check raises a ValueError that names what was found, what was expected and what to do.
"""

import math

from torch import Tensor


def check_image(x: Tensor) -> None:
    """Expect a batch for a model: floats in [0, 1], (B, C, H, W), not empty."""
    check_batch(x)
    check_range(x)


def check_batch(x: Tensor) -> Tensor:
    """Expect (B, C, H, W), not empty, of any dtype; returns it."""
    if not isinstance(x, Tensor) or x.ndim != 4 or 0 in x.shape:
        raise ValueError(f"expected images (B, C, H, W), but got {describe(x)}. One image: x[None].")
    return x


def check_range(x: Tensor) -> None:
    """Expect floats in [0, 1], of any shape; NaN is outside."""
    if not isinstance(x, Tensor) or not x.is_floating_point():
        raise ValueError(f"expected floats in [0, 1], but got {describe(x)}. Scale bytes with to_unit.")
    low, high = (float(v) for v in x.detach().aminmax()) if x.numel() else (0.0, 0.0)
    if not (low >= 0 and high <= 1):  # also true for NaN
        cure = "Divide grey levels by 255 (to_unit does)." if high > 2 else "Use x.clamp(0, 1)."
        raise ValueError(f"expected values in [0, 1], but they span {low:g} to {high:g}. {cure}")


def check_between(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    """Expect a finite number in [low, high]."""
    if not low <= value <= high or value == math.inf:
        interval = f"between {low:g} and {high:g} {unit}".rstrip()
        if high == math.inf:
            interval = f"at or above {low:g} {unit}".rstrip() + ", and be finite"
        raise ValueError(f"{name} must lie {interval}, but is {value}.")


def check_seed(seed: int) -> None:
    """Expect a whole number that every source of randomness takes, 0 to 2^64 - 1."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed is {seed}; give a whole number from 0 to {2**64 - 1} (2^64 - 1).")


def describe(x: object) -> str:
    """Dtype and shape of a tensor or an array, the type of anything else."""
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        kind = "tensor" if isinstance(x, Tensor) else "array"
        return f"a {str(x.dtype).removeprefix('torch.')} {kind} of shape {tuple(x.shape)}"
    return f"a {type(x).__name__}"
