"""Pictures of a GAN in training: samples, and how the discriminator judges; drawn in a millisecond."""

import numpy as np

from medgen_course.pictures.render import PALETTE, enlarge, rgb_of, to_rgb

REAL, FAKE = rgb_of(PALETTE[0]), rgb_of(PALETTE[1])
BINS = 41
HEIGHT = 120  # of the histograms, in pixels
COLUMNS, SAMPLE, PAD, GAP = 8, 56, 3, 8  # samples in a row, side of one, about, and what is left between them


def verdicts(real: np.ndarray, fake: np.ndarray, width: int = 460, height: int = HEIGHT) -> np.ndarray:
    """Histograms of D = sigmoid(logit): real images in blue upwards, generated ones in orange downwards.

    The left edge is D = 0, "surely generated", the right one D = 1, "surely real"; a grey line marks 1/2. The
    largest bar reaches the edge.

    Args:
        real, fake: logits (M,), finite.
        width, height: of the picture, in pixels.
    Returns:
        uint8 (height, width, 3).
    """
    picture = np.full((height, width, 3), 255, dtype=np.uint8)
    counts, edges = counted(real, fake), np.linspace(0, 1, BINS + 1)
    middle = height // 2
    lengths = counts * (middle - 4) / max(1, counts.max())
    columns = (edges * (width - 1)).round().astype(int)
    picture[:, width // 2] = 200
    for up, down, left, right in zip(*lengths.round().astype(int), columns[:-1], columns[1:], strict=True):
        picture[middle - up : middle, left + 1 : right] = REAL
        picture[middle + 1 : middle + 1 + down, left + 1 : right] = FAKE
    picture[middle] = 120
    return picture


def counted(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """How many of D's verdicts on real and on generated images, logits (M,), lie in each bin: (2, BINS)."""
    edges = np.linspace(0, 1, BINS + 1)
    return np.stack([np.histogram(_sigmoid(logits), edges)[0] for logits in (real, fake)])


def moment(samples: np.ndarray, real: np.ndarray, fake: np.ndarray, columns: int = COLUMNS) -> np.ndarray:
    """Samples in rows, and below them the discriminator's verdicts.

    Args:
        samples: uint8 (n, C, H, W).
        real, fake: logits (M,).
        columns: samples in a row.
    Returns:
        uint8 (height, width, 3).
    """
    pictures, pad = to_rgb(samples), PAD
    scale = max(1, round(SAMPLE / pictures.shape[1]))
    rows = []
    for start in range(0, len(pictures), columns):
        row = [np.pad(enlarge(p, scale), ((0, pad), (0, pad), (0, 0)), constant_values=255)
               for p in pictures[start : start + columns]]  # fmt: skip
        rows.append(np.concatenate(row, axis=1))
    width = rows[0].shape[1]
    rows = [np.pad(r, ((0, 0), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in rows]
    gap = np.full((GAP, width, 3), 255, dtype=np.uint8)
    return np.concatenate([*rows, gap, verdicts(real, fake, width)])


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(logits, dtype=np.float64)))  # never overflows
