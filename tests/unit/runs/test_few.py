"""Images that are few, small, or without classes: the figures that can be had, and why not the others."""

import json

import numpy as np
import pytest

from medgen_course import cli, datasets, explorers
from medgen_course.metrics import classification, fidelity
from medgen_course.models.gan import Generator
from medgen_course.runs import progress


def save(path, size=28, counts=(24, 8, 8), classes=1, channels=1):
    """Ramps, from class to class brighter."""
    rng, arrays = np.random.default_rng(0), {}
    for split, count in zip(("train", "val", "test"), counts, strict=True):
        labels = np.arange(count) % classes
        ramp = np.linspace(0, 120, size) * rng.random((count, size, 1)) + 60 * labels[:, None, None]
        images = ramp if channels == 1 else np.repeat(ramp[..., None], 3, axis=3)
        arrays |= {f"{split}_images": images.astype(np.uint8), f"{split}_labels": labels[:, None]}
    np.savez(path, **arrays)
    return path


def evaluated(kind, own, folder, capsys, *words):
    train = [
        "train",
        kind,
        "--dataset",
        str(own),
        "--out",
        str(folder),
        "--num-epochs",
        "1",
        "--device",
        "cpu",
    ]
    assert cli.main([*train, "--batch-size", "8", *words]) == 0
    capsys.readouterr()
    assert cli.main(["evaluate", str(folder), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures == json.loads((folder / "metrics.json").read_text())
    del figures["measured_on"]
    assert cli.main(["evaluate", str(folder)]) == 0
    return figures, capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:only .* images in each column")
@pytest.mark.parametrize("channels", [1, 3])
def test_a_gan_without_classes_is_measured(tmp_path, capsys, channels):
    own = save(tmp_path / "own.npz", channels=channels)
    figures, told = evaluated("gan", own, tmp_path / "run", capsys)
    assert figures["frechet"]["value"] > 0 and figures["density"]["features"].startswith("a random network")
    assert figures["memorisation"]["value"] is None and "20 are needed" in figures["memorisation"]["note"]
    assert "a random network (no classes to learn from" in told
    assert "memorisation: 8 of 8 held-out images are not in the training split; 20 are needed." in told
    assert "blurred" in told.splitlines()[1]


@pytest.mark.filterwarnings("ignore:only .* images in each column")
@pytest.mark.parametrize("count", [1, 2])
def test_a_gan_of_very_few_test_images_keeps_what_it_can(tmp_path, capsys, count):
    own = save(tmp_path / "own.npz", counts=(24, 1, count), classes=2)
    figures, told = evaluated("gan", own, tmp_path / "run", capsys)
    assert (figures["frechet"]["value"] is None) == (count == 1)
    assert figures["coverage"]["value"] is None and f"{count} images; 6 are needed" in told


@pytest.mark.parametrize("size", [8, 10])
@pytest.mark.parametrize("kind", ["autoencoder", "vae"])
def test_images_below_the_window_of_ssim_have_all_other_figures(tmp_path, capsys, kind, size):
    own = save(tmp_path / "own.npz", size)
    figures, told = evaluated(kind, own, tmp_path / "run", capsys)
    assert figures["ssim"] == {"value": None, "note": f"images of {size} pixels; SSIM needs 11"}
    assert f"ssim: images of {size} pixels; SSIM needs 11." in told
    assert figures["psnr"]["value"] > figures["psnr"]["low"] - 1e-6 and figures["psnr"]["worst"] > 0
    assert [name for name, row in figures.items() if row["value"] is None] == ["ssim"]


def test_a_bernoulli_vae_claims_no_likelihood(tmp_path, capsys):
    own = save(tmp_path / "own.npz")
    figures, told = evaluated("vae", own, tmp_path / "run", capsys, "--likelihood", "bernoulli")
    for name in ("bits_per_dim", "log_likelihood"):
        assert figures[name] == {"value": None, "note": "a Bernoulli VAE has no likelihood of grey levels"}
    assert "elbo, reconstruction: minus the cross-entropy" in told and "no likelihood" in told
    assert figures["kl"]["value"] >= 0 and "note" not in figures["kl"]
    gaussian, told = evaluated("vae", own, tmp_path / "gaussian", capsys)
    assert gaussian["log_likelihood"]["value"] >= gaussian["elbo"]["value"] and "cross-entropy" not in told


def test_one_test_image_has_no_active_units(tmp_path, capsys):
    figures, told = evaluated("vae", save(tmp_path / "own.npz", counts=(9, 1, 1)), tmp_path / "run", capsys)
    assert figures["active_units"]["value"] is None and "active_units: one image" in told
    assert figures["psnr"]["low"] == figures["psnr"]["value"] == figures["psnr"]["high"]


@pytest.mark.parametrize("counts", [(30, 40, 4), (4, 4, 4)])
def test_the_metric_sandbox_needs_neither_classes_nor_many_images(tmp_path, counts):
    data = datasets.load(save(tmp_path / "own.npz", counts=counts))
    against = fidelity.reference(data, classification.feature_network(data))
    sandbox = explorers.MetricSandbox(against, data.val.labels, data.train.images)
    sandbox.copied.value = 1.0
    known = counts[1] >= 20
    assert (sandbox.measured["memorisation"] == 1.0) if known else (sandbox.measured["memorisation"] is None)
    assert ("needed" in sandbox.picture.text) != known
    sandbox.dropped.value = 1.0
    sandbox.copied.value = 0.0
    assert sandbox.measured == sandbox.usual, "there is no other class to take images from"


def test_a_cyclegan_with_one_test_image_of_a_class_has_every_other_figure(tmp_path, capsys):
    own = save(tmp_path / "own.npz", size=16, counts=(12, 2, 3), classes=2)
    figures, told = evaluated("cyclegan", own, tmp_path / "run", capsys, "--domains", "0,1")
    missing = {name for name, row in figures.items() if row["value"] is None}
    assert missing == {"frechet_ab", "frechet_ba"} and "1 image; 2 are needed" in told
    assert 0 <= figures["domain_auc"]["value"] <= 1 and figures["cycle_l1"]["value"] > 0


def test_the_generator_explorer_asks_a_random_network_for_no_class():
    rng = np.random.default_rng(0)
    eye = classification.random_network(rng.integers(0, 256, (32, 1, 28, 28), dtype=np.uint8))
    walk = explorers.GeneratorExplorer(Generator(1, 28, 8, 2, width=4).eval(), ("one", "two"), eye)
    assert "a classifier takes" not in walk.picture.text and 0 < walk.explained.max() <= 1


def test_progress_speaks_up_when_it_takes_long_and_not_on_stdout(monkeypatch, capsys):
    clock = iter([0.0, 2.0, 6.0, 8.0, 11.5])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    tell = progress.Progress()
    for text in ("one", "two", "three", "four"):
        tell(text)
    streams = capsys.readouterr()
    assert streams.out == "" and streams.err == "6 s  two\n12 s  four\n"


def test_a_long_evaluation_tells_how_far_it_is(tmp_path):
    data, told = datasets.load(save(tmp_path / "own.npz", counts=(30, 4, 25))), []
    against = fidelity.reference(data, classification.feature_network(data), "test")
    with pytest.warns(UserWarning, match="only 25 images"):
        fidelity.evaluate_samples(np.resize(data.train.images, (60, 1, 28, 28)), against, 2, tell=told.append)
    assert told == [f"measured {i} of 5 sets of 25 images" for i in range(1, 6)]
