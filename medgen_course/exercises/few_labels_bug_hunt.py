"""The bug hunt of notebook 12: mistakes in a study of synthetic pairs, looked for by what they do."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted, remaining

Pairs = Mapping[str, np.ndarray]  # "images" uint8 (N, 8, 8), "masks" bool (N, 8, 8)
Study = Callable[..., Mapping[str, float]]
CUTS = (0.3, 0.5, 0.7)
SIDE = 8
EMPTY = (
    "Slices in which nothing is to be found count in the mean, as 1 where nothing is found. The more healthy "
    "slices there are, the better any method looks: leave them out, and count inventions by themselves."
)
CUT = "The threshold is chosen on the slices that are then measured: choose it on validation."


def check_few_labels_bug_hunt(study: Study) -> Verdict:
    """Look for each mistake of the pool (`hunts/few_labels.py`) by itself; three of them are planted.

    Args:
        study: (generate, fit, segment, cuts, few, val, test) -> {"without": mean Dice on test of a network
            that learnt from the few real pairs, "with": of one that had synthetic pairs besides}, over the
            slices in which there is something to find. Splits have `images` and `masks`; `generate(images,
            masks)` learns and draws (images, masks); `fit(images, masks, updates=...)` returns a model,
            `segment(model, images)` maps (N, H, W) in [0, 1]; a mask is what lies above one of `cuts`.
    """
    praise = "The generator knows the few alone, both networks get the same updates, and test chose nothing."
    return judge("bug hunt", study, _examine, praise)


@dataclass
class _World:
    """Splits, and functions that note what they are given."""

    few: Pairs
    val: Pairs
    test: Pairs
    maps: dict[bytes, np.ndarray]  # of each image of val and test, by a network with synthetic pairs
    drawn: tuple[np.ndarray, np.ndarray]
    learnt_from: list[np.ndarray] = field(default_factory=list)
    fits: list[tuple[np.ndarray, np.ndarray, int]] = field(default_factory=list)

    @classmethod
    def make(cls, seed: int) -> "_World":
        rng = np.random.default_rng(seed)

        def split(sick: int, healthy: int) -> Pairs:
            images = rng.integers(1, 255, (sick + healthy, SIDE, SIDE)).astype(np.uint8)
            masks = np.zeros(images.shape, bool)
            for mask in masks[:sick]:
                row, column = rng.integers(0, [4, 2])  # left of the middle: a flipped mask is another
                mask[row : row + 3, column : column + 2] = True
            order = rng.permutation(len(images))
            return {"images": images[order], "masks": masks[order]}

        few, val, test = split(6, 3), split(7, 6), split(9, 8)
        maps = {}
        for image, mask in zip(val["images"], val["masks"], strict=True):
            maps[image.tobytes()] = np.where(mask, 0.45, 0.2)  # faint: the lowest threshold is right
        weak = np.flatnonzero(test["masks"].any((1, 2)))[0]
        for i, (image, mask) in enumerate(zip(test["images"], test["masks"], strict=True)):
            near = np.roll(mask, 1, 0) | np.roll(mask, 1, 1) | np.roll(mask, -1, 0)
            made = np.where(mask, 0.65 if i == weak else 0.9, np.where(near, 0.6, 0.1))  # strong, with a halo
            if not mask.any() and i % 2:
                made[5:7, 5:7] = 0.95 if i % 4 == 1 else 0.4  # invented
            maps[image.tobytes()] = made
        pair = split(5, 2)
        return cls(few, val, test, maps, (pair["images"], pair["masks"]))

    def generate(self, images: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Learn from pairs, and draw others."""
        self.learnt_from.append(np.array(images))
        return tuple(part.copy() for part in self.drawn)

    def fit(self, images: np.ndarray, masks: np.ndarray, updates: int = 500) -> int:
        """A model: the number of the call."""
        self.fits.append((np.array(images), np.array(masks), int(updates)))
        return len(self.fits) - 1

    def segment(self, model: int, images: np.ndarray) -> np.ndarray:
        """Maps (N, H, W); a network without synthetic pairs is blind for the lower half."""
        blank = np.zeros((SIDE, SIDE))
        maps = np.stack([self.maps.get(np.asarray(image).tobytes(), blank) for image in images])
        if not self.has_drawn(model):
            maps[:, SIDE // 2 :] = 0
        return maps

    def has_drawn(self, model: int) -> bool:
        """Whether a model was given synthetic images."""
        return bool(_rows(self.fits[model][0]) & _rows(self.drawn[0]))


def _rows(images: np.ndarray) -> set[bytes]:
    return {np.ascontiguousarray(image).tobytes() for image in images}


def _examine(study: Study) -> None:
    for seed in (0, 1):
        world = _World.make(seed)
        splits = ({name: part.copy() for name, part in s.items()} for s in (world.few, world.val, world.test))
        made = call(study, world.generate, world.fit, world.segment, CUTS, *splits)
        if made is None:
            raise not_attempted()
        if not isinstance(made, Mapping) or {"without", "with"} - set(made):
            raise Finding("Return a dictionary with the mean Dice `without` and `with` synthetic pairs.")
        by = {world.has_drawn(model): model for model in range(len(world.fits))}
        if set(by) != {False, True}:
            raise Finding("Fit two networks: one without, one with the pairs that `generate` draws.")
        left = [*_seen(world), *_flipped(world), *_budgets(world, by), *_alone(world, by[True])]
        left += _numbers(world, {"without": by[False], "with": by[True]}, made)
        if left:
            raise remaining(left)


def _seen(world: _World) -> Iterator[str]:
    """Whether the generator learnt from anything but the few."""
    test = _rows(world.test["images"]) | _rows(world.test["images"][..., ::-1])
    if any(_rows(images) & test for images in world.learnt_from):
        yield (
            "The generator has learnt from test slices and their masks. What it draws is like them, so the "
            "network has seen them too, by way of copies."
        )


def _flipped(world: _World) -> Iterator[str]:
    """Whether every known image is learnt with its own mask."""
    known = {}
    for image, mask in zip(world.few["images"], world.few["masks"], strict=True):
        for turned in (lambda a: a, lambda a: a[..., ::-1], lambda a: a[::-1], lambda a: a[::-1, ::-1]):
            known[np.ascontiguousarray(turned(image)).tobytes()] = turned(mask)
    for images, masks, _ in world.fits:
        for image, mask in zip(images, masks, strict=False):
            own = known.get(np.ascontiguousarray(image).tobytes())
            if own is not None and not np.array_equal(own, mask):
                yield (
                    "A changed image is learnt with the mask of the unchanged one, so that half of what the "
                    "network is told is wrong. Whatever moves the image moves the mask."
                )
                return


def _budgets(world: _World, by: Mapping[bool, int]) -> Iterator[str]:
    without, having = (world.fits[by[drawn]][2] for drawn in (False, True))
    if without != having:
        yield (
            f"One network has {without} updates, the other {having}. A gain may come from longer training: "
            "give both the same."
        )


def _alone(world: _World, model: int) -> Iterator[str]:
    if not _rows(world.few["images"]) <= _rows(world.fits[model][0]):
        yield (
            "The network with synthetic pairs lacks the real ones that the other has. The question was what "
            "is gained by adding, not by replacing."
        )


def _dice(found: np.ndarray, truth: np.ndarray, empty: bool) -> float:
    both, sizes = (found & truth).sum((1, 2)), found.sum((1, 2)) + truth.sum((1, 2))
    each = np.where(sizes > 0, 2 * both / np.maximum(sizes, 1), 1.0)
    return float(each[truth.any((1, 2)) | empty].mean())


def _outcome(world: _World, models: Mapping[str, int], mistakes: frozenset[str]) -> dict[str, float]:
    """The figures of a study with these mistakes, by the networks as they were fitted."""
    empty, made = "empty" in mistakes, {}
    chosen_on = world.test if "cut" in mistakes else world.val
    for name, model in models.items():
        maps = world.segment(model, chosen_on["images"])
        cut = max(CUTS, key=lambda cut, maps=maps: _dice(maps > cut, chosen_on["masks"], empty))
        made[name] = _dice(world.segment(model, world.test["images"]) > cut, world.test["masks"], empty)
    return made


def _numbers(world: _World, models: Mapping[str, int], made: Mapping[str, float]) -> list[str]:
    """Which mistakes of the measure give just these numbers."""
    advice = {"empty": EMPTY, "cut": CUT}
    for count in range(3):
        for mistakes in itertools.combinations(advice, count):
            expected = _outcome(world, models, frozenset(mistakes))
            if all(abs(float(made[name]) - value) < 1e-6 for name, value in expected.items()):
                return [advice[name] for name in mistakes]
    right = _outcome(world, models, frozenset())
    told = ", ".join(f"{name} {value:.3f} (yours {float(made[name]):.3f})" for name, value in right.items())
    return [f"The mean Dice on test is another: {told}."]
