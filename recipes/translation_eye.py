"""Train the classifiers whose features compare T1w and T2w slices: `make pretrained`, before translators."""

import numpy as np
import torch
from pretrain import card

from medgen_course import datasets, pretrained
from medgen_course.metrics import bootstrap_interval, classification
from medgen_course.metrics.translation_eye import CLASSES, SHIPPED, train_eye

EYE = (12_288, 6)  # slices and epochs


def train(size: int, name: str) -> None:
    """The classifier whose features compare T1w and T2w slices of a size."""
    data = datasets.load("phantom", size=size)
    model = pretrained.half(train_eye(size, *EYE))
    images = np.concatenate([data.train.images, data.train.extras["paired"]])
    model.standardise(classification.embed(model, images))
    both = np.concatenate([data.test.images, data.test.extras["paired"]])
    label = np.concatenate([data.test.labels, data.test.labels + 2])
    right = classification.probabilities(model, both).argmax(1) == label
    recipe = {"images": 2 * EYE[0], "epochs": EYE[1], "classes": CLASSES}
    about = card(data, model, recipe, {"accuracy": bootstrap_interval(right.astype(np.float64))})
    pretrained.save("phantom", name, {"classifier": model}, about, {})
    print(f"{name}: accuracy {right.mean():.3f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for size, name in SHIPPED.items():
        train(size, name)
