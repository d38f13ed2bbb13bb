"""Domains without shared anatomies, batches, baselines, and lesions erased and invented by hand."""

import numpy as np
import pytest
import torch

from medgen_course import datasets, phantom
from medgen_course.batches.domains import PairedSampler, UnpairedSampler
from medgen_course.datasets import sources
from medgen_course.datasets.domains import from_dataset, phantom_domains, truth_of, without_lesions
from medgen_course.datasets.errors import DatasetError
from medgen_course.datasets.sources import Dataset, Split
from medgen_course.metrics.lesions import found, lesion_report, usual_area
from medgen_course.metrics.translation import (
    apply_lookup,
    fit_lookup,
    gap_closed,
    match_histogram,
    quality,
)
from medgen_course.metrics.translators import known
from medgen_course.phantom.signal import rician


@pytest.fixture
def small_phantom(monkeypatch):
    monkeypatch.setattr(sources, "PHANTOM_COUNTS", {"train": 12, "val": 6, "test": 6})
    return datasets.load("phantom", size=32)


def labelled(labels, size=16):
    labels = np.array(labels)
    levels = labels.reshape(len(labels), -1)[:, 0].astype(np.uint8)
    split = Split(np.tile(levels.reshape(-1, 1, 1, 1), (1, 1, size, size)), labels)
    names = ("normal", "pneumonia", "other")
    return Dataset("made up", 1, size, names, "multi-class", "", "", "", split, split, split)


def test_the_phantoms_domains_share_no_anatomy(small_phantom):
    domains = from_dataset(small_phantom)
    assert (domains.name_a, domains.name_b, domains.size, domains.channels) == ("T1w", "T2w", 32, (1, 1))
    train, split = domains.train, small_phantom.train
    assert np.array_equal(train.a, split.images[:6]) and np.array_equal(train.b, split.extras["paired"][6:])
    assert np.array_equal(train.truth.a, train.a)  # pairs for pix2pix: the other half of the contrast
    assert np.array_equal(train.truth.b, split.extras["paired"][:6])
    assert not any(np.array_equal(x, y) for x in train.truth.b for y in train.b)


def test_the_healthy_twin_differs_where_the_lesion_is_and_nowhere_else(small_phantom):
    for truth in (from_dataset(small_phantom).val.truth, phantom_domains(counts=(2, 9, 9)).test.truth):
        assert truth.masks.any()
        change = truth.b.astype(int) - truth.healthy_b
        assert change[truth.masks == 1].mean() > 40
        assert (truth.a.astype(int) - truth.healthy_a)[truth.masks == 1].mean() < -20
        ill = truth.masks.any((1, 2, 3))
        assert not change[~ill].any()
        assert (change != 0).mean() < 0.1  # the noise is the same


def test_prevalence_of_each_domain():
    domains = phantom_domains(28, prevalence_a=1.0, prevalence_b=0.0, counts=(20, 30, 30))
    assert domains.train.truth.masks.any((1, 2, 3)).all()
    table = phantom.draw_factors(40, 0, 0.0)
    assert np.array_equal(table, without_lesions(table))
    healthy = phantom.generate(
        factors=np.concatenate([phantom.draw_factors(40, 0, 1.0)[:20], table[20:]]), size=28
    )
    assert np.array_equal(domains.train.b, healthy.t2w[20:])
    assert 5 < domains.val.truth.masks.any((1, 2, 3)).sum() < 25


def test_classes_as_domains():
    domains = from_dataset(labelled([0, 1, 1, 2, 0, 2]), (2, 1))
    assert (domains.name_a, domains.name_b) == ("other", "pneumonia") and domains.train.truth is None
    assert (domains.train.a == 2).all() and (domains.test.b == 1).all() and len(domains.val.a) == 2


