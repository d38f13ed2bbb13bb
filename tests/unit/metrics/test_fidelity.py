"""Measures of generated images: known answers, a reference implementation, what they should notice."""

import dataclasses
import math

import numpy as np
import prdc
import pytest
import torch

from medgen_course import datasets
from medgen_course.batches import transforms
from medgen_course.metrics import classification, fidelity
from medgen_course.metrics.neighbours import closest, nearest, neighbourhood, radii
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
    with pytest.raises(ValueError, match="4 points have no 5-th neighbour"):
        closest(points, points, 5)


def test_distances_in_blocks_are_those_of_the_whole(monkeypatch):
    points, others = cloud(30), cloud(50, seed=1)
    expected = torch.cdist(points, others).sort(1).values[:, :9]
    for rows, columns in ((7, 4), (512, 49), (30, 50)):
        monkeypatch.setattr("medgen_course.metrics.neighbours.ROWS", rows)
        monkeypatch.setattr("medgen_course.metrics.neighbours.COLUMNS", columns)
        torch.testing.assert_close(closest(points, others, 9), expected)


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


def test_beside_other_held_out_images_is_a_reference_to_them(phantom, against):
    anew = fidelity.reference(phantom, against.classifier, "test")
    beside = against.beside(phantom.test.images)
    assert beside.copies.threshold == anew.copies.threshold != against.copies.threshold
    assert beside.measure(phantom.val.images[:300]) == anew.measure(phantom.val.images[:300])
    assert beside.heldout_images is phantom.test.images


def test_every_column_has_the_same_number_of_images(phantom, against):
    seen = []

    class Counting(fidelity.Reference):
        def compare(self, images):
            seen.append(len(images.features))
            return super().compare(images)

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
        def look(self, images):
            seen = super().look(images)
            marks = torch.arange(len(images))[:, None]
            return fidelity.Seen(torch.cat([marks, seen.features[:, 1:]], 1), seen.copied)

        def compare(self, seen):
            drawn.append(seen.features[:, 0])
            return super().compare(seen)

    report = fidelity.evaluate_samples(phantom.train.images[:1100], Noting(**vars(against)), rounds=3)
    assert report["density"]["low"] < report["density"]["high"]
    for marks in drawn[:3]:
        assert len(marks.unique()) == len(marks) == len(phantom.val.images)
    assert not torch.equal(drawn[0].sort().values, drawn[1].sort().values)


def test_too_few_images_is_a_warning_with_the_reason(phantom, against):
    with pytest.warns(UserWarning, match="only 20 images in each column: .* depend on the number"):
        fidelity.evaluate_samples(phantom.test.images[:20], against)


def numbers(report):
    return {name for name, row in report.items() if row["value"] is not None}


@pytest.mark.filterwarnings("ignore:only .* images in each column")
@pytest.mark.parametrize(
    ("heldout", "train", "measured"),
    [(1, 40, set()), (2, 40, fidelity.FROM_TWO), (5, 40, fidelity.FROM_TWO), (40, 1, set()),
     (6, 40, (*fidelity.FROM_TWO, *fidelity.FROM_NEIGHBOURS)), (40, 6, fidelity.MEASURES)],
)  # fmt: skip
def test_a_figure_that_needs_more_images_is_none_with_the_reason(phantom, heldout, train, measured):
    few = dataclasses.replace(phantom, train=phantom.train.first(train), val=phantom.val.first(heldout))
    report = fidelity.evaluate_samples(phantom.test.images[:40], fidelity.reference(few, random_eye(few)))
    assert numbers(report) == set(measured) and set(report) == set(fidelity.MEASURES)
    for row in report.values():
        assert (row["value"] is None) == (" needed" in row.get("note", "")) and row["n"] == heldout
        assert all(math.isfinite(row[name]) for name in ("low", "best", "blurred", "worst") if name in row)


