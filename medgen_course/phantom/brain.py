"""The brain of the phantom: folds, cortex, white matter, ventricles, deep grey matter and the lesion.

Everything is a flat list of points, shape (K,): the numbers `f` of the image that a point belongs to, its x
and y in mm, and what is drawn there. `pixel` is the width in mm over which an edge fades.
"""

import math

import numpy as np
from torch import Tensor

from medgen_course.phantom.points import Points, atan2, reach, share, sign, sin, sqrt

Values = np.ndarray | Tensor

BRAIN_X, BRAIN_Y = 58.0, 74.0  # half axes in mm of the template in which deep structures are placed

# centre and radii in mm, tilt in radians: a positive one turns the upper end towards larger x
CAUDATE = ((13.5, 15.0), (4.6, 9.5), 0.35)
PUTAMEN = ((26.5, 5.0), (5.0, 14.5), -0.18)
PALLIDUM = ((20.0, 2.0), (4.0, 8.5), -0.45)
THALAMUS = ((10.0, -11.0), (8.2, 12.5), -0.35)


def brain_half_axes(f: dict[str, Values]) -> tuple[Values, Values]:
    """Half of the brain's width and of its length in mm, from the named factors."""
    fluid = 1.0 + 0.7 * f["sulcal_width"]  # between skull and brain
    layers = f["scalp_thickness"] + f["skull_thickness"] + fluid
    half_width = f["head_width"] / 2
    return half_width - layers, half_width * f["head_aspect"] - layers


def _numbers(f, pixel):
    """What the steps below need to know of an image: each (N, 1, 1)."""
    width, length = brain_half_axes(f)
    half, thick = 0.5 * f["sulcal_width"], f["cortical_thickness"]
    numbers = {
        "width": width,
        "length": length,
        "half": half,
        "thick": thick,
        "to_white": half + thick,
        "most_fluid": np.minimum(2 * half / pixel, 1.0),
        "most_grey": np.minimum(2 * (half + thick) / pixel, 1.0),
        "stretch": sqrt(f["head_aspect"].copy()),  # spaces the gyri evenly along an ellipse
        "per_gyrus": math.pi * (1.0 / f["gyri"]),
        "slope": 3.0 * sin(2 * math.pi * f["fold_phase_3"]),
    }
    numbers |= {f"phase_{i}": 2 * math.pi * f[f"fold_phase_{i}"] for i in (1, 2, 3)}
    unchanged = ("fold_phase_2", "sulcal_depth", "ventricle_size", "ventricle_asymmetry", "deep_grey_size")
    unchanged += ("lesion_x", "lesion_y", "lesion_radius", "lesion_present")
    return numbers | {name: f[name] for name in unchanged}


def draw_brain(f, points, x, y, depth, pixel):
    """Shares of grey and white matter and of the lesion.

    A folded surface, cortex of even thickness under it, white matter within.
    """
    numbers = _numbers(f, pixel)
    f = dict(zip(numbers, points.repeat(*numbers.values()), strict=True))
    warp_x, warp_y = _warp(f, x, y)
    ax = np.abs((x + 0.2 * warp_x) * BRAIN_X / f["width"])  # template coordinates
    ty = (y + 0.2 * warp_y) * BRAIN_Y / f["length"]
    side = sign(x)
    cleft = np.minimum(_sulci(f, x, y, warp_x, warp_y, depth, side), _fissures(f, ax, ty, warp_y, side))
    surface = share(depth, pixel) * (1.0 - share(f["half"] - cleft, pixel, f["most_fluid"]))
    core = 1.0 - share(f["to_white"] - cleft, pixel, f["most_grey"])
    core = np.minimum(np.minimum(core, share(depth - f["thick"], pixel)), surface)

    ventricle = f["ventricle_size"] * (1.0 + side * f["ventricle_asymmetry"])
    fluid, deep = _deep(f["deep_grey_size"], ventricle, ax, ty, pixel)
    no_fluid = 1.0 - fluid
    white = core * no_fluid * (1.0 - deep)
    grey = surface * no_fluid - white
    return grey, white, _lesion(f, x, y, pixel) * (white + grey)


