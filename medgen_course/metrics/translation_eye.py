"""The classifier that looks at translations; it never sees a generator."""

import numpy as np

from medgen_course import phantom, pretrained
from medgen_course.datasets.sources import Dataset
from medgen_course.metrics import classification
from medgen_course.models.classifier import Classifier

SLICES, SEED, EPOCHS = 4096, 1000, 3  # anatomies of its own; the shipped one has more of them
SHIPPED = {32: "translation_eye", 64: "translation_eye_64"}  # by the side of the slices
CLASSES = ("T1w healthy", "T1w lesion", "T2w healthy", "T2w lesion")


def translation_eye(data: Dataset) -> Classifier:
    """A classifier that knows both domains: `phantom_eye`, or the classifier of the labelled data set."""
    return phantom_eye(data.size) if data.drawn else classification.feature_network(data)


def phantom_eye(size: int) -> Classifier:
    """One that tells `CLASSES` apart, so that its features see contrast and lesions.

    The shipped one for its size; else one is trained now, in seconds, on anatomies of its own.
    """
    name = SHIPPED.get(size)
    if name and pretrained.path("phantom", name).is_file():
        return pretrained.load_classifier("phantom", name)
    return train_eye(size, SLICES, EPOCHS)


def train_eye(size: int, slices: int, epochs: int) -> Classifier:
    """Train the phantom's one, for images of `size` pixels."""
    made = phantom.generate(slices, size, SEED)
    images = np.concatenate([made.t1w, made.t2w])
    labels = np.concatenate([made.labels, made.labels + 2])
    return classification.train_classifier(images, labels, len(CLASSES), epochs)
