"""What happens to a batch between the data and a model: scaling, padding, augmentation, corruption.

Images wait in memory as uint8 and enter models as floats in [0, 1]. Everything here works on whole
batches (B, C, H, W) on the device they are on, and keeps shape and dtype.
Random numbers come from `generator`; without one they come from torch's global state, as in torch itself.
"""

import math

import torch
from kornia.enhance import adjust_brightness_accumulative
from kornia.filters import gaussian_blur2d
from kornia.geometry.transform import get_rotation_matrix2d, warp_affine
from torch import Tensor

from medgen_course.batches.checks import check_batch, check_between, check_image, check_range, describe

MAX_ROTATION = 0.1  # turns; a patient lies askew by a few degrees, never upside down
MAX_BLUR = 32  # pixels


def to_unit(images: Tensor) -> Tensor:
    """Scale grey levels to [0, 1].

    Args:
        images: uint8, any shape.
    Returns:
        float32 of the same shape, images / 255.
    Raises:
        ValueError: the images are not a uint8 tensor.
    """
    if not isinstance(images, Tensor) or images.dtype != torch.uint8:
        raise ValueError(f"expected a uint8 tensor, but got {describe(images)}. Arrays: torch.from_numpy.")
    return images.to(torch.float32) / 255


def to_uint8(x: Tensor) -> Tensor:
    """Round [0, 1] to grey levels; the inverse of `to_unit`, exact for all 256 of them.

    Args:
        x: floats in [0, 1], any shape.
    Returns:
        uint8 of the same shape.
    Raises:
        ValueError: not floating point, or values outside [0, 1].
    """
    check_range(x)
    return (x.detach().to(torch.float32) * 255).round().to(torch.uint8)


def pad_to(x: Tensor, size: int) -> Tensor:
    """Put black around each image, the image in the middle.

    Args:
        x: any dtype, (B, C, H, W).
        size: height and width wanted, in pixels, at least H and W.
    Returns:
        (B, C, size, size); one more row or column at the bottom or right where the difference is odd.
    Raises:
        ValueError: not four dimensions, or an image is larger than `size`.
    """
    height, width = check_batch(x).shape[-2:]
    if size < max(height, width):
        raise ValueError(f"cannot pad {height} x {width} pixels to {size}: crop_to makes images smaller.")
    top, left = (size - height) // 2, (size - width) // 2
    padded = x.new_zeros(*x.shape[:2], size, size)
    padded[..., top : top + height, left : left + width] = x
    return padded


def crop_to(x: Tensor, size: int) -> Tensor:
    """Cut out the middle; the inverse of `pad_to` for square images, exact.

    Args:
        x: any dtype, (B, C, H, W).
        size: height and width wanted, in pixels, from 1 to the smaller of H and W.
    Returns:
        (B, C, size, size), a view of `x`.
    Raises:
        ValueError: not four dimensions, or an image is smaller than `size`.
    """
    height, width = check_batch(x).shape[-2:]
    if not 1 <= size <= min(height, width):
        raise ValueError(f"cannot crop {height} x {width} pixels to {size}: pad_to makes images larger.")
    top, left = (height - size) // 2, (width - size) // 2
    return x[..., top : top + size, left : left + size]


