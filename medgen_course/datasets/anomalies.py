"""Healthy images to learn from, healthy and anomalous ones to be told apart: by a class, or drawn by code.

The phantom knows everything: each lesion's size, contrast, place and mask, and the same slice without it. Of
labelled images only the class is known.
"""

from dataclasses import dataclass

import numpy as np

from medgen_course import phantom
from medgen_course.datasets.domains import without_lesions
from medgen_course.datasets.errors import DatasetError
from medgen_course.datasets.sources import Dataset, Split

RADII = (4.0, 6.0, 9.0, 13.0)  # mm
FREE_WATER = (0.1, 0.2, 0.35, 0.45, 0.55, 0.7, 0.9)  # contrast: how much of the tissue is replaced by it
PLACES = {"front": (15.0, 99.0), "side": (-15.0, 15.0), "back": (-99.0, -15.0)}  # y of the lesion, mm
VENTRICLES = (2.0, 2.8)  # enlarged ones; healthy slices have 0.6 to 1.9
WORDS = ("normal", "healthy")


@dataclass(frozen=True)
class Grid:
    """What is known of drawn lesions, one entry for each anomalous image.

    masks: uint8 (M, 1, H, W). radius: mm, (M,). contrast: free-water fraction, (M,). place: names, (M,).
    """

    masks: np.ndarray
    radius: np.ndarray
    contrast: np.ndarray
    place: np.ndarray


@dataclass(frozen=True)
class Trial:
    """Images to be told apart, uint8 (N, C, H, W) and (M, C, H, W).

    With a `grid`, healthy[i] is the twin of anomalous[i]: the same slice, noise included, without its lesion.
    """

    healthy: np.ndarray
    anomalous: np.ndarray
    grid: Grid | None = None

    def __len__(self) -> int:
        return len(self.healthy) + len(self.anomalous)


@dataclass(frozen=True)
class Anomalies:
    """Normal training images, uint8 (N, C, H, W), and a trial each to choose on and to measure on."""

    normal: str
    anomalous: str
    train: np.ndarray
    val: Trial
    test: Trial


def normal_class(data: Dataset, named: str | int | None = None) -> int:
    """The number of the class that counts as normal.

    Args:
        data: labelled images.
        named: a class by name or number; None takes the one whose name says normal or healthy, or where no
            single one does, the most frequent one of the training split.
    Raises:
        DatasetError: several labels for each image, no such class, or no other class beside it.
    """
    labels, names = data.train.labels, list(data.label_names)
    if labels.ndim != 1:
        raise DatasetError(
            f"{data.name} has {labels.shape[1]} labels for each image, so none is the normal class: choose a "
            "data set with one class for each image."
        )
    known = "; ".join(f"{number} {name}" for number, name in enumerate(names))
    counts = np.bincount(labels, minlength=len(names))
    if named is None:
        said = [i for i, name in enumerate(names) if any(word in name.lower() for word in WORDS)]
        number = said[0] if len(said) == 1 and counts[said[0]] else int(counts.argmax())
    else:
        word = str(named).strip()
        number = names.index(word) if word in names else int(word) if word.isdecimal() else -1
    if not 0 <= number < len(names) or not counts[number]:
        raise DatasetError(
            f"{data.name} has no training images of a class {named!r}, which was to be the normal one. "
            f"Choose one of these, by number or name: {known}."
        )
    if np.count_nonzero(counts) < 2:
        raise DatasetError(
            f"{data.name} has one class only, {names[number]}: nothing in it is anomalous. Choose images of "
            "two classes or more."
        )
    return number


def only_normal(data: Dataset, number: int) -> Split:
    """The training images of one class, with their labels."""
    kept = data.train.labels == number
    return Split(data.train.images[kept], data.train.labels[kept])


def from_dataset(data: Dataset, named: str | int | None = None) -> Anomalies:
    """One class as normal, all others as anomalous.

    Args:
        data: labelled images.
        named: see `normal_class`.
    Raises:
        DatasetError: see `normal_class`; or val or test lack images of one of the two kinds.
    """
    number = normal_class(data, named)
    trials = {}
    for name in ("val", "test"):
        split = getattr(data, name)
        kinds = [split.images[split.labels == number], split.images[split.labels != number]]
        for images, kind in zip(kinds, ("of the normal class", "of any other class"), strict=True):
            if not len(images):
                raise DatasetError(
                    f"{data.name} has no {name} images {kind} (normal is {data.label_names[number]}); both "
                    "kinds are needed there. Divide the images anew, or choose another class."
                )
        trials[name] = Trial(*kinds)
    others = [name for i, name in enumerate(data.label_names) if i != number]
    anomalous = others[0] if len(others) == 1 else f"not {data.label_names[number]}"
    return Anomalies(data.label_names[number], anomalous, only_normal(data, number).images, **trials)


