"""Planted odd images: was this one, which exists once in the world, in the training set?

The share of patients that an attack finds is an average. A canary asks for the worst case, an image unlike
all others: whoever finds it proves a leak (Carlini et al. 2019, "The secret sharer"). Each kind is planted in
one model and kept from another, so that what "found" means without it is known too.
"""

import numpy as np

KINDS = ("noise", "marker", "negative")


def make(kind: str, images: np.ndarray, seed: int = 0) -> np.ndarray:
    """Canaries, one from each image.

    Args:
        kind: "noise", every pixel drawn by itself, nothing of the image is left; "marker", a white cross
            somewhere on the image, as a burnt-in mark; "negative", black and white changed over.
        images: uint8 (N, C, H, W).
        seed: of the noise and of the places.
    Returns:
        uint8 (N, C, H, W).
    Raises:
        ValueError: there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; choose {', '.join(KINDS)}.")
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    if kind == "noise":
        return rng.integers(0, 256, images.shape, dtype=np.uint8)
    if kind == "negative":
        return 255 - images
    made, side = images.copy(), images.shape[-1]
    arm, thick = max(1, side // 7), max(1, side // 28)
    for image, (row, column) in zip(made, rng.integers(arm, side - arm, (len(made), 2)), strict=True):
        image[:, row - arm : row + arm + 1, column : column + thick] = 255
        image[:, row : row + thick, column - arm : column + arm + 1] = 255
    return made
