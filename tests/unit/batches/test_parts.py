import numpy as np
import pytest
import torch

from medgen_course.batches.parts import NUMBERS, at_once, parts
from medgen_course.metrics.classification import embed
from medgen_course.models.classifier import Classifier


@pytest.mark.parametrize(
    "shape, count", [((1, 28, 28), 256), ((9, 1, 64, 64), 49), ((3, 224, 224), 1), ((1, 4096, 4096), 1)]
)
def test_at_once_bounds_the_numbers(shape, count):
    assert at_once(shape) == count
    assert count == 1 or count * np.prod(shape[-3:]) <= NUMBERS


def test_parts_are_all_images_in_order():
    images = np.random.default_rng(0).integers(0, 256, (120, 1, 64, 64), dtype=np.uint8)
    found = parts(images[:, :, ::-1])
    assert [len(part) for part in found] == [49, 49, 22]
    assert torch.equal(torch.cat(found), torch.from_numpy(images[:, :, ::-1].copy()))
    assert [len(part) for part in parts(torch.zeros(3, 1, 28, 28))] == [3]


def test_features_do_not_depend_on_the_parts():
    images = np.random.default_rng(0).integers(0, 256, (60, 1, 64, 64), dtype=np.uint8)
    model = Classifier(1, 64, 2).eval()
    together = model.features(torch.from_numpy(images) / 255).detach()
    torch.testing.assert_close(embed(model, images), together)
