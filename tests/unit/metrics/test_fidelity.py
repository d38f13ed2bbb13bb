"""Measures of generated images: known answers, a reference implementation, what they should notice."""

import math

import numpy as np
import prdc
import pytest
import torch

from medgen_course import datasets
from medgen_course.metrics import classification, fidelity
from medgen_course.metrics.neighbours import memorisation, near_threshold, nearest, neighbourhood, radii
from medgen_course.models.classifier import Classifier


def cloud(count, dims=6, seed=0, shift=0.0):
    return torch.randn(count, dims, generator=torch.Generator().manual_seed(seed)) + shift


@pytest.mark.parametrize("shift", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("counts", [(700, 300), (300, 700)])
def test_precision_to_coverage_equal_the_reference(shift, counts):
    real, fake = cloud(counts[0]), cloud(counts[1], seed=1, shift=shift)
    expected = prdc.compute_prdc(real.double().numpy(), fake.double().numpy(), nearest_k=5)
    found = neighbourhood(real, fake)
    assert set(found) == set(expected)
    for name, value in found.items():
        assert value == pytest.approx(
            expected[name], abs=0.004
        )  # single against double precision at a border


def test_radii_and_nearest_by_hand():
    points = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    assert radii(points, 1).tolist() == [1, 1, 2, 4] and radii(points, 2).tolist() == [3, 2, 3, 6]
    assert nearest(torch.tensor([[2.5], [10.0]]), points).tolist() == [0.5, 3]
    with pytest.raises(ValueError, match="4 points have no 4-th neighbour; give at least 5"):
        radii(points, 4)


def test_frechet_distance_of_gaussians():
    """Means apart by m and standard deviations a, b: |m|^2 + d (a - b)^2 (Dowson & Landau 1982)."""
    real, fake = cloud(40_000, 3), 2 * cloud(40_000, 3, seed=1) + 1.5
    assert fidelity.frechet(real, fake) == pytest.approx(3 * 1.5**2 + 3 * (2 - 1) ** 2, rel=0.03)
    assert fidelity.frechet(real, cloud(40_000, 3, seed=2)) < 0.01


def test_kernel_distance_is_near_zero_for_equals_and_rises():
    real = cloud(600)
    distances = [fidelity.kernel(real, cloud(600, seed=1, shift=s)) for s in (0.0, 0.5, 1.0)]
    assert abs(distances[0]) < 0.02 and distances[0] < distances[1] < distances[2]


def test_the_callers_random_state_is_left_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = fidelity.kernel(cloud(300), cloud(300, seed=1))
    assert torch.equal(before, torch.get_rng_state())
    assert first == fidelity.kernel(cloud(300), cloud(300, seed=1))


def test_memorisation_is_the_quantile_for_honest_samples_and_one_for_copies():
    train, heldout = cloud(2000), cloud(2000, seed=1)
    threshold = near_threshold(train, heldout)
    assert memorisation(train, cloud(2000, seed=2), threshold) == pytest.approx(0.05, abs=0.02)
    assert memorisation(train, train[:500], threshold) == 1
    assert memorisation(train, heldout, threshold) == pytest.approx(0.05, abs=1e-3)


@pytest.fixture(scope="module")
def phantom():
    return datasets.load("phantom")


@pytest.fixture(scope="module")
def against(phantom):
    return fidelity.reference(phantom, classification.feature_network(phantom))


def test_density_and_coverage_reward_copies_and_memorisation_does_not(phantom, against):
    n = len(phantom.val.images)
    copies, honest = against.measure(phantom.train.images[:n]), against.measure(phantom.val.images)
    assert copies["density"] > 0.9 * honest["density"] and copies["coverage"] > 0.9 * honest["coverage"]
    assert copies["memorisation"] == 1 and honest["memorisation"] == pytest.approx(0.05, abs=0.01)


def test_every_column_has_the_same_number_of_images(phantom, against):
    seen = []

    class Counting(fidelity.Reference):
        def measure(self, images):
            seen.append(len(images))
            return super().measure(images)

    counted = Counting(**vars(against))
    report = fidelity.evaluate_samples(phantom.test.images[:300], counted)
    assert set(seen) == {300} and report["coverage"]["n"] == 300
    assert set(report) == set(fidelity.MEASURES)
    for name, row in report.items():
        assert row["low"] <= row["value"] <= row["high"]
        better = row["best"] < row["worst"] if name in ("frechet", "kernel") else row["best"] > row["worst"]
        assert better
    assert report["frechet"]["best"] < report["frechet"]["blurred"]


def test_subsets_are_drawn_without_replacement(phantom, against):
    drawn = []

    class Noting(fidelity.Reference):
        def measure(self, images):
            drawn.append(images)
            return super().measure(images)

    marked = phantom.train.images[:1100].copy()
    marked[:, 0, 0, 0] = np.arange(1100) % 256
    marked[:, 0, 0, 1] = np.arange(1100) // 256
    report = fidelity.evaluate_samples(marked, Noting(**vars(against)), rounds=3)
    assert report["density"]["low"] < report["density"]["high"]
    for images in drawn[:3]:
        marks = images[:, 0, 0, 0].astype(int) + 256 * images[:, 0, 0, 1].astype(int)
        assert len(np.unique(marks)) == len(images) == len(phantom.val.images)


def test_too_few_images_is_a_warning_with_the_reason(phantom, against):
    with pytest.warns(UserWarning, match="only 20 images in each column: .* depend on the number"):
        fidelity.evaluate_samples(phantom.test.images[:20], against)
    with pytest.raises(ValueError, match="5 images; give at least 6"):
        fidelity.evaluate_samples(phantom.test.images[:5], against)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [28, 64])
def test_classifier_shapes_and_standardised_features(channels, size):
    model = Classifier(channels, size, 3, width=4).eval()
    images = np.random.default_rng(0).integers(0, 256, (50, channels, size, size), dtype=np.uint8)
    assert classification.probabilities(model, images).sum(1) == pytest.approx(1, abs=1e-5)
    model.standardise(classification.embed(model, images))
    features = classification.embed(model, images)
    assert features.shape == (50, 28)
    torch.testing.assert_close(features.mean(0), torch.zeros(28), atol=1e-3, rtol=0)
    torch.testing.assert_close(features.std(0), torch.ones(28), atol=1e-2, rtol=0)
    with pytest.raises(ValueError, match="num_classes is 1"):
        Classifier(1, 28, 1)


def test_a_classifier_learns_what_can_be_seen_and_repeats_with_its_seed():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 256)
    images = (rng.random((256, 1, 28, 28)) * 60 + 120 * labels[:, None, None, None]).astype(np.uint8)
    split = datasets.Split(images, labels)
    model = classification.train_classifier(images, labels, 2, num_epochs=3)
    assert classification.auc(model, split) > 0.99
    again = classification.train_classifier(images, labels, 2, num_epochs=3)
    assert torch.equal(classification.embed(model, images), classification.embed(again, images))


def test_a_classifier_of_several_labels():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (256, 3))
    images = np.zeros((256, 1, 28, 28), dtype=np.uint8)
    for i in range(3):
        images[:, 0, 9 * i : 9 * i + 9] = 200 * labels[:, i, None, None]
    model = classification.train_classifier(images, labels, 3, num_epochs=8)
    assert classification.auc(model, datasets.Split(images, labels)) > 0.9


def test_the_shipped_feature_network_is_used_where_it_fits(phantom):
    shipped = classification.feature_network(phantom)
    assert shipped.config["size"] == 28 and not math.isclose(float(shipped.scale.mean()), 1.0)
