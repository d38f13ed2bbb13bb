"""A world where every answer is known: images that are Gaussian noise, smooth, seen through a blur and noise.

On a torus every frequency is a problem by itself: its number has variance S, is multiplied by H and gets
noise of variance σ². The posterior is Gaussian too. Its mean errs by the least that is possible (MMSE); a
draw from it looks like a true image and errs by exactly twice as much, 3 dB; and the mean, stretched until
it has the variance of true images, looks like them too and costs less than a draw (Freirich, Michaeli & Meir
2021).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.fft import fft2, fftfreq, ifft2


@dataclass(frozen=True)
class GaussianWorld:
    """Images of `size` pixels a side, mean 0, variance 1, whose power falls with frequency.

    It is a degradation (`batches.degradations`), so networks and searches can be tried on it; its images are
    not in [0, 1], and `guess` is the measurement.

    Args:
        size: side in pixels.
        corner: frequency, in cycles per image, beyond which the power falls.
        blur: standard deviation of the blur's Gaussian in pixels.
        noise: standard deviation of the white noise.
    """

    size: int = 16
    corner: float = 2.0
    blur: float = 1.0
    noise: float = 0.3

    @property
    def frequency(self) -> Tensor:
        """Cycles per image, (size, size)."""
        each = fftfreq(self.size) * self.size
        return torch.hypot(each[:, None], each[None])

    @property
    def power(self) -> Tensor:
        """S: variance of the number at each frequency (norm="ortho"); its mean is a pixel's variance, 1."""
        falls = (1 + (self.frequency / self.corner) ** 2) ** -1.5
        return falls / falls.mean()

    @property
    def transfer(self) -> Tensor:
        """H: what the blur leaves of each frequency."""
        return torch.exp(-2 * (torch.pi * self.blur * self.frequency / self.size) ** 2)

    @property
    def gain(self) -> Tensor:
        """The posterior mean's filter, H S / (H² S + σ²) (Wiener 1949)."""
        return self.transfer * self.power / (self.transfer**2 * self.power + self.noise**2)

    @property
    def posterior_variance(self) -> Tensor:
        """Of the number at each frequency, S σ² / (H² S + σ²)."""
        return self.power * self.noise**2 / (self.transfer**2 * self.power + self.noise**2)

    @property
    def mmse(self) -> float:
        """The least mean squared error per pixel."""
        return float(self.posterior_variance.mean())

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """True images, (count, 1, size, size)."""
        white = torch.randn(count, 1, self.size, self.size, generator=generator)
        return self._filtered(white, self.power.sqrt())

    def decode(self, z: Tensor) -> Tensor:
        """White numbers (N, size²) to images: a generative model of this world that is exactly right."""
        return self._filtered(z.view(-1, 1, self.size, self.size), self.power.sqrt())

    def measure(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Blurred, with noise."""
        return self._filtered(x, self.transfer) + self.noise * torch.randn(x.shape, generator=generator)

    def guess(self, y: Tensor) -> Tensor:
        """The measurement itself."""
        return y

    def misfit(self, x: Tensor, y: Tensor) -> Tensor:
        """Mean squared, (B,)."""
        return (self._filtered(x, self.transfer) - y).square().mean((1, 2, 3))

    def posterior_mean(self, y: Tensor) -> Tensor:
        """The answer with the least error."""
        return self._filtered(y, self.gain)

    def posterior_draw(self, y: Tensor, generator: torch.Generator) -> Tensor:
        """One image of those that fit, as often as it is true."""
        white = torch.randn(y.shape, generator=generator)
        return self.posterior_mean(y) + self._filtered(white, self.posterior_variance.sqrt())

    def stretched(self, y: Tensor) -> Tensor:
        """The posterior mean with each frequency's variance made that of true images."""
        return self._filtered(self.posterior_mean(y), (self.power / self._mean_power()).sqrt())

    def tradeoff(self, share: float) -> tuple[float, float]:
        """Mean squared error and distance to true images of posterior mean + share · (draw - mean).

        The distance is the squared Fréchet (2-Wasserstein) distance of the two Gaussians, per pixel.
        """
        mixed = self._mean_power() + share**2 * self.posterior_variance
        return (1 + share**2) * self.mmse, self._distance(mixed)

    def best_tradeoff(self, share: float) -> tuple[float, float]:
        """The same of posterior mean + share · (stretched - mean): the least error at each distance.

        Source: Freirich, Michaeli & Meir 2021, theorem 1.
        """
        mean = self._mean_power()
        extra = (self.power.sqrt() - mean.sqrt()).square()
        mixed = ((1 - share) * mean.sqrt() + share * self.power.sqrt()).square()
        return self.mmse + share**2 * float(extra.mean()), self._distance(mixed)

    def _mean_power(self) -> Tensor:
        """Variance of the posterior mean at each frequency."""
        return self.gain * self.transfer * self.power

    def _distance(self, power: Tensor) -> float:
        return float((self.power.sqrt() - power.sqrt()).square().mean())

    def _filtered(self, x: Tensor, transfer: Tensor) -> Tensor:
        return ifft2(fft2(x) * transfer).real