def test_domains_that_cannot_be(small_phantom):
    with pytest.raises(DatasetError, match="0 normal; 1 pneumonia; 2 other"):
        from_dataset(labelled([0, 1]), (0, 3))
    with pytest.raises(DatasetError, match="choose two"):
        from_dataset(labelled([0, 1]), (1, 1))
    with pytest.raises(DatasetError, match="no train images"):
        from_dataset(labelled([0, 1]), (0, 2))
    with pytest.raises(DatasetError, match="several labels"):
        from_dataset(labelled([[0, 1], [1, 1]]))
    with pytest.raises(DatasetError, match="phantom-t2w shows T2w; translate phantom"):
        from_dataset(datasets.load("phantom-t2w", size=32))


def test_what_is_known_of_the_phantom_begins_with_the_contrast_that_it_shows(small_phantom):
    t1w, t2w = (truth_of(datasets.load(name, size=32), "val") for name in ("phantom", "phantom-t2w"))
    assert np.array_equal(t1w.a, t2w.b) and np.array_equal(t1w.b, t2w.a)
    assert np.array_equal(t1w.healthy_a, t2w.healthy_b) and np.array_equal(t1w.healthy_b, t2w.healthy_a)
    outside = t2w.masks == 0
    assert np.array_equal(t1w.masks, t2w.masks) and t2w.masks.any()
    assert (t2w.a != t2w.healthy_a)[outside].mean() < 0.05 < (t2w.a != t2w.healthy_a)[~outside].mean()


def numbered(first, count):
    return np.arange(first, first + count, dtype=np.uint8).reshape(-1, 1, 1, 1)


def grey(tensor):
    return (tensor.flatten() * 255).round().int().tolist()


def test_unpaired_batches_shuffle_each_domain_by_itself():
    sampler = UnpairedSampler(numbered(0, 20), numbered(100, 31), 6)
    batches = list(sampler.epoch(0, seed=3))
    assert len(batches) == len(sampler) == 3
    a, b = ([v for batch in batches for v in grey(batch[name])] for name in "ab")
    assert len(set(a)) == 18 and set(a) <= set(range(20))
    assert len(set(b)) == 18 and set(b) <= set(range(100, 131))
    assert [v + 100 for v in a] != b
    same = [grey(batch["a"]) for batch in sampler.epoch(0, seed=3)]
    assert same == [grey(batch["a"]) for batch in batches]
    assert same != [grey(batch["a"]) for batch in sampler.epoch(1, seed=3)]


def test_two_processes_share_the_images():
    sampler = UnpairedSampler(numbered(0, 20), numbered(100, 20), 5)
    shares = [[v for x in sampler.epoch(0, 0, rank=r, world_size=2) for v in grey(x["b"])] for r in (0, 1)]
    assert sorted(shares[0] + shares[1]) == list(range(100, 120))
    with pytest.raises(ValueError, match="cannot feed 30 processes"):
        sampler.batches(30)


def test_pairs_stay_together():
    sampler = PairedSampler(numbered(0, 20), numbered(100, 20), 6)
    for batch in sampler.epoch(2, seed=0):
        assert [v + 100 for v in grey(batch["a"])] == grey(batch["b"])
    with pytest.raises(ValueError, match="20 images of a and 19 of b"):
        PairedSampler(numbered(0, 20), numbered(100, 19))


@pytest.mark.parametrize("counts, size, words", [((0, 3), 2, "0 and 3 images"), ((3, 3), 0, "at least 1")])
def test_samplers_without_images(counts, size, words):
    with pytest.raises(ValueError, match=words):
        UnpairedSampler(numbered(0, counts[0]), numbered(0, counts[1]), size)


