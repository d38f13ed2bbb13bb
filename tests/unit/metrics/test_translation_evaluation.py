"""Figures of translators whose map is known: the perfect one, the one that does nothing, the eraser."""

import numpy as np
import pytest
import torch
from torch import nn

from medgen_course import datasets
from medgen_course.datasets import sources
from medgen_course.datasets.domains import Domains, Part, Truth, phantom_domains
from medgen_course.metrics import classification, translation_eye
from medgen_course.metrics import translators as evaluation
from medgen_course.metrics.translators import (
    against_truth,
    baselines,
    class_change,
    domain_auc,
    evaluate_translators,
    frechet_row,
)
from medgen_course.models.classifier import Classifier
from medgen_course.models.translators import Translators


class Known(nn.Module):
    """Hands out the partner of each image that it knows; any other one stays as it is."""

    def __init__(self, source, partner):
        super().__init__()
        self.config = {"in_channels": 1, "out_channels": 1, "size": source.shape[-1]}
        self.partner = {image.tobytes(): other for image, other in zip(source, partner, strict=True)}

    def translate(self, x):
        images = (x * 255).round().to(torch.uint8).numpy()
        partners = [self.partner.get(image.tobytes(), image) for image in images]
        return torch.from_numpy(np.stack(partners)) / 255


@pytest.fixture(scope="module")
def domains():
    return phantom_domains(32, counts=(40, 30, 40))


@pytest.fixture(scope="module")
def eye():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Classifier(1, 32, 4).eval().requires_grad_(False)


def translators(truth, b, a):
    return Translators(Known(truth.a, b), Known(truth.b, a))


def test_one_image_has_no_frechet_distance(domains, eye):
    made, images = torch.zeros(1, 1, 32, 32), domains.val.a
    row = frechet_row(made, images[:1], domains.val.b, images, eye)
    assert row["value"] is None and row["n"] == 1 and "2 are needed" in row["note"]


def test_the_perfect_translator(domains, eye):
    truth = domains.val.truth
    found = evaluate_translators(translators(truth, truth.b, truth.a), domains, eye, "val")
    for way in ("ab", "ba"):
        assert found[f"ssim_{way}"]["value"] == pytest.approx(1) == found[f"ssim_{way}"]["best"]
        assert found[f"psnr_{way}"]["value"] == float("inf")
        assert found[f"erased_{way}"]["value"] == found[f"invented_{way}"]["value"] == 0
        assert found[f"frechet_{way}"]["value"] == pytest.approx(0, abs=1e-3)
        assert found[f"frechet_{way}"]["worst"] > found[f"frechet_{way}"]["best"] > 0
    assert found["cycle_l1"]["value"] == pytest.approx(0, abs=1e-6)
    without = evaluate_translators(translators(truth, truth.b, truth.a), domains, None, "val")
    assert without == {name: row for name, row in found.items() if not name.startswith("frechet")}


def test_the_eraser_is_found_out_though_nothing_else_changes_much(domains, eye):
    truth = domains.val.truth
    found = evaluate_translators(translators(truth, truth.healthy_b, truth.healthy_a), domains, eye, "val")
    assert found["erased_ab"]["value"] == found["erased_ba"]["value"] == 1
    assert found["invented_ab"]["value"] == 0 and found["ssim_ab"]["value"] > 0.95
    assert found["error_inside_ab"]["value"] > 0.15 and found["error_outside_ab"]["value"] < 0.001


def test_leaving_the_image_alone_is_the_worst_row(domains):
    part = domains.val
    row = against_truth(torch.from_numpy(part.truth.a) / 255, part, "b")
    for name in ("ssim", "psnr", "error_inside", "error_outside"):
        assert row[name]["value"] == pytest.approx(row[name]["worst"], abs=1e-6)
    floor = baselines(domains, "val")
    assert floor["left alone"]["ssim_ab"]["value"] == pytest.approx(row["ssim"]["value"])
    assert floor["lookup"]["psnr_ab"]["value"] > floor["histogram matching"]["psnr_ab"]["value"]


def test_one_direction_has_no_cycle(domains, eye):
    truth = domains.val.truth
    found = evaluate_translators(Translators(to_a=Known(truth.b, truth.a)), domains, eye, "val")
    assert "ssim_ba" in found and "ssim_ab" not in found and "cycle_l1" not in found


def test_frechet_columns_hold_equally_many_images(domains, eye):
    a, b = domains.val.a[:20], domains.val.b[:12]
    row = frechet_row(torch.from_numpy(a) / 255, a, b, domains.train.b, eye)
    assert row["n"] == 12 and row["value"] == pytest.approx(row["worst"])


class Brightness(nn.Module):
    """A classifier that calls bright images class 1."""

    def forward(self, x):
        level = 20 * (x.mean((1, 2, 3)) - 0.5)
        return torch.stack([-level, level], 1)


def test_auc_counts_pairs_in_the_right_order():
    dark, bright = (np.full((6, 1, 8, 8), level, np.uint8) for level in (50, 200))
    row = domain_auc(Brightness(), dark, bright)
    assert row == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert domain_auc(Brightness(), bright, dark)["value"] == 0
    assert domain_auc(Brightness(), bright, bright)["value"] == 0.5
    assert domain_auc(Brightness(), dark, bright, classes=((1,), (0,)))["value"] == 0


def test_a_convincing_translation_brings_the_auc_to_the_other_end():
    rng = np.random.default_rng(0)
    a, b = (np.repeat(rng.integers(*ends, (9, 1, 1, 1)), 16 * 16).reshape(9, 1, 16, 16).astype(np.uint8)
            for ends in ((20, 90), (160, 240)))  # fmt: skip
    part = Part(a, b)
    two = Domains("dark", "bright", part, part, part)
    swap = Translators(Known(a, b[::-1]), Known(b, a[::-1]))
    rows = class_change(swap, two, Brightness())
    assert rows["domain_auc"]["value"] == 1 and rows["domain_auc_translated"]["value"] == 0
    nothing = Translators(Known(a, a), Known(b, b))
    assert class_change(nothing, two, Brightness())["domain_auc_translated"]["value"] == 1


def test_known_gives_the_other_contrast():
    arrays = [np.full((1, 1, 16, 16), level, np.uint8) for level in range(5)]
    part = Part(arrays[0], arrays[1], Truth(*arrays[:2], arrays[2], arrays[3], arrays[4]))
    assert [x.max() for x in evaluation.known(part, "b")] == [0, 1, 4, 2]
    assert [x.max() for x in evaluation.known(part, "a")] == [1, 0, 3, 2]


def test_the_eye_of_another_size_is_trained_and_knows_contrasts(monkeypatch):
    monkeypatch.setattr(sources, "PHANTOM_COUNTS", {"train": 8, "val": 8, "test": 40})
    monkeypatch.setattr(translation_eye, "SLICES", 512)
    monkeypatch.setattr(translation_eye, "EPOCHS", 6)
    data = datasets.load("phantom", size=28)
    eye = translation_eye.translation_eye(data)
    t1w, t2w = (classification.probabilities(eye, x) for x in (data.test.images, data.test.extras["paired"]))
    assert t1w[:, :2].sum(1).min() > t2w[:, :2].sum(1).max()
