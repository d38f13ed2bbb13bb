"""Charts drawn in Python for a page to show."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from medgen_course.explorers.anomaly_view import Chart


def chart_of(chart: Chart) -> dict[str, Any]:
    """A chart as site/src/charts.js takes it: its picture, and what its edges stand for."""
    return {"png": png(chart.picture), "x": chart.extent.x_range, "y": chart.extent.y_range}


def png(picture: np.ndarray) -> np.ndarray:
    """A picture, uint8 (H, W, 3), as the bytes of a small PNG file, uint8 (K,)."""
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return np.frombuffer(buffer.getvalue(), dtype=np.uint8)
