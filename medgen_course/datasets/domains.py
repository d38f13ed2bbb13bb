"""Two domains to translate between, and what is known about them; batches come from `batches.domains`.

The phantom's domains are T1w and T2w. Its training slices are split into two halves, one seen in T1w only,
the other in T2w only: no anatomy is in both, so unpaired means unpaired. Labelled data gives two classes.
"""

from dataclasses import dataclass

import numpy as np

from medgen_course import phantom
from medgen_course.datasets.errors import DatasetError
from medgen_course.datasets.sources import CONTRASTS, PHANTOMS, Dataset

LESION = ("lesion_present", "lesion_x", "lesion_y", "lesion_radius", "lesion_contrast")


@dataclass(frozen=True)
class Truth:
    """What is known about slices that exist in both contrasts; index i is one anatomy.

    a, b: uint8 (N, C, H, W).
    masks: uint8 (N, 1, H, W), 1 where the lesion is.
    healthy_a, healthy_b: the same slices, noise included, had they no lesion; None in training.
    """

    a: np.ndarray
    b: np.ndarray
    masks: np.ndarray
    healthy_a: np.ndarray | None = None
    healthy_b: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.a)

    def at(self, chosen: np.ndarray | slice) -> "Truth":
        """What is known about some of the slices."""
        known = (self.a, self.b, self.masks, self.healthy_a, self.healthy_b)
        return Truth(*(None if x is None else x[chosen] for x in known))


@dataclass(frozen=True)
class Part:
    """Images of both domains in one split, uint8 (N, C, H, W) and (M, C, H, W); no order is implied.

    truth is None where no image is known in both domains. In training it holds the slices of domain a with
    their counterparts: for pix2pix and the lookup only.
    """

    a: np.ndarray
    b: np.ndarray
    truth: Truth | None = None


@dataclass(frozen=True)
class Domains:
    """Two domains in three splits; name_a and name_b are what to call them."""

    name_a: str
    name_b: str
    train: Part
    val: Part
    test: Part

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return self.train.a.shape[-1]

    @property
    def channels(self) -> tuple[int, int]:
        """Channels of a and of b."""
        return self.train.a.shape[1], self.train.b.shape[1]


def from_dataset(dataset: Dataset, classes: tuple[int, int] = (0, 1)) -> Domains:
    """The domains of a data set: T1w and T2w of the phantom, two classes of any other.

    Args:
        dataset: from `datasets.load`; the phantom as T1w, from which T2w comes along.
        classes: the class that is domain a and the one that is domain b; not used with the phantom.
    Raises:
        DatasetError: the classes are not there, are the same, or images have several labels; the phantom
            shows T2w.
    """
    if dataset.drawn:
        if PHANTOMS[dataset.name] != "t1w":
            raise DatasetError(f"{dataset.name} shows T2w; translate phantom, with which T2w comes along.")
        train = _halves(dataset.train.images, dataset.train.extras["paired"], dataset.train.extras["mask"])
        truths = {name: truth_of(dataset, name) for name in ("val", "test")}
        return Domains("T1w", "T2w", train, **{name: Part(t.a, t.b, t) for name, t in truths.items()})
    count = len(dataset.label_names)
    if dataset.train.labels.ndim != 1:
        raise DatasetError(f"{dataset.name} has several labels for an image: its classes are no domains.")
    if classes[0] == classes[1] or not all(0 <= c < count for c in classes):
        known = "; ".join(f"{number} {name}" for number, name in enumerate(dataset.label_names))
        raise DatasetError(f"domains are {classes}; choose two of the classes: {known}.")
    parts = {
        name: Part(*(split.images[split.labels == c] for c in classes))
        for name, split in dataset.splits().items()
    }
    for split, part in parts.items():
        for number, images in zip(classes, (part.a, part.b), strict=True):
            if not len(images):
                raise DatasetError(
                    f"{dataset.name} has no {split} images of class {number}, {dataset.label_names[number]}; "
                    "each split needs some of both domains. Choose other classes, or divide the images anew."
                )
    return Domains(dataset.label_names[classes[0]], dataset.label_names[classes[1]], **parts)


