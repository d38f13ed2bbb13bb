"""Train the class-conditional GANs that the course ships.

    python recipes/gan.py [DATASET ...]             both data sets
    python recipes/gan.py remeasure [DATASET ...]   the figures of the shipped weights, without training

The hinge game with spectral normalisation, differentiable augmentation, and a discriminator that takes twice
the generator's step. The number of epochs was chosen on the validation split among 10, 40, 70, 100, 140, 180,
200, 250 and 300; fidelity and coverage change little from 140 on.

The phantom's GAN is the weaker one. Going on without augmentation does not mend that: after three more epochs
(new optimisers, bfloat16) the Frechet distance on val had gone from 77 to 110, coverage from 0.091 to 0.052,
recall from 0.20 to 0.23. The discriminator's hinge loss stays near 2, so it hardly tells the two kinds of
images apart: more capacity for it, or another regulariser, is the next thing to try.
"""

import sys
import time
from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch
from pretrain import ATTRIBUTION, SEED, card, training_split
from torch import Tensor
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from medgen_course import datasets, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.files import write_json
from medgen_course.metrics import classification, fidelity
from medgen_course.models import samples
from medgen_course.models.algorithm import cosine_decay
from medgen_course.models.diff_augment import diff_augment
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.training.loop import fit

EPOCHS = {"pneumoniamnist": 200, "phantom": 36}
SETTINGS = {"learning_rate": 2e-4, "discriminator_rate": 4e-4, "ema": 0.9995}
SECOND = {
    "learning_rate": 2e-4,
    "discriminator_rate": 4e-4,
    "betas": (0.0, 0.99),
    "ema": 0.999,
    "flatness": 1e-5,
}
SECOND_EPOCHS, SECOND_BATCH, MOMENT = 2, 16, 320  # updates between two measurements
KEPT = ("density", "coverage", "recall", "frechet", "memorisation")  # of each moment, in the card
JUDGES = 5  # classifiers trained on samples alone, and on real images


def train(data, train_split) -> GANAlgorithm:
    """The GAN after its last epoch."""
    torch.manual_seed(SEED)
    classes = len(data.label_names)
    generator = Generator(data.channels, data.size, num_classes=classes)
    discriminator = Discriminator(data.channels, data.size, classes, spectral_norm=True)
    algorithm = GANAlgorithm(generator, discriminator, "hinge", augment=diff_augment, **SETTINGS)
    fit(algorithm, Sampler(train_split, 64), EPOCHS[data.name], SEED, device="cpu", precision="float32")
    return algorithm


class SecondGame:
    """The phantom's GAN goes on, as the module says; the best moment on val is kept.

    Args:
        data: the phantom.
        train_split: what is learnt from.
        generator, discriminator: after the first game; the discriminator is changed.
    """

    def __init__(self, data, train_split, generator: Generator, discriminator: Discriminator):
        torch.manual_seed(SEED)
        players = with_grain(generator), without_normalisation(discriminator)
        self.algorithm = GANAlgorithm(*players, "non_saturating", **SECOND)
        self.sampler = Sampler(train_split, SECOND_BATCH)
        self.labels = labels_for(np.bincount(train_split.labels), 4 * len(data.val))
        self.val = against(data, train_split, "val")
        self.moments, self.best = [], None

    def run(self) -> GANAlgorithm:
        """Train; the average is then that of the best moment."""
        fit(self.algorithm, self.sampler, SECOND_EPOCHS, SEED, "cpu", "float32", callback=self.after)
        self.algorithm.average.load_state_dict(self.best)
        return self.algorithm

    def after(self, step: int, logs: dict[str, Tensor]) -> None:
        """Slow down; from time to time measure, and keep what is best."""
        steps = SECOND_EPOCHS * len(self.sampler)
        for name, rate in ("generator", "learning_rate"), ("discriminator", "discriminator_rate"):
            cosine_decay(self.algorithm.optimizers[name], SECOND[rate], step, steps)
        if step % MOMENT == 0:
            average = deepcopy(self.algorithm.average).eval()
            drawn = samples.generate(average, len(self.labels), 1 + SEED, self.labels)
            parts = [self.val.measure(part) for part in np.split(drawn, 4)]
            found = {name: round(float(np.mean([part[name] for part in parts])), 4) for name in KEPT}
            self.moments.append({"updates": step, **found})
            print(self.moments[-1], {name: f"{value:.3f}" for name, value in logs.items()}, flush=True)
            if score(self.moments[-1]) == max(map(score, self.moments)):
                self.best = average.state_dict()


def score(moment: dict[str, float]) -> float:
    """By which a moment is chosen."""
    return moment["coverage"] * moment["density"]