def _warp(f, x, y):
    """Displacements in mm that make the folds of every brain its own."""
    p1, p2, p3 = f["phase_1"], f["phase_2"], f["phase_3"]
    warp_x = 4.0 * sin(0.11 * y + 0.04 * x + p1) + 2.2 * sin(0.24 * y - 0.10 * x + p2)
    warp_y = 4.0 * sin(0.12 * x - 0.03 * y + p3) + 2.2 * sin(0.22 * x + 0.12 * y + p1)
    return warp_x, warp_y


def _sulci(f, x, y, warp_x, warp_y, brain, side):
    """Distance in mm to the sulci, curved sheets that run inwards from the brain's surface."""
    stretch, per_gyrus = f["stretch"], f["per_gyrus"]
    theta = atan2(np.abs(x + warp_x) * stretch, y + warp_y)
    turn = theta / per_gyrus + f["fold_phase_2"] + 0.21 * side
    number = np.rint(turn)
    along = (turn - number) * per_gyrus * sqrt((y / stretch) ** 2 + (x * stretch) ** 2)
    depth = 0.70 + 0.30 * sin(2.4 * number + f["phase_3"] + side)
    beyond = np.maximum(brain - f["sulcal_depth"] * depth, 0.0)
    mouth = np.minimum(np.maximum(1.4 - 0.25 * brain, 0.0), 1.4)  # the crowns of the gyri are round
    return sqrt(along * along + beyond * beyond) - mouth


def _fissures(f, ax, ty, warp_y, side):
    """Distance in mm to the fissure between the hemispheres, its side sulci, and both Sylvian fissures."""
    drift = 0.5 * warp_y
    gap = np.maximum(np.minimum(34.0 - ty, ty + 42.0), 0.0)  # closed there by the corpus callosum
    midline = sqrt(ax * ax + gap * gap) - 0.5
    rung = (ty + side * f["slope"] - 0.35 * ax + drift) / 15.0
    number = np.rint(rung)
    beyond = np.maximum(ax - 10.0 - 3.0 * sin(2.4 * number + f["phase_1"] + side), 0.0) + gap
    medial = sqrt((15.0 * (rung - number)) ** 2 + beyond * beyond)
    across = ty - 0.35 * (ax - 42.0) + drift
    sylvian = sqrt(np.maximum(41.0 - ax, 0.0) ** 2 + across * across) - 0.6
    ahead = ty - 1.0
    bow = ax - 40.5 + 0.020 * ahead**2
    insula = sqrt(bow * bow + np.maximum(np.abs(ahead) - 15.0, 0.0) ** 2) - 0.3
    return np.minimum(np.minimum(midline, medial), np.minimum(sylvian, insula))


def _deep(size, ventricle, ax, ty, pixel):
    """Shares of the ventricles and of deep grey matter, worked out only where they can be."""
    occipital = _occipital_horns(ventricle, ax, ty)
    right, low, high = _deep_reach(size, ventricle, pixel)
    inside = Points((ax < right) & (ty > low) & (ty < high) | (occipital > reach(pixel)))
    size, ventricle, ax, ty, occipital = inside.pick(size, ventricle, ax, ty, occipital)
    fluid = share(np.maximum(_ventricles(ventricle, ax, ty), occipital), pixel)
    deep = _deep_grey(size, ventricle, ax, ty, pixel)
    return (inside.put(values, np.zeros(inside.shape, dtype=np.float32)) for values in (fluid, deep))


