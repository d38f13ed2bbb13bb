"""Growing against training at full size at once, over time, and the generator that notebook 05 ships.

    python recipes/growing.py             all that follows; what is there already is not repeated
    python recipes/growing.py eye         the classifier of 64-pixel slices that measures
    python recipes/growing.py compare     growing, and a DCGAN with two step sizes, three seeds; their table
    python recipes/growing.py ship        a longer training, with its stages
    python recipes/growing.py pack        the best moment so far of a longer training that was stopped

All ways have about as many weights and equal time: seconds that the process has worked on one core
(`time.process_time`), measurements not counted, so that other work on the machine changes nothing. Each is
saved at each measurement, and goes on from there when it was stopped.
"""

import sys
import time
from collections.abc import Callable
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
from medgen_course.models.progressive import LAZY, ProgressiveAlgorithm
from medgen_course.models.progressive_networks import ProgressiveDiscriminator, ProgressiveGenerator
from medgen_course.training.checkpoints import RunFolder

SIZE, BATCH, SEEDS = 64, 16, (0, 1, 2)
SECONDS, MOMENTS = 90, 5  # of one core, for each training; measured so many times
WIDTH, STEPS = 8, 130  # channels at 64 pixels; steps of each fade, and as many between two
RATE = 1e-3
SHIPPED = {"seconds": 2700, "moments": 27, "steps": 400, "ema": 0.999, "seed": 0, "batch": 8}  # longer
CALM = {"objective": "non_saturating", "flatness": 1e-5}  # its game
HALVING = 1500  # its updates at full size until the step size is half
EYE_EPOCHS = 6
DIRECT_WIDTH = 11  # as many weights
STAGES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)  # the averaged generator is kept when it has grown so far
COUNT, PATCHES, DIRECTIONS = 512, 16, 128  # images in a measurement; of the sliced distances
KEPT = ("seconds", "updates", "level", "coverage", "density", "recall", "memorisation")  # in the card
PLACE = Path(__file__).parents[1] / "build" / "growing"
Algorithm = ProgressiveAlgorithm | GANAlgorithm


def growing(classes: int) -> ProgressiveAlgorithm:
    """Players that grow from 8 pixels, in the hinge game.

    That of the paper, with its gradient penalty, takes 1.7 times as long for an image at full size.
    """
    players = (ProgressiveGenerator(1, SIZE, 64, classes, WIDTH),
               ProgressiveDiscriminator(1, SIZE, classes, WIDTH))  # fmt: skip
    return ProgressiveAlgorithm(*players, STEPS, STEPS, "hinge", RATE, ema=0.995)


def shipped(classes: int) -> ProgressiveAlgorithm:
    """Players of the same size that grow more slowly, in the game of StyleGAN2, with grain in the generator.

    Without grain the features tell it from real images whatever it draws: held-out slices without their noise
    have a fifth of the density and a quarter of the coverage of those with it.
    """
    players = (ProgressiveGenerator(1, SIZE, 64, classes, WIDTH, grain=True),
               ProgressiveDiscriminator(1, SIZE, classes, WIDTH))  # fmt: skip
    steps, ema = SHIPPED["steps"], SHIPPED["ema"]
    return ProgressiveAlgorithm(*players, steps, steps, learning_rate=RATE, ema=ema, **CALM)


def direct(classes: int, learning_rate: float) -> GANAlgorithm:
    """DCGAN at 64 pixels from the first step, in the game of the one that is shipped at 28."""
    players = (Generator(1, SIZE, 64, classes, DIRECT_WIDTH),
               Discriminator(1, SIZE, classes, DIRECT_WIDTH, spectral_norm=True))  # fmt: skip
    return GANAlgorithm(*players, "hinge", learning_rate, 2 * learning_rate, ema=0.995)


METHODS: dict[str, Callable[[int], Algorithm]] = {
    "growing": growing,
    "direct": partial(direct, learning_rate=2e-4),  # as shipped at 28 pixels
    "direct_fast": partial(direct, learning_rate=1e-3),  # as the growing one: ahead after 25 seconds
    "shipped": shipped,
}
WAYS = ("growing", "direct", "direct_fast")  # that are compared, by the numbers that the table has for them


