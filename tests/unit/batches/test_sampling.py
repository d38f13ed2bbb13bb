"""Batches: complete, shuffled by seed, shared out without overlap."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from medgen_course.batches.sampling import Sampler, derive_seed


def numbered(n):
    """n images whose only pixel value is their number."""
    images = np.arange(n, dtype=np.uint8).reshape(n, 1, 1, 1).repeat(4, 2).repeat(4, 3)
    return SimpleNamespace(images=images, labels=np.arange(n, dtype=np.int64))


def drawn(sampler, **options):
    options = {"epoch": 0, "seed": 0, **options}
    return torch.cat([batch["label"] for batch in sampler.epoch(**options)]).tolist()


def test_an_epoch_shows_every_image_once_with_its_label_in_the_unit_range():
    sampler = Sampler(numbered(100), batch_size=32, drop_last=False)
    batches = list(sampler.epoch(0, seed=0))
    assert [len(batch["x"]) for batch in batches] == [32, 32, 32, 4] and len(sampler) == 4
    x, label = (torch.cat([batch[key] for batch in batches]) for key in ("x", "label"))
    assert sorted(label.tolist()) == list(range(100))
    assert x.dtype == torch.float32 and torch.equal(x[:, 0, 0, 0] * 255, label.float())


def test_order_depends_on_seed_and_epoch_alone():
    sampler = Sampler(numbered(64), batch_size=16)
    first = drawn(sampler)
    torch.manual_seed(99)
    assert drawn(sampler) == first
    assert drawn(sampler, epoch=1) != first and drawn(sampler, seed=1) != first


def test_the_callers_random_state_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    drawn(Sampler(numbered(64)))
    assert torch.equal(torch.rand(1), expected)


def test_processes_get_disjoint_equal_shares():
    sampler = Sampler(numbered(101), batch_size=10)
    shares = [drawn(sampler, rank=rank, world_size=2) for rank in range(2)]
    assert len(shares[0]) == len(shares[1]) == 50 == 10 * sampler.batches(2)
    assert not set(shares[0]) & set(shares[1])


def test_a_small_split_gives_one_small_batch_and_an_empty_one_an_error():
    assert len(drawn(Sampler(numbered(7), batch_size=128))) == 7
    with pytest.raises(ValueError, match="no images"):
        Sampler(numbered(0))
    with pytest.raises(ValueError, match="batch_size is 0"):
        Sampler(numbered(7), batch_size=0)
    with pytest.raises(ValueError, match="3 processes"):
        Sampler(numbered(2)).batches(3)


def test_streams_have_seeds_of_their_own():
    seeds = {derive_seed(seed, epoch, rank) for seed in range(4) for epoch in range(8) for rank in range(4)}
    assert len(seeds) == 4 * 8 * 4
