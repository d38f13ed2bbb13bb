"""How much of an image is coarse and how much is fine: its power at each spatial frequency."""

import numpy as np


def radial_power(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean power of images at each spatial frequency, all directions together.

    Each image's mean grey level is left out. Together with what is finer than the axes can show, in the
    corners of the spectrum, the powers add up to the variance of its pixels.

    Args:
        images: uint8 (N, C, side, side).
    Returns:
        Frequencies in cycles an image, whole numbers 1 to side // 2; the power at each, (side // 2,), in
        squared grey levels of [0, 1].
    Raises:
        ValueError: images that are not square, or none.
    Source: for generated images Durall et al. 2020, section 2.1, there along one image's radius.
    """
    if images.ndim != 4 or images.shape[-1] != images.shape[-2] or not len(images):
        raise ValueError(f"images have shape {images.shape}; expected (N, C, side, side) with N >= 1.")
    side = images.shape[-1]
    grey = images.astype(np.float64) / 255
    power = np.abs(np.fft.fft2(grey)) ** 2 / side**4  # of all frequencies the mean of the squares
    cycles = np.fft.fftfreq(side) * side
    radius = np.rint(np.hypot(*np.meshgrid(cycles, cycles))).astype(int)
    total = np.bincount(radius.ravel(), power.mean((0, 1)).ravel())
    return np.arange(1, side // 2 + 1), total[1 : side // 2 + 1]
