"""Where a structure can be: a flat list of points, so that it is drawn there only; and steps on such lists.

Every number of a point is worked out from that point alone, so leaving out points where the result is known
to be zero (or one) changes nothing in the others.
"""

import math

import numpy as np
import torch

MARGIN = 0.01  # of a pixel, by which a place is wider than the structure, against rounding


def share(depth: np.ndarray, pixel: float, most: np.ndarray | None = None) -> np.ndarray:
    """Part of a pixel that lies inside a structure whose edge is `depth` mm away (positive inside).

    Exact for a straight edge and, given the `most` that it can be (thickness / pixel), for a straight band
    thinner than a pixel. Overwrites depth.
    """
    depth /= pixel
    depth += 0.5
    if most is None:
        return clip(depth, 0.0, 1.0)
    return np.minimum(at_least(0.0, depth), most, out=depth)


def reach(pixel: float) -> float:
    """Depth in mm, negative, down to which a structure can have a share in a point."""
    return -(0.5 + MARGIN) * pixel


def sin(angle: np.ndarray) -> np.ndarray:
    """Sine, in place; NumPy's is faster than torch's, as is the next."""
    return np.sin(angle, out=angle)


def sqrt(values: np.ndarray) -> np.ndarray:
    """Square root, in place."""
    return np.sqrt(values, out=values)


def atan2(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Angle in radians; overwrites y. NumPy takes ten times as long where the processor lacks AVX-512."""
    torch.atan2(torch.from_numpy(y), torch.from_numpy(x), out=torch.from_numpy(y))
    return y


def at_least(low: float, values: np.ndarray) -> np.ndarray:
    """No value below `low`, in place; torch's is faster, as is the next."""
    torch.from_numpy(values).clamp_(min=low)
    return values


def clip(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values from low to high, in place."""
    torch.from_numpy(values).clamp_(low, high)
    return values


def sign(values: np.ndarray) -> np.ndarray:
    """-1, 0 or 1, float32."""
    return torch.from_numpy(values).sign().numpy()


class Points:
    """Some points of a stack of images (N, ...), as a flat list of K, image after image.

    index: int64 (K,), places of the points in the flattened stack; `starts` (N + 1,) are the places in that
    list where the images begin; `size` is the length of the flattened stack.
    """

    def __init__(self, index: np.ndarray, starts: np.ndarray, size: int):
        self.index, self.starts, self.size = index, starts, size
        self.counts = starts[1:] - starts[:-1]

    @classmethod
    def of(cls, inside: np.ndarray) -> "Points":
        """Points of a stack of masks (N, ...)."""
        index = np.flatnonzero(inside)
        starts = index.searchsorted(np.arange(len(inside) + 1) * math.prod(inside.shape[1:]))
        return cls(index, starts, inside.size)

    def where(self, inside: np.ndarray) -> "Points":
        """Some of these points: inside is bool (K,)."""
        index = np.flatnonzero(inside)
        return Points(index, index.searchsorted(self.starts), inside.size)

    def then(self, others: "Points") -> "Points":
        """These points and then others of the same stack, as if it were a stack of 2 N images."""
        starts = np.concatenate([self.starts, others.starts[1:] + len(self.index)])
        return Points(np.concatenate([self.index, others.index]), starts, self.size)

    def first(self, count: int) -> "Points":
        """The first points of the list."""
        return Points(self.index[:count], np.minimum(self.starts, count), self.size)

    def pick(self, *stacks: np.ndarray) -> list[np.ndarray]:
        """The values (K,) of every stack at these points."""
        return [stack.reshape(-1).take(self.index, mode="wrap") for stack in stacks]  # unchecked: faster

    def repeat(self, f: dict[str, np.ndarray], *names: str) -> list[np.ndarray]:
        """Numbers of the images, each (N,), for every point: (K,) each."""
        return [f[name].repeat(self.counts) for name in names]

    def put(self, values: np.ndarray, stack: np.ndarray) -> None:
        """Write values (K,) at these points of a contiguous stack."""
        flat, index = torch.from_numpy(stack.reshape(-1)), torch.from_numpy(self.index)
        flat.scatter_(0, index, torch.from_numpy(values))  # in two thirds of NumPy's time

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values (K,) at these points and zero elsewhere, as long as the mask."""
        flat = np.zeros(self.size, dtype=np.float32)
        self.put(values, flat)
        return flat
