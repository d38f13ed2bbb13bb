"""The shapes of the phantom: an axial slice through the basal ganglia, drawn from a row of named factors.

Every structure is a smooth implicit function: a depth in mm, positive inside. A pixel takes the share of a
structure that a ramp one pixel wide gives it, so that edges are partial volumes at any image size.
"""

import math

import torch
from torch import Tensor

FIELD_OF_VIEW = 200.0  # mm, both sides
BRAIN_X, BRAIN_Y = 58.0, 74.0  # half axes in mm of the template in which deep structures are placed
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


def share(depth: Tensor, pixel: float, thickness: Tensor | float = math.inf) -> Tensor:
    """Part of a pixel that lies inside a structure whose edge is `depth` mm away (positive inside).

    Exact for a straight edge and, given its thickness in mm, for a straight band thinner than a pixel.
    """
    most = torch.as_tensor(thickness / pixel).clamp(max=1.0)
    return torch.minimum((depth / pixel + 0.5).clamp_(min=0.0), most)


def oversampling(size: int) -> int:
    """Points per pixel and side: folds thinner than a pixel are drawn finer, then averaged."""
    return math.ceil(56 / size)


def brain_half_axes(f: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Half of the brain's width and of its length in mm, from the named factors."""
    fluid = 1.0 + 0.7 * f["sulcal_width"]  # between skull and brain
    layers = f["scalp_thickness"] + f["skull_thickness"] + fluid
    half_width = f["head_width"] / 2
    return half_width - layers, half_width * f["head_aspect"] - layers


def tissue_maps(factors: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Draw the anatomies of a factor table.

    Args:
        factors: shape (N, F), float32, columns in the order of `FACTORS`.
        size: pixels per side.
    Returns:
        Shares of every pixel: tissues in the order fat, muscle, csf, grey, white, shape
        (N, 5, size, size), sum <= 1 (the rest is air and bone); and the share of brain tissue that
        the lesion takes, shape (N, 1, size, size).
    """
    oversample = oversampling(size)
    fine = size * oversample
    spacing = FIELD_OF_VIEW / fine
    pixel = max(spacing, SOFTNESS)
    f = {name: factors[:, i, None, None] for i, name in enumerate(FACTORS)}  # each (N, 1, 1)

    # image frame -> head frame: mm, x to the right of the image, y to the face
    line = (torch.arange(fine) + 0.5) * spacing - FIELD_OF_VIEW / 2
    right, up = line[None, None, :] - f["shift_x"], -line[None, :, None] - f["shift_y"]
    angle = torch.deg2rad(f["rotation"])
    c, s = torch.cos(angle), torch.sin(angle)
    x, y = c * right + s * up, c * up - s * right  # (N, fine, fine)

    # head: depth under the skin, along the ray from the centre
    half_width = f["head_width"] / 2
    half_length = half_width * f["head_aspect"]
    forward = y / half_length
    sideways = x / (half_width * (1.0 - f["head_taper"] * forward))
    xx, yy = sideways * sideways, forward * forward
    corner = 1.0 + 0.14 * xx * yy / ((xx + yy) ** 2 + 1e-6)  # blunter than an ellipse
    skin = torch.sqrt(x * x + y * y + 1e-6) * (corner / torch.sqrt(xx + yy + 1e-8) - 1.0)
    brain_width, brain_length = brain_half_axes(f)
    brain = skin - (half_width - brain_width)
    fat, muscle, cavity = _scalp_and_skull(f, skin, forward, pixel)

    # brain: folded surface, cortex of even thickness under it, white matter within
    warp = _warp(f, x, y)
    tx = (x + 0.2 * warp[0]) * BRAIN_X / brain_width  # template coordinates
    ty = (y + 0.2 * warp[1]) * BRAIN_Y / brain_length
    ax, side = tx.abs(), torch.sign(x)
    cleft = torch.minimum(_sulci(f, x, y, warp, brain), _fissures(f, ax, ty, warp[1], side))
    half, thick = 0.5 * f["sulcal_width"], f["cortical_thickness"]
    surface = share(brain, pixel) * (1.0 - share(half - cleft, pixel, 2 * half))
    core = 1.0 - share(half + thick - cleft, pixel, 2 * (half + thick))
    core = torch.minimum(torch.minimum(core, share(brain - thick, pixel)), surface)

    # ventricles and deep grey matter
    ventricle = f["ventricle_size"] * (1.0 + side * f["ventricle_asymmetry"])
    fluid = share(_ventricles(ventricle, ax, ty), pixel)
    deep = _deep_grey(f["deep_grey_size"], ventricle, ax, ty, pixel)
    white = core * (1.0 - fluid) * (1.0 - deep)
    grey = surface * (1.0 - fluid) - white

    maps = torch.stack([fat, muscle, cavity - white - grey, grey, white], dim=1)  # (N, 5, fine, fine)
    lesion = (_lesion(f, x, y, pixel) * (white + grey))[:, None]
    if oversample > 1:
        maps = torch.nn.functional.avg_pool2d(maps, oversample)
        lesion = torch.nn.functional.avg_pool2d(lesion, oversample)
    return maps.clamp_(0.0, 1.0), lesion.clamp_(0.0, 1.0)


def _scalp_and_skull(f, skin, forward, pixel):
    """Shares of fat and muscle, and of everything inside the skull."""
    temple = 0.6 * f["skull_thickness"] * (1.0 - ((forward - 0.35) / 0.45) ** 2).clamp(min=0.0)
    bone = skin - f["scalp_thickness"] - temple  # the bone is thin under the temporal muscle
    inside = skin - f["scalp_thickness"] - f["skull_thickness"]
    under_skin, scalp = share(skin - 1.2, pixel), share(skin - f["scalp_thickness"], pixel)
    outer_table, inner_table = 0.35 * f["skull_thickness"], 0.30 * f["skull_thickness"]
    marrow = share(bone - outer_table, pixel) - share(inside + inner_table, pixel)
    muscle = share(skin, pixel) - under_skin + scalp - share(bone, pixel)
    fat = under_skin - scalp + 0.35 * marrow.clamp(min=0.0)
    return fat, muscle, share(inside, pixel)


def _warp(f, x, y):
    """Displacements in mm that make the folds of every brain its own."""
    p1, p2, p3 = (2 * math.pi * f[f"fold_phase_{i}"] for i in (1, 2, 3))
    warp_x = 4.0 * torch.sin(0.11 * y + 0.04 * x + p1) + 2.2 * torch.sin(0.24 * y - 0.10 * x + p2)
    warp_y = 4.0 * torch.sin(0.12 * x - 0.03 * y + p3) + 2.2 * torch.sin(0.22 * x + 0.12 * y + p1)
    return warp_x, warp_y


def _sulci(f, x, y, warp, brain):
    """Distance in mm to the sulci, curved sheets that run inwards from the brain's surface."""
    stretch = torch.sqrt(f["head_aspect"])  # spaces the gyri evenly along an ellipse
    theta = torch.atan2((x + warp[0]).abs() * stretch, y + warp[1])
    side, per_gyrus = torch.sign(x), math.pi / f["gyri"]
    turn = theta / per_gyrus + f["fold_phase_2"] + 0.21 * side
    number = torch.round(turn)
    along = (turn - number) * per_gyrus * torch.sqrt((y / stretch) ** 2 + (x * stretch) ** 2)
    depth = 0.70 + 0.30 * torch.sin(2.4 * number + 2 * math.pi * f["fold_phase_3"] + side)
    beyond = (brain - f["sulcal_depth"] * depth).clamp(min=0.0)
    mouth = (1.4 - 0.25 * brain).clamp(0.0, 1.4)  # the crowns of the gyri are round
    return torch.sqrt(along * along + beyond * beyond) - mouth


def _fissures(f, ax, ty, warp_y, side):
    """Distance in mm to the fissure between the hemispheres, its side sulci, and both Sylvian fissures."""
    p1, p3 = 2 * math.pi * f["fold_phase_1"], 2 * math.pi * f["fold_phase_3"]
    gap = torch.minimum(34.0 - ty, ty + 42.0).clamp(min=0.0)  # closed there by the corpus callosum
    midline = torch.sqrt(ax * ax + gap * gap) - 0.5
    rung = (ty + 3.0 * side * torch.sin(p3) - 0.35 * ax + 0.5 * warp_y) / 15.0
    number = torch.round(rung)
    beyond = (ax - 10.0 - 3.0 * torch.sin(2.4 * number + p1 + side)).clamp(min=0.0) + gap
    medial = torch.sqrt((15.0 * (rung - number)) ** 2 + beyond * beyond)
    across = ty - 0.35 * (ax - 42.0) + 0.5 * warp_y
    sylvian = torch.sqrt((41.0 - ax).clamp(min=0.0) ** 2 + across * across) - 0.6
    bow = ax - 40.5 + 0.020 * (ty - 1.0) ** 2
    insula = torch.sqrt(bow * bow + ((ty - 1.0).abs() - 15.0).clamp(min=0.0) ** 2) - 0.3
    return torch.minimum(torch.minimum(midline, medial), torch.minimum(sylvian, insula))


def _ventricles(size, ax, ty):
    """Depth in mm inside the frontal horns, the occipital horns and the third ventricle."""
    rise = ((ty - 6.0) / 22.0).clamp(0.0, 1.0)
    medial = 1.0 + 7.0 * rise * rise
    lateral = medial + size * (1.6 + 6.5 * rise)
    tip = 31.0 - ty - 0.14 * (ax - 9.0) ** 2
    frontal = torch.minimum(torch.minimum(ax - medial, lateral - ax), torch.minimum(ty - 2.0, tip))
    back = (ty + 35.0) / 17.0
    width = 4.4 * size * (1.0 - back * back) * (1.0 + 0.35 * back)
    occipital = width - (ax - 22.0 + 0.010 * (ty + 30.0) ** 2).abs()
    third = 1.8 * size * (1.0 - ((ty + 8.0) / 11.0) ** 2) - ax
    return torch.maximum(torch.maximum(frontal, occipital), third)


def _deep_grey(size, ventricle, ax, ty, pixel):
    """Share of grey matter in caudate, putamen, thalamus (0.8) and pallidum (0.5, rich in fibres)."""
    push = 3.0 * (ventricle - 1.0)  # wide ventricles push the nuclei aside
    caudate = _ellipse(ax - push, ty, (13.5, 15.0), (4.6, 9.5), 0.35, size)
    putamen = _ellipse(ax, ty, (26.5, 5.0), (5.0, 14.5), -0.18, size)
    pallidum = _ellipse(ax, ty, (20.0, 2.0), (4.0, 8.5), -0.45, size)
    thalamus = _ellipse(ax - 0.4 * push, ty, (10.0, -11.0), (8.2, 12.5), -0.35, size)
    deep = share(torch.maximum(caudate, putamen), pixel)
    return torch.maximum(deep, torch.maximum(0.8 * share(thalamus, pixel), 0.5 * share(pallidum, pixel)))


def _ellipse(x, y, centre, radii, tilt, size):
    """Depth in mm inside an ellipse; `tilt` in radians turns its upper end towards larger x."""
    c, s = math.cos(tilt), math.sin(tilt)
    u = (c * (x - centre[0]) - s * (y - centre[1])) / radii[0]
    v = (s * (x - centre[0]) + c * (y - centre[1])) / radii[1]
    return (size - torch.sqrt(u * u + v * v)) * min(radii)


def _lesion(f, x, y, pixel):
    """Share of the pixel inside the lesion, a disc with a wavy and blurred edge."""
    dx, dy = x - f["lesion_x"], y - f["lesion_y"]
    around = torch.atan2(dy, dx)
    wave = 0.14 * torch.sin(2 * around + 2 * math.pi * f["fold_phase_1"])
    wave = wave + 0.09 * torch.sin(3 * around + 2 * math.pi * f["fold_phase_2"])
    depth = f["lesion_radius"] * (1.0 + wave) - torch.sqrt(dx * dx + dy * dy)
    return share(depth, max(pixel, 2.5)) * f["lesion_present"]