class Run:
    """One training: goes on for some seconds of one core, is measured, is saved.

    Args:
        method, seed: a name of `METHODS`, and what decides its draws.
        data: the images.
    """

    def __init__(self, method: str, seed: int, data: datasets.Dataset):
        self.method, self.seed, self.data = method, seed, data
        torch.manual_seed(seed)
        self.algorithm = METHODS[method](len(data.label_names))
        for network in self.algorithm.networks.values():
            network.to(memory_format=torch.channels_last)
        self.sampler = Sampler(data.train, SHIPPED["batch"] if method == "shipped" else BATCH)
        self.folder = RunFolder(PLACE / f"{method}-{seed}")
        self.rows, self.stages, self.best, self.seconds = [], {}, {}, 0.0
        if (state := self.folder.load_resume()) is not None:
            self.algorithm.load_state_dict(state.pop("algorithm"))
            self.__dict__.update(state)

    def save(self) -> None:
        """Everything that the next part depends on."""
        state = {"rows": self.rows, "stages": self.stages, "best": self.best, "seconds": self.seconds}
        self.folder.save_resume({"algorithm": self.algorithm.state_dict(), **state})

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
            if self.method == "shipped":
                self.slow_down()
            self.algorithm.step(batch, torch.Tensor.backward)
            self.keep_stage()
            if time.process_time() >= until:
                break
        self.seconds += seconds

    def slow_down(self) -> None:
        """From the moment of full size the step size is halved every `HALVING` updates."""
        at_full_size = self.algorithm.steps - 6 * SHIPPED["steps"]
        rate = RATE * 0.5 ** (max(0, at_full_size) / HALVING)
        for optimizer in self.algorithm.optimizers.values():
            optimizer.param_groups[0]["lr"] = rate

    def keep_best(self) -> None:
        """A copy of the averaged generator, if coverage times density on val are the highest so far."""
        now = self.rows[-1]
        score = now["coverage"] * now["density"] if now["level"] == len(STAGES) / 2 else -1.0
        if score > self.best.get("score", 0.0):
            weights = {key: value.half() for key, value in self.algorithm.average.state_dict().items()}
            self.best = {"score": score, "moment": len(self.rows) - 1, "weights": weights}

    def keep_stage(self) -> None:
        """A copy of the averaged generator when it has grown to one of `STAGES`, at the end of a hold."""
        if isinstance(self.algorithm, ProgressiveAlgorithm):
            now, then = (self.algorithm.level_at(self.algorithm.steps + i) for i in (-1, 0))
            for stage in STAGES:
                if now <= stage < then and stage not in self.stages:
                    weights = self.algorithm.average.state_dict()
                    self.stages[stage] = {key: value.half() for key, value in weights.items()}

    @torch.inference_mode()
    def draw(self, n: int, seed: int) -> np.ndarray:
        """Images of the averaged generator, small ones enlarged, classes as in training."""
        labels = samples.draw_labels(np.bincount(self.data.train.labels), n, seed)
        made = samples.generate(self.algorithm.average.eval(), n, seed, labels)
        return enlarged(made)


def enlarged(images: np.ndarray) -> np.ndarray:
    """Each pixel of uint8 (N, C, side, side) repeated, up to `SIZE`."""
    times = SIZE // images.shape[-1]
    return images.repeat(times, 2).repeat(times, 3)


def measured(images: np.ndarray, against: fidelity.Reference) -> dict[str, float]:
    """All figures of `COUNT` images: those of `fidelity`, and the distance at each side of the pyramid."""
    found = {name: round(value, 5) for name, value in against.measure(images).items()}
    real = against.train_images[np.random.default_rng(0).permutation(len(against.train_images))[:COUNT]]
    sliced = pyramid_distances(real, images, PATCHES, DIRECTIONS)
    return found | {f"sliced_{side}": round(value, 5) for side, value in sliced.items()}


def eye(data: datasets.Dataset):
    """The classifier of 64-pixel slices, trained where there is none."""
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


