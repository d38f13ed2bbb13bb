"""What a page needs of an explorer of a latent space: codes, planes through them, sliders, words."""

from typing import Any

import numpy as np

from medgen_course.explorers.walk import LatentWalk
from medgen_course.pictures import render


def known(shown: LatentWalk) -> dict[str, Any]:
    """Codes with their labels, the sliders and the colours of the map."""
    bank = shown.sliders
    return {
        "codes": shown._codes.ravel(), "labels": [int(label) for label in shown._labels],
        "names": list(shown._names), "latents": shown._codes.shape[1], "dimensions": shown.dimensions,
        "bank": {trait: getattr(bank, trait) for trait in ("names", "tooltips", "lows", "highs")},
        "colours": [render.PALETTE[i % 8] for i in range(len(shown._names))], "map": shown.map.label,
    }  # fmt: skip


def plane(shown: LatentWalk) -> dict[str, Any]:
    """The plane that the map shows now."""
    about = {trait: getattr(shown.map, trait) for trait in ("x_label", "y_label", "x_range", "y_range")}
    png = np.frombuffer(shown.map.png, np.uint8)
    return about | {"png": png, "centre": shown._centre.ravel(), "plane": shown._plane.ravel()}
