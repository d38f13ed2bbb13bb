"""Checks for notebook 00_data: images that stand once, accuracy that does not profit from a large class."""

from collections.abc import Callable

import numpy as np

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted


def check_keep_first(fn: Callable[[np.ndarray], np.ndarray]) -> Verdict:
    """Check fn(images) -> the indices of the images to keep: of all copies the first, in the old order.

    Args:
        fn: takes uint8 (N, C, H, W), returns increasing indices (M,), as an array or a list.
    Returns:
        The verdict, after showing it.
    """
    return judge("keep the first", fn, _examine_keep_first, "Every image stands once, in the old order.")


def check_balanced_accuracy(fn: Callable[[np.ndarray, np.ndarray], float]) -> Verdict:
    """Check fn(predicted, labels) -> the share of right answers in each class, averaged over the classes.

    Args:
        fn: takes two int64 arrays (N,), returns a float from 0 to 1.
    Returns:
        The verdict, after showing it.
    """
    praise = "A constant guess now gets 0.5 with two classes, however rare one of them is."
    return judge("balanced accuracy", fn, _examine_balanced_accuracy, praise)


def _examine_keep_first(fn: Callable) -> None:
    a, b, c = np.random.default_rng(0).integers(0, 256, (3, 2, 4, 5), dtype=np.uint8)
    nearly = a.copy()
    nearly[1, 3, 4] ^= 1
    cases = {
        "three different images": ([a, b, c], [0, 1, 2]),
        "images a, b, a, c, b, a": ([a, b, a, c, b, a], [0, 1, 3]),
        "b, a, and a with one grey level changed by 1": ([b, a, nearly], [0, 1, 2]),
        "an image and its mirror": ([c, c[:, :, ::-1]], [0, 1]),
    }
    for name, (images, expected) in cases.items():
        found = call(fn, np.stack(images))
        if found is None:
            raise not_attempted()
        _compare_indices(name, np.asarray(found), expected, len(images))


def _compare_indices(name: str, found: np.ndarray, expected: list[int], count: int) -> None:
    if found.dtype == bool:
        raise Finding("It returns truth values; expected indices: np.flatnonzero turns one into the other.")
    if found.ndim != 1 or not (np.issubdtype(found.dtype, np.integer) or found.size == 0):
        raise Finding(
            f"For {name} it returns {found.dtype}, shape {found.shape}; expected indices, integers (M,)."
        )
    if found.tolist() == expected:
        return
    text = f"For {name} it returns {found.tolist()}; expected {expected}."
    if sorted(found.tolist()) == expected:
        raise Finding(f"{text} The right images, but the order changed: sort the indices.")
    if len(found) > len(expected):
        raise Finding(f"{text} {len(found) - len(expected)} too many: a copy is still there.")
    if len(found) < len(expected):
        raise Finding(f"{text} Some are missing: compare every pixel, and keep one image of each kind.")
    raise Finding(f"{text} Keep the first of the copies, not a later one; indices run from 0 to {count - 1}.")


def _examine_balanced_accuracy(fn: Callable) -> None:
    cases = [
        ([0, 1, 1, 1], [0, 1, 1, 1]),
        ([1, 0, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1]),
        ([1, 1, 1, 1], [0, 1, 1, 1]),
        ([0, 0, 1, 0, 1, 0], [0, 0, 0, 0, 1, 1]),
        ([2, 1, 1, 2, 2], [0, 1, 1, 2, 2]),
        ([0, 3, 3], [0, 0, 3]),  # classes 1 and 2 have no image
        ([2, 0, 1, 1], [0, 0, 1, 1]),  # class 2 is only ever predicted
    ]
    for predicted, labels in cases:
        found = call(fn, np.array(predicted), np.array(labels))
        if found is None:
            raise not_attempted()
        _compare_accuracy(found, np.array(predicted), np.array(labels))


def _compare_accuracy(found: object, predicted: np.ndarray, labels: np.ndarray) -> None:
    if np.ndim(found) or not isinstance(found, int | float | np.number):
        shape = f", shape {np.shape(found)}" if np.ndim(found) else ""
        raise Finding(f"It returns a {type(found).__name__}{shape}; expected one number.")
    right = predicted == labels
    expected = np.mean([right[labels == label].mean() for label in np.unique(labels)])
    if abs(float(found) - expected) < 1e-6:
        return
    text = (
        f"For predicted {predicted.tolist()} and labels {labels.tolist()} it returns {float(found):.3g}; "
        f"expected {expected:.3g}."
    )
    precisions = np.mean([right[predicted == label].mean() for label in np.unique(predicted)])
    if np.isnan(float(found)):
        raise Finding(f"{text} A class without images has no share of right answers: leave it out.")
    if abs(float(found) - 100 * expected) < 1e-6:
        raise Finding(f"{text} That is in percent.")
    if abs(float(found) - right.mean()) < 1e-6:
        raise Finding(f"{text} That is plain accuracy: take each class by itself, then the mean.")
    if abs(float(found) - precisions) < 1e-6:
        raise Finding(f"{text} It groups by prediction: group by label, and see how many were found.")
    raise Finding(f"{text} Take the mean of `predicted == labels` within each class, then the mean of those.")
