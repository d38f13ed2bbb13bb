"""The shapes of the phantom: an axial slice through the basal ganglia, drawn from a row of named factors.

Every structure is a smooth implicit function: a depth in mm, positive inside. A pixel takes the share of a
structure that a ramp one pixel wide gives it, so that edges are partial volumes at any image size.
"""

import math

import torch
from torch import Tensor

FIELD_OF_VIEW = 220.0  # mm, both sides

# name: (unit, lowest, highest value that is drawn, lowest, highest value that is accepted)
FACTORS = {
    "head_width": ("mm", 140.0, 162.0, 100.0, 200.0),
    "head_aspect": ("length/width", 1.17, 1.30, 1.0, 1.5),
    "head_taper": ("ratio", 0.02, 0.14, 0.0, 0.3),
    "rotation": ("degrees", -12.0, 12.0, -180.0, 180.0),
    "shift_x": ("mm", -5.0, 5.0, -60.0, 60.0),
    "shift_y": ("mm", -4.0, 4.0, -60.0, 60.0),
    "scalp_thickness": ("mm", 3.5, 7.0, 1.0, 15.0),
    "skull_thickness": ("mm", 5.0, 8.0, 2.0, 15.0),
    "sulcal_width": ("mm", 1.0, 2.8, 0.2, 6.0),
    "sulcal_depth": ("mm", 12.0, 20.0, 0.0, 30.0),
    "cortical_thickness": ("mm", 2.6, 4.2, 1.0, 8.0),
    "gyri": ("per hemisphere", 9.5, 12.5, 4.0, 20.0),
    "fold_phase_1": ("turns", 0.0, 1.0, 0.0, 1.0),
    "fold_phase_2": ("turns", 0.0, 1.0, 0.0, 1.0),
    "fold_phase_3": ("turns", 0.0, 1.0, 0.0, 1.0),
    "ventricle_size": ("ratio", 0.6, 1.9, 0.2, 3.0),
    "ventricle_asymmetry": ("ratio", -0.2, 0.2, -0.5, 0.5),
    "deep_grey_size": ("ratio", 0.85, 1.1, 0.5, 1.5),
    "lesion_present": ("0 or 1", 0.0, 1.0, 0.0, 1.0),
    "lesion_x": ("mm", -50.0, 50.0, -90.0, 90.0),
    "lesion_y": ("mm", -60.0, 60.0, -110.0, 110.0),
    "lesion_radius": ("mm", 5.0, 13.0, 0.0, 30.0),
    "lesion_contrast": ("free-water fraction", 0.35, 0.9, 0.0, 1.0),
}


def share(depth: Tensor, pixel: float, thickness: Tensor | float = math.inf) -> Tensor:
    """Part of a pixel that lies inside a structure whose edge is `depth` mm away (positive inside).

    Exact for a straight edge and, given its thickness in mm, for a straight band thinner than a pixel.
    """
    most = torch.as_tensor(thickness / pixel).clamp(max=1.0)
    return torch.minimum((depth / pixel + 0.5).clamp_(min=0.0), most)


def ellipse(x: Tensor, y: Tensor, at: tuple, radii: tuple, tilt: float, size: Tensor) -> Tensor:
    """Depth in mm under an ellipse's edge; `tilt` in radians turns its upper end towards larger x."""
    c, s = math.cos(tilt), math.sin(tilt)
    dx, dy = x - at[0], y - at[1]
    u, v = (c * dx - s * dy) / radii[0], (s * dx + c * dy) / radii[1]
    return (size - torch.sqrt(u * u + v * v)) * min(radii)


