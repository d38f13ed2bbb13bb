"""What a latent code costs in bits, and what JPEG makes of the same images.

An autoencoder compresses only when its code is rounded: real numbers hold as many bits as one cares to
write. So: round to a grid (`quantise`), count the bits an entropy coder would need (`code_length`), decode
the rounded code (`dequantise`), and set bits per pixel against PSNR, beside `jpeg_mosaic`.
"""

import io
import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from medgen_course.batches.checks import describe
from medgen_course.batches.transforms import to_unit
from medgen_course.metrics.reconstruction import psnr

MAX_LEVELS = 2**20  # a histogram of more bins than this is a mistake in the step
MOSAIC_PIXELS = 2**24  # one JPEG holds about 4096 x 4096 pixels


def quantise(z: Tensor, step: float) -> Tensor:
    """Round codes to the nearest multiple of `step`.

    Args:
        z: latent codes, floats, any shape.
        step: distance between neighbouring levels, > 0, in the unit of z.
    Returns:
        int64, the same shape: the level's number, so that |z - step * number| <= step / 2.
    Raises:
        ValueError: the step is not positive and finite, or z is not finite floating point.
    """
    if not 0 < step < math.inf:
        raise ValueError(
            f"step must be positive and finite, but is {step}. Try a tenth of the codes' spread."
        )
    if not isinstance(z, Tensor) or not z.is_floating_point() or not z.isfinite().all():
        raise ValueError(
            f"expected finite floats to quantise, but got {describe(z)}, perhaps with NaN or inf."
        )
    return (z.detach().double() / step).round().long()


def dequantise(symbols: Tensor, step: float) -> Tensor:
    """Give back the level that each symbol of `quantise` stands for.

    Args:
        symbols: int64, any shape.
        step: the step they were made with.
    Returns:
        float32, the same shape.
    """
    return (symbols.double() * step).float()


def code_length(symbols: Tensor, training_symbols: Tensor) -> Tensor:
    """Bits an ideal entropy coder needs for each image, with histograms counted on training codes.

    Each latent dimension has its own histogram over the levels from the lowest to the highest seen in
    training, and one more symbol that announces a level outside; one half is added to each count, so that
    nothing costs infinitely many bits. After the announcement come a bit for the side and an Elias gamma code
    for the distance from the histogram, 2 floor(log2 distance) + 1 bits. An arithmetic coder reaches the sum
    to within 2 bits. The histograms themselves belong to the coder and are not counted, as the decoder's
    weights are not.

    Args:
        symbols: int64 from `quantise`, (B, latent_dim).
        training_symbols: the same for training images, (N, latent_dim), N >= 1.
    Returns:
        (B,), float64, bits per image, > 0.
    Raises:
        ValueError: not two dimensions, another latent_dim, no training codes, or over a million levels.
    Source: Krichevsky & Trofimov 1981 (one half); Elias 1975 (gamma code).
    """
    for name, given in (("symbols", symbols), ("training_symbols", training_symbols)):
        if not isinstance(given, Tensor) or given.dtype != torch.int64 or given.ndim != 2:
            raise ValueError(f"{name} must be int64 (B, latent_dim), but is {describe(given)}. Use quantise.")
    if symbols.shape[1] != training_symbols.shape[1] or not len(training_symbols):
        found = f"{tuple(symbols.shape)} and {tuple(training_symbols.shape)}"
        raise ValueError(f"symbols and training symbols of shapes {found} are not of one latent space.")
    columns = zip(symbols.unbind(1), training_symbols.unbind(1), strict=True)
    return torch.stack([_bits(column, training) for column, training in columns]).sum(0)


def _bits(symbols: Tensor, training: Tensor) -> Tensor:
    """Cost of one latent dimension: (B,) and (N,) -> (B,) bits."""
    low, high = int(training.min()), int(training.max())
    levels = high - low + 1
    if levels > MAX_LEVELS:
        raise ValueError(f"the codes span {levels} levels, at most {MAX_LEVELS} fit: take a larger step.")
    counts = torch.bincount(training - low, minlength=levels + 1).double() + 0.5  # the last bin: outside
    bits = -torch.log2(counts / counts.sum())
    outside = torch.clamp(low - symbols, min=0) + torch.clamp(symbols - high, min=0)  # (B,), 0 inside
    extra = torch.where(outside > 0, 2 + 2 * outside.clamp(min=1).double().log2().floor(), 0)
    return bits[torch.where(outside > 0, levels, symbols - low)] + extra


