"""The checks of notebook 00: right answers in several styles, usual mistakes by name."""

import numpy as np
import pytest

from medgen_course import exercises


def first_by_hash(images):
    seen = set()
    return [i for i, image in enumerate(images) if not (image.tobytes() in seen or seen.add(image.tobytes()))]


def first_by_unique(images):
    return np.sort(np.unique(images.reshape(len(images), -1), axis=0, return_index=True)[1])


def balanced(predicted, labels):
    return np.mean([np.mean((predicted == labels)[labels == label]) for label in set(labels.tolist())])


@pytest.mark.parametrize("fn", [first_by_hash, first_by_unique])
def test_images_kept_once(fn):
    assert exercises.check_keep_first(fn).right


def last_of_copies(images):
    return sorted({image.tobytes(): i for i, image in enumerate(images)}.values())


@pytest.mark.parametrize(
    ("fn", "said"),
    [
        (lambda images: None, "write its body"),
        (lambda images: list(range(len(images))), "2 too many|3 too many"),
        (last_of_copies, "Keep the first of the copies"),
        (lambda images: np.ones(len(images), bool), "np.flatnonzero"),
        (lambda images: first_by_hash(images)[::-1], "order changed"),
        (lambda images: first_by_hash(images.mean((1, 2, 3), keepdims=True).round()), "Some are missing"),
        (lambda images: images, "expected indices"),
        (lambda images: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_mistakes_with_copies_are_named(fn, said):
    verdict = exercises.check_keep_first(fn)
    assert not verdict.right
    assert any(part in verdict.message for part in said.split("|")), verdict.message


def test_balanced_accuracy_right():
    assert exercises.check_balanced_accuracy(balanced).right


@pytest.mark.parametrize(
    ("fn", "said"),
    [
        (lambda predicted, labels: None, "write its body"),
        (lambda predicted, labels: (predicted == labels).mean(), "plain accuracy"),
        (lambda predicted, labels: 100 * balanced(predicted, labels), "in percent"),
        (lambda predicted, labels: balanced(labels, predicted), "groups by prediction"),
        (lambda predicted, labels: predicted == labels, "expected one number"),
        (lambda predicted, labels: "0.5", "expected one number"),
        (lambda predicted, labels: float("nan"), "A class without images"),
    ],
)
def test_mistakes_with_accuracy_are_named(fn, said):
    verdict = exercises.check_balanced_accuracy(fn)
    assert not verdict.right and said in verdict.message, verdict.message
