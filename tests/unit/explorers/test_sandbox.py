"""The metric sandbox on data with several labels: a clear error, and a way on; see test_explorers_gan.py."""

import numpy as np
import pytest

from medgen_course import datasets, explorers, pretrained
from medgen_course.explorers.sandbox import spoil
from medgen_course.metrics import fidelity


def test_several_labels_are_refused_and_one_of_them_is_taken():
    data = datasets.load("phantom")
    against = fidelity.reference(data, pretrained.load_classifier("phantom"))
    several = np.stack([data.val.labels, 1 - data.val.labels], axis=1)
    with pytest.raises(ValueError, match=r"\(128, 2\); a lost mode needs one class .* labels\[:, 0\]"):
        explorers.MetricSandbox(against, several, data.train.images)
    sandbox = explorers.MetricSandbox(against, several[:, 0], data.train.images)
    before = sandbox.sheet.png
    sandbox.dropped.value = 1.0
    assert sandbox.sheet.png != before


def test_too_few_labels_are_refused():
    images = np.zeros((4, 1, 8, 8), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"\(3,\); a lost mode needs one class for each image, \(4,\)"):
        spoil(images, np.array([0, 1, 0]), images)
