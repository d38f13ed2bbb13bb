"""Charts drawn in Python for a page to show."""

from io import BytesIO

import numpy as np
from PIL import Image


def png(picture: np.ndarray) -> np.ndarray:
    """A picture, uint8 (H, W, 3), as the bytes of a small PNG file, uint8 (K,)."""
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return np.frombuffer(buffer.getvalue(), dtype=np.uint8)
