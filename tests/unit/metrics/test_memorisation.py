"""Copies are told from honest and from smooth images, and what cannot be told is not told."""

import numpy as np
import pytest
import torch

from medgen_course import datasets, pretrained
from medgen_course.batches.transforms import blur, to_uint8, to_unit
from medgen_course.metrics.memorisation import FEWEST, QUANTILE, copy_check, ratios


def pictures(count, seed=0, size=12, channels=1):
    """Smooth random pictures: neighbours are alike, as in a photograph."""
    rough = torch.from_numpy(np.random.default_rng(seed).random((count, channels, size, size), np.float32))
    smooth = blur(rough, 1.0)
    return to_uint8((smooth - 0.5).mul(4).add(0.5).clamp(0, 1)).numpy()


def share(check, images):
    return float(check.copied(images).mean())


@pytest.fixture(scope="module")
def train():
    return pictures(300)


@pytest.fixture(scope="module")
def heldout():
    return pictures(200, seed=1)


def leaked(train, heldout):
    return np.concatenate([heldout[:160], train[:40]])


def blanks(images):
    images = images.copy()
    images[: len(images) // 5] = 0
    return images


def test_honest_images_score_the_quantile_and_copies_one(train, heldout):
    check = copy_check(train, heldout)
    assert share(check, heldout) == QUANTILE
    assert share(check, pictures(2000, seed=2)) == pytest.approx(QUANTILE, abs=0.04)
    assert share(check, train) == 1 and check.known == 0


def test_held_out_images_that_stand_in_train_do_not_excuse_a_copier(train, heldout):
    check = copy_check(train, leaked(train, heldout))
    assert check.known == 40 and share(check, train) == 1
    assert check.threshold == copy_check(train, heldout[:160]).threshold
    assert share(check, heldout) < 0.1


def test_blank_slices_everywhere_do_not_excuse_a_copier(train, heldout):
    copier = blanks(train)
    check = copy_check(copier, blanks(heldout))
    assert check.known == 40 and len(check.train) == 241 and share(check, copier) == 1
    assert share(check, heldout[40:]) == QUANTILE


def test_equal_splits_are_refused_with_the_reason(train):
    check = copy_check(train, train[:200])
    assert check.threshold is None and check.known == 200
    assert check.why_not == "0 of 200 held-out images are not in the training split; 20 are needed"
    with pytest.raises(ValueError, match="memorisation cannot be measured: 0 of 200 held-out"):
        check.copied(train)


def test_too_few_honest_images_or_one_training_image_are_refused(train, heldout):
    assert copy_check(train, heldout[: FEWEST - 1]).threshold is None
    assert copy_check(train, heldout[:FEWEST]).threshold > 0
    twice = np.repeat(train[:1], 2, 0)
    assert copy_check(twice, heldout).why_not == "1 distinct training image; 2 are needed"


def test_ties_count_for_the_model_unless_it_copies_bit_for_bit():
    """Every held-out image lies in the middle between two training images: all ratios are 1."""
    train = np.array([0, 200], dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 4, 4), np.uint8)
    heldout = np.full((30, 1, 4, 4), 100, dtype=np.uint8)
    check = copy_check(train, heldout)
    assert check.threshold == pytest.approx(1) and share(check, heldout) == 0 and share(check, train) == 1


def test_one_grey_image_over_and_over_is_no_copy(train, heldout):
    """A generator that has learnt nothing: nearer to training images than new ones are, and no copy."""
    grey = np.repeat(train.mean(0, keepdims=True).astype(np.uint8), 50, 0)
    assert share(copy_check(train, heldout), grey) == 0


def test_a_repeated_training_image_is_not_its_own_second_neighbour(train, heldout):
    check = copy_check(np.concatenate([train, train[:50]]), heldout)
    nearly = np.where(train[:50] < 255, train[:50] + 1, 254).astype(np.uint8)
    assert len(check.train) == 300 and share(check, nearly) == 1


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (40, 1), (64, 3)])
def test_any_size_and_colour(size, channels):
    train, heldout = (pictures(60, seed, size, channels) for seed in (0, 1))
    check = copy_check(train, heldout)
    assert check.train.shape == (60, channels * min(size, 32) ** 2)
    assert share(check, train) == 1 and share(check, heldout) == QUANTILE
    found = ratios(heldout, check.train)
    assert 0 < found.min() and found.max() <= 1


def softened(images, sigma):
    return to_uint8(blur(to_unit(torch.from_numpy(images)), sigma)).numpy()


def reconstructed(data, images):
    with torch.inference_mode():
        model = pretrained.load_autoencoder(data.name)
        return to_uint8(model(to_unit(torch.from_numpy(images))).clamp(0, 1)).numpy()


@pytest.fixture(scope="module")
def phantom():
    data = datasets.load("phantom")
    return data, copy_check(data.train.images, data.val.images)


def test_smooth_slices_are_not_copies_but_smooth_copies_are(phantom):
    """The distance alone said 0.18 of held-out slices through an autoencoder, and 0.91 of training slices."""
    data, check = phantom
    assert share(check, reconstructed(data, data.val.images)) <= 0.08
    assert share(check, reconstructed(data, data.train.images[:512])) >= 0.6
    for sigma in (1.0, 2.0, 4.0):
        assert share(check, softened(data.val.images, sigma)) <= 0.08


def test_smooth_films_are_not_copies_but_smooth_copies_are(real_images):
    """The distance alone said 0.16, 0.24, 0.49 of held-out images blurred by 1, 2, 4 pixels."""
    train, val = real_images.train.images, real_images.val.images
    check = copy_check(train, val)
    assert check.known == 8
    for sigma, most in ((1.0, 0.08), (2.0, 0.08), (4.0, 0.12)):
        assert share(check, softened(val, sigma)) <= most
    assert share(check, softened(train[:512], 1.0)) >= 0.95
    assert share(check, reconstructed(real_images, val)) <= 0.12
    assert share(check, reconstructed(real_images, train[:512])) >= 0.75
