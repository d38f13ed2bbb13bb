"""Train the classifiers whose features measure generated images: `make pretrained`.

    python recipes/classifier.py [DATASET ...]      default: both data sets

The published figures of MedMNIST v2 (Yang et al. 2023, table 3, ResNet-18 at 28 pixels) stand in the card.
"""

import sys
import time

import numpy as np
from pretrain import ATTRIBUTION, card, training_split

from medgen_course import datasets, pretrained
from medgen_course.metrics import classification
from medgen_course.metrics.reconstruction import bootstrap_interval

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
    right = classification.probabilities(model, data.test.images).argmax(1) == data.test.labels
    test = {
        "auc": classification.auc(model, data.test),
        "accuracy": bootstrap_interval(right.astype(np.float64)),
        "validation_auc": classification.auc(model, data.val),
    }
    recipe = {
        "images": len(split),
        "epochs": EPOCHS[data.name],
        "batch_size": 128,
        "optimizer": "AdamW, 2e-3, cosine to 0",
    }
    about = card(data, model, recipe, test) | {"published": PUBLISHED.get(data.name)}
    pretrained.save(data.name, "classifier", {"classifier": model}, about, {})
    print(f"{data.name}: test AUC {test['auc']:.3f}, accuracy {test['accuracy']['value']:.3f}")


if __name__ == "__main__":
    for name in sys.argv[1:] or ATTRIBUTION:
        started = time.perf_counter()
        train(datasets.load(name))
        print(f"{name}: {time.perf_counter() - started:.0f} s")