def with_grain(generator: Generator) -> Generator:
    """The same generator with grain, which is weak at first."""
    made = Generator(**{k: v for k, v in generator.config.items() if k != "kind"} | {"grain": True})
    state, channels = generator.state_dict(), generator.config["channels"]
    for name, value in made.state_dict().items():
        if value.shape != state[name].shape:  # the last layer: weights (width, C, 4, 4), biases (C,)
            side = value.ndim // 4
            state[name] = torch.cat([state[name], value.narrow(side, channels, channels)], side)
    made.load_state_dict(state)
    return made


def without_normalisation(discriminator: Discriminator) -> Discriminator:
    """The same verdicts, from weights that are free to grow; in place."""
    for module in list(discriminator.modules()):
        if is_parametrized(module):
            remove_parametrizations(module, "weight")
    discriminator.config["spectral_norm"] = False
    return discriminator.requires_grad_(True)


def ship(data, train_split, algorithm: GANAlgorithm) -> None:
    """Round to half precision, judge once on the test split, store with a card."""
    generator, discriminator = pretrained.half(algorithm.average), pretrained.half(algorithm.discriminator)
    generator.eval()
    counts = np.bincount(train_split.labels)
    drawn = samples.generate(generator, 8 * len(data.test), SEED, labels_for(counts, 8 * len(data.test)))
    test = {**figures(data, train_split, drawn), "classifier": judges(data, generator)}
    recipe = {
        "images": len(train_split),
        "epochs": EPOCHS[data.name],
        "batch_size": 64,
        "objective": "hinge, spectral normalisation, differentiable augmentation",
        "optimizer": "Adam (0.5, 0.999), 2e-4 for the generator, 4e-4 for the discriminator",
        "average": SETTINGS["ema"],
        "class_counts": counts.tolist(),
    }
    about = card(data, generator, recipe, test)
    about["discriminator"] = {k: v for k, v in discriminator.config.items() if k != "kind"}
    pretrained.save(data.name, "gan", {"generator": generator, "discriminator": discriminator}, about, {})
    for name, row in test["val"].items():
        ends = {k: row[k] for k in ("value", "low", "high", "best", "blurred", "worst")}
        print(f"{data.name} val {name}: " + ", ".join(f"{k} {v:.3f}" for k, v in ends.items()))
    print(f"{data.name} classifiers: {test['classifier']}")


def figures(data, train_split, drawn: np.ndarray) -> dict:
    """Fidelity on val and test, against all the images that were learnt from."""
    return {
        split: fidelity.evaluate_samples(drawn, against(data, train_split, split))
        for split in ("val", "test")
    }


def against(data, train_split, split: str) -> fidelity.Reference:
    """The images that were learnt from, of which the phantom has many more than a loaded data set shows."""
    learnt = replace(data, train=train_split)
    return fidelity.reference(learnt, classification.feature_network(data), split)


def remeasure(data, train_split) -> None:
    """Write the figures of a shipped GAN into its card anew."""
    generator, _ = pretrained.load_gan(data.name)
    about, n = pretrained.card(data.name, "gan"), 8 * len(data.test)
    drawn = samples.generate(generator, n, SEED, labels_for(np.bincount(train_split.labels), n))
    about["test"] = {**figures(data, train_split, drawn), "classifier": judges(data, generator)}
    write_json(pretrained.path(data.name, "gan").with_suffix(".json"), about)
    print(data.name, about["test"]["classifier"])


def labels_for(counts: np.ndarray, n: int) -> np.ndarray:
    """Classes in training proportions."""
    return samples.draw_labels(counts, n, SEED)


def judges(data, generator: Generator) -> dict:
    """Test AUC of classifiers on real images, on samples alone, and on both; five seeds each.

    All get the same number of updates: both together are twice the images, and are passed half as often.
    """
    classes, n = len(data.label_names), len(data.train)
    found = {"real": [], "samples": [], "both": []}
    for seed in range(JUDGES):
        labels = samples.draw_labels(np.bincount(data.train.labels), n, seed)
        drawn = samples.generate(generator, n, 100 + seed, labels)
        both = np.concatenate([data.train.images, drawn]), np.concatenate([data.train.labels, labels])
        for name, images, their, epochs in (
            ("real", data.train.images, data.train.labels, 10),
            ("samples", drawn, labels, 10),
            ("both", *both, 5),
        ):
            model = classification.train_classifier(images, their, classes, epochs, seed)
            found[name].append(classification.auc(model, data.test))
    ratio = float(np.mean(found["samples"]) / np.mean(found["real"]))
    return {**found, "ratio_of_means": ratio}


if __name__ == "__main__":
    again = sys.argv[1:2] == ["remeasure"]
    for name in sys.argv[1 + again :] or ATTRIBUTION:
        data, started = datasets.load(name), time.perf_counter()
        split = training_split(data)
        if again:
            remeasure(data, split)
            continue
        ship(data, split, train(data, split))
        print(f"{name}: {time.perf_counter() - started:.0f} s")
