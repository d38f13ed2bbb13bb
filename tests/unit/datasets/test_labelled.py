"""Labelled slices of the phantom: nested, the same in both contrasts, lesions in every second one."""

import numpy as np
import pytest

from medgen_course import datasets
from medgen_course.datasets import DatasetError, sources
from medgen_course.datasets.labelled import STRUCTURES, Labelled, from_dataset, phantom_slices


def test_few_labels_are_the_first_of_many_and_both_contrasts_show_the_same():
    many, t1w = (phantom_slices("train", 10, 3, 32, contrast) for contrast in ("t2w", "t1w"))
    few = many.first(3)
    assert len(few) == 3 and few.names == STRUCTURES and np.array_equal(few.images, many.images[:3])
    assert np.array_equal(many.masks, t1w.masks) and not np.array_equal(many.images, t1w.images)
    assert many.masks[:, 0].any((1, 2)).tolist() == [True, False] * 5 and many.masks[:, 1].any((1, 2)).all()
    assert many.pairs.shape == (10, 3, 32, 32) and set(np.unique(many.pairs[:, 1:])) == {0, 255}
    with pytest.raises(ValueError, match="n is 0"):
        many.first(0)
    with pytest.raises(ValueError, match="contrast is 't3w'"):
        phantom_slices("train", 2, contrast="t3w")


def test_the_phantom_as_a_data_set_has_the_masks_of_its_slices(monkeypatch):
    monkeypatch.setattr(sources, "PHANTOM_COUNTS", {"train": 6, "val": 4, "test": 4})
    data = datasets.load("phantom", size=32)
    slices = from_dataset(data)
    assert list(slices) == ["train", "val", "test"] and isinstance(slices["val"], Labelled)
    assert slices["train"].masks.shape == (6, 2, 32, 32)
    assert np.array_equal(slices["test"].masks[:, :1], data.test.extras["mask"])
    assert data.mask_names == () and "masks" not in data.train.extras  # what the phantom holds is as it was


def test_images_without_masks_are_refused(tmp_path):
    arrays = {}
    for split in ("train", "val", "test"):
        images = np.random.default_rng(len(arrays)).integers(0, 256, (4, 16, 16), dtype=np.uint8)
        arrays |= {f"{split}_images": images, f"{split}_labels": np.zeros((4, 1), int)}
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(DatasetError, match="has no masks"):
        from_dataset(datasets.load(tmp_path / "own.npz"))
