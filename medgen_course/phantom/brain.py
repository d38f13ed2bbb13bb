"""The brain of the phantom: a folded surface, cortex of even thickness under it, white matter within.

Everything is a flat list of points, shape (K,): x and y in mm, and what is drawn there. `f` has the numbers
of the images, each (N,), and `pixel` is the width in mm over which an edge fades.
"""

import math

import numpy as np
from torch import Tensor

from medgen_course.phantom.deep import draw_deep, ventricle_share
from medgen_course.phantom.folds import clefts, warp
from medgen_course.phantom.points import Points, reach, share, sign, sin, sqrt

Values = np.ndarray | Tensor

BRAIN_X, BRAIN_Y = 58.0, 74.0  # half axes in mm of the template in which deep structures are placed


def brain_half_axes(f: dict[str, Values]) -> tuple[Values, Values]:
    """Half of the brain's width and of its length in mm, from the named factors."""
    fluid = 1.0 + 0.7 * f["sulcal_width"]  # between skull and brain
    layers = f["scalp_thickness"] + f["skull_thickness"] + fluid
    half_width = f["head_width"] / 2
    return half_width - layers, half_width * f["head_aspect"] - layers


def _numbers(f, pixel):
    """The factors of the images, and what else the steps below need to know of an image: each (N,)."""
    width, length = brain_half_axes(f)
    half, thick = 0.5 * f["sulcal_width"], f["cortical_thickness"]
    near = half + thick - reach(pixel)  # a cleft further away than this leaves a point white
    phases = {f"phase_{i}": 2 * math.pi * f[f"fold_phase_{i}"] for i in (1, 2, 3)}
    return f | phases | {
        "width": width,
        "length": length,
        "half": half,
        "to_white": half + thick,
        "most_fluid": np.minimum(2 * half / pixel, 1.0),
        "most_grey": np.minimum(2 * (half + thick) / pixel, 1.0),
        "stretch": sqrt(f["head_aspect"].copy()),  # spaces the gyri evenly along an ellipse
        "per_gyrus": math.pi * (1.0 / f["gyri"]),
        "slope": 3.0 * sin(2 * math.pi * f["fold_phase_3"]),
        "near": near,
        "deepest_sulcus": np.maximum(f["sulcal_depth"] + near, 5.6),
        "insula": 40.2 - near - 0.020 * (near + 15.3) ** 2,
    }  # fmt: skip


def draw_brain(f, x, y, depth, pixel, grey, white):
    """Write the shares of grey and white matter into two stacks like x, y and depth: (N, ...).

    The points near the surface, where sulci are, come first in the list, those of all images, and then the
    others. So the list is one of 2 N images, and every number stands twice in `f`.
    """
    f = _numbers(dict(zip(f, np.tile(list(f.values()), 2), strict=True)), pixel)
    under_folds = depth >= f["deepest_sulcus"][: len(depth), None, None, None]
    outer, inner = Points.of((depth > reach(pixel)) > under_folds), Points.of(under_folds)
    points = outer.then(inner)
    x, y, depth = points.pick(x, y, depth)
    warp_x, warp_y = warp(f, points, x, y)
    ax, ty = _template(f, points, x, y, warp_x, warp_y)
    side = sign(x)
    cleft = clefts(f, points, len(outer.index), x, y, warp_x, warp_y, depth, ax, ty, side)
    surface, core = _surface_and_core(f, points, depth, cleft, pixel)
    fluid, deep = draw_deep(f, points, ax, ty, side, pixel)
    no_fluid = 1.0 - fluid
    white_share = core * no_fluid * (1.0 - deep)
    points.put(white_share, white)
    points.put(surface * no_fluid - white_share, grey)


def ventricle_shares(f, x, y, pixel):
    """Shares of the ventricles, (N, P, H, W) like x and y; what `draw_brain` leaves to fluid there."""
    f, shape = _numbers(f, pixel), x.shape
    width, length = (f[name][:, None, None, None] for name in ("width", "length"))
    points = Points.of((x / width) ** 2 + (y / length) ** 2 < 1)  # the formulas mean nothing beyond
    x, y = points.pick(x, y)
    ax, ty = _template(f, points, x, y, *warp(f, points, x, y))
    return points.spread(ventricle_share(f, points, ax, ty, sign(x), pixel)).reshape(shape)


def _template(f, points, x, y, warp_x, warp_y):
    """Places in the template: mm from the midline, and to the face."""
    width, length = points.repeat(f, "width", "length")
    return np.abs((x + 0.2 * warp_x) * BRAIN_X / width), (y + 0.2 * warp_y) * BRAIN_Y / length


def _surface_and_core(f, points, depth, cleft, pixel):
    """Shares of the brain without its sulci, and of what lies under the cortex; overwrites depth."""
    to_white, most, thick = points.repeat(f, "to_white", "most_grey", "cortical_thickness")
    core = np.minimum(1.0 - share(to_white - cleft, pixel, most), share(depth - thick, pixel))
    half, most = points.repeat(f, "half", "most_fluid")
    surface = share(depth, pixel) * (1.0 - share(half - cleft, pixel, most))
    return surface, np.minimum(core, surface)