def augment(
    x: Tensor,
    rotation: float = 0.02,
    shift: float = 0.05,
    brightness: float = 0.1,
    flip: bool = False,
    generator: torch.Generator | None = None,
    masks: int = 0,
) -> Tensor:
    """Show each image a little turned, moved and brighter or darker, each one differently.

    Rotation and shift are one bilinear warp; what comes in from outside is black. Brightness multiplies,
    so that black background stays black, and is cut at 1. Masks go with their image: what turns, moves and
    mirrors it does the same to them, and a pixel is inside where at least half of it comes from inside.

    Args:
        x: floats in [0, 1], (B, C, H, W); the last `masks` channels are masks.
        rotation: largest angle either way, in turns, 0 to 0.1; the default is 7°, as a patient may lie.
        shift: largest movement either way along each axis, as a fraction of the image, 0 to 0.5.
        brightness: the factor lies in [1 - brightness, 1 + brightness]; 0 to 1.
        flip: also mirror half of the images left to right. Off by default: a mirrored chest has its heart on
            the right, which is a rare anatomy (situs inversus) and not a harmless variation.
        generator: source of the random numbers.
        masks: how many channels at the end are masks.
    Returns:
        Same shape, dtype and device, in [0, 1]; masks are 0 or 1.
    Raises:
        ValueError: x is no such batch, all of its channels are masks, or a strength is outside its interval.
    """
    check_image(x)
    if not 0 <= masks < x.shape[1]:
        raise ValueError(f"masks is {masks} of {x.shape[1]} channels; the image needs one at least.")
    check_between("rotation", rotation, 0, MAX_ROTATION, "turns")
    check_between("shift", shift, 0, 0.5, "of the image")
    check_between("brightness", brightness, 0, 1)
    # one row an image, all drawn always: what is switched off does not change what the others do
    draws = _random(torch.rand, (x.shape[0], 5), x, generator)
    turn, right, down, gain, mirror = (2 * draws - 1).unbind(1)  # each (B,), in [-1, 1)
    if rotation or shift:
        x = _warp(x, rotation * turn, shift * right, shift * down)
    image = x[:, : x.shape[1] - masks]
    if brightness:
        image = adjust_brightness_accumulative(image, (1 + brightness * gain).to(x.dtype))
    x = torch.cat([image, (x[:, image.shape[1] :] >= 0.5).to(x.dtype)], 1) if masks else image
    if flip:
        x = torch.where((mirror < 0)[:, None, None, None], x.flip(-1), x)
    return x


def _warp(x: Tensor, turns: Tensor, right: Tensor, down: Tensor) -> Tensor:
    height, width = x.shape[-2:]
    centre = x.new_tensor([(width - 1) / 2, (height - 1) / 2], dtype=torch.float32).expand(len(x), 2)
    matrix = get_rotation_matrix2d(centre, 360 * turns, torch.ones_like(centre))  # (B, 2, 3), degrees
    matrix[:, 0, 2] += right * width
    matrix[:, 1, 2] += down * height
    return warp_affine(x.float(), matrix, (height, width)).clamp(0, 1).to(x.dtype)


def gaussian_noise(x: Tensor, sigma: float, generator: torch.Generator | None = None) -> Tensor:
    """Add N(0, sigma²) to each pixel, cut to [0, 1]: the electronics of a detector.

    Args:
        x: floats in [0, 1], (B, C, H, W).
        sigma: standard deviation before cutting, in units of the grey scale, >= 0.
        generator: source of the random numbers.
    Returns:
        Same shape and dtype, in [0, 1].
    Raises:
        ValueError: x is no such batch, or sigma is negative.
    """
    check_image(x)
    check_between("sigma", sigma, 0, math.inf)
    return (x + sigma * _random(torch.randn, x.shape, x, generator)).clamp(0, 1).to(x.dtype)


def rician_noise(x: Tensor, sigma: float, generator: torch.Generator | None = None) -> Tensor:
    """Take the magnitude after noise in two channels, cut to [0, 1]: the noise of MR magnitude images.

    The scanner measures a real and an imaginary part, each with N(0, sigma²). Background becomes Rayleigh
    noise with mean sigma·sqrt(pi/2): brighter than black, which Gaussian noise would not do.

    Args:
        x: floats in [0, 1], (B, C, H, W).
        sigma: standard deviation in each part, in units of the grey scale, >= 0.
        generator: source of the random numbers.
    Returns:
        Same shape and dtype, in [0, 1].
    Raises:
        ValueError: x is no such batch, or sigma is negative.
    Source: Gudbjartsson & Patz 1995, equation 1.
    """
    check_image(x)
    check_between("sigma", sigma, 0, math.inf)
    real, imaginary = sigma * _random(torch.randn, (2, *x.shape), x, generator)
    return torch.hypot(x + real, imaginary).clamp(0, 1).to(x.dtype)