def phantom_anomalies(
    size: int = 64,
    contrast: str = "t2w",
    counts: tuple[int, int, int] = (2048, 4, 8),
    seed: int = 0,
    hidden: float = 0.0,
) -> Anomalies:
    """Healthy slices to learn from; lesions on a grid of `RADII`, `FREE_WATER` and `PLACES` to be found.

    Args:
        size: pixels per side.
        contrast: "t1w" or "t2w".
        counts: training slices; lesions in each cell of the grid in val and in test, an anatomy for each.
        seed: of anatomies, bias fields and noise.
        hidden: share of the training slices that have a lesion although nobody says so.
    Raises:
        ValueError: a count below 1, or what `phantom.generate` refuses.
    """
    if min(counts) < 1:
        raise ValueError(f"counts are {counts}; give at least one slice, and one lesion for each cell.")
    factors = phantom.draw_factors(counts[0], seed, 1.0, "train")
    sick = np.zeros(counts[0], dtype=bool)
    sick[: round(hidden * counts[0])] = True
    factors[~sick] = without_lesions(factors[~sick])
    train = _drawn(factors, size, seed, "train", contrast)[0]
    trials = (
        _trial(size, contrast, count, seed, split)
        for split, count in zip(("val", "test"), counts[1:], strict=True)
    )
    return Anomalies("healthy", "lesion", train, *trials)


def lesion_grid(each: int, seed: int, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Anatomies with one lesion each.

    Args:
        each: lesions in every cell of the grid.
        seed, split: as for `phantom.draw_factors`.
    Returns:
        A factor table (M, F) and the place of each lesion (M,), names of `PLACES`.
    """
    cells = [(radius, contrast) for radius in RADII for contrast in FREE_WATER]
    wanted = each * len(cells)
    pool = phantom.draw_factors(12 * wanted, seed, 1.0, split)
    y = pool[:, phantom.COLUMN["lesion_y"]]
    rows, places = [], []
    for place, (low, high) in PLACES.items():
        chosen = pool[(y >= low) & (y < high)][:wanted].copy()
        values = np.repeat(np.array(cells, dtype=np.float32), each, axis=0)
        chosen[:, phantom.COLUMN["lesion_radius"]] = values[:, 0]
        chosen[:, phantom.COLUMN["lesion_contrast"]] = values[:, 1]
        rows.append(chosen)
        places += [place] * wanted
    return np.concatenate(rows), np.array(places)


def enlarged_ventricles(
    size: int = 64, contrast: str = "t2w", count: int = 200, seed: int = 0, split: str = "val"
) -> Trial:
    """An anomaly of another kind: too much of what is normal, with nothing added.

    Args:
        size, contrast, seed: as for `phantom_anomalies`.
        count: pairs of slices.
        split: "val" or "test".
    Returns:
        Healthy slices, and the same with ventricles of a size in `VENTRICLES`; there are no masks.
    """
    factors = phantom.draw_factors(count, seed, 0.0, split)
    larger = factors.copy()
    larger[:, phantom.COLUMN["ventricle_size"]] = np.random.default_rng(seed).uniform(*VENTRICLES, count)
    return Trial(*(_drawn(table, size, seed, split, contrast)[0] for table in (factors, larger)))


def _trial(size: int, contrast: str, each: int, seed: int, split: str) -> Trial:
    factors, places = lesion_grid(each, seed, split)
    anomalous, masks = _drawn(factors, size, seed, split, contrast)
    healthy, _ = _drawn(without_lesions(factors), size, seed, split, contrast)
    radius, fraction = (factors[:, phantom.COLUMN[f"lesion_{name}"]] for name in ("radius", "contrast"))
    return Trial(healthy, anomalous, Grid(masks, radius, fraction, places))


def _drawn(
    factors: np.ndarray, size: int, seed: int, split: str, contrast: str
) -> tuple[np.ndarray, np.ndarray]:
    if contrast not in ("t1w", "t2w"):
        raise ValueError(f"contrast is {contrast!r}; the phantom has 't1w' and 't2w'.")
    made = phantom.generate(factors=factors, size=size, seed=seed, split=split)
    return getattr(made, contrast), made.masks
