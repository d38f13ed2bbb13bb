"""How good are generated images? Every figure between its best and its worst, with equal numbers of images.

Images are compared as features of a network (classification.py): a classifier trained on the same data set,
or a random one where there are no classes. Whether they are copies is asked of the pixels (memorisation.py).
The figure of real validation images against the training split is the `best` that can be hoped for, noise
the `worst`, and blurred validation images stand between: a measure that cannot tell them from sharp ones is
blind to blur, and one of copying that takes them for copies is misled by it.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.transforms import blur, to_uint8, to_unit
from medgen_course.datasets.sources import Dataset
from medgen_course.metrics.classification import embed
from medgen_course.metrics.distances import frechet, kernel
from medgen_course.metrics.memorisation import CopyCheck, copy_check
from medgen_course.metrics.neighbours import neighbourhood, radii
from medgen_course.models.classifier import Classifier

NEIGHBOURS = 5
FROM_TWO = ("frechet", "kernel")  # measures that two images can have
FROM_NEIGHBOURS = ("precision", "recall", "density", "coverage")  # that need more than `NEIGHBOURS`
MEASURES = (*FROM_TWO, *FROM_NEIGHBOURS, "memorisation")
LOWER_IS_BETTER = {"frechet", "kernel", "memorisation"}
FEW = 256  # images below which Frechet distance and coverage say more about the number than about the images


@dataclass(frozen=True)
class Seen:
    """A set of images as it is compared: features (N, F); which are copies, bool (N,), None if not known."""

    features: Tensor
    copied: np.ndarray | None

    def at(self, chosen: np.ndarray) -> "Seen":
        """Some of them."""
        return Seen(self.features[chosen], None if self.copied is None else self.copied[chosen])

    def memorisation(self) -> float | None:
        """Share of copies; None where it is not known or there is no image."""
        return None if self.copied is None or not len(self.copied) else float(self.copied.mean())


@dataclass(frozen=True)
class Reference:
    """The training split as every set of images is measured against it.

    classifier: whose features are used.
    train: features of the training images, (N, F).
    train_images: the same, uint8 (N, C, H, W).
    radii: of the training features, (N,); None where there are too few.
    copies: what counts as a copy.
    heldout_images: real images that no model has seen, uint8 (M, C, H, W).
    """

    classifier: Classifier
    train: Tensor
    train_images: np.ndarray
    radii: Tensor | None
    copies: CopyCheck
    heldout_images: np.ndarray

    def thinned(self, count: int) -> "Reference":
        """The same with only the first `count` training images: quicker, and with other numbers."""
        return _reference(self.classifier, self.train[:count], self.train_images[:count], self.heldout_images)

    def beside(self, heldout: np.ndarray) -> "Reference":
        """The same training split beside other held-out images, uint8 (M, C, H, W); embeds nothing anew."""
        copies = copy_check(self.train_images, heldout)
        return replace(self, copies=copies, heldout_images=heldout)

    def look(self, images: np.ndarray) -> Seen:
        """Prepare uint8 images (n, C, H, W) for `compare`."""
        copied = None if self.copies.threshold is None else self.copies.copied(images)
        return Seen(embed(self.classifier, images), copied)

    def missing(self, n: int) -> dict[str, str]:
        """Those of `MEASURES` that n images cannot have, each with the reason."""
        few, reasons = min(n, len(self.train)), {}
        for names, least in (FROM_TWO, 2), (FROM_NEIGHBOURS, NEIGHBOURS + 1):
            if few < least:
                reasons |= dict.fromkeys(names, f"{few} images; {least} are needed, and hundreds are better")
        return reasons | ({"memorisation": self.copies.why_not} if self.copies.why_not else {})

    def compare(self, seen: Seen) -> dict[str, float | None]:
        """All `MEASURES`; None for those that are `missing`."""
        found: dict[str, float | None] = dict.fromkeys(MEASURES)
        missing = self.missing(len(seen.features))
        if "frechet" not in missing:
            found["frechet"] = frechet(self.train, seen.features)
            found["kernel"] = kernel(self.train, seen.features)
        if "density" not in missing:
            found |= neighbourhood(self.train, seen.features, NEIGHBOURS, self.radii)
        return found | {"memorisation": seen.memorisation()}

    def measure(self, images: np.ndarray) -> dict[str, float | None]:
        """All `MEASURES` of uint8 images (n, C, H, W); None for those that are `missing`."""
        return self.compare(self.look(images))


def reference(data: Dataset, classifier: Classifier, split: str = "val") -> Reference:
    """Prepare the comparison with a data set's training split.

    Args:
        data: the data set that the generator learnt from.
        classifier: see `classification.feature_network`.
        split: the held-out real images: "val" for every choice, "test" once at the end.
    """
    train = data.train.images
    return _reference(classifier, embed(classifier, train), train, getattr(data, split).images)


def _reference(classifier: Classifier, train: Tensor, images: np.ndarray, heldout: np.ndarray) -> Reference:
    reach = radii(train, NEIGHBOURS) if len(train) > NEIGHBOURS else None
    return Reference(classifier, train, images, reach, copy_check(images, heldout), heldout)


def evaluate_samples(
    samples: np.ndarray,
    against: Reference,
    rounds: int = 8,
    seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, dict[str, Any]]:
    """Measure generated images beside real, blurred and meaningless ones, n images in every column.

    n is the number of held-out images, or of samples where these are fewer. From more samples, several
    subsets of n are drawn, each without replacement, because a repeated image would be its own nearest
    neighbour: `value` is their mean, `low` and `high` the smallest and the largest.

    Args:
        samples: uint8 (N, C, H, W); several times as many as held-out images give an interval.
        against: see `reference`.
        rounds: subsets of the samples.
        seed: of the subsets and of the noise.
        tell: is handed a line of text after each set of images, of which there are `rounds` + 3.
    Returns:
        For each of `MEASURES`: value, low, high, best (held-out images), blurred (the same, blurred with a
        standard deviation of one pixel: a model that copies nothing, but is smooth), worst (noise), the
        number of images, n, and `features`, what was compared. Of memorisation also `exact`, the share of
        the samples that are training images bit for bit, and `known`, how many held-out images are; these
        are left out of its best and blurred. Where there is no figure, value is None, and `note` says why.
    """
    n = min(len(samples), len(against.heldout_images))
    if n < FEW:
        warnings.warn(
            f"only {n} images in each column: Frechet distance and coverage depend on the number of them, "
            f"and below {FEW} they vary more with it than with the images. Compare the columns only.",
            stacklevel=2,
        )
    rng = np.random.default_rng(seed)
    rounds, rows, columns = rounds if len(samples) > n else 1, [], {}
    subsets = [rng.choice(len(samples), n, replace=False) for _ in range(rounds)]
    real = against.heldout_images[rng.choice(len(against.heldout_images), n, replace=False)]
    sets = {
        "best": real,
        "blurred": np.concatenate([_blurred(part) for part in np.array_split(real, -(-n // FEW))]),
        "worst": rng.integers(0, 256, real.shape, dtype=np.uint8),
    }
    seen, new = against.look(samples), ~against.copies.exact(real)
    for chosen in subsets:
        rows.append(against.compare(seen.at(chosen)))
        tell(f"measured {len(rows)} of {rounds + len(sets)} sets of {n:,} images")
    for column, images in sets.items():
        looked = against.look(images)
        columns[column] = against.compare(looked)
        if column != "worst":
            columns[column]["memorisation"] = looked.at(new).memorisation()
        tell(f"measured {rounds + len(columns)} of {rounds + len(sets)} sets of {n:,} images")
    missing, result = against.missing(n), {}
    for name in MEASURES:
        result[name] = {"value": None, "n": n, "features": against.classifier.about}
        if name in missing:
            result[name]["note"] = missing[name]
            continue
        values = [row[name] for row in rows]
        result[name] |= {"value": float(np.mean(values)), "low": min(values), "high": max(values)}
        result[name] |= {column: row[name] for column, row in columns.items()}
    result["memorisation"] |= {
        "features": "pixels",
        "exact": float(against.copies.exact(samples).mean()),
        "known": against.copies.known,
    }
    return result


def _blurred(images: np.ndarray) -> np.ndarray:
    return to_uint8(blur(to_unit(torch.from_numpy(images)), 1.0)).numpy()
