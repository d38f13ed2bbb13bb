"""Scores that an attacker reads off, canaries, and the recorded tables."""

import numpy as np
import pytest
import torch

from medgen_course import pretrained
from medgen_course.datasets import Split
from medgen_course.metrics.trust import attacks, canaries, examination, privacy
from medgen_course.models.gan import Discriminator, Generator
from medgen_course.models.private_vae import ConditionalVAE, elbo
from medgen_course.models.vae import VAE
from medgen_course.training.checkpoints import RunNotFound

RNG = np.random.default_rng(0)


def images(count):
    return RNG.integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)


def test_repeats_and_images_of_other_sets_are_taken_out():
    a, b = images(6), images(3)
    a[4] = a[1]
    b[2] = a[5]
    assert attacks.distinct(a, b).tolist() == [0, 1, 2, 3]
    assert attacks.distinct(a).tolist() == [0, 1, 2, 3, 5]
    assert attacks.distinct(a, a).tolist() == []


def test_an_image_that_was_handed_out_has_distance_zero():
    samples = images(5)
    near = samples[2:3].copy()
    near[0, 0, 0, 0] ^= 255
    found = attacks.by_distance(samples, np.concatenate([samples[:1], near, images(1)]))
    assert found[0] == 0 > found[1] > found[2]
    changed = abs(int(near[0, 0, 0, 0]) - int(samples[2, 0, 0, 0])) / 255
    assert found[1] == pytest.approx(-changed, rel=1e-3)


def test_scores_of_networks_are_theirs_and_the_same_twice():
    torch.manual_seed(0)
    x, y = images(9), np.arange(9) % 2
    judge = Discriminator(1, 28, 2, 4).eval()
    with torch.no_grad():
        expected = judge(torch.from_numpy(x).float() / 255, torch.from_numpy(y)).numpy()
    np.testing.assert_allclose(attacks.by_discriminator(judge, x, y), expected, rtol=1e-4, atol=1e-6)
    model = VAE(1, 28, 2, 4).eval()
    np.testing.assert_array_equal(attacks.by_elbo(model, x), attacks.by_elbo(model, x))
    private = ConditionalVAE(1, 28, 2, 2, 4).eval()
    found = attacks.by_conditional_elbo(private, x, y, draws=1, seed=3)
    noise = torch.randn(9, 2, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        classes = private.one_hot(torch.from_numpy(y))
        expected = elbo(private, torch.from_numpy(x).float() / 255, classes, noise).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_canaries_are_odd_seeded_and_leave_their_images_alone():
    plain = np.full((4, 1, 28, 28), 90, np.uint8)
    before = plain.copy()
    for kind in canaries.KINDS:
        made = canaries.make(kind, plain)
        assert made.shape == plain.shape and made.dtype == np.uint8
        assert (made != plain).any((1, 2, 3)).all()
        np.testing.assert_array_equal(made, canaries.make(kind, plain))
    np.testing.assert_array_equal(plain, before)
    marked = canaries.make("marker", plain)
    assert ((marked == 255).sum((1, 2, 3)) == 17).all() and ((marked == 90) | (marked == 255)).all()
    assert len(np.unique(marked, axis=0)) > 1  # not all in one place
    assert (canaries.make("negative", plain) == 165).all()
    with pytest.raises(ValueError, match="choose noise, marker, negative"):
        canaries.make("lesion", plain)


def test_a_model_that_hands_out_its_images_is_found_and_one_that_does_not_is_at_its_null():
    members, others = Split(images(150), np.zeros(150, int)), Split(images(130), np.zeros(130, int))
    copies = examination.examine(members.images, {}, members.images, members, others)
    assert copies["memorisation"]["value"] == 1 and copies["auc, distance to samples"]["value"] == 1
    assert copies["tpr, distance to samples"]["low"] > 0.9
    honest = examination.examine(images(150), {}, members.images, members, others)
    assert honest["memorisation"]["low"] < 0.05 + 0.05
    for rows in (honest, copies):
        assert rows["auc, control"]["low"] <= 0.5 <= rows["auc, control"]["high"]
    row = honest["auc, distance to samples"]
    assert row["null_low"] < row["value"] < row["null_high"] and row["null_low"] < 0.5 < row["null_high"]


def test_too_few_images_on_a_side_say_how_many_are_needed():
    part = Split(images(30), np.zeros(30, int))
    with pytest.raises(ValueError, match=r"found 0 images of train .* needs 20"):
        examination.sides(part, part)


def test_the_course_s_own_kind_of_gan_can_be_examined():
    torch.manual_seed(0)

    class Data:
        train, val = (Split(images(n), np.arange(n) % 2) for n in (40, 30))

    players = Generator(1, 28, 4, 2, 4).eval(), Discriminator(1, 28, 2, 4).eval()
    found = examination.of_gan(*players, Data, samples=32)
    assert {"memorisation", "auc, discriminator", "auc, distance to samples", "auc, control"} <= set(found)
    assert found["tpr, discriminator"]["value"] is None  # 30 others


def test_tables_come_back_as_they_were_written(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "shelf", lambda: tmp_path)
    with pytest.raises(RunNotFound, match=r"memory\.csv"):
        privacy.load_table("memory")
    path = privacy.table_path("memory")
    path.parent.mkdir()
    path.write_text("model,n,elbo,epsilon\nvae,50,,inf\n")
    assert privacy.load_table("memory") == [{"model": "vae", "n": 50.0, "elbo": None, "epsilon": np.inf}]
