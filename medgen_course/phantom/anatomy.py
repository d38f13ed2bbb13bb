"""The shapes of the phantom: an axial slice through the basal ganglia, drawn from a row of named factors.

Every structure is a smooth implicit function: a depth in mm, positive inside. A pixel takes the share of a
structure that a ramp one pixel wide gives it, so that edges are partial volumes at any image size.
"""

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from medgen_course.phantom.brain import brain_half_axes, draw_brain, ventricle_shares
from medgen_course.phantom.lesion import Lesions, draw_lesions
from medgen_course.phantom.points import Points, at_least, reach, share, sqrt

FIELD_OF_VIEW = 200.0  # mm, both sides
SOFTNESS = 1.5  # mm over which an edge fades at least, because surfaces run askew through a thick slice

# name: (unit, lowest, highest value that is drawn, lowest, highest value that is accepted)
FACTORS = {
    "head_width": ("mm", 136.0, 151.0, 100.0, 200.0),
    "head_aspect": ("length/width", 1.16, 1.26, 1.0, 1.5),
    "head_taper": ("ratio", 0.02, 0.12, 0.0, 0.3),
    "rotation": ("degrees", -12.0, 12.0, -180.0, 180.0),
    "shift_x": ("mm", -4.0, 4.0, -60.0, 60.0),
    "shift_y": ("mm", -3.0, 3.0, -60.0, 60.0),
    "scalp_thickness": ("mm", 3.5, 6.5, 1.0, 15.0),
    "skull_thickness": ("mm", 5.0, 8.0, 2.0, 15.0),
    "sulcal_width": ("mm", 0.8, 2.4, 0.2, 6.0),
    "sulcal_depth": ("mm", 13.0, 23.0, 0.0, 30.0),
    "cortical_thickness": ("mm", 2.6, 4.0, 1.0, 8.0),
    "gyri": ("per hemisphere", 13.0, 17.0, 4.0, 20.0),
    "fold_phase_1": ("turns", 0.0, 1.0, 0.0, 1.0),
    "fold_phase_2": ("turns", 0.0, 1.0, 0.0, 1.0),
    "fold_phase_3": ("turns", 0.0, 1.0, 0.0, 1.0),
    "ventricle_size": ("ratio", 0.6, 1.9, 0.2, 3.0),
    "ventricle_asymmetry": ("ratio", -0.2, 0.2, -0.5, 0.5),
    "deep_grey_size": ("ratio", 0.85, 1.1, 0.5, 1.5),
    "lesion_present": ("0 or 1", 0.0, 1.0, 0.0, 1.0),
    "lesion_x": ("mm", -50.0, 50.0, -90.0, 90.0),
    "lesion_y": ("mm", -60.0, 60.0, -110.0, 110.0),
    "lesion_radius": ("mm", 6.0, 14.0, 0.0, 30.0),
    "lesion_contrast": ("free-water fraction", 0.35, 0.9, 0.0, 1.0),
}


def oversampling(size: int) -> int:
    """Points per pixel and side: folds thinner than a pixel are drawn finer, then averaged."""
    return math.ceil(56 / size)


def tissue_maps(factors: Tensor, size: int) -> tuple[Tensor, Lesions]:
    """Draw the anatomies of a factor table.

    Args:
        factors: shape (N, F), float32, columns in the order of `FACTORS`.
        size: pixels per side.
    Returns:
        Shares of every pixel: tissues in the order fat, muscle, csf, grey, white, shape
        (N, 5, size, size), sum <= 1 (the rest is air and bone); and the pixels that lesions touch.
    """
    points, pixel = oversampling(size) ** 2, _edge(size)
    flat, f = _columns(factors)
    maps = np.empty((5, len(factors), points, size, size), dtype=np.float32)
    fat, muscle, csf, grey, white = maps
    maps[:2] = maps[3:] = 0.0  # csf is written everywhere

    x, y = _head_frame(f, size)  # (N, P, size, size)
    forward = y / (f["head_width"] / 2 * f["head_aspect"])
    skin = _skin(f, x, y, forward)
    _draw_scalp_and_skull(f, skin.numpy(), forward.numpy(), pixel, fat, muscle, csf)
    skin -= f["head_width"] / 2 - brain_half_axes(f)[0]  # now the depth under the surface of the brain
    x, y = x.numpy(), y.numpy()
    draw_brain(flat, x, y, skin.numpy(), pixel, grey, white)
    csf -= white
    csf -= grey
    lesions = draw_lesions(flat, x, y, (white, grey), _lesion_places(flat, size), pixel)
    maps = torch.from_numpy(_pooled(maps))
    maps[:3].clamp_(0.0, 1.0)  # sums and differences; grey and white are products of shares
    return maps.transpose(0, 1), lesions


