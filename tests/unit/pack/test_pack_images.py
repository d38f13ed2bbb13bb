"""Grey levels, squares and splits: the arithmetic between a file and the packed image."""

from collections import Counter

import numpy as np
import pytest

from medgen_course.datasets import DatasetError
from medgen_course.pack import levels, splits
from medgen_course.pack.images import Image, Look, UnusableFile
from medgen_course.pack.settings import Settings
from medgen_course.pack.squares import to_square

RAMP = np.linspace(0, 255, 64, dtype=np.float32)


def seen(stored=0, window=0, wide=0):
    counts = levels.Seen()
    for _ in range(stored):
        counts.add(Look(1, stored=True))
    for number in range(window):
        counts.add(Look(1, stored=False, window=(0.0, 100.0 + number)))
    for _ in range(wide):
        counts.add(Look(1, stored=False))
    return counts


def test_the_rule_that_holds_without_a_word():
    assert levels.choose(Settings(), seen(stored=3)).kind == "stored"
    assert levels.choose(Settings(), seen(window=3)).kind == "tag"
    assert "3 different ones" in levels.choose(Settings(), seen(window=3)).text
    assert levels.choose(Settings(), seen(window=3, wide=1)).kind == "percentiles"
    with pytest.raises(DatasetError, match="2 files with 8 bit grey levels and 1 with other values"):
        levels.choose(Settings(), seen(stored=2, wide=1))
    assert levels.choose(Settings(percentiles=(0, 100)), seen(stored=2, wide=1)).kind == "percentiles"


def test_a_window_is_a_centre_and_a_width():
    rule = levels.choose(Settings(window=(40, 400)), seen(wide=1))
    values = np.array([[-1000.0, -160, 40, 240, 3000, np.nan, np.inf, -np.inf]])
    grey = levels.to_grey(Image(values), rule, rgb=False)
    np.testing.assert_allclose(grey, [[0, 0, 127.5, 255, 255, 0, 255, 0]], atol=1e-3)
    assert "-160 is black, 240 is white" in rule.text


def test_percentiles_are_those_of_all_training_files():
    data = {name: np.random.default_rng(i).normal(i, 1, (4, 50, 50)) for i, name in enumerate("abc")}
    data["a"][0, 0, 0] = np.nan

    def read(file):
        if file == "broken":
            raise UnusableFile("broken")
        return (Image(values) for values in data[file])

    rule = levels.choose(Settings(percentiles=(5, 90)), seen(wide=3))
    training = [("a", 4), ("broken", 4), ("c", 4)]
    found = levels.measured(rule, read, training, 3, seed=0)
    both = np.concatenate([data["a"].ravel(), data["c"].ravel()])
    expected = np.nanpercentile(both.astype(np.float32), [5, 90])
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=1e-6)
    each = levels.choose(Settings(per_image=True, percentiles=(5, 90)), seen(wide=3))
    own = levels.of_file(each, read, "c", 4)
    assert (own.low, own.high) == pytest.approx(tuple(np.percentile(data["c"], [5, 90])), abs=1e-5)


def test_a_sample_of_large_files_is_near_and_as_large_from_each(monkeypatch):
    monkeypatch.setattr(levels, "SAMPLE", 20_000)
    rule = levels.choose(Settings(percentiles=(10, 90)), seen(wide=2))

    def read(file):
        shape = (10, 100, 100) if file == "large" else (100, 100)
        values = np.random.default_rng(1).uniform(0, 1, shape) + (file == "large")
        return (Image(page) for page in values.reshape(-1, 100, 100))

    found = levels.measured(rule, read, [("large", 10), ("small", 1)], 2, seed=0)
    assert (found.low, found.high) == pytest.approx((0.2, 1.8), abs=0.02)


def test_equal_percentiles_are_refused():
    rule = levels.choose(Settings(), seen(wide=1))
    with pytest.raises(DatasetError, match=r"percentiles 1 and 99 .* both 7"):
        levels.measured(rule, lambda _: iter([Image(np.full((4, 4), 7.0))]), [("a", 1)], 1, 0)
    each = levels.choose(Settings(per_image=True), seen(wide=1))
    with pytest.raises(UnusableFile, match="both 7"):
        levels.of_file(each, lambda _: iter([Image(np.full((4, 4), 7.0))]), "a", 1)


def test_colour_to_grey_and_back():
    colour = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]]], np.uint8)
    rule = levels.Rule("stored", "")
    np.testing.assert_allclose(
        levels.to_grey(Image(colour), rule, False), [[76.245, 149.685, 29.07, 9]], atol=0.01
    )
    np.testing.assert_array_equal(levels.to_grey(Image(colour), rule, True), colour)
    assert levels.to_grey(Image(colour[..., 0]), rule, True).shape == (1, 4, 3)


def test_an_image_without_the_window_of_the_others():
    with pytest.raises(UnusableFile, match="without the window"):
        levels.to_grey(Image(np.zeros((2, 2))), levels.Rule("tag", ""), False)


def test_a_fine_pattern_becomes_grey_instead_of_aliasing():
    checks = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.float32)
    small = to_square(checks, 32, "pad")
    assert np.abs(small.astype(int) - 127.5).max() <= 1.5
    lines = np.tile(np.where(np.arange(250) % 9 < 3, 255.0, 0.0), (250, 1)).astype(np.float32)
    assert to_square(lines, 25, "pad").mean() == pytest.approx(lines.mean(), abs=3)