def jpeg_mosaic(images: np.ndarray | Tensor, quality: int) -> tuple[float, float]:
    """What `through_jpeg` costs and how good it is.

    Args:
        images: uint8, (N, C, H, W), C = 1 or 3.
        quality: Pillow's scale, 1 (small) to 100 (near lossless).
    Returns:
        (bits per pixel of the N images, mean over images of their PSNR in decibels).
    Raises:
        ValueError: no such images, or a quality outside 1 to 100.
    """
    bits, x_hat = through_jpeg(images, quality)
    x = images.cpu() if isinstance(images, Tensor) else torch.tensor(images)
    return bits, float(psnr(to_unit(torch.from_numpy(x_hat)), to_unit(x)).mean())


def through_jpeg(images: np.ndarray | Tensor, quality: int) -> tuple[float, np.ndarray]:
    """Compress many images as the tiles of one JPEG, so that a file header each does not decide.

    JPEG works in blocks, of 8 pixels in grey and of 16 in colour (halved chroma). Each tile is filled up to
    whole blocks with its own mirror image, which JPEG likes better than neighbours meeting inside a block;
    the filling is paid for in bits, and cropped afterwards. Huffman tables are optimised.

    Args:
        images: uint8, (N, C, H, W), C = 1 or 3.
        quality: Pillow's scale, 1 (small) to 100 (near lossless).
    Returns:
        (bits per pixel of the N images, what JPEG made of them: uint8, (N, C, H, W)).
    Raises:
        ValueError: no such images, or a quality outside 1 to 100.
    """
    images = images.cpu().numpy() if isinstance(images, Tensor) else np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or not images.size:
        raise ValueError(
            f"expected uint8 images (N, 1 or 3, H, W), but got {describe(images)}. Use to_uint8."
        )
    if not 1 <= quality <= 100:
        raise ValueError(f"quality must lie between 1 and 100, but is {quality}.")
    count, channels, height, width = images.shape
    block = 8 if channels == 1 else 16
    fill = ((0, 0), (0, 0), (0, -height % block), (0, -width % block))
    tiles = np.pad(images, fill, mode="symmetric")
    chunk = max(1, MOSAIC_PIXELS // (tiles.shape[2] * tiles.shape[3]))
    size, decoded = 0, []
    for start in range(0, count, chunk):
        part = tiles[start : start + chunk]
        columns = math.ceil(len(part) ** 0.5)
        file = io.BytesIO()
        Image.fromarray(_tile(part, columns)).save(file, "JPEG", quality=quality, optimize=True)
        size += file.tell()
        with Image.open(file) as mosaic:
            decoded.append(_untile(np.asarray(mosaic), part.shape, columns))
    x_hat = np.ascontiguousarray(np.concatenate(decoded)[:, :, :height, :width])
    return 8 * size / (count * height * width), x_hat


def png_mosaic(images: np.ndarray) -> float:
    """Bits per pixel of the N images as the tiles of one PNG: without loss, and without any model of images.

    Args:
        images: uint8, (N, C, H, W), C = 1 or 3, at most a few thousand small ones.
    Raises:
        ValueError: no such images.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or not images.size:
        raise ValueError(f"expected uint8 images (N, 1 or 3, H, W), but got {describe(images)}.")
    file = io.BytesIO()
    Image.fromarray(_tile(images, math.ceil(len(images) ** 0.5))).save(file, "PNG", optimize=True)
    return 8 * file.tell() / (len(images) * images.shape[2] * images.shape[3])


def _tile(tiles: np.ndarray, columns: int) -> np.ndarray:
    """(N, C, H, W) -> one image (rows H, columns W) or (rows H, columns W, 3), black where tiles end."""
    count, channels, height, width = tiles.shape
    rows = math.ceil(count / columns)
    board = np.zeros((rows * columns, channels, height, width), np.uint8)
    board[:count] = tiles
    board = board.reshape(rows, columns, channels, height, width).transpose(0, 3, 1, 4, 2)
    mosaic = board.reshape(rows * height, columns * width, channels)
    return mosaic[..., 0] if channels == 1 else mosaic


def _untile(mosaic: np.ndarray, shape: tuple[int, ...], columns: int) -> np.ndarray:
    """Undo `_tile`: the mosaic -> tiles of `shape`, (N, C, H, W)."""
    count, channels, height, width = shape
    board = mosaic.reshape(-1, height, columns, width, channels).transpose(0, 2, 4, 1, 3)
    return board.reshape(-1, channels, height, width)[:count]
