"""Masks learnt from few labelled slices, of notebook 12: `make pretrained`. Seeded, one thread.

    python recipes/few_segmentation.py [train | ship]      default: both
    python recipes/few_segmentation.py choose              what other budgets of the GAN give on validation

Lesions and ventricles of the phantom, T2w, 64 pixels, from 1 to 100 labelled slices, five seeds each, every
method with the same number of updates of the network that gives the masks; a seed has its own labelled
slices, and ten of them are the first ten of its hundred. A generative model learns from the same slices and
no others. One row of pix2pix has five times the updates, to show what its budget alone explains. Across
contrasts, 32 pixels: labels in T1w alone, the test in T2w; the notebook's CycleGAN, which has seen slices of
both contrasts and no mask, translates the labelled ones. What a network says of val and test waits in
build/few_segmentation, packed, so that an interrupted run goes on; figures are measured at the end. A line of
the shelf's table stays as it is where nothing waits for it and its budget is that of the plan: where `train`
was stopped, or one method alone has changed. Nothing is chosen by the test split; the GAN's updates and its
average were chosen on validation slices, with labelled slices of a seed that no table shows. Budgets stand in
the table, in updates and in processor seconds. About 50 minutes on one core.
"""

import csv
import math
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import torch
from pretrain import card

from medgen_course import datasets, pretrained
from medgen_course.batches.transforms import to_uint8
from medgen_course.datasets.labelled import Labelled, phantom_slices
from medgen_course.files import write_csv
from medgen_course.metrics.few_labels import segmenters
from medgen_course.metrics.few_labels.segmenters import ATLAS, DRAWN, LONGER, METHODS, MOVED, TRANSLATED
from medgen_course.metrics.segmentation import dice_each, figures
from medgen_course.models.segmenter import Segmenter
from medgen_course.training.checkpoints import load_tensors, save_tensors

LABELS, SEEDS = (1, 3, 10, 30, 100), (0, 1, 2, 3, 4)
FIRST = (10, 100), (0, 1, 2)  # labels and seeds that are trained first, of every method
HELD_OUT = {"val": 128, "test": 256}
SLICES = 1000  # seeds of labelled slices start here
SIZE, SMALL = 64, 32  # SMALL: that of the shipped CycleGAN
FLOOR, BETWEEN, CEILING = "T1w labels only", "T1w labels, translated", "T2w labels"
LONG, LONG_LABELS = 5, (10, 100)  # times the updates of pix2pix, and where
SIZES = {"labels": SIZE, "budget": SIZE, "contrasts": SMALL}  # the parts of the table
PAIRS, PAIRS_OF = 5, 10  # drawn pairs that are shipped to be seen, and the slices that the GAN saw
CHOOSING = 10  # a seed that no table shows
TRIED = ((500, 0.98), (500, 0.995), (1000, 0.995), (1500, 0.995), (2000, 0.98), (2000, 0.995))
SHIPPED = ("labels", MOVED, 100, 0)
BUILD = Path("build/few_segmentation")
Training = tuple[str, str, int, int]  # part, method, labelled slices, seed


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
    """Train and store what was found on val and test, unless an earlier run has; the shipped network, too."""
    if path.is_file():
        return
    learnt = learn()
    if path == name_of(*SHIPPED):
        save_tensors(path.with_suffix(".safetensors"), pretrained.half(learnt.network).state_dict())
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


def plan() -> list[Training]:
    """Every training: `FIRST` first, a seed at a time."""
    made = [("labels", method, n, seed) for method in METHODS for seed in SEEDS for n in LABELS]
    made += [("budget", LONGER, n, seed) for seed in SEEDS for n in LONG_LABELS]
    made += [("contrasts", way, max(LABELS), seed) for way in contrasts() for seed in SEEDS]
    return sorted(made, key=lambda one: (one[2] not in FIRST[0] or one[3] not in FIRST[1], one[3]))


def updates_of(method: str) -> dict[str, int]:
    """A method's budget: updates of the network that gives the masks, and of the GAN that draws for it."""
    own = 0 if method == ATLAS else segmenters.UPDATES * (LONG if method == LONGER else 1)
    return {"updates": own, "gan_updates": segmenters.GAN["updates"] if method == DRAWN else 0}


