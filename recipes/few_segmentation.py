"""Masks learnt from few labelled slices, of notebook 12: `make pretrained`. Seeded, one thread.

    python recipes/few_segmentation.py [train | ship]      default: both

Lesions and ventricles of the phantom, T2w, 64 pixels, from 1 to 100 labelled slices, five seeds each, every
method with the same number of updates of the network that gives the masks; a seed has its own labelled
slices, and ten of them are the first ten of its hundred. A generative model learns from the same slices and
no others. Across contrasts, 32 pixels: labels in T1w alone, the test in T2w; the notebook's CycleGAN, which
has seen slices of both contrasts and no mask, translates the labelled ones. What a network says of val and
test waits in build/few_segmentation, packed, so that an interrupted run goes on; figures are measured at the
end. Nothing is chosen by the test split. Budgets stand in the table, in updates and in processor seconds.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from medgen_course import pretrained
from medgen_course.batches.transforms import to_uint8
from medgen_course.datasets.labelled import Labelled, phantom_slices
from medgen_course.metrics.few_labels import segmenters
from medgen_course.metrics.few_labels.segmenters import ATLAS, DRAWN, MOVED, PLAIN, TRANSLATED

LABELS, SEEDS = (1, 3, 10, 30, 100), (0, 1, 2, 3, 4)
HELD_OUT = {"val": 128, "test": 256}
SLICES = 1000  # seeds of labelled slices start here
SIZE, SMALL = 64, 32  # SMALL: that of the shipped CycleGAN
FLOOR, BETWEEN, CEILING = "T1w labels alone", "T1w labels, slices translated", "T2w labels"
BUILD = Path("build/few_segmentation")


def labelled(n: int, seed: int, size: int = SIZE, contrast: str = "t2w") -> Labelled:
    """The labelled slices of a seed."""
    return phantom_slices("train", max(LABELS), SLICES + seed, size, contrast).first(n)


def held_out(split: str, size: int = SIZE) -> Labelled:
    """T2w slices to be judged on."""
    return phantom_slices(split, HELD_OUT[split], 0, size)


def name_of(part: str, method: str, n: int, seed: int) -> Path:
    """Where what was found waits."""
    short = "".join(letter if letter.isalnum() else "_" for letter in method)
    return BUILD / f"{part}-{short}-{n}-{seed}.npz"


def kept(path: Path, learn: Callable[[], segmenters.Learnt], size: int) -> None:
    """Train and store what was found on val and test, unless an earlier run has."""
    if path.is_file():
        return
    learnt = learn()
    found = {split: np.packbits(learnt.masks(held_out(split, size).images)) for split in HELD_OUT}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path.with_suffix(".partial.npz"), seconds=learnt.seconds, **found)
    path.with_suffix(".partial.npz").rename(path)
    print(f"{path.stem}: {learnt.seconds:.1f} s", flush=True)


def translated(slices: Labelled) -> Labelled:
    """T1w slices as the shipped CycleGAN would have them in T2w, with the masks that they have."""
    ways = pretrained.load_translators("phantom")
    images = to_uint8(ways[max(ways)].translate(slices.images, "b")).numpy()
    return Labelled(images, slices.masks, slices.names)


def contrasts() -> dict[str, Callable[[int, int], Labelled]]:
    """What is learnt from across contrasts, by the method's name."""
    return {
        FLOOR: lambda n, seed: labelled(n, seed, SMALL, "t1w"),
        BETWEEN: lambda n, seed: translated(labelled(n, seed, SMALL, "t1w")),
        CEILING: lambda n, seed: labelled(n, seed, SMALL),
    }


def plan() -> list[tuple[str, str, int, int]]:
    """Part, method, labelled slices and seed of every training."""
    first, last = (
        [("labels", method, n, seed) for method in methods for seed in SEEDS for n in LABELS]
        for methods in ((ATLAS, PLAIN, MOVED), (TRANSLATED, DRAWN))
    )
    return first + [("contrasts", way, max(LABELS), seed) for way in contrasts() for seed in SEEDS] + last


def train() -> None:
    """Whatever is not there yet."""
    started = time.process_time()
    for part, method, n, seed in plan():
        path = name_of(part, method, n, seed)
        if part == "labels":
            kept(path, lambda m=method, n=n, s=seed: segmenters.learn(labelled(n, s), m, seed=s), SIZE)
        else:
            make = contrasts()[method]
            kept(path, lambda f=make, n=n, s=seed: segmenters.learn(f(n, s), MOVED, seed=s), SMALL)
    print(f"{time.process_time() - started:.0f} s")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:] != ["ship"]:
        train()
