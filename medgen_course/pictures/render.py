"""Pictures as uint8 arrays: grids, overlays, signed differences, a map of points, and PNG bytes.

Every function here is pure and fast. A figure draws the array that comes back and an explorer encodes the
same array to PNG, so that a reader without a running kernel and a reader with one see the same picture.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw

# Okabe & Ito 2008, "Color Universal Design", black last: distinct for colour-blind readers.
PALETTE: tuple[str, ...] = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000",
)  # fmt: skip


@dataclass(frozen=True)
class Extent:
    """What a map picture shows: positions in [0, 1] (left to right, bottom to top) against data units."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def to_data(self, x: float, y: float) -> tuple[float, float]:
        """The data coordinates of a position in [0, 1]²."""
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        return x0 + x * (x1 - x0), y0 + y * (y1 - y0)

    def to_position(self, x: float, y: float) -> tuple[float, float]:
        """The position in [0, 1]² of data coordinates; points beyond the edge land on the edge."""
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        return min(max((x - x0) / (x1 - x0), 0.0), 1.0), min(max((y - y0) / (y1 - y0), 0.0), 1.0)


def rgb_of(colour: str) -> np.ndarray:
    """Bytes of a colour like "#0072B2": uint8 (3,)."""
    return np.frombuffer(bytes.fromhex(colour.removeprefix("#")), dtype=np.uint8)


def to_bytes(images) -> np.ndarray:
    """Grey levels as uint8, same shape; floats are read as [0, 1] and clipped there, uint8 stays as it is.

    Raises:
        ValueError: another dtype, or NaN or inf among the floats; the message says which.
    """
    if isinstance(images, torch.Tensor):
        images = images.detach().cpu().numpy()
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"images are {images.dtype}; expected uint8 or floats in [0, 1]: convert them first")
    if not np.isfinite(images).all():
        raise ValueError("images hold NaN or inf; expected floats in [0, 1]: look at what made them")
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def to_rgb(images) -> np.ndarray:
    """Colour pictures of a batch.

    Args:
        images: (N, C, H, W) with C 1 or 3, uint8 or floats in [0, 1], array or tensor.
    Returns:
        uint8 (N, H, W, 3).
    Raises:
        ValueError: another shape or dtype.
    """
    images = to_bytes(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"images have shape {images.shape}; expected (N, C, H, W) with C = 1 or 3")
    images = np.broadcast_to(images, (len(images), 3, *images.shape[2:]))
    return np.array(images.transpose(0, 2, 3, 1), order="C")


def enlarge(picture: np.ndarray, scale: int) -> np.ndarray:
    """Every pixel repeated `scale` times both ways, unsmoothed: (H, W[, 3]) to (H·scale, W·scale[, 3])."""
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def enlarged(images: np.ndarray, side: int = 128) -> np.ndarray:
    """A batch (N, C, H, W) with every pixel repeated, unsmoothed, up to (N, C, side, side)."""
    times = side // images.shape[-1]
    return images.repeat(times, 2).repeat(times, 3)


