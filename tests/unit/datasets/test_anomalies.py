"""What is normal, what is anomalous, and what is known of drawn lesions."""

import numpy as np
import pytest

from medgen_course import phantom
from medgen_course.datasets import DatasetError, Split
from medgen_course.datasets.anomalies import (
    FREE_WATER,
    PLACES,
    RADII,
    VENTRICLES,
    enlarged_ventricles,
    from_dataset,
    normal_class,
    only_normal,
    phantom_anomalies,
)
from medgen_course.datasets.sources import Dataset


def labelled(names=("normal", "pneumonia"), train=(0, 0, 0, 1), val=(0, 1, 1), test=(1, 0)):
    def split(labels):
        labels = np.array(labels, np.int64)
        grey = 7 + (labels if labels.ndim == 1 else labels[:, 0])
        return Split(
            np.broadcast_to(grey[:, None, None, None], (len(labels), 1, 28, 28)).astype(np.uint8), labels
        )

    return Dataset("made_up", 1, 28, names, "", "", "", "", *map(split, (train, val, test)))


def test_training_images_are_normal_alone_and_both_kinds_stand_in_the_trials():
    task = from_dataset(labelled())
    assert (task.normal, task.anomalous) == ("normal", "pneumonia")
    assert (task.train == 7).all() and len(task.train) == 3
    assert (task.val.healthy == 7).all() and (task.val.anomalous == 8).all() and len(task.val) == 3
    assert len(task.test.healthy) == len(task.test.anomalous) == 1 and task.test.grid is None
    assert set(only_normal(labelled(), 1).labels) == {1}


@pytest.mark.parametrize(
    ("names", "named", "number"),
    [
        (("normal", "sick"), None, 0),
        (("malignant", "normal, benign"), None, 1),
        (("Healthy", "lesion"), None, 0),
        (("x", "y"), None, 0),  # the most frequent
        (("x", "y"), "y", 1),
        (("x", "y"), "1", 1),
        (("x", "y"), 1, 1),
        (("1", "0"), "0", 1),  # a name goes before a number
    ],
)
def test_the_normal_class(names, named, number):
    assert normal_class(labelled(names), named) == number


def test_many_classes_are_anomalous_together():
    task = from_dataset(labelled(("a", "b", "c"), (0, 1, 2, 1), (1, 0, 2), (2, 1)), "b")
    assert task.anomalous == "not b" and len(task.val.anomalous) == 2


@pytest.mark.parametrize(
    ("data", "named", "says"),
    [
        (labelled(), "tumour", "no training images of a class 'tumour'.*0 normal; 1 pneumonia"),
        (labelled(), 7, "no training images of a class 7"),
        (labelled(train=(0, 0)), None, "one class only, normal"),
        (labelled(val=(0, 0)), None, "no val images of any other class"),
        (labelled(test=(1, 1)), None, "no test images of the normal class"),
        (labelled(train=((0, 1), (1, 0)), val=((0, 1),), test=((0, 1),)), None, "2 labels for each image"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(data, named, says):
    with pytest.raises(DatasetError, match=says) as error:
        from_dataset(data, named)
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def task():
    return phantom_anomalies(64, "t2w", (40, 1, 2))


def test_every_cell_of_the_grid_has_its_lesions(task):
    grid = task.test.grid
    cells = {(r, c, p) for r, c, p in zip(grid.radius, grid.contrast, grid.place, strict=True)}
    assert len(cells) == len(RADII) * len(FREE_WATER) * len(PLACES)
    assert len(task.test.anomalous) == 2 * len(cells) and len(task.val.anomalous) == len(cells)
    assert grid.masks.any((1, 2, 3)).all()
    area = [grid.masks[grid.radius == np.float32(r)].sum((1, 2, 3)).mean() for r in RADII]
    assert np.allclose(area, [np.pi * (r / 3.125) ** 2 for r in RADII], rtol=0.2)


def test_a_healthy_twin_is_the_same_slice_without_its_lesion(task):
    grid, changed = task.test.grid, task.test.anomalous != task.test.healthy
    far = np.ones_like(grid.masks, bool)
    ys, xs = np.mgrid[:64, :64]
    for i, mask in enumerate(grid.masks[:, 0]):
        y, x = (m.mean() for m in np.nonzero(mask))
        far[i, 0] = (ys - y) ** 2 + (xs - x) ** 2 > (grid.radius[i] / 3.125 + 3) ** 2
    assert not (changed & far).any() and changed.any((1, 2, 3)).all()
    gain = [
        (task.test.anomalous.astype(float) - task.test.healthy)[grid.contrast == np.float32(c)][
            grid.masks[grid.contrast == np.float32(c)] > 0
        ].mean()
        for c in FREE_WATER
    ]
    assert gain == sorted(gain) and gain[0] > 5


def test_t1w_lesions_are_dark_and_no_anatomy_is_in_two_splits():
    t1w = phantom_anomalies(64, "t1w", (4, 1, 1))
    inside = t1w.val.grid.masks > 0
    assert (t1w.val.anomalous[inside].astype(float) - t1w.val.healthy[inside]).mean() < -5
    images = [x.tobytes() for part in (t1w.train, t1w.val.healthy, t1w.test.healthy) for x in part]
    assert len(set(images)) == len(images)


def test_hidden_lesions_are_in_their_share_of_the_training_slices():
    clean, spoilt = (phantom_anomalies(64, counts=(40, 1, 1), hidden=h).train for h in (0.0, 0.05))
    assert (clean != spoilt).any((1, 2, 3)).sum() == 2


@pytest.mark.parametrize(
    ("given", "says"), [({"contrast": "flair"}, "flair"), ({"counts": (1, 0, 1)}, "counts")]
)
def test_wrong_arguments_are_named(given, says):
    with pytest.raises(ValueError, match=says):
        phantom_anomalies(**{"counts": (2, 1, 1), **given})


def test_enlarged_ventricles_change_the_middle_alone_and_are_larger_than_any_healthy_one():
    trial = enlarged_ventricles(64, "t2w", 6)
    changed = trial.anomalous.astype(float) - trial.healthy
    assert trial.grid is None and len(trial) == 12 and VENTRICLES[0] > phantom.FACTORS["ventricle_size"][2]
    assert (np.abs(changed).max((1, 2, 3)) > 60).all() and changed.mean() > 0  # fluid is bright in T2w
    assert np.abs(changed[:, :, :, :10]).max() <= 1 and np.abs(changed[:, :, :, -10:]).max() <= 1
    dark = enlarged_ventricles(64, "t1w", 6)
    assert dark.anomalous.mean() < dark.healthy.mean()
