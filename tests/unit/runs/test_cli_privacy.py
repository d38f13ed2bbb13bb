"""`medgen audit`: members stand out where a network has learnt few images by heart; bad input is one line."""

import json

import numpy as np
import pytest

from medgen_course.cli import main
from medgen_course.runs import privacy_audit

ATTACKS = ("distance to samples", "control")


def stripes(rng, count):
    """Images that have nothing in common but their kind: random stripes."""
    return np.repeat(rng.integers(0, 256, (count, 28, 7)), 4, axis=2).astype(np.uint8)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """48 training images, one twice, one in val too."""
    folder, rng, arrays = tmp_path_factory.mktemp("privacy"), np.random.default_rng(0), {}
    for split, count in (("train", 48), ("val", 121), ("test", 20)):
        arrays |= {f"{split}_images": stripes(rng, count), f"{split}_labels": np.arange(count)[:, None] % 2}
    arrays["train_images"][1] = arrays["train_images"][0]
    arrays["val_images"][0] = arrays["train_images"][2]
    np.savez(folder / "own.npz", **arrays)
    return folder / "own.npz"


@pytest.fixture(autouse=True)
def few_samples(monkeypatch):
    monkeypatch.setattr(privacy_audit, "SAMPLES", 256)


def train(own, kind, epochs, *more):
    out = own.parent / kind
    words = ["train", kind, "--dataset", str(own), "--out", str(out), "--device", "cpu", "--batch-size", "16"]
    assert main([*words, "--num-epochs", str(epochs), *more]) == 0
    return out


@pytest.fixture(scope="module")
def vae(own):
    return train(own, "vae", 25, "--latent-dim", "16", "--learning-rate", "3e-3")


def told(folder, capsys, *more):
    capsys.readouterr()
    assert main(["audit", str(folder), "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_a_vae_has_learnt_by_heart_is_found_and_the_control_finds_nothing(vae, capsys):
    found = told(vae, capsys)
    about = found["measured_on"]
    assert about["split"] == "val" and (about["members"], about["others"]) == (46, 120)  # copies left out
    names = {f"{m}, {a}" for m in ("auc", "tpr") for a in ("loss threshold", *ATTACKS)}
    assert set(found) == {"measured_on", "memorisation", *names}
    row = found["auc, loss threshold"]
    assert row["low"] > row["null_high"] > 0.5 > row["null_low"] and row["value"] > 0.8
    control = found["auc, control"]
    assert control["low"] < 0.5 < control["high"]
    assert found["tpr, loss threshold"]["fpr"] <= 0.01
    assert 0 <= found["memorisation"]["low"] <= found["memorisation"]["value"]
    assert told(vae, capsys) == found  # the same once more


def test_the_same_in_words(vae, capsys):
    assert main(["audit", str(vae)]) == 0
    text = capsys.readouterr().out
    assert "auc, loss threshold" in text and "46 training images" in text and "0.5 is guessing" in text


def test_a_gan_is_attacked_through_its_discriminator(own, capsys):
    found = told(train(own, "gan", 2, "--conditional", "--latent-dim", "4"), capsys)
    assert {"auc, discriminator", "tpr, discriminator"} <= set(found)
    assert 0 < found["auc, discriminator"]["value"] < 1


def refused(capsys, *words):
    capsys.readouterr()
    assert main(["audit", *map(str, words)]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    return line


def test_what_cannot_be_audited_is_one_line(own, vae, tmp_path, capsys):
    assert "config.json" in refused(capsys, tmp_path / "nothing")
    arrays = dict(np.load(own))
    np.savez(tmp_path / "other.npz", **arrays | {"train_images": 255 - arrays["train_images"]})
    line = refused(capsys, vae, "--dataset", tmp_path / "other.npz")
    assert "not the images that" in line and "--dataset" in line
    other = train(own, "autoencoder", 1)
    assert "cannot audit; those that can: vae, gan" in refused(capsys, other)


def test_too_few_images_are_no_audit_and_few_others_have_no_tpr(own, tmp_path, capsys):
    arrays = dict(np.load(own))
    for count in (60, 12):
        small = tmp_path / f"{count}.npz"
        np.savez(
            small, **arrays | {f"val_{part}": arrays[f"val_{part}"][:count] for part in ("images", "labels")}
        )
        out = tmp_path / str(count)
        words = ["train", "vae", "--dataset", str(small), "--out", str(out), "--num-epochs", "1"]
        assert main([*words, "--batch-size", "16", "--device", "cpu"]) == 0
    row = told(tmp_path / "60", capsys)["tpr, loss threshold"]
    assert row["value"] is None and "fewer than 100 others" in row["note"]
    assert "found 11 images of val" in refused(capsys, tmp_path / "12")