def truth_of(dataset: Dataset, name: str) -> Truth:
    """What is known of a split of the phantom; a is the contrast that it shows, b the other one.

    Args:
        dataset: from `datasets.load`, which draws it with seed 0.
        name: of the split.
    """
    split, shown = getattr(dataset, name), PHANTOMS[dataset.name]
    twin = _twin(split.extras["factors"], dataset.size, name, 0)
    [other] = set(CONTRASTS) - {shown}
    known = (split.images, split.extras["paired"], split.extras["mask"])
    return Truth(*known, getattr(twin, shown), getattr(twin, other))


def named_classes(dataset: Dataset, domains: str) -> tuple[int, int]:
    """Two classes out of words like "0,1", "normal,pneumonia" or "1,normal"; names may hold commas too.

    Raises:
        DatasetError: not two classes of this data set, or several readings; the message lists the classes.
    """
    names = list(dataset.label_names)
    words = domains.split(",")
    halves = [(",".join(words[:i]), ",".join(words[i:])) for i in range(1, len(words))]
    readings = [(_class(a, names), _class(b, names)) for a, b in halves]
    found = {pair for pair in readings if None not in pair}
    if len(found) != 1:
        if len(names) < 2:
            raise DatasetError(f"{dataset.name} has one class only; translation is between two.")
        known = "; ".join(f"{number} {name}" for number, name in enumerate(names))
        wanted = "give numbers, as this can be read in several ways" if found else "give two classes"
        raise DatasetError(
            f"domains are {domains!r}; {wanted}, by number or name, with a comma between them: {known}."
        )
    return found.pop()


def _class(word: str, names: list[str]) -> int | None:
    """The class that a word names."""
    word = word.strip()
    numbers = list(map(str, range(len(names))))
    return next((known.index(word) for known in (names, numbers) if word in known), None)


def phantom_domains(
    size: int = 32,
    prevalence_a: float = 0.5,
    prevalence_b: float = 0.5,
    counts: tuple[int, int, int] = (2048, 512, 512),
    seed: int = 0,
) -> Domains:
    """T1w and T2w with a share of lesions of each domain's own in training; the hallucination lab.

    Args:
        size: pixels per side.
        prevalence_a, prevalence_b: probability of a lesion in the training slices of T1w and of T2w;
            validation and test slices have one in half of the cases, whatever these are.
        counts: training slices of each domain, validation and test slices.
        seed: of anatomies, bias fields and noise.
    Raises:
        ValueError: see `phantom.draw_factors`.
    Source: the experiment of Cohen, Luck & Honari 2018, on a phantom.
    """
    count = counts[0]
    halves = [
        phantom.draw_factors(2 * count, seed, prevalence)[part]
        for prevalence, part in ((prevalence_a, slice(count)), (prevalence_b, slice(count, None)))
    ]
    made = phantom.generate(factors=np.concatenate(halves), size=size, seed=seed)
    parts = {"train": _halves(made.t1w, made.t2w, made.masks)}
    for name, number in zip(("val", "test"), counts[1:], strict=True):
        made = phantom.generate(number, size, seed, name)
        twin = _twin(made.factors, size, name, seed)
        truth = Truth(made.t1w, made.t2w, made.masks, twin.t1w, twin.t2w)
        parts[name] = Part(truth.a, truth.b, truth)
    return Domains("T1w", "T2w", **parts)


def without_lesions(factors: np.ndarray) -> np.ndarray:
    """The phantom's table (N, F) with every lesion taken away and all else as it was."""
    table = factors.copy()
    table[:, [phantom.COLUMN[name] for name in LESION]] = 0
    return table


def _halves(t1w: np.ndarray, t2w: np.ndarray, masks: np.ndarray) -> Part:
    """Half of the slices for each contrast; the first half's other contrast is known for paired training."""
    half = len(t1w) // 2
    return Part(t1w[:half], t2w[half:], Truth(t1w[:half], t2w[:half], masks[:half]))


def _twin(factors: np.ndarray, size: int, name: str, seed: int) -> phantom.Phantom:
    """The same slices without lesions: the same seed draws the same noise again."""
    return phantom.generate(factors=without_lesions(factors), size=size, seed=seed, split=name)