def test_memorisation_of_known_held_out_images(phantom):
    """100 of 300 held-out images are training images: said, and taken out of best and blurred."""
    mixed = datasets.Split(
        np.concatenate([phantom.val.images[:200], phantom.train.images[:100]]), phantom.val.labels[:300]
    )
    data = dataclasses.replace(phantom, train=phantom.train.first(600), val=mixed)
    samples = np.concatenate([phantom.train.images[:150], phantom.test.images[:150]])
    row = fidelity.evaluate_samples(samples, fidelity.reference(data, random_eye(data)))["memorisation"]
    assert row["known"] == 100 and row["exact"] == 0.5 and row["best"] == 0.05 and row["blurred"] <= 0.05
    assert row["value"] == pytest.approx(0.5 + 0.5 * 0.05, abs=0.03)


def random_eye(data):
    return classification.random_network(data.train.images)


LADDERS = {  # damage of images in [0, 1], little of it first
    "blur": [lambda x, s=s: transforms.blur(x, s) for s in (0.5, 1.0, 2.0)],
    "noise": [
        lambda x, s=s: (x + s * cloud(1, x.numel()).view_as(x)).clamp(0, 1) for s in (0.04, 0.08, 0.16)
    ],
    "contrast": [lambda x, c=c: ((x - 0.5) * c + 0.5).clamp(0, 1) for c in (0.93, 0.85, 0.7)],
    "hole": [lambda x, k=k: x * (torch.arange(28) >= k) for k in (4, 8, 16)],
    "one of few": [lambda x, k=k: x[torch.arange(len(x)) % k] for k in (128, 32, 8)],
}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_random_network_ranks_known_damage(phantom, seed):
    model = classification.random_network(phantom.train.images, seed)
    train, x = (
        classification.embed(model, phantom.train.images),
        transforms.to_unit(torch.from_numpy(phantom.val.images)),
    )
    assert torch.equal(
        train,
        classification.embed(classification.random_network(phantom.train.images, seed), phantom.train.images),
    )
    for name, steps in LADDERS.items():
        damaged = [x, *(step(x) for step in steps)]
        found = [
            fidelity.frechet(train, classification.embed(model, transforms.to_uint8(images).numpy()))
            for images in damaged
        ]
        assert found == sorted(found) and found[1] > 1.05 * found[0], (name, found)
    with pytest.raises(ValueError, match="tells no classes apart"):
        model(x[:1])


@pytest.mark.parametrize("size", [8, 9, 28])
@pytest.mark.parametrize("count", [1, 2, 257])
def test_a_random_network_of_any_images(size, count):
    images = np.random.default_rng(0).integers(0, 256, (count, 3, size, size), dtype=np.uint8)
    features = classification.embed(classification.random_network(images), images)
    assert features.shape == (count, 112) and features.isfinite().all()


@pytest.mark.parametrize("shape", [(24,), (24, 3)])
def test_without_two_classes_the_network_is_random_and_says_so(shape):
    images = np.random.default_rng(0).integers(0, 256, (24, 1, 28, 28), dtype=np.uint8)
    same, mixed = np.ones(shape, np.int64), np.ones(shape, np.int64)
    mixed[::2] = 0
    for labels, about in ((same, "a random network"), (mixed, "a classifier")):
        split = datasets.Split(images, labels)
        data = datasets.Dataset("own.npz", 1, 28, ("a", "b", "c"), "", "", "", "", split, split, split)
        assert classification.feature_network(data).about.startswith(about)


def test_a_large_set_is_not_shown_more_images_than_needed(monkeypatch):
    asked = []
    monkeypatch.setattr(classification, "train_classifier", lambda *given: asked.append(given[3]))
    monkeypatch.setattr(classification, "ENOUGH", 50)
    for count in (4, 20, 60):
        split = datasets.Split(np.zeros((count, 1, 28, 28), np.uint8), np.arange(count) % 2)
        data = datasets.Dataset("own.npz", 1, 28, ("a", "b"), "", "", "", "", split, split, split)
        classification.feature_network(data)
    assert asked == [10, 2, 1]


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