def trained(part: str, method: str, n: int, seed: int) -> segmenters.Learnt:
    """One training of the plan."""
    if part == "contrasts":
        return segmenters.learn(contrasts()[method](n, seed), MOVED, seed=seed)
    way = TRANSLATED if method == LONGER else method
    return segmenters.learn(labelled(n, seed), way, updates_of(method)["updates"], seed)


def train() -> None:
    """Whatever is not there yet."""
    started = time.process_time()
    for one in plan():
        kept(name_of(*one), lambda one=one: trained(*one), SIZES[one[0]])
    print(f"{time.process_time() - started:.0f} s")


def choose() -> None:
    """Figures on val of a U-Net without drawn pairs, and with those of GANs of other budgets and averages."""
    usual, val = dict(segmenters.GAN), held_out("val")
    for n in LONG_LABELS:
        slices = labelled(n, CHOOSING)
        told = {"no GAN": segmenters.learn(slices, segmenters.PLAIN, seed=CHOOSING)}
        for updates, ema in TRIED:
            segmenters.GAN.update(updates=updates, ema=ema)
            told[f"{updates} updates, average {ema}"] = segmenters.learn(slices, DRAWN, seed=CHOOSING)
        for name, found in told.items():
            print(f"{n} labelled, {name}: {measured(found.masks(val.images), val)}", flush=True)
    segmenters.GAN.update(usual)


def measured(found: np.ndarray, truth: Labelled) -> dict[str, float | str]:
    """The figures of the table; an empty field where there is nothing to count."""
    rows = figures(found, truth.masks, truth.names)
    values = {name: rows[name]["value"] for name in ("dice_lesion", "dice_ventricles")}
    values["dice_lesion_empty_as_one"] = dice_each(found[:, 0], truth.masks[:, 0], empty="one").mean().item()
    values |= {name: rows[f"{name}_lesion"]["value"] for name in ("precision", "recall", "f1", "clean")}
    return {name: "" if value is None else round(value, 5) for name, value in values.items()}


def kept_masks(path: Path, split: str, size: int = SIZE) -> np.ndarray:
    """What was found, uint8 (N, 2, H, W)."""
    shape = (HELD_OUT[split], 2, size, size)
    with np.load(path) as there:
        return np.unpackbits(there[split])[: math.prod(shape)].reshape(shape)


