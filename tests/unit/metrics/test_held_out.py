"""Sets of images held against the test split: the same images are near, others are far, columns are equal."""

import pytest
import torch

from medgen_course.metrics.held_out import compare_with


def test_the_nearer_set_scores_better_and_large_sets_have_a_spread():
    draw = torch.Generator().manual_seed(0)
    heldout, near, far = (torch.randn(n, 3, generator=draw) for n in (60, 120, 40))
    found = compare_with(heldout, {"near": near, "far": far + 5}, 40)
    assert found["near"]["frechet"]["value"] < 1 < found["far"]["frechet"]["value"]
    assert found["near"]["coverage"]["value"] > 0.8 and found["far"]["coverage"]["value"] < 0.1
    row = found["near"]["density"]
    assert row["low"] < row["value"] < row["high"]
    assert found["far"]["density"]["low"] == found["far"]["density"]["high"]  # one subset: all of them


def test_every_column_has_as_many_images():
    with pytest.raises(ValueError, match="small has 7 images; 8 are wanted"):
        compare_with(torch.randn(20, 2), {"small": torch.randn(7, 2)}, 8)
