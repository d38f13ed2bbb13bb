"""The folded surface of the phantom's brain: how far a point is from the nearest sulcus or fissure.

As in `brain`, every array is a flat list of points, shape (K,). x and y are in mm; ax and ty are the same
place in the template, ax on either side of the midline.
"""

import numpy as np

from medgen_course.phantom.points import at_least, atan2, clip, sin, sqrt


def warp(f, points, x, y):
    """Displacements in mm that make the folds of every brain its own."""
    p1, p2, p3 = points.repeat(f, "phase_1", "phase_2", "phase_3")
    warp_x = 4.0 * sin(0.11 * y + 0.04 * x + p1) + 2.2 * sin(0.24 * y - 0.10 * x + p2)
    warp_y = 4.0 * sin(0.12 * x - 0.03 * y + p3) + 2.2 * sin(0.22 * x + 0.12 * y + p1)
    return warp_x, warp_y


def clefts(f, points, outer, x, y, warp_x, warp_y, depth, ax, ty, side):
    """Distance in mm to the nearest fold, `near` at most: what lies further away changes nothing.

    The first `outer` points are those that sulci can reach.
    """
    near, insula = points.repeat(f, "near", "insula")

    head = slice(outer)
    around = (values[head] for values in (x, y, warp_x, warp_y, depth, side))
    np.minimum(near[head], _sulci(f, points.first(outer), *around), out=near[head])

    gap = at_least(0.0, np.minimum(34.0 - ty, ty + 42.0))  # closed there by the corpus callosum
    medial = points.where((gap < near + 0.51) & (ax < near + 13.01))  # 0.01 against rounding
    fissures = _medial_fissures(f, medial, *medial.pick(ax, ty, gap, warp_y, side))
    medial.put(np.minimum(*medial.pick(near), fissures), near)

    lateral = points.where((np.abs(ty - 1.0) < near + 15.31) & (ax > insula))
    sylvian = _lateral_fissures(*lateral.pick(ax, ty, warp_y))
    lateral.put(np.minimum(*lateral.pick(near), sylvian), near)
    return near


def _sulci(f, points, x, y, warp_x, warp_y, brain, side):
    """Distance in mm to the sulci, curved sheets that run inwards from the brain's surface."""
    stretch, per_gyrus = points.repeat(f, "stretch", "per_gyrus")
    theta = atan2(np.abs(x + warp_x) * stretch, y + warp_y)
    turn = theta / per_gyrus + points.repeat(f, "fold_phase_2")[0] + 0.21 * side
    number = np.rint(turn)
    along = (turn - number) * per_gyrus * sqrt((y / stretch) ** 2 + (x * stretch) ** 2)
    sulcal_depth, phase = points.repeat(f, "sulcal_depth", "phase_3")
    depth = 0.70 + 0.30 * sin(2.4 * number + phase + side)
    beyond = at_least(0.0, brain - sulcal_depth * depth)
    mouth = clip(1.4 - 0.25 * brain, 0.0, 1.4)  # the crowns of the gyri are round
    return sqrt(along * along + beyond * beyond) - mouth


def _medial_fissures(f, points, ax, ty, gap, warp_y, side):
    """Distance in mm to the fissure between the hemispheres and its side sulci."""
    slope, phase = points.repeat(f, "slope", "phase_1")
    midline = sqrt(ax * ax + gap * gap) - 0.5
    rung = (ty + side * slope - 0.35 * ax + 0.5 * warp_y) / 15.0
    number = np.rint(rung)
    beyond = at_least(0.0, ax - 10.0 - 3.0 * sin(2.4 * number + phase + side)) + gap
    return np.minimum(midline, sqrt((15.0 * (rung - number)) ** 2 + beyond * beyond))


def _lateral_fissures(ax, ty, warp_y):
    """Distance in mm to the Sylvian fissure and to the insula in its depth."""
    ahead = ty - 1.0
    across = ty - 0.35 * (ax - 42.0) + 0.5 * warp_y
    sylvian = sqrt(at_least(0.0, 41.0 - ax) ** 2 + across * across) - 0.6
    bow = ax - 40.5 + 0.020 * ahead**2
    return np.minimum(sylvian, sqrt(bow * bow + at_least(0.0, np.abs(ahead) - 15.0) ** 2) - 0.3)