def standing() -> dict[Training, list[dict]]:
    """Lines of the shelf's table by training, where it had the budget that the plan gives it."""
    made: dict[Training, list[dict]] = {}
    path = pretrained.few_segmentation_path()
    lines = csv.DictReader(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else ()
    for line in lines:
        line["labels"], line["seed"] = int(line["labels"]), int(line["seed"])
        budget = {"updates": int(line["updates"]), "gan_updates": int(line.get("gan_updates", 0))}
        if budget == updates_of(line["method"]):
            row = {name: value for name, value in line.items() if name != "seconds"} | budget
            key = line["part"], line["method"], line["labels"], line["seed"]
            made.setdefault(key, []).append(row | {"seconds": line["seconds"]})
    return made


def rows_of(one: Training, truths: dict[str, Labelled]) -> list[dict]:
    """The lines of a training whose masks wait, one a split; `truths` by split."""
    (part, method, n, seed), path, made = one, name_of(*one), []
    with np.load(path) as there:
        seconds = round(float(there["seconds"]), 1)
    for split, truth in truths.items():
        about = {"part": part, "method": method, "labels": n, "seed": seed, "split": split}
        row = about | measured(kept_masks(path, split, SIZES[part]), truth)
        made.append(row | updates_of(method) | {"seconds": seconds})
    return made


def table() -> None:
    """A line for each training and split, where all methods are there: seeds are compared one by one."""
    truths = {size: {split: held_out(split, size) for split in HELD_OUT} for size in (SIZE, SMALL)}
    made = standing()
    print(f"{sum(not name_of(*one).is_file() for one in made)} trainings stay as the shelf has them")
    made |= {one: rows_of(one, truths[SIZES[one[0]]]) for one in plan() if name_of(*one).is_file()}
    missing = {(part, n, seed) for part, method, n, seed in plan() if (part, method, n, seed) not in made}
    print(f"left out, because a method is missing: {sorted(missing) or 'none'}")
    order, rows = [*METHODS, LONGER, *contrasts()], []
    for part, method, n, seed in sorted(made, key=lambda one: (order.index(one[1]), *one[2:])):
        rows += made[part, method, n, seed] if (part, n, seed) not in missing else []
    write_csv(pretrained.few_segmentation_path(), rows)


def shown(val: Labelled) -> np.ndarray:
    """Slices for the explorer: six lesions from the largest to the smallest, then two healthy ones."""
    area = val.masks[:, 0].sum((1, 2))
    ill = np.flatnonzero(area)[np.argsort(-area[area > 0], kind="stable")]
    places = np.linspace(0, len(ill) - 1, 6).round().astype(int)
    return np.concatenate([ill[places], np.flatnonzero(area == 0)[:2]])


def explorer_masks(data: datasets.Dataset) -> None:
    """What every method found in some slices, of seed 0, and pairs that the GAN of ten slices draws.

    What does not wait stays as the shelf has it; that GAN is trained once more.
    """
    val = held_out("val")
    chosen = shown(val)
    waits = {(m, n): name_of("labels", m, n, 0) for m in METHODS for n in LABELS}
    found = {key: kept_masks(path, "val")[chosen] for key, path in waits.items() if path.is_file()}
    if len(found) < len(waits):
        old = pretrained.load_few_masks()
        for (i, m), (j, n) in product(enumerate(old.methods), enumerate(old.labels)):
            maps = old.found[i, j]
            found.setdefault((m, n), np.stack([maps == 1, maps == 2], 1).astype(np.uint8))
    drawn = segmenters.half_pairs(labelled(PAIRS_OF, 0), PAIRS)
    about = {"seed": 0, "methods": list(METHODS), "labels": list(LABELS), "split": "val"}
    about |= {"slices": chosen.tolist(), "pairs_of": PAIRS_OF, "gan_updates": segmenters.GAN["updates"]}
    every = np.array([[found[m, n] for n in LABELS] for m in METHODS])
    empty = torch.nn.Module()
    empty.config = {"kind": "masks", "size": SIZE}
    extra = {
        "images": torch.from_numpy(val.images[chosen]),
        "truth": torch.from_numpy(np.packbits(val.masks[chosen], -1)),
        "found": torch.from_numpy(np.packbits(every, -1)),
        "drawn": torch.from_numpy(drawn[:, :1]),
        "drawn_maps": torch.from_numpy(np.packbits(drawn[:, 1:] >= 128, -1)),
    }
    pretrained.save("phantom", "few_masks", {}, card(data, empty, about, {}), extra)


def segmenter(data: datasets.Dataset) -> None:
    """The network that learnt from a hundred slices, where it was trained again."""
    _, method, n, seed = SHIPPED
    model, path = Segmenter(1, SIZE, 2, segmenters.WIDTH), name_of(*SHIPPED)
    if not path.is_file():
        return
    model.load_state_dict(load_tensors(path.with_suffix(".safetensors"))[0])
    truth = held_out("test")
    rows = figures(kept_masks(path, "test"), truth.masks, truth.names)
    test = {name: {end: round(v, 4) if isinstance(v, float) else v for end, v in row.items()}
            for name, row in rows.items()}  # fmt: skip
    recipe = {
        "method": method,
        "images": n,
        "seed": seed,
        "contrast": "t2w",
        "structures": list(truth.names),
        "updates": segmenters.UPDATES,
        "batch_size": segmenters.BATCH,
        "optimizer": f"Adam, {segmenters.RATE:g}, cosine to 0",
        "loss": "cross-entropy and soft Dice",
    }
    pretrained.save("phantom", "segmenter", {"network": model}, card(data, model, recipe, test), {})


def ship() -> None:
    """Table, masks for the explorer and the network, of what has been trained."""
    data = datasets.load("phantom", size=SIZE)
    table()
    explorer_masks(data)
    segmenter(data)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or ("train", "ship"):
        {"train": train, "ship": ship, "choose": choose}[name]()
