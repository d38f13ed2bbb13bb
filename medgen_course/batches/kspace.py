"""MR reconstruction from some lines of k-space; data consistency for an image that is real and in [0, 1]."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.fft import fft2, fftshift, ifft2

from medgen_course.batches.checks import check_between, check_image

ROUNDS = 60  # of `project`
CENTRE = 0.5  # share of the measured lines that lie around the middle of k-space


def lines(size: int, share: float, seed: int = 0) -> Tensor:
    """Which lines of k-space are measured: those in the middle, and some further out, drawn by `seed`.

    The k-space of a real image is Hermitian: line -k follows from line k. Both are taken here, so that what
    is filled with zeros stays a real image, and the share says all that is known.

    Args:
        size: lines in all, the image's height.
        share: of them that are measured, 0 to 1; the number is odd, and never above the share but for one
            line.
        seed: of the lines outside the middle.
    Returns:
        bool (size,), in the order of `torch.fft.fft2`: line 0 is the mean.
    """
    pairs = max(0, (int(share * size) - 1) // 2)
    middle = min(pairs, round(CENTRE * share * size / 2))
    outer = torch.arange(middle + 1, (size - 1) // 2 + 1)
    draws = torch.randperm(len(outer), generator=torch.Generator().manual_seed(seed))
    chosen = torch.cat([torch.arange(1, middle + 1), outer[draws[: pairs - middle]]])
    measured = torch.zeros(size, dtype=torch.bool)
    measured[0] = True
    measured[chosen] = measured[-chosen] = True
    return measured


@dataclass(frozen=True)
class Lines:
    """Some lines of k-space; the rest of it is not known."""

    share: float
    seed: int = 0

    def __post_init__(self):
        check_between("the strength of mri, a share of k-space,", self.share, 0.02, 1)

    def mask(self, size: int) -> Tensor:
        """The measured lines as a column, bool (size, 1)."""
        return lines(size, self.share, self.seed)[:, None]

    def measure(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """K-space of x, complex (B, C, H, W), zero outside the measured lines; norm="ortho"."""
        check_image(x)
        return self._seen(x)

    def guess(self, y: Tensor) -> Tensor:
        """Zero-filled: the image whose other lines are zero, cut at 0 and 1."""
        return ifft2(y, norm="ortho").real.clamp(0, 1)

    def misfit(self, x: Tensor, y: Tensor) -> Tensor:
        """Between measured lines; an image's square is as large in k-space as in its pixels (Parseval)."""
        return torch.view_as_real(self._seen(x) - y).square().sum(-1).mean((1, 2, 3))

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """Put the measured lines in and cut at 0 and 1, in turn: both sets hold the true image.

        With the cut off, one round would keep what was measured exactly. With it, `ROUNDS` of them come so
        near that less than half a grey level is missing (tests). What agrees is reached, which need not be
        the nearest image that does.

        Source: projections onto convex sets, Youla & Webb 1982.
        """
        mask = self.mask(x.shape[-2]).to(x.device)
        for _ in range(ROUNDS):
            x = ifft2(torch.where(mask, y, fft2(x, norm="ortho")), norm="ortho").real.clamp(0, 1)
        return x

    def _seen(self, x: Tensor) -> Tensor:
        return fft2(x, norm="ortho") * self.mask(x.shape[-2]).to(x.device)


def picture(y: Tensor) -> Tensor:
    """How strong k-space is: log of its magnitude, the mean in the middle, (B, C, H, W) in [0, 1]."""
    size = fftshift(torch.log1p(10 * y.abs()), dim=(-2, -1))
    return size / size.amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
