"""Train the class-conditional GANs that the course ships.

    python recipes/gan.py [DATASET ...]             both data sets
    python recipes/gan.py remeasure [DATASET ...]   the figures of the shipped weights, without training

The hinge game with spectral normalisation, differentiable augmentation, and a discriminator that takes twice
the generator's step. PneumoniaMNIST's number of epochs was chosen on the validation split among 10, 40, 70,
100, 140, 180, 200, 250 and 300; fidelity and coverage change little from 140 on.

The phantom's players go on without augmentation, from their averaged weights: 20,480 images are too many to
be learnt by heart, and where images are shifted and brightened on their way into the discriminator, a small
lesion counts for little. For how long is chosen on val, by the Frechet distance. What is trained is kept in
build/, so that an interrupted run goes on.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from pretrain import ATTRIBUTION, SEED, card, training_split

from medgen_course import datasets, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.files import write_json
from medgen_course.metrics import classification, fidelity
from medgen_course.models import samples
from medgen_course.models.diff_augment import diff_augment
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.training.checkpoints import RunFolder
from medgen_course.training.loop import fit

EPOCHS = {"pneumoniamnist": 200, "phantom": 36}  # with augmentation
MORE = {"pneumoniamnist": (), "phantom": (3, 6, 9, 12)}  # then without, to choose among
BUILD = Path("build/gan")
PRECISION = {"augmented": "float32", "plain": "bfloat16"}  # the second saves a third of the time
SETTINGS = {"learning_rate": 2e-4, "discriminator_rate": 4e-4, "ema": 0.9995}
JUDGES = 5  # classifiers trained on samples alone, and on real images


def players(data, augment) -> GANAlgorithm:
    """Both networks with their first weights."""
    torch.manual_seed(SEED)
    classes = len(data.label_names)
    generator = Generator(data.channels, data.size, num_classes=classes)
    discriminator = Discriminator(data.channels, data.size, classes, spectral_norm=True)
    return GANAlgorithm(generator, discriminator, "hinge", augment=augment, **SETTINGS)


def learn(algorithm: GANAlgorithm, data, train_split, epochs: int, stage: str) -> None:
    """Train until so many epochs of a stage are done, or take what an earlier run left."""
    kept, going = RunFolder(BUILD / f"{data.name}-{stage}-{epochs}"), BUILD / f"{data.name}-{stage}"
    if not (kept.path / "model.safetensors").is_file():
        there, sampler = (going / "config.json").is_file(), Sampler(train_split, 64)
        fit(algorithm, sampler, epochs, SEED, "cpu", PRECISION[stage], out=going, resume=there)
        kept.save_model(algorithm.networks)
    kept.load_model(algorithm.networks)


def train(data, train_split) -> tuple[GANAlgorithm, dict]:
    """The GAN, and its epochs."""
    algorithm = players(data, diff_augment)
    learn(algorithm, data, train_split, EPOCHS[data.name], "augmented")
    chosen = {"epochs": EPOCHS[data.name]}
    return refine(data, train_split, algorithm) if MORE[data.name] else (algorithm, chosen)


def refine(data, train_split, start: GANAlgorithm) -> tuple[GANAlgorithm, dict]:
    """Go on without augmentation; the best of `MORE` on val, its epochs, and what each reached there."""
    algorithm, against, reached = players(data, None), reference(data, train_split, "val"), {}
    algorithm.generator.load_state_dict(start.average.state_dict())
    algorithm.average.load_state_dict(start.average.state_dict())
    algorithm.discriminator.load_state_dict(start.discriminator.state_dict())
    labels = labels_for(np.bincount(train_split.labels), 8 * len(data.val))
    for more in (0, *MORE[data.name]):
        if more:
            learn(algorithm, data, train_split, more, "plain")
        drawn = samples.generate(algorithm.average.eval(), len(labels), SEED, labels)
        rows = fidelity.evaluate_samples(drawn, against)
        reached[more] = {name: rows[name]["value"] for name in fidelity.MEASURES}
        told = ", ".join(f"{name} {value:.3f}" for name, value in reached[more].items())
        print(f"{data.name}, {more} epochs without augmentation, val: {told}", flush=True)
    best = min(MORE[data.name], key=lambda more: reached[more]["frechet"])
    learn(algorithm, data, train_split, best, "plain")
    epochs = {"epochs": EPOCHS[data.name] + best, "of_these_without_augmentation": best}
    return algorithm, {**epochs, "precision": PRECISION, "validation_by_epochs_without_augmentation": reached}


def ship(data, train_split, algorithm: GANAlgorithm, chosen: dict) -> None:
    """Round to half precision, judge once on the test split, store with a card."""
    generator, discriminator = pretrained.half(algorithm.average), pretrained.half(algorithm.discriminator)
    generator.eval(), discriminator.eval()
    counts = np.bincount(train_split.labels)
    drawn = samples.generate(generator, 8 * len(data.test), SEED, labels_for(counts, 8 * len(data.test)))
    test = {**figures(data, train_split, drawn), "classifier": judges(data, generator)}
    recipe = {
        "images": len(train_split),
        **chosen,
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


def reference(data, train_split, split: str) -> fidelity.Reference:
    """All the images that were learnt from: the phantom has many more than a loaded data set shows."""
    return fidelity.reference(replace(data, train=train_split), classification.feature_network(data), split)


def figures(data, train_split, drawn: np.ndarray) -> dict:
    """Fidelity on val and test."""
    return {split: fidelity.evaluate_samples(drawn, reference(data, train_split, split))
            for split in ("val", "test")}  # fmt: skip


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