def _deep_reach(size, ventricle, pixel):
    """Largest ax, lowest and highest ty in mm of the deep structures but for the occipital horns."""
    edge = -reach(pixel)
    widest, narrowest = ventricle.max().item(), ventricle.min().item()
    third = 11.0 * math.sqrt(1.0 + edge / (1.8 * narrowest))
    right = [8.0 + 8.1 * widest + edge]  # frontal horns; the third ventricle is narrower
    low, high = [2.0 - edge, -8.0 - third], [31.0 + edge, -8.0 + third]
    for (x, y), (short, long), tilt in (CAUDATE, PUTAMEN, PALLIDUM, THALAMUS):
        grown = size.max().item() + edge / short
        c, s = math.cos(tilt), math.sin(tilt)
        right.append(x + 3.0 * max(0.0, widest - 1.0) + grown * math.hypot(c * short, s * long))
        low.append(y - grown * math.hypot(s * short, c * long))
        high.append(y + grown * math.hypot(s * short, c * long))
    return max(right) + 0.1, min(low) - 0.1, max(high) + 0.1


def _occipital_horns(size, ax, ty):
    """Depth in mm inside the occipital horns."""
    back = (ty + 35.0) / 17.0
    width = 4.4 * size * (1.0 - back * back) * (1.0 + 0.35 * back)
    return width - np.abs(ax - 22.0 + 0.010 * (ty + 30.0) ** 2)


def _ventricles(size, ax, ty):
    """Depth in mm inside the frontal horns and the third ventricle."""
    rise = np.minimum(np.maximum((ty - 6.0) / 22.0, 0.0), 1.0)
    medial = 1.0 + 7.0 * rise * rise
    lateral = medial + size * (1.6 + 6.5 * rise)
    tip = 31.0 - ty - 0.14 * (ax - 9.0) ** 2
    frontal = np.minimum(np.minimum(ax - medial, lateral - ax), np.minimum(ty - 2.0, tip))
    third = 1.8 * size * (1.0 - ((ty + 8.0) / 11.0) ** 2) - ax
    return np.maximum(frontal, third)


def _deep_grey(size, ventricle, ax, ty, pixel):
    """Share of grey matter in caudate, putamen, thalamus (0.8) and pallidum (0.5, rich in fibres)."""
    push = 3.0 * (ventricle - 1.0)  # wide ventricles push the nuclei aside
    caudate, putamen = _ellipse(ax - push, ty, CAUDATE, size), _ellipse(ax, ty, PUTAMEN, size)
    pallidum, thalamus = _ellipse(ax, ty, PALLIDUM, size), _ellipse(ax - 0.4 * push, ty, THALAMUS, size)
    deep = share(np.maximum(caudate, putamen), pixel)
    return np.maximum(deep, np.maximum(0.8 * share(thalamus, pixel), 0.5 * share(pallidum, pixel)))


def _ellipse(x, y, nucleus, size):
    """Depth in mm inside an ellipse."""
    centre, radii, tilt = nucleus
    c, s = math.cos(tilt), math.sin(tilt)
    u = (c * (x - centre[0]) - s * (y - centre[1])) / radii[0]
    v = (s * (x - centre[0]) + c * (y - centre[1])) / radii[1]
    return (size - sqrt(u * u + v * v)) * min(radii)


def _lesion(f, x, y, pixel):
    """Share of the point inside the lesion, a disc with a wavy and blurred edge."""
    edge = max(pixel, 2.5)
    dx, dy = x - f["lesion_x"], y - f["lesion_y"]
    distance = sqrt(dx * dx + dy * dy)
    widest = 1.24 * f["lesion_radius"] - reach(edge)
    disc = Points(distance < widest * f["lesion_present"])
    dx, dy, distance, radius = disc.pick(dx, dy, distance, f["lesion_radius"])
    p1, p2 = disc.pick(f["phase_1"], f["phase_2"])
    around = atan2(dy, dx)
    wave = 0.14 * sin(2 * around + p1) + 0.09 * sin(3 * around + p2)
    depth = radius * (1.0 + wave) - distance
    return disc.put(share(depth, edge), np.zeros(disc.shape, dtype=np.float32))
