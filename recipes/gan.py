"""Train the class-conditional GANs that the course ships.

    python recipes/gan.py [DATASET ...]             both data sets
    python recipes/gan.py remeasure [DATASET ...]   the figures of the shipped weights, without training

The hinge game with spectral normalisation, differentiable augmentation, and a discriminator that takes twice
the generator's step. The number of epochs was chosen on the validation split among 10, 40, 70, 100, 140, 180,
200, 250 and 300; fidelity and coverage change little from 140 on.

The phantom's GAN goes on with another game (gan_grain.py), because after the first one its samples crowd
around typical slices: on val recall was 0.20 and coverage 0.091, of new real slices 0.96 and 0.122. Three
more epochs of the first game without augmentation did not mend that (new optimisers, bfloat16): coverage
0.052, recall 0.23.
"""

import sys
import time

import numpy as np
import torch
from gan_grain import SecondGame, against
from pretrain import ATTRIBUTION, SEED, card, training_split

from medgen_course import datasets, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.files import write_json
from medgen_course.metrics import classification, fidelity
from medgen_course.models import samples
from medgen_course.models.diff_augment import diff_augment
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.training.loop import fit

EPOCHS = {"pneumoniamnist": 200, "phantom": 36}
SETTINGS = {"learning_rate": 2e-4, "discriminator_rate": 4e-4, "ema": 0.9995}
JUDGES = 5  # classifiers trained on samples alone, and on real images


def train(data, train_split) -> tuple[GANAlgorithm, dict]:
    """The GAN after its last epoch, and what its card says of a second game."""
    torch.manual_seed(SEED)
    classes = len(data.label_names)
    generator = Generator(data.channels, data.size, num_classes=classes)
    discriminator = Discriminator(data.channels, data.size, classes, spectral_norm=True)
    algorithm = GANAlgorithm(generator, discriminator, "hinge", augment=diff_augment, **SETTINGS)
    fit(algorithm, Sampler(train_split, 64), EPOCHS[data.name], SEED, device="cpu", precision="float32")
    if data.name != "phantom":
        return algorithm, {}
    game = SecondGame(data, train_split, *map(pretrained.half, (algorithm.average, discriminator)))
    return game.run(), {"then": game.recipe()}


def ship(data, train_split, algorithm: GANAlgorithm, then: dict) -> None:
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
        **then,
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
        ship(data, split, *train(data, split))
        print(f"{name}: {time.perf_counter() - started:.0f} s")
