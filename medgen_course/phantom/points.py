"""Where a structure can be: a flat list of points, so that it is drawn there only; and steps on such lists.

Every number of a point is worked out from that point alone, so leaving out points where the result is known
to be zero (or one) changes nothing in the others.
"""

import math

import numpy as np
import torch

MARGIN = 0.01  # of a pixel, by which a place is wider than the structure, against rounding


def share(depth: np.ndarray, pixel: float, most: np.ndarray | float = 1.0) -> np.ndarray:
    """Part of a pixel that lies inside a structure whose edge is `depth` mm away (positive inside).

    Exact for a straight edge and, given the `most` that it can be (thickness / pixel), for a straight band
    thinner than a pixel.
    """
    inside = depth / pixel
    inside += 0.5
    np.maximum(inside, 0.0, out=inside)
    return np.minimum(inside, most, out=inside)


def reach(pixel: float) -> float:
    """Depth in mm, negative, down to which a structure can have a share in a point."""
    return -(0.5 + MARGIN) * pixel


def sin(angle: np.ndarray) -> np.ndarray:
    """Sine of a contiguous float32 array, in place; torch's is faster than NumPy's, as are those below."""
    torch.from_numpy(angle).sin_()
    return angle


def sqrt(values: np.ndarray) -> np.ndarray:
    """Square root of a contiguous float32 array, in place."""
    torch.from_numpy(values).sqrt_()
    return values


def atan2(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Angle in radians of contiguous float32 arrays; overwrites y."""
    torch.from_numpy(y).atan2_(torch.from_numpy(x))
    return y


def sign(values: np.ndarray) -> np.ndarray:
    """-1, 0 or 1, float32."""
    return torch.from_numpy(values).sign().numpy()


class Points:
    """Some points of a stack of images (N, ...), as a flat list of K, image after image.

    inside: bool (N, ...), the points to take.
    """

    def __init__(self, inside: np.ndarray):
        self.shape = inside.shape
        self.index = np.flatnonzero(inside)  # (K,)

    def pick(self, *stacks: np.ndarray) -> list[np.ndarray]:
        """The values (K,) of every stack (N, ...) at these points."""
        return [stack.reshape(-1).take(self.index) for stack in stacks]

    def repeat(self, *numbers: np.ndarray) -> np.ndarray:
        """Numbers of the images, each (N, 1, ...), for every point: (how many, K)."""
        starts = np.arange(self.shape[0] + 1) * math.prod(self.shape[1:])
        counts = np.diff(np.searchsorted(self.index, starts))
        return np.repeat(np.stack([number.reshape(-1) for number in numbers]), counts, axis=1)

    def put(self, values: np.ndarray, stack: np.ndarray) -> np.ndarray:
        """Write values (K,) at these points of a contiguous stack (N, ...); returns the stack."""
        stack.reshape(-1)[self.index] = values
        return stack