def tissue_maps(factors: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Draw the anatomies of a factor table.

    Args:
        factors: shape (N, F), float32, columns in the order of `FACTORS`.
        size: pixels per side.
    Returns:
        Shares of every pixel: tissues in the order fat, muscle, csf, grey, white, shape
        (N, 5, size, size), sum <= 1 (the rest is air and bone); and the lesion's, shape
        (N, 1, size, size).
    """
    oversample = math.ceil(56 / size)
    fine = size * oversample
    pixel = FIELD_OF_VIEW / fine
    f = {name: factors[:, i, None, None] for i, name in enumerate(FACTORS)}  # each (N, 1, 1)

    # 1. image frame -> head frame (x to the right of the image, y to the face), mm
    line = (torch.arange(fine) + 0.5) * pixel - FIELD_OF_VIEW / 2
    right, up = line[None, None, :] - f["shift_x"], -line[None, :, None] - f["shift_y"]
    angle = torch.deg2rad(f["rotation"])
    c, s = torch.cos(angle), torch.sin(angle)
    x, y = c * right + s * up, c * up - s * right  # (N, fine, fine)

    # 2. head: depth under the skin along the ray from the centre
    half_width = f["head_width"] / 2
    half_length = half_width * f["head_aspect"]
    forward = y / half_length
    width = half_width * (1.0 - f["head_taper"] * (forward + forward * forward - 0.35))
    radius = torch.sqrt(x * x + y * y) + 1e-3
    q = torch.sqrt((x / width) ** 2 + forward * forward) + 1e-5
    skin = radius / q - radius
    rim = 1.0 + 0.7 * f["sulcal_width"]
    inner = f["scalp_thickness"] + f["skull_thickness"]
    brain = skin - inner - rim
    scale_x = 58.0 / (half_width - inner - rim)
    scale_y = 74.0 / (half_length - inner - rim)

    # 3. folds: sulci are curved clefts that run inwards from the surface
    p1, p2, p3 = (2 * math.pi * f[f"fold_phase_{i}"] for i in (1, 2, 3))
    warp_x = torch.sin(y * 0.11 + x * 0.04 + p1) * 4.0 + torch.sin(y * 0.21 - x * 0.09 + p2) * 1.6
    warp_y = torch.sin(x * 0.12 - y * 0.03 + p3) * 4.0 + torch.sin(x * 0.19 + y * 0.11 + p1) * 1.6
    side = torch.sign(x)
    theta = torch.atan2((x + warp_x).abs(), y + warp_y)
    turn = theta * (f["gyri"] / math.pi) + p2 / (2 * math.pi) + side * 0.21
    number = torch.round(turn)
    along = (turn - number) * (math.pi / f["gyri"]) * radius
    sulcus_depth = f["sulcal_depth"] * (0.62 + 0.38 * torch.sin(number * 2.4 + p3 + side))
    beyond = (brain - sulcus_depth).clamp_(min=0.0)
    cleft = torch.sqrt(along * along + beyond * beyond)

    # 4. fissures, in template coordinates (a brain of 58 mm by 74 mm half axes)
    tx, ty = (x + 0.2 * warp_x) * scale_x, (y + 0.2 * warp_y) * scale_y
    ax = tx.abs()
    gap = torch.minimum(34.0 - ty, ty + 42.0).clamp_(min=0.0)
    midline = torch.sqrt(tx * tx + gap * gap) - 0.5
    sylvian_y = ty - 0.25 * (ax - 42.0) + 1.0
    sylvian = torch.sqrt((41.0 - ax).clamp(min=0.0) ** 2 + sylvian_y * sylvian_y) - 0.6
    insula_x = ax - 40.0 + 0.012 * (ty - 2.0) ** 2
    insula_y = ((ty - 2.0).abs() - 15.0).clamp(min=0.0)
    insula = torch.sqrt(insula_x * insula_x + insula_y * insula_y) - 0.3
    cleft = torch.minimum(torch.minimum(cleft, midline), torch.minimum(sylvian, insula))

    half = 0.5 * f["sulcal_width"]
    thick = f["cortical_thickness"]
    head = share(skin, pixel)
    skull_out = share(skin - f["scalp_thickness"], pixel)
    cavity = share(skin - inner, pixel)
    surface = share(brain, pixel) * (1.0 - share(half - cleft, pixel, 2 * half))
    core = torch.minimum(
        share(brain - thick, pixel), 1.0 - share(half + thick - cleft, pixel, 2 * (half + thick))
    )
    core = torch.minimum(core, surface)

    # 5. ventricles and deep grey matter
    v = f["ventricle_size"] * (1.0 + side * f["ventricle_asymmetry"])
    rise = ((ty - 6.0) / 22.0).clamp(0.0, 1.0)
    medial = 1.0 + 7.0 * rise * rise
    lateral = medial + v * (1.6 + 6.5 * rise)
    frontal = torch.minimum(torch.minimum(ax - medial, lateral - ax), torch.minimum(ty - 2.0, 31.0 - ty))
    back = (ty + 36.0) / 18.0
    horn = v * 5.2 * (1.0 - back * back) * (1.0 + 0.35 * back)
    occipital = horn - (ax - 22.0 + 0.010 * (ty + 30.0) ** 2).abs()
    third = v * 1.8 * (1.0 - ((ty + 8.0) / 11.0) ** 2) - ax
    ventricle = torch.maximum(torch.maximum(frontal, occipital), third)
    fluid = share(ventricle, pixel)

    d = f["deep_grey_size"]
    push = 3.0 * (v - 1.0)
    caudate = ellipse(ax - push, ty, (13.5, 15.0), (4.6, 9.5), 0.35, d)
    putamen = ellipse(ax, ty, (26.5, 5.0), (5.0, 14.5), -0.18, d)
    pallidum = ellipse(ax, ty, (20.0, 2.0), (4.0, 8.5), -0.45, d)
    thalamus = ellipse(ax - 0.4 * push, ty, (10.0, -11.0), (8.2, 12.5), -0.35, d)
    deep = share(torch.maximum(caudate, putamen), pixel)
    deep = torch.maximum(deep, 0.8 * share(thalamus, pixel))
    deep = torch.maximum(deep, 0.5 * share(pallidum, pixel))

    white = core * (1.0 - fluid) * (1.0 - deep)
    grey = surface * (1.0 - fluid) - white
    csf = cavity - white - grey
    marrow = 0.18 * (skull_out - cavity)
    muscle = 0.25 * (head - skull_out)
    fat = 0.75 * (head - skull_out) + marrow
    maps = torch.stack([fat, muscle, csf, grey, white], dim=1)  # (N, 5, fine, fine)

    # 6. lesion: a wavy disc inside the brain tissue
    lx, ly = x - f["lesion_x"], y - f["lesion_y"]
    distance = torch.sqrt(lx * lx + ly * ly)
    around = torch.atan2(ly, lx)
    waves = 1.0 + 0.14 * torch.sin(2 * around + p1) + 0.09 * torch.sin(3 * around + p2)
    lesion = share(f["lesion_radius"] * waves - distance, pixel) * (white + grey) * f["lesion_present"]
    lesion = lesion[:, None]
    if oversample > 1:
        maps = torch.nn.functional.avg_pool2d(maps, oversample)
        lesion = torch.nn.functional.avg_pool2d(lesion, oversample)
    return maps.clamp_(0.0, 1.0), lesion.clamp_(0.0, 1.0)