def test_lookup_recovers_a_known_map_that_is_not_monotone():
    levels = np.arange(256)
    known = (127.5 + 127.5 * np.cos(levels / 40)).round().astype(np.uint8)
    a = np.random.default_rng(0).integers(0, 128, (4, 1, 32, 32), dtype=np.uint8) * 2
    a[a == 100] = 102
    table = fit_lookup(a, known[a])
    assert np.allclose(table[np.unique(a)] * 255, known[np.unique(a)], atol=1e-3)
    assert table[100] == pytest.approx((table[98] + table[102]) / 2)  # a level that was not seen
    held_out = np.full((1, 1, 16, 16), 40, np.uint8)
    assert quality(apply_lookup(table, held_out), known[held_out])["psnr"].item() > 60


def test_lookup_is_the_mean_where_pairs_disagree():
    a, b = np.zeros((1, 1, 2, 2), np.uint8), np.array([[[[0, 0], [51, 153]]]], np.uint8)
    assert fit_lookup(a, b)[0] == pytest.approx(0.2)
    with pytest.raises(ValueError, match="two paired uint8 arrays"):
        fit_lookup(a, b[:, :, :1])


def test_histogram_matching_undoes_a_monotone_map_and_not_an_inversion():
    x = np.random.default_rng(0).integers(0, 200, (2, 1, 32, 32), dtype=np.uint8)
    target = (x * 0.5 + 60).astype(np.uint8)
    assert (match_histogram(x, target) - torch.from_numpy(target) / 255).abs().mean() < 0.01
    inverse = 255 - x
    assert (match_histogram(x, inverse) - torch.from_numpy(inverse) / 255).abs().mean() > 0.2
    with pytest.raises(ValueError, match="1 and 3 channels"):
        match_histogram(x, np.repeat(x, 3, 1))


def test_errors_inside_and_outside_lesions():
    truth, masks = np.zeros((2, 1, 16, 16), np.uint8), np.zeros((2, 1, 16, 16), np.uint8)
    masks[1, 0, :4, :4] = 1
    translated = torch.full((2, 1, 16, 16), 0.1)
    translated[1, 0, :4, :4] = 0.5
    values = quality(translated, truth, masks)
    assert values["error_inside"].tolist() == pytest.approx([0.5])
    assert values["error_outside"].tolist() == pytest.approx([0.1, 0.1])
    assert values["psnr"][0].item() == pytest.approx(20)
    assert values["ssim"].shape == (2,) and set(quality(translated, truth)) == {"psnr", "ssim"}


def test_share_of_the_gap():
    assert gap_closed(0.9, 0.6, 1.0) == pytest.approx(0.75)
    assert gap_closed(0.5, 0.6, 1.0) < 0


def slices(lesion=200, healthy=100, count=4):
    """The first two slices have a lesion of 3 x 3 and of 2 x 2 pixels, the others have none."""
    twin, masks = np.full((count, 1, 16, 16), healthy, np.uint8), np.zeros((count, 1, 16, 16), np.uint8)
    masks[0, 0, 2:5, 2:5] = 1
    masks[1, 0, 8:10, 8:10] = 1
    return np.where(masks == 1, lesion, twin).astype(np.uint8), twin, masks


@pytest.mark.parametrize("lesion", [200, 20])  # brighter, as in T2w; darker, as in T1w
def test_a_perfect_translation_erases_and_invents_nothing(lesion):
    truth, healthy, masks = slices(lesion)
    report = lesion_report(torch.from_numpy(truth) / 255, truth, healthy, masks)
    assert report.lesions.tolist() == [0, 1] and not report.erased.any() and not report.invented.any()
    assert report.true_contrast == pytest.approx((lesion - 100) / 255)
    assert report.threshold == pytest.approx((lesion - 100) / 255 / 2)


@pytest.mark.parametrize("lesion", [200, 20])
def test_erased_is_less_than_half_of_the_contrast(lesion):
    truth, healthy, masks = slices(lesion)
    made = truth / 255
    made[0][masks[0] == 1] = (100 + 0.49 * (lesion - 100)) / 255
    made[1][masks[1] == 1] = (100 + 0.51 * (lesion - 100)) / 255
    report = lesion_report(torch.from_numpy(made), truth, healthy, masks)
    assert report.erased.tolist() == [True, False]
    assert report.contrast / report.true_contrast == pytest.approx([0.49, 0.51])
    assert not report.invented.any()