def grid(images, columns: int = 8, pad: int = 2, scale: int = 1) -> np.ndarray:
    """A contact sheet, row by row, with white gaps.

    Args:
        images: (N, C, H, W), uint8 or floats in [0, 1], N ≥ 1.
        columns: pictures in a row; fewer images make a narrower sheet.
        pad: gap in screen pixels (not enlarged).
        scale: each image pixel becomes scale × scale screen pixels.
    Returns:
        uint8 (H', W', 3).
    Raises:
        ValueError: no images, or what to_rgb refuses.
    """
    pictures = to_rgb(images)
    if len(pictures) == 0:
        raise ValueError("no images to draw: found 0, expected at least 1")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    height, width = pictures.shape[1] * scale, pictures.shape[2] * scale
    sheet = np.full((rows * (height + pad) - pad, columns * (width + pad) - pad, 3), 255, dtype=np.uint8)
    for i, picture in enumerate(pictures):
        top, left = (i // columns) * (height + pad), (i % columns) * (width + pad)
        sheet[top : top + height, left : left + width] = enlarge(picture, scale)
    return sheet


def overlay(image, mask, colour: str = PALETTE[5], opacity: float = 0.5) -> np.ndarray:
    """An image with a region tinted.

    Args:
        image: (C, H, W), uint8 or floats in [0, 1].
        mask: (1, H, W) or (H, W); non-zero marks the region.
        colour: tint, "#RRGGBB".
        opacity: 0 (invisible) to 1 (solid).
    Returns:
        uint8 (H, W, 3).
    Raises:
        ValueError: the sizes differ.
    """
    picture = to_rgb(to_bytes(image)[None])[0]
    region = np.asarray(mask).reshape(np.shape(mask)[-2:]) != 0
    if region.shape != picture.shape[:2]:
        raise ValueError(f"mask is {region.shape}, image is {picture.shape[:2]}: they must have one size")
    tinted = (1 - opacity) * picture[region] + opacity * rgb_of(colour)
    picture[region] = np.rint(tinted).astype(np.uint8)
    return picture


def difference(a, b, limit: float = 0.5) -> np.ndarray:
    """Where a is brighter than b (orange) or darker (blue); pale grey where they agree.

    Args:
        a, b: one image each, (C, H, W), uint8 or floats in [0, 1]; channels are averaged.
        limit: the difference, on the [0, 1] scale, that gets the full colour.
    Returns:
        uint8 (H, W, 3).
    Raises:
        ValueError: the shapes differ.
    """
    a, b = to_bytes(a), to_bytes(b)
    if a.shape != b.shape:
        raise ValueError(f"images have shapes {a.shape} and {b.shape}: only equal shapes can be compared")
    return tint((a.astype(np.float32) - b).mean(axis=0), 255 * limit)


def tint(signed: np.ndarray, limit: float) -> np.ndarray:
    """Colours of signed numbers (..., H, W): orange above zero, blue below, full at ±limit.

    Returns:
        uint8 (..., H, W, 3).
    """
    share = np.clip(signed / limit, -1, 1)[..., None]
    colour = np.where(share > 0, rgb_of(PALETTE[5]), rgb_of(PALETTE[0]))
    return np.rint(238 + np.abs(share) * (colour - 238.0)).astype(np.uint8)


def scatter(
    points: np.ndarray,
    labels: np.ndarray,
    size: int = 360,
    palette: Sequence[str] = PALETTE,
    radius: float = 2.5,
) -> tuple[np.ndarray, Extent]:
    """A square map of points, coloured by label.

    Args:
        points: (N, 2), finite; the first column goes to the right, the second upwards.
        labels: (N,) integers; the colour is palette[label % len(palette)].
        size: width and height in pixels.
        palette: colours, "#RRGGBB".
        radius: of a dot, in pixels.
    Returns:
        The picture, uint8 (size, size, 3), and its Extent, which turns positions in [0, 1] into data units.
    Raises:
        ValueError: shapes that do not fit, no points, or points that are not finite.
    """
    points, labels = np.asarray(points, dtype=np.float64), np.asarray(labels)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0 or labels.shape != (len(points),):
        raise ValueError(f"points {points.shape} and labels {labels.shape}; expected (N, 2) and (N,), N ≥ 1")
    if not np.isfinite(points).all():
        raise ValueError("points hold NaN or inf: the model that made these codes has diverged")
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.05 * (high - low) + 1e-6
    low, high = low - margin, high + margin
    fine = 3  # drawn three times larger, then averaged: smooth edges
    centres = (points - low) / (high - low) * size * fine
    canvas = Image.new("RGB", (size * fine, size * fine), "white")
    pen = ImageDraw.Draw(canvas)
    for i in np.random.default_rng(0).permutation(len(points)):  # mixed order: no class hides another
        x, y = centres[i, 0], size * fine - centres[i, 1]
        r = radius * fine
        pen.ellipse((x - r, y - r, x + r, y + r), fill=palette[int(labels[i]) % len(palette)])
    picture = np.asarray(canvas.reduce(fine))
    return picture, Extent((float(low[0]), float(high[0])), (float(low[1]), float(high[1])))


def to_png(picture: np.ndarray) -> bytes:
    """PNG file bytes of a uint8 (H, W) or (H, W, 3) array, compressed lightly: speed before size.

    Three equal channels are written as one, four times faster.
    """
    if picture.dtype != np.uint8:
        raise ValueError(f"picture is {picture.dtype}; expected uint8: see to_bytes")
    if picture.ndim == 3 and (picture == picture[..., :1]).all():
        picture = np.ascontiguousarray(picture[..., 0])
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