def poisson_noise(
    x: Tensor, photons: float, generator: torch.Generator | None = None, film: bool = False
) -> Tensor:
    """Count photons: Poisson(photons · x) / photons, cut to [0, 1]. Fewer photons, less dose, more noise.

    The variance is x / photons, so bright pixels are noisier. In a radiograph it is the other way round:
    white is where few photons came through the body. `film=True` counts photons from white downwards, so
    that black is the full count and the variance is (1 - x) / photons. That holds for counts; in a stored
    radiograph logarithm and windowing have already changed the grey levels, so this is a picture of low dose
    and not a simulation of one.

    Args:
        x: floats in [0, 1], (B, C, H, W).
        photons: mean count in a pixel of grey level 1 (of grey level 0 with `film`), > 0.
        generator: source of the random numbers.
        film: black means many photons, as in a radiograph.
    Returns:
        Same shape and dtype, in [0, 1].
    Raises:
        ValueError: x is no such batch, or photons is not positive and finite.
    """
    check_image(x)
    if not 0 < photons < math.inf:
        raise ValueError(f"photons must be positive and finite, but is {photons}. About 30 is very noisy.")
    rate = photons * (1 - x.float() if film else x.float())
    counts = torch.poisson(rate.to(generator.device) if generator else rate, generator=generator).to(x.device)
    seen = counts / photons
    return (1 - seen if film else seen).clamp(0, 1).to(x.dtype)


def blur(x: Tensor, sigma: float) -> Tensor:
    """Convolve with a Gaussian cut at 3 sigma: a patient who moved, a thick focal spot.

    Args:
        x: floats in [0, 1], (B, C, H, W).
        sigma: standard deviation of the Gaussian in pixels, 0 (no change) to 32.
    Returns:
        Same shape and dtype, in [0, 1]. The edge pixels are repeated outwards.
    Raises:
        ValueError: x is no such batch, or sigma is outside its interval.
    """
    check_image(x)
    check_between("sigma", sigma, 0, MAX_BLUR, "pixels")
    if sigma == 0:
        return x
    kernel = 2 * math.ceil(3 * sigma) + 1
    blurred = gaussian_blur2d(x.float(), kernel, (float(sigma), float(sigma)), border_type="replicate")
    return blurred.clamp(0, 1).to(x.dtype)


def occlude(x: Tensor, fraction: float, generator: torch.Generator | None = None) -> Tensor:
    """Black out one rectangle an image, of the image's proportions, anywhere inside it.

    Args:
        x: floats in [0, 1], (B, C, H, W).
        fraction: area of the rectangle over area of the image, 0 to 1; met to within whole pixels.
        generator: source of the random numbers.
    Returns:
        Same shape and dtype, in [0, 1].
    Raises:
        ValueError: x is no such batch, or fraction is outside [0, 1].
    Source: cutout, DeVries & Taylor 2017.
    """
    check_image(x)
    check_between("fraction", fraction, 0, 1)
    height, width = x.shape[-2:]
    rows = round(height * fraction**0.5)
    columns = min(width, round(fraction * height * width / max(rows, 1)))
    draws = _random(torch.rand, (x.shape[0], 2), x, generator)
    top = (draws[:, :1] * (height - rows + 1)).floor()  # (B, 1)
    left = (draws[:, 1:] * (width - columns + 1)).floor()
    row, column = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
    inside_rows = (row >= top) & (row < top + rows)  # (B, H)
    inside_columns = (column >= left) & (column < left + columns)  # (B, W)
    return x.masked_fill((inside_rows[:, :, None] & inside_columns[:, None, :])[:, None], 0)


def _random(draw, shape: tuple[int, ...], x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw float32 on the generator's device (the same numbers wherever x is) and move them to x."""
    device = generator.device if generator is not None else x.device
    return draw(shape, generator=generator, device=device, dtype=torch.float32).to(x.device)