@pytest.mark.parametrize("lesion", [200, 20])
def test_invented_is_large_connected_and_in_the_lesions_direction(lesion):
    truth, healthy, masks = slices(lesion)
    made, step = truth / 255, (lesion - 100) / 255
    made[1, 0, 8:10, 7] += 0.6 * step  # two pixels: smaller than the smallest lesion, 4 pixels
    made[2, 0, 3:5, 3:5] += 0.6 * step  # one invention ...
    made[2, 0, 12:15, 12:14] += 0.6 * step  # ... and another
    made[3, 0, 3:6, 3:6] += 0.4 * step  # too faint
    made[3, 0, 10:13, 10:13] -= 0.9 * step  # the other way
    made[0, 0, [10, 11, 12, 13], [3, 4, 5, 6]] += 0.9 * step  # four pixels that touch at corners only
    report = lesion_report(torch.from_numpy(made), truth, healthy, masks)
    assert report.invented.tolist() == [0, 0, 2, 0] and report.invented_share == 0.25
    assert report.regions[2].sum() == 10 and report.regions.sum() == 10
    assert lesion_report(torch.from_numpy(made), truth, healthy, masks, smallest=2).invented[1] == 1


def test_the_usual_area_is_that_of_nine_lesions_in_ten():
    masks = np.zeros((22, 1, 8, 8), np.uint8)
    for i, area in enumerate([1, 2, *[5] * 18]):
        masks[i].flat[:area] = 1  # the last two slices have no lesion
    assert usual_area(masks) == 2  # two of twenty are smaller than five, and quantiles are areas that occur
    assert usual_area(masks[2:]) == 5


def test_the_rule_finds_true_lesions_that_are_large_and_strong_enough():
    truth, healthy, masks = slices()
    seen = torch.from_numpy(truth) / 255
    limit = 50 / 255
    assert found(seen, healthy, masks, limit, 4).tolist() == [True, True]
    assert found(seen, healthy, masks, limit, 5).tolist() == [True, False]
    assert found(seen, healthy, masks, 101 / 255, 1).tolist() == [False, False]


@pytest.mark.parametrize(("to", "alone"), [("b", 0.0), ("a", 0.05)])
@pytest.mark.parametrize(("size", "smallest"), [(32, 3), (64, 12)])
def test_true_slices_scanned_again_hold_no_invention_and_the_rule_finds_most_lesions(
    to, alone, size, smallest
):
    """What `lesion_report` says of its noise floor; of one pixel alone it would not hold in T1w."""
    part = phantom_domains(size, counts=(8, 256, 8)).val
    truth, healthy, masks = known(part, to)[1:]
    quiet = phantom.generate(256, size, 0, "val", noise=0)
    noise = torch.Generator().manual_seed(7)
    again = rician(torch.from_numpy(quiet.t2w if to == "b" else quiet.t1w) / 255, 0.02, noise).clamp(0, 1)
    report = lesion_report(again, truth, healthy, masks)
    assert report.smallest == smallest and report.invented_share == 0 and not report.erased.any()
    single = lesion_report(again, truth, healthy, masks, smallest=1)
    assert single.invented_share == pytest.approx(alone, abs=0.03)
    assert found(again, healthy, masks, report.threshold, report.smallest).mean() > 0.85


def test_lesion_report_needs_lesions_and_equal_shapes():
    truth, healthy, masks = slices()
    with pytest.raises(ValueError, match="no mask holds a lesion"):
        lesion_report(torch.from_numpy(truth) / 255, truth, healthy, masks * 0)
    with pytest.raises(ValueError, match="four times"):
        lesion_report(torch.from_numpy(truth[:2]) / 255, truth, healthy, masks)