def ventricle_maps(factors: Tensor, size: int) -> np.ndarray:
    """Share of every pixel that lies in a ventricle, of a factor table as in `tissue_maps`: (N, H, W)."""
    flat, f = _columns(factors)
    x, y = _head_frame(f, size)
    return _pooled(ventricle_shares(flat, x.numpy(), y.numpy(), _edge(size))[None])[0]


def _edge(size):
    """Width in mm over which an edge fades."""
    return max(FIELD_OF_VIEW / (size * oversampling(size)), SOFTNESS)


def _columns(factors):
    """The factors by name: arrays (N,), and tensors (N, 1, 1, 1)."""
    flat = dict(zip(FACTORS, factors.numpy().T, strict=True))
    return flat, dict(zip(FACTORS, factors.T[..., None, None, None].unbind(), strict=True))


def _lesion_places(f, size):
    """Row and column in which the middle of each image's lesion lies, and the width of a pixel in mm."""
    width, angle = FIELD_OF_VIEW / size, np.deg2rad(f["rotation"])
    c, s, x, y = np.cos(angle), np.sin(angle), f["lesion_x"], f["lesion_y"]
    right, up = c * x - s * y + f["shift_x"], s * x + c * y + f["shift_y"]
    return (FIELD_OF_VIEW / 2 - up) / width - 0.5, (FIELD_OF_VIEW / 2 + right) / width - 0.5, width


def _pooled(maps: np.ndarray) -> np.ndarray:
    """Mean of the points of every pixel: (M, N, P, H, W) -> (M, N, H, W)."""
    if maps.shape[2] == 1:
        return maps[:, :, 0]
    total = maps[:, :, 0] + maps[:, :, 1]
    for i in range(2, maps.shape[2]):
        total += maps[:, :, i]
    total /= maps.shape[2]
    return total


def _head_frame(f, size):
    """Where the points lie in the head: mm, x to the right of an unrotated image, y to the face.

    Shape (N, P, size, size): the P points of a pixel come before the pixels, so that averaging adds images.
    """
    line = _line(size)
    right = line[:, None, :] - f["shift_x"][..., None]  # (N, 1, each, 1, size)
    up = -line[:, None, :, None] - f["shift_y"][..., None]  # (N, each, 1, size, 1)
    angle = f["rotation"][..., None].deg2rad()
    c, s = angle.cos(), angle.sin()
    shape = (len(angle), len(line) ** 2, size, size)
    return (c * right + s * up).view(shape), (c * up - s * right).view(shape)


@lru_cache(maxsize=4)
def _line(size: int) -> Tensor:
    """Places in mm along a side of the image: those of all pixels' first points, of the second, ..."""
    each = oversampling(size)
    line = (torch.arange(size * each) + 0.5) * (FIELD_OF_VIEW / (size * each)) - FIELD_OF_VIEW / 2
    return line.view(size, each).T.contiguous()  # (each, size)


def _skin(f, x, y, forward):
    """Depth in mm under the skin, along the ray from the centre of the head.

    torch's steps are the faster ones where shapes differ, NumPy's where a root is drawn.
    """
    width = (1.0 - forward * f["head_taper"]).mul_(f["head_width"] / 2)
    skin = torch.div(x, width, out=width)
    x, y, forward, xx = x.numpy(), y.numpy(), forward.numpy(), skin.numpy()
    xx *= xx
    yy = forward * forward
    radius = xx + yy
    radius += 1e-8
    xx *= 0.14
    xx *= yy
    xx /= np.multiply(radius, radius, out=yy)
    xx += 1.0  # blunter than an ellipse
    xx /= sqrt(radius)
    xx -= 1.0
    distance = np.multiply(x, x, out=radius)
    distance += np.multiply(y, y, out=yy)
    distance += 1e-6
    xx *= sqrt(distance)
    return skin


def _draw_scalp_and_skull(f, skin, forward, pixel, fat, muscle, cavity):
    """Write the shares of fat and muscle, and of everything inside the skull, to the last three."""
    scalp, skull = f["scalp_thickness"], f["skull_thickness"]
    further_in = skin >= (scalp + skull - reach(pixel) + 0.01).numpy()  # neither fat nor muscle nor bone
    cavity[...] = further_in
    ring = Points.of((skin > reach(pixel)) > further_in)
    skin, forward = ring.pick(skin, forward)
    scalp, skull = (thickness.flatten().numpy().repeat(ring.counts) for thickness in (scalp, skull))
    depth = skin - scalp
    bone = depth - 0.6 * skull * at_least(0.0, 1.0 - ((forward - 0.35) / 0.45) ** 2)
    inside = depth - skull  # the bone is thin under the temporal muscle
    under_skin, under_scalp = share(skin - 1.2, pixel), share(depth, pixel)
    marrow = share(bone - 0.35 * skull, pixel) - share(inside + 0.30 * skull, pixel)
    ring.put(share(skin, pixel) - under_skin + under_scalp - share(bone, pixel), muscle)
    ring.put(under_skin - under_scalp + 0.35 * at_least(0.0, marrow), fat)
    ring.put(share(inside, pixel), cavity)
