"""What a measurement leaves of an image, and how an answer is kept true to it: noise, blocks, a hole.

A degradation knows four things. `measure` takes an image away and leaves what a scanner would have; `guess`
puts that on the image's grid again, as a network wants it; `misfit` says how far an image is from what was
measured; `project` changes an image as little as it can until it agrees (data consistency). kspace.py has one
more. Images are floats in [0, 1], (B, C, H, W); random numbers come from `generator`, else from torch's
global state.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from medgen_course.batches.checks import check_between, check_image
from medgen_course.batches.transforms import occlude, poisson_noise, rician_noise

HALVINGS = 30  # of an interval of grey levels: float32 knows no finer


class Degradation(Protocol):
    """What enhancement starts from; the classes below and `kspace.Lines` are some."""

    def measure(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """What is known of images x (B, C, H, W): a tensor with B first."""

    def guess(self, y: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] that need nothing but the measurement."""

    def misfit(self, x: Tensor, y: Tensor) -> Tensor:
        """Mean squared difference between what x would have been measured as and y, (B,); differentiable."""

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """Images near x, (B, C, H, W) in [0, 1], that agree with the measurement.

        Noise, blocks and the hole find the nearest; lines of k-space find one that is no farther from any
        image that agrees, the true one too.
        """


class _Noisy:
    """Noise of known strength: nothing is known exactly; an answer agrees where noise explains the rest."""

    def guess(self, y: Tensor) -> Tensor:
        """The noisy image itself."""
        return y

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """Go from x towards y until their root mean square distance is what the noise explains.

        Source: Morozov's discrepancy principle (Engl, Hanke & Neubauer 1996, section 4.3).
        """
        distance = (x - y).square().mean((1, 2, 3), keepdim=True).sqrt()
        share = (1 - self.explained(y) / distance.clamp(min=1e-12)).clamp(min=0)
        return x + share * (y - x)


@dataclass(frozen=True)
class Rician(_Noisy):
    """Noise of MR magnitude images; `sigma` is that of each part, on the [0, 1] scale."""

    sigma: float

    def __post_init__(self):
        check_between("the strength of denoise, sigma,", self.sigma, 0, 1)

    def measure(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """See `transforms.rician_noise`."""
        return rician_noise(x, self.sigma, generator)

    def misfit(self, x: Tensor, y: Tensor) -> Tensor:
        """Against sqrt(x² + sigma²), near which a Rician number has its mean: background is not black."""
        return ((x.square() + self.sigma**2).sqrt() - y).square().mean((1, 2, 3))

    def explained(self, y: Tensor) -> Tensor:
        """E(y - x)² = 2 sigma² - 2x(E y - x) is at most 2 sigma², as E y >= x; its root, (B, 1, 1, 1)."""
        return y.new_full((len(y), 1, 1, 1), 2**0.5 * self.sigma)


@dataclass(frozen=True)
class LowDose(_Noisy):
    """Counted photons, as in a radiograph: `photons` at black, fewer where it is bright."""

    photons: float

    def __post_init__(self):
        check_between("the strength of lowdose, photons,", self.photons, 1, 1e9)

    def measure(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """See `transforms.poisson_noise`, with `film`."""
        return poisson_noise(x, self.photons, generator, film=True)

    def misfit(self, x: Tensor, y: Tensor) -> Tensor:
        """Against x, the mean of its counts."""
        return (x - y).square().mean((1, 2, 3))

    def explained(self, y: Tensor) -> Tensor:
        """A count's variance is its mean: E(y - x)² = (1 - x) / photons, averaged; its root, (B, 1, 1, 1)."""
        return ((1 - y).mean((1, 2, 3), keepdim=True) / self.photons).sqrt()


@dataclass(frozen=True)
class Coarse:
    """A coarser grid: every pixel is the mean of `factor` × `factor` pixels."""

    factor: int

    def __post_init__(self):
        if self.factor not in (2, 4):
            raise ValueError(f"the strength of superres, the factor, is {self.factor:g}; give 2 or 4.")

    def measure(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Means of blocks, (B, C, H / factor, W / factor); nothing is random.

        Raises:
            ValueError: x is no such batch, or its side is no multiple of the factor.
        """
        check_image(x)
        self._check_side(x)
        return self._means(x)

    def guess(self, y: Tensor) -> Tensor:
        """Bicubic interpolation."""
        return interpolate(y, scale_factor=self.factor, mode="bicubic").clamp(0, 1)

    def misfit(self, x: Tensor, y: Tensor) -> Tensor:
        """Between means of blocks."""
        return (self._means(x) - y).square().mean((1, 2, 3))

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """Add one number to each block, and cut at 0 and 1, so that its mean is what was measured.

        The number is found by halving an interval. It is the nearest such block: the conditions of Karush,
        Kuhn & Tucker for a mean and two bounds (Boyd & Vandenberghe 2004, section 5.5.3).
        """
        low, high = torch.full_like(y, -1.0), torch.full_like(y, 1.0)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            bright = self._means(self._shifted(x, middle)) > y
            low, high = torch.where(bright, low, middle), torch.where(bright, middle, high)
        return self._shifted(x, (low + high) / 2)

    def _means(self, x: Tensor) -> Tensor:
        return avg_pool2d(x, self.factor)

    def _shifted(self, x: Tensor, by: Tensor) -> Tensor:
        return (x + interpolate(by, scale_factor=self.factor, mode="nearest")).clamp(0, 1)

    def _check_side(self, x: Tensor) -> None:
        if any(side % self.factor for side in x.shape[-2:]):
            height, width = x.shape[-2:]
            raise ValueError(
                f"images of {height} x {width} pixels have no whole blocks of {self.factor} x {self.factor}; "
                "take another factor, or crop or pad them."
            )


@dataclass(frozen=True)
class Hole:
    """A rectangle without data, anywhere, with `fraction` of the image's area."""

    fraction: float

    def __post_init__(self):
        check_between("the strength of inpaint, a fraction of the area,", self.fraction, 0, 0.5)

    def measure(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The image, black in the rectangle, and one channel more: 1 where it is known, (B, C + 1, H, W)."""
        known = occlude(torch.ones_like(x[:, :1]), self.fraction, generator)
        return torch.cat([x * known, known], 1)

    def guess(self, y: Tensor) -> Tensor:
        """The rectangle in the mean grey of what is known."""
        seen, known = y[:, :-1], y[:, -1:]
        mean = seen.sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp(min=1)
        return torch.where(known > 0, seen, mean)

    def misfit(self, x: Tensor, y: Tensor) -> Tensor:
        """Over what is known; the rest counts as right."""
        return ((x - y[:, :-1]) * y[:, -1:]).square().mean((1, 2, 3))

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """What was measured, and x in the rectangle."""
        return torch.where(y[:, -1:] > 0, y[:, :-1], x)
