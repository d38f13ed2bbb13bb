"""Growing against training at full size at once, over time.

    python recipes/growing.py                  all that follows; what is there already is not repeated
    python recipes/growing.py eye              the classifier of 64-pixel slices that measures
    python recipes/growing.py phantom          64 pixels: growing, and a DCGAN with two step sizes
    python recipes/growing.py pneumoniamnist   28 pixels: growing, the same networks at full size, a DCGAN

Three seeds each, and a table for each data set. All ways have about as many weights and equal time: seconds
that the process has worked on one core (`time.process_time`), measurements not counted, so that other work on
the machine changes little. Each is saved at each measurement, and goes on from there when it was stopped.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import torch
from classifier import figures as figures_of_eye
from pretrain import card

from medgen_course import datasets, pretrained
from medgen_course.batches.sampling import Sampler, derive_seed
from medgen_course.files import write_csv
from medgen_course.metrics import classification, fidelity
from medgen_course.metrics.sliced import pyramid_distances
from medgen_course.models import samples
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.models.progressive import ProgressiveAlgorithm
from medgen_course.models.progressive_networks import (
    ProgressiveDiscriminator,
    ProgressiveGenerator,
    growing_sizes,
)
from medgen_course.pictures.render import enlarged
from medgen_course.training.checkpoints import RunFolder

SIZE, BATCH, SEEDS = 64, 16, (0, 1, 2)
WIDTH, RATE, EMA = 8, 1e-3, 0.995  # channels at the largest side; step size; share of the average kept
EYE_EPOCHS = 6
COUNT, PATCHES, DIRECTIONS = 512, 16, 128  # images in a measurement; of the sliced distances
PLACE = Path(__file__).parents[1] / "build" / "growing"
Algorithm = ProgressiveAlgorithm | GANAlgorithm


def growing(classes: int, size: int, steps: int) -> ProgressiveAlgorithm:
    """Players that grow from 7 or 8 pixels, in the hinge game; `steps` of each fade, and as many between two.

    The game of the paper, with its gradient penalty, takes 1.7 times as long for an image at full size.
    """
    return ProgressiveAlgorithm(*players(classes, size), steps, steps, "hinge", RATE, ema=EMA)


def full_size(classes: int, size: int) -> ProgressiveAlgorithm:
    """The same players and game; all blocks from the third update on."""
    return ProgressiveAlgorithm(*players(classes, size), 0, 1, "hinge", RATE, ema=EMA)


def players(classes: int, size: int) -> tuple[ProgressiveGenerator, ProgressiveDiscriminator]:
    """Both networks before their first update."""
    generator = ProgressiveGenerator(1, size, 64, classes, WIDTH)
    return generator, ProgressiveDiscriminator(1, size, classes, WIDTH)


def direct(classes: int, size: int, width: int, learning_rate: float) -> GANAlgorithm:
    """DCGAN at full size from the first step, in the game of the one that is shipped at 28 pixels."""
    both = (Generator(1, size, 64, classes, width),
            Discriminator(1, size, classes, width, spectral_norm=True))  # fmt: skip
    return GANAlgorithm(*both, "hinge", learning_rate, 2 * learning_rate, ema=EMA)


@dataclass(frozen=True)
class Trial:
    """What is compared on a data set.

    ways: name -> what makes the players of so many classes, in the order of the table's numbers.
    seconds: of one core, for each training.
    moments: measured so many times.
    """

    ways: dict[str, Callable[[int], Algorithm]]
    seconds: float
    moments: int


TRIALS = {
    "phantom": Trial({
        "growing": partial(growing, size=64, steps=130),
        "direct": partial(direct, size=64, width=11, learning_rate=2e-4),  # as shipped at 28 pixels
        "direct_fast": partial(direct, size=64, width=11, learning_rate=1e-3),  # ahead after 25 seconds
    }, 90, 5),
    "pneumoniamnist": Trial({
        "growing": partial(growing, size=28, steps=100),
        "full_size": partial(full_size, size=28),
        "direct": partial(direct, size=28, width=18, learning_rate=2e-4),
    }, 40, 6),
}  # fmt: skip


class Run:
    """One training: goes on for some seconds of one core, is measured, is saved.

    Args:
        name: of its folder.
        make: number of classes to the players.
        seed: decides all draws.
        data: the images.
        batch: images in an update.
        way: its number in the table.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[int], Algorithm],
        seed: int,
        data: datasets.Dataset,
        batch: int = BATCH,
        way: int = -1,
    ):
        self.seed, self.data, self.way = seed, data, way
        torch.manual_seed(seed)
        self.algorithm = make(len(data.label_names))
        for network in self.algorithm.networks.values():
            network.to(memory_format=torch.channels_last)
        self.sampler = Sampler(data.train, batch)
        self.folder = RunFolder(PLACE / name)
        self.rows, self.seconds = [], 0.0
        self.remembers = ["rows", "seconds"]

    def resume(self) -> "Run":
        """Take over what was saved, where there is something."""
        if (state := self.folder.load_resume()) is not None:
            self.algorithm.load_state_dict(state.pop("algorithm"))
            self.__dict__.update(state)
        return self

    def save(self) -> None:
        """Everything that the next part depends on."""
        kept = {name: getattr(self, name) for name in self.remembers}
        self.folder.save_resume({"algorithm": self.algorithm.state_dict(), **kept})

    def batches(self):
        """Without end, in an order of this part's own."""
        for epoch in count():
            yield from self.sampler.epoch(epoch, derive_seed(self.seed, self.algorithm.steps))

    def advance(self, seconds: float) -> None:
        """Train for so long."""
        torch.manual_seed(derive_seed(self.seed, self.algorithm.steps))
        for network in self.algorithm.networks.values():
            network.train()
        until = time.process_time() + seconds
        for batch in self.batches():
            self.step(batch)
            if time.process_time() >= until:
                break
        self.seconds += seconds

    def step(self, batch) -> None:
        """One update."""
        self.algorithm.step(batch, torch.Tensor.backward)

    @torch.inference_mode()
    def draw(self, n: int, seed: int) -> np.ndarray:
        """Images of the averaged generator, small ones enlarged, classes as in training."""
        labels = samples.draw_labels(np.bincount(self.data.train.labels), n, seed)
        return enlarged(samples.generate(self.algorithm.average.eval(), n, seed, labels), self.data.size)

    def row(self, against: fidelity.Reference) -> dict:
        """A line of the table: how far the run is, and its figures."""
        weights = sum(w.numel() for name, network in self.algorithm.networks.items()
                      if name != "generator_ema" for w in network.parameters())  # fmt: skip
        about = {"way": self.way, "seed": self.seed, "seconds": round(self.seconds)}
        about |= {"updates": self.algorithm.steps, "level": round(self.level(), 3), "weights": weights}
        return about | measured(self.draw(COUNT, 1000 + self.seed), against)

    def level(self) -> float:
        """How far it has grown; of a DCGAN, the last level."""
        average = self.algorithm.average
        grows = isinstance(self.algorithm, ProgressiveAlgorithm)
        return float(average.level) if grows else len(growing_sizes(self.data.size)) - 1.0

    def finish(self, seconds: float, moments: int, against: fidelity.Reference) -> "Run":
        """Go on until so many seconds of one core; measured and saved so many times on the way."""
        while len(self.rows) < moments:
            self.advance(seconds / moments)
            self.rows.append(self.row(against))
            self.keep()
            self.save()
            print(self.rows[-1], flush=True)
        return self

    def keep(self) -> None:
        """What else is to be done after a measurement: nothing."""