def test_resizing_makes_no_new_extremes():
    edge = np.where(np.indices((60, 60))[1] < 31, 50.0, 200.0).astype(np.float32)
    for size in (16, 100):
        square = to_square(edge, size, "pad")
        assert square.min() == 50 and square.max() == 200


def test_an_image_of_the_right_size_stays_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (28, 28, 3)).astype(np.float32)
    np.testing.assert_array_equal(to_square(image, 28, "pad"), image)
    np.testing.assert_array_equal(to_square(image[..., 0], 28, "crop"), image[..., 0])


def test_padding_keeps_all_and_cropping_the_middle():
    image = np.full((20, 40), 100, np.float32)
    image[:, :10], image[:, 30:] = 200, 200
    padded = to_square(image, 40, "pad")
    assert not padded[:10].any() and not padded[30:].any()
    np.testing.assert_array_equal(padded[10:30], image)
    cropped = to_square(image, 20, "crop")
    np.testing.assert_array_equal(cropped, np.full((20, 20), 100))


def test_pixels_that_are_not_square_are_put_right():
    """A disc in pixels 3 high and 1 wide is a disc again."""
    y, x = np.mgrid[:20, :60]
    disc = np.where(((y - 9.5) * 3) ** 2 + (x - 29.5) ** 2 < 24**2, 255, 0).astype(np.float32)
    for fit in ("pad", "crop"):
        square = to_square(disc, 60, fit, spacing=(3, 1)) > 127
        assert square.any(0).sum() == pytest.approx(48, abs=2)
        assert square.any(1).sum() == pytest.approx(48, abs=3)
    thin = to_square(np.ones((1, 500), np.float32) * 9, 8, "pad")
    assert thin.shape == (8, 8) and thin.any()


def drawn(groups, labels=None, counts=None, val=0.1, test=0.2, seed=0):
    groups = np.asarray(groups)
    labels = np.zeros(len(groups), int) if labels is None else np.asarray(labels)
    counts = np.ones(len(groups), int) if counts is None else np.asarray(counts)
    return splits.assign(labels, groups, counts, val, test, seed)


def test_single_images_are_divided_exactly_and_stratified():
    labels = np.repeat([0, 1, 2], [700, 200, 100])
    split = drawn(np.arange(1000), labels)
    for label, total in enumerate((700, 200, 100)):
        got = np.bincount(split[labels == label], minlength=3)
        np.testing.assert_allclose(got, np.array([0.7, 0.1, 0.2]) * total, atol=1)


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_whole_and_shares_are_near(seed):
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 12, 200)
    groups = random.permutation(np.repeat(np.arange(200), sizes))
    labels = (groups % 3 == 0).astype(int) ^ (random.random(len(groups)) < 0.1)
    split = drawn(groups, labels, seed=seed)
    assert splits.divided(groups, split) == 0
    got = np.bincount(split, minlength=3) / len(split)
    np.testing.assert_allclose(got, [0.7, 0.1, 0.2], atol=0.02)
    for part in range(3):
        assert labels[split == part].mean() == pytest.approx(labels.mean(), abs=0.05)


def test_large_groups_are_not_only_in_training():
    """Groups of 1 to 40 images: each split gets large and small ones."""
    groups = np.repeat(np.arange(120), np.tile([1, 5, 40], 40))
    split = drawn(groups)
    sizes = np.bincount(groups)
    mean = [sizes[np.unique(groups[split == part])].mean() for part in range(3)]
    assert min(mean) > 0.5 * max(mean)


def test_every_split_has_a_group_if_there_are_three():
    for counts in ([1, 1, 1], [100, 100, 1, 1], [500, 3, 3], [1, 2, 3, 4]):
        assert set(drawn(np.arange(len(counts)), counts=counts)) == {0, 1, 2}
    for groups in ([0, 0, 0], [0, 1, 1]):
        with pytest.raises(DatasetError, match=r"found \d groups? of images.*at least 3.*--group"):
            drawn(groups)


def test_a_class_of_three_stands_in_every_split():
    labels = np.repeat([0, 1], [97, 3])
    split = drawn(np.arange(100), labels)
    assert set(split[labels == 1]) == {0, 1, 2}


def test_the_seed_decides():
    first = drawn(np.arange(100))
    np.testing.assert_array_equal(first, drawn(np.arange(100)))
    assert (first != drawn(np.arange(100), seed=1)).sum() > 10
    assert Counter(first) == Counter(drawn(np.arange(100), seed=1))


WRONG = {
    "size": ({"size": 4}, "--size is 4"),
    "width": ({"window": (40.0, 0.0)}, "--window has the width 0"),
    "percentiles": ({"percentiles": (99.0, 1.0)}, "--percentiles are 99 1"),
    "two rules": ({"window": (1.0, 2.0), "percentiles": (1.0, 99.0)}, "choose one"),
    "shares": ({"val": 0.5, "test": 0.5}, "--val is 0.5 and --test 0.5"),
    "no test": ({"test": 0.0}, "--test 0"),
    "seed": ({"seed": -1}, "--seed is -1"),
    "pattern": ({"group": "(p"}, "no regular expression"),
    "slices": ({"slices": "5"}, "start:stop:step"),
    "step": ({"slices": "::0"}, "step of 1 or more"),
}


@pytest.mark.parametrize("case", WRONG)
def test_settings_are_checked_at_once(case):
    settings, expected = WRONG[case]
    with pytest.raises(ValueError, match=expected):
        Settings(**settings)