def compare(data: datasets.Dataset, against: fidelity.Reference) -> None:
    """All ways, each seed, over time; the table is written after each run."""
    ends = {"way": -1, "seed": 0, "seconds": 0, "updates": 0, "level": 3.0, "weights": 0}
    rows = [ends | measured(data.val.images[:COUNT], against)]
    for seed in SEEDS:
        for method in WAYS:
            rows += finished(Run(method, seed, data), SECONDS, MOMENTS, against).rows
            write_csv(pretrained.growing_path(), rows)


def finished(run: Run, seconds: float, moments: int, against: fidelity.Reference) -> Run:
    """The run after so many seconds of one core, measured and saved so many times on its way."""
    while len(run.rows) < moments:
        run.advance(seconds / moments)
        run.rows.append(row(run, against))
        run.keep_best()
        run.save()
        print(run.rows[-1], flush=True)
    return run


def row(run: Run, against: fidelity.Reference) -> dict:
    """A line of the table: how far the run is, and its figures."""
    weights = sum(w.numel() for name, network in run.algorithm.networks.items() if name != "generator_ema"
                  for w in network.parameters())  # fmt: skip
    grows = isinstance(run.algorithm, ProgressiveAlgorithm)
    level = float(run.algorithm.average.level) if grows else 3.0
    way = WAYS.index(run.method) if run.method in WAYS else -1
    about = {"way": way, "seed": run.seed, "seconds": round(run.seconds)}
    about |= {"updates": run.algorithm.steps, "level": round(level, 3), "weights": weights}
    return about | measured(run.draw(COUNT, 1000 + run.seed), against)


def ship(data: datasets.Dataset, against: fidelity.Reference) -> None:
    """Train to the end, then `pack`."""
    finished(Run("shipped", SHIPPED["seed"], data), SHIPPED["seconds"], SHIPPED["moments"], against)
    pack(data, against)


def pack(data: datasets.Dataset, against: fidelity.Reference) -> None:
    """Store the best moment so far on val, with its stages and a card; the test split is read here, once."""
    run = Run("shipped", SHIPPED["seed"], data)
    chosen, classes = run.rows[run.best["moment"]], len(data.label_names)
    generator = shipped(classes).average.eval()
    generator.load_state_dict(run.best["weights"])
    counts, n = np.bincount(data.train.labels), 4 * len(data.test)
    drawn = samples.generate(generator, n, run.seed, samples.draw_labels(counts, n, run.seed))
    tests = {split: fidelity.evaluate_samples(drawn, fidelity.reference(data, against.classifier, split))
             for split in ("val", "test")}  # fmt: skip
    levels = [*STAGES, float(generator.level)]
    recipe = {
        "images": len(data.train), "seconds_of_one_core": chosen["seconds"], "updates": chosen["updates"],
        "batch_size": SHIPPED["batch"], "objective": f"non-saturating, R1 every {LAZY} updates",
        "flatness": CALM["flatness"],
        "optimizer": f"Adam (0, 0.99), {RATE:g}, at full size halved every {HALVING} updates",
        "average": SHIPPED["ema"], "class_counts": counts.tolist(), "levels": levels,
        "steps_of_a_fade": SHIPPED["steps"], "steps_held": SHIPPED["steps"],
        "chosen": f"highest coverage times density on val of {len(run.rows)} moments",
        "trained_for": {"seconds_of_one_core": run.rows[-1]["seconds"], "updates": run.rows[-1]["updates"]},
        "moments": [{k: r[k] for k in KEPT} for r in run.rows],
    }  # fmt: skip
    about = card(data, generator, recipe | {"seed": run.seed}, tests)
    networks = {}
    for level in STAGES:
        networks[f"level={level:g}"] = shipped(classes).average
        networks[f"level={level:g}"].load_state_dict(run.stages[level])
    networks[f"level={levels[-1]:g}"] = generator
    pretrained.save("phantom", "growing", networks, about, {})
    print({name: {k: figure[k] for k in ("value", "best")} for name, figure in tests["val"].items()})


if __name__ == "__main__":
    torch.set_num_threads(1)
    wanted = sys.argv[1:] or ["eye", "compare", "ship"]
    data = datasets.load("phantom", size=SIZE)
    against = fidelity.reference(data, eye(data))
    if "compare" in wanted:
        compare(data, against)
    if "ship" in wanted:
        ship(data, against)
    if "pack" in wanted:
        pack(data, against)