def measured(images: np.ndarray, against: fidelity.Reference) -> dict[str, float]:
    """All figures of `COUNT` images: those of `fidelity`, and the distance at each side of the pyramid."""
    found = {name: round(value, 5) for name, value in against.measure(images).items()}
    real = against.train_images[np.random.default_rng(0).permutation(len(against.train_images))[:COUNT]]
    sliced = pyramid_distances(real, images, PATCHES, DIRECTIONS)
    return found | {f"sliced_{side}": round(value, 5) for side, value in sliced.items()}


def eye(data: datasets.Dataset):
    """The classifier that measures; that of 64-pixel slices is trained where there is none."""
    if data.name != "phantom":
        return classification.feature_network(data)
    if not pretrained.path("phantom", "classifier_64").is_file():
        model = classification.train_classifier(data.train.images, data.train.labels, 2, EYE_EPOCHS)
        pretrained.half(model)
        model.standardise(classification.embed(model, data.train.images))
        recipe = {"images": len(data.train), "epochs": EYE_EPOCHS, "batch_size": 128,
                  "optimizer": "AdamW, 2e-3, cosine to 0"}  # fmt: skip
        about = card(data, model, recipe, figures_of_eye(data, model))
        pretrained.save("phantom", "classifier_64", {"classifier": model}, about, {})
        print("eye", about["test"], flush=True)
    return pretrained.load_classifier("phantom", "classifier_64")


def load(name: str) -> datasets.Dataset:
    """A data set at the side at which its ways are compared."""
    return datasets.load(name, size=SIZE) if name == "phantom" else datasets.load(name)


def compare(data: datasets.Dataset, against: fidelity.Reference) -> None:
    """All ways, each seed, over time; the table is written after each run."""
    trial = TRIALS[data.name]
    level = len(growing_sizes(data.size)) - 1.0
    ends = {"way": -1, "seed": 0, "seconds": 0, "updates": 0, "level": level, "weights": 0}
    rows = [ends | measured(data.val.images[:COUNT], against)]
    for seed in SEEDS:
        for way, (name, make) in enumerate(trial.ways.items()):
            folder = f"{name}-{seed}" if data.name == "phantom" else f"{data.name}-{name}-{seed}"
            run = Run(folder, make, seed, data, way=way).resume()
            rows += run.finish(trial.seconds, trial.moments, against).rows
            write_csv(pretrained.growing_path(data.name), rows)


if __name__ == "__main__":
    torch.set_num_threads(1)
    wanted = sys.argv[1:] or ["eye", *TRIALS]
    for name in TRIALS:
        if name in wanted or (name == "phantom" and "eye" in wanted):
            data = load(name)
            against = fidelity.reference(data, eye(data))
            if name in wanted:
                compare(data, against)
