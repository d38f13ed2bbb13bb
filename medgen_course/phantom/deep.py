"""The deep structures of the phantom's brain, in the template: ventricles and deep grey matter.

As in `brain`, every array is a flat list of points, shape (K,); ax (on either side of the midline) and ty are
in mm, and a ventricle's size is that of its side.
"""

import math

import numpy as np

from medgen_course.phantom.points import clip, reach, share, sqrt

# centre and radii in mm, tilt in radians: a positive one turns the upper end towards larger x
CAUDATE = ((13.5, 15.0), (4.6, 9.5), 0.35)
PUTAMEN = ((26.5, 5.0), (5.0, 14.5), -0.18)
PALLIDUM = ((20.0, 2.0), (4.0, 8.5), -0.45)
THALAMUS = ((10.0, -11.0), (8.2, 12.5), -0.35)


def draw_deep(f, points, ax, ty, side, pixel):
    """Shares of the ventricles and of deep grey matter, worked out only where they can be."""
    ventricle = _ventricle_sizes(f, points, side)
    occipital = _occipital_horns(ventricle, ax, ty)
    right, low, high = _bounds(f["deep_grey_size"], ventricle, pixel)
    inside = points.where((ax < right) & (ty > low) & (ty < high) | (occipital > reach(pixel)))
    ventricle, ax, ty, occipital = inside.pick(ventricle, ax, ty, occipital)
    fluid = share(np.maximum(_ventricles(ventricle, ax, ty), occipital), pixel)
    deep = _deep_grey(*inside.repeat(f, "deep_grey_size"), ventricle, ax, ty, pixel)
    return inside.spread(fluid), inside.spread(deep)


def ventricle_share(f, points, ax, ty, side, pixel):
    """Share of the ventricles alone: the same numbers as `draw_deep` gives, at any points."""
    size = _ventricle_sizes(f, points, side)
    return share(np.maximum(_ventricles(size, ax, ty), _occipital_horns(size, ax, ty)), pixel)


def _ventricle_sizes(f, points, side):
    """Size of the ventricle on the side of each point."""
    size, asymmetry = points.repeat(f, "ventricle_size", "ventricle_asymmetry")
    size *= 1.0 + side * asymmetry
    return size


def _bounds(size, ventricle, pixel):
    """Largest ax, lowest and highest ty in mm of the deep structures but for the occipital horns."""
    edge = -reach(pixel)
    largest, widest, narrowest = size.max().item(), ventricle.max().item(), ventricle.min().item()
    third = 11.0 * math.sqrt(1.0 + edge / (1.8 * narrowest))
    right = [8.0 + 8.1 * widest + edge]  # frontal horns; the third ventricle is narrower
    low, high = [2.0 - edge, -8.0 - third], [31.0 + edge, -8.0 + third]
    for (x, y), (short, long), tilt in (CAUDATE, PUTAMEN, PALLIDUM, THALAMUS):
        grown = largest + edge / short
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
    rise = clip((ty - 6.0) / 22.0, 0.0, 1.0)
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
