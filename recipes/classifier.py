"""Train the classifiers whose features measure generated images: `make pretrained`.

    python recipes/classifier.py [DATASET ...]             default: both data sets
    python recipes/classifier.py remeasure [DATASET ...]   figures of the shipped weights, without training

The published figures of MedMNIST v2 (Yang et al. 2023, table 3, ResNet-18 at 28 pixels) stand in the card.
"""

import sys
import time

import numpy as np
from pretrain import ATTRIBUTION, card, training_split

from medgen_course import datasets, pretrained
from medgen_course.files import write_json
from medgen_course.metrics import classification
from medgen_course.metrics.reconstruction import bootstrap_interval
from medgen_course.metrics.translators import domain_auc

EPOCHS = {"pneumoniamnist": 10, "phantom": 3}
PUBLISHED = {"pneumoniamnist": {"network": "ResNet-18, 28 px, MedMNIST v2", "auc": 0.944, "accuracy": 0.854}}


def train(data) -> None:
    """Train one, judge it on the test split, ship it."""
    split = training_split(data)
    model = classification.train_classifier(
        split.images, split.labels, len(data.label_names), EPOCHS[data.name]
    )
    pretrained.half(model)
    model.standardise(classification.embed(model, data.train.images))
    recipe = {
        "images": len(split),
        "epochs": EPOCHS[data.name],
        "batch_size": 128,
        "optimizer": "AdamW, 2e-3, cosine to 0",
    }
    about = card(data, model, recipe, figures(data, model)) | {"published": PUBLISHED.get(data.name)}
    pretrained.save(data.name, "classifier", {"classifier": model}, about, {})


def figures(data, model) -> dict:
    """AUC on both held-out splits and accuracy on test, with intervals."""
    right = classification.probabilities(model, data.test.images).argmax(1) == data.test.labels
    auc = {name: domain_auc(model, *(split.images[split.labels == label] for label in (0, 1)))
           for name, split in (("auc", data.test), ("validation_auc", data.val))}  # fmt: skip
    return {**auc, "accuracy": bootstrap_interval(right.astype(np.float64))}


def remeasure(data) -> None:
    """Write the figures of a shipped classifier into its card anew."""
    about = pretrained.card(data.name, "classifier")
    about["test"] = figures(data, pretrained.load_classifier(data.name))
    write_json(pretrained.path(data.name, "classifier").with_suffix(".json"), about)


if __name__ == "__main__":
    again = sys.argv[1:2] == ["remeasure"]
    for name in sys.argv[1 + again :] or ATTRIBUTION:
        started, data = time.perf_counter(), datasets.load(name)
        (remeasure if again else train)(data)
        test = pretrained.card(name, "classifier")["test"]
        print(f"{name}: {test}, {time.perf_counter() - started:.0f} s")
