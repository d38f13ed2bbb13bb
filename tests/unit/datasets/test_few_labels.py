"""Few labels: nothing learnt from stands in val or test, and draws are even and nested."""

import numpy as np
import pytest

from medgen_course import datasets
from medgen_course.datasets.audit import audit
from medgen_course.datasets.few import distinct, draw_labelled, subset


def test_copies_leave_the_training_split_and_it_alone(tmp_path):
    rng = np.random.default_rng(0)
    train, val, test = (rng.integers(0, 256, (n, 28, 28), dtype=np.uint8) for n in (10, 4, 4))
    train[5], train[7], train[8] = train[2], val[1], test[0]
    arrays = {f"{name}_images": x for name, x in (("train", train), ("val", val), ("test", test))}
    arrays |= {
        f"{name}_labels": np.arange(len(arrays[f"{name}_images"])) % 2 for name in ("train", "val", "test")
    }
    np.savez(tmp_path / "own.npz", **arrays)
    data = datasets.load(tmp_path / "own.npz")
    clean = distinct(data)
    kept = [0, 1, 2, 3, 4, 6, 9]
    assert np.array_equal(clean.train.images[:, 0], train[kept])
    assert np.array_equal(clean.train.labels, np.array(kept) % 2)
    assert clean.val is data.val and clean.test is data.test
    found = audit(clean)["audit"]
    assert (
        found["repeats"]["train"] == 0 and found["shared"]["train-val"] == found["shared"]["train-test"] == 0
    )
    assert distinct(clean) is clean


def test_pneumoniamnist_loses_twenty_six(real_images):
    assert len(real_images.train) - len(distinct(real_images).train) == 26


def test_draws_are_even_nested_and_another_with_another_seed():
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1], [100, 300]))
    smaller: set = set()
    for n in (2, 10, 11, 30, 100, 200):
        chosen = draw_labelled(labels, n, 3)
        assert len(chosen) == len(set(chosen)) == n and (np.diff(chosen) > 0).all()
        assert np.bincount(labels[chosen]).tolist() == [(n + 1) // 2, n // 2]
        assert smaller <= set(chosen)
        smaller = set(chosen)
    assert not np.array_equal(draw_labelled(labels, 10, 3), draw_labelled(labels, 10, 4))
    assert np.array_equal(draw_labelled(labels, 10**6), np.arange(400))


@pytest.mark.parametrize(
    ("labels", "n", "message"),
    [
        (np.zeros((4, 2), int), 2, r"\(4, 2\)"),
        ([0, 1, 0, 1], 1, "at least 2"),
        ([0] * 3 + [1] * 9, 8, "class 0 has 3"),
    ],
)
def test_what_cannot_be_drawn_says_so(labels, n, message):
    with pytest.raises(ValueError, match=message):
        draw_labelled(labels, n)


def test_a_subset_keeps_what_goes_with_the_images():
    split = datasets.Split(np.zeros((3, 1, 8, 8), np.uint8), np.arange(3), {"mask": np.arange(3)})
    part = subset(split, np.array([2, 0]))
    assert part.labels.tolist() == part.extras["mask"].tolist() == [2, 0]
