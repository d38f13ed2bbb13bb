"""An MR brain phantom made by code: axial slices with known factors, paired T1w and T2w, masks.

The anatomy comes from `anatomy` and `brain`, the grey levels from `signal`, the images from `render`. Nothing
is stored on disk: the same arguments give the same images again.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from medgen_course.phantom.anatomy import FACTORS, ventricle_maps
from medgen_course.phantom.brain import BRAIN_X, BRAIN_Y, brain_half_axes
from medgen_course.phantom.render import SPLITS, draw_images, stream

SIZES = (28, 224)
COLUMN = {name: i for i, name in enumerate(FACTORS)}
COMB = 1024  # teeth of `fold_phase_1` per split


@dataclass(frozen=True)
class Phantom:
    """Images and everything that is known about them.

    t1w, t2w: uint8 (N, 1, H, W), the same anatomy in two contrasts.
    labels: int64 (N,), 0 healthy, 1 lesion.
    masks: uint8 (N, 1, H, W), 1 where the lesion is.
    factors: float32 (N, F); factor_names and factor_units name the columns. The lesion's position is in
    head coordinates (x to the right of an unrotated image, y to the face), zero without a lesion.
    """

    t1w: np.ndarray
    t2w: np.ndarray
    labels: np.ndarray
    masks: np.ndarray
    factors: np.ndarray
    factor_names: tuple[str, ...] = tuple(FACTORS)
    factor_units: tuple[str, ...] = tuple(unit for unit, *_ in FACTORS.values())

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def ventricles(self) -> np.ndarray:
        """Masks of the ventricles, uint8 (N, 1, H, W), drawn when asked for; see `ventricle_masks`."""
        return ventricle_masks(self.factors, self.t1w.shape[-1])


def draw_factors(n: int, seed: int = 0, lesion_prevalence: float = 0.5, split: str = "train") -> np.ndarray:
    """Draw a table of anatomies.

    Splits are disjoint by construction, whatever the seeds: the range of `fold_phase_1` is a comb whose
    teeth belong to train, val and test in turn, so no anatomy can be drawn for two splits.

    Args:
        n: number of rows, >= 1.
        seed: any integer >= 0.
        lesion_prevalence: probability of a lesion, 0 to 1.
        split: "train", "val" or "test".
    Returns:
        Shape (n, F), float32, columns in the order of `FACTORS`.
    Raises:
        ValueError: an argument is outside its range.
    """
    _check_count(n, seed, split)
    if not 0.0 <= lesion_prevalence <= 1.0:
        raise ValueError(f"lesion_prevalence {lesion_prevalence}: give a probability from 0 to 1")
    rng = torch.Generator().manual_seed(stream(seed, split, 0))
    u = torch.rand(n, len(FACTORS) + 1, generator=rng, dtype=torch.float64)
    low, high = (torch.tensor([row[i] for row in FACTORS.values()], dtype=torch.float64) for i in (1, 2))
    table = dict(zip(FACTORS, (low + (high - low) * u[:, :-1]).unbind(1), strict=True))

    comb = table["fold_phase_1"] * COMB
    tooth = torch.floor(comb)
    inside = 0.05 + 0.9 * (comb - tooth)  # stays off the tooth's edges, where float32 would round across
    table["fold_phase_1"] = (tooth + (SPLITS.index(split) + inside) / len(SPLITS)) / COMB
    table["ventricle_size"] = 0.6 * (1.9 / 0.6) ** u[:, COLUMN["ventricle_size"]]

    table["lesion_present"] = (u[:, COLUMN["lesion_present"]] < lesion_prevalence).double()
    table["lesion_x"], table["lesion_y"] = _place_lesions(table, u[:, COLUMN["lesion_x"] :])
    for name in ("lesion_x", "lesion_y", "lesion_radius", "lesion_contrast"):
        table[name] = table[name] * table["lesion_present"]
    return torch.stack([table[name] for name in FACTORS], dim=1).float().numpy()


def generate(
    n: int | None = None,
    size: int = 64,
    seed: int = 0,
    split: str = "train",
    bias_field: bool = True,
    noise: float = 0.02,
    lesion_prevalence: float = 0.5,
    factors: np.ndarray | None = None,
) -> Phantom:
    """Make phantom images.

    Args:
        n: number of images; with `factors` the number of its rows, and may be left out.
        size: pixels per side, 28 to 224; the field of view is 200 mm at any size.
        seed: decides anatomies, bias fields and noise.
        split: "train", "val" or "test"; no anatomy is in two of them.
        bias_field: multiply by a smooth coil sensitivity (about 0.85 to 1.15).
        noise: standard deviation of the Rician noise as a fraction of white (255); 0 for none.
        lesion_prevalence: probability of a lesion, 0 to 1; not used with `factors`.
        factors: shape (N, F): render exactly these anatomies instead of drawing some.
    Returns:
        A `Phantom`.
    Raises:
        ValueError: an argument is outside its range or the factor table does not fit.
    """
    if factors is None:
        if n is None:
            raise ValueError("generate() needs n, the number of images, or a table factors=")
        table = draw_factors(n, seed, lesion_prevalence, split)
    else:
        table = _check_factors(factors)
        n = len(table) if n is None else n
        if n != len(table):
            raise ValueError(f"n={n} but factors has {len(table)} rows: leave n out or make them equal")
    _check_count(n, seed, split)
    _check_size(size)
    if not 0.0 <= noise <= 1.0:
        raise ValueError(f"noise {noise}: give a fraction of white from 0 to 1")

    t1w, t2w, masks = draw_images(table, size, seed, split, bias_field, noise)
    labels = table[:, COLUMN["lesion_present"]].astype(np.int64)
    lost = np.flatnonzero((labels == 1) & ~masks.any(axis=(1, 2, 3)))
    if lost.size:
        raise ValueError(
            f"the lesion of row {lost[0]} touches no brain tissue: change lesion_x, lesion_y or lesion_radius"
        )
    return Phantom(t1w, t2w, labels, masks, table)


def ventricle_masks(factors: np.ndarray, size: int) -> np.ndarray:
    """Where the ventricles of some anatomies are.

    Args:
        factors: shape (N, F), as `draw_factors` makes it.
        size: pixels per side, as the images have.
    Returns:
        uint8 (N, 1, size, size), 1 where at least half of a pixel is ventricle.
    Raises:
        ValueError: an argument is outside its range or the factor table does not fit.
    """
    table = _check_factors(factors)
    _check_size(size)
    step = max(1, 2**18 // size**2)  # few slices at a time: memory stays small
    parts = (torch.from_numpy(table[i : i + step]) for i in range(0, len(table), step))
    return np.concatenate([ventricle_maps(part, size) >= 0.5 for part in parts])[:, None].astype(np.uint8)


def _place_lesions(table: dict[str, Tensor], u: Tensor) -> tuple[Tensor, Tensor]:
    """Positions in mm around the middle of either hemisphere, never inside an occipital horn."""
    angle = torch.deg2rad(25 + 130 * u[:, 0])  # from the face
    reach = 0.50 + 0.22 * u[:, 1]  # of the way to the brain's surface
    x, y = BRAIN_X * torch.sin(angle) * reach, BRAIN_Y * torch.cos(angle) * reach
    horn = 22 + 4.4 * table["ventricle_size"] * (1 + table["ventricle_asymmetry"].abs())
    x = torch.where(y < -15, torch.maximum(x, horn), x)
    width, length = brain_half_axes(table)
    side = torch.where(u[:, -1] < 0.5, -1.0, 1.0)
    return side * x * width / BRAIN_X, y * length / BRAIN_Y


def _check_count(n: int, seed: int, split: str) -> None:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"n {n!r}: give a whole number of images, at least 1")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed {seed!r}: give a whole number, 0 or more")
    if split not in SPLITS:
        raise ValueError(f"split {split!r}: the phantom has {', '.join(map(repr, SPLITS))}")


def _check_size(size: int) -> None:
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"size {size!r}: give a whole number of pixels from {SIZES[0]} to {SIZES[1]}")


def _check_factors(factors: np.ndarray) -> np.ndarray:
    table = np.asarray(factors, dtype=np.float32)
    if table.ndim != 2 or table.shape[1] != len(FACTORS) or len(table) == 0:
        raise ValueError(
            f"factors of shape {table.shape}: expected (N, {len(FACTORS)}) with N >= 1, the columns in the "
            f"order of Phantom.factor_names; draw_factors() gives such a table"
        )
    for column, (name, (unit, _, _, low, high)) in zip(table.T, FACTORS.items(), strict=True):
        wrong = np.flatnonzero(~((column >= low) & (column <= high)))
        if wrong.size:
            raise ValueError(
                f"factor {name} is {column[wrong[0]]:g} in row {wrong[0]}: "
                f"give values from {low:g} to {high:g} ({unit})"
            )
    present = table[:, COLUMN["lesion_present"]]
    if not np.isin(present, (0.0, 1.0)).all():
        raise ValueError("factor lesion_present must be 0 or 1 in every row")
    return table.copy()
