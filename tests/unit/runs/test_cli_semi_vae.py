"""`medgen train semi_vae`, `evaluate` and `sample`, from an own file to samples of a class."""

import json

import numpy as np
import pytest

from medgen_course.cli import main


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Ramps: those of class 1 are brighter."""
    folder, rng, arrays = tmp_path_factory.mktemp("semi"), np.random.default_rng(0), {}
    for split, count in (("train", 96), ("val", 12), ("test", 24)):
        labels = np.arange(count) % 2
        ramp = np.linspace(20, 110, 12) * (0.5 + rng.random((count, 12, 1))) + 80 * labels[:, None, None]
        arrays |= {f"{split}_images": ramp.astype(np.uint8), f"{split}_labels": labels[:, None]}
    np.savez(folder / "own.npz", **arrays)
    return folder / "own.npz"


@pytest.fixture(scope="module")
def run_folder(own):
    words = ["train", "semi_vae", "--dataset", str(own), "--out", str(own.parent / "run"), "--labelled", "6"]
    assert (
        main([*words, "--num-epochs", "20", "--batch-size", "16", "--latent-dim", "4", "--device", "cpu"])
        == 0
    )
    return own.parent / "run"


def test_six_labels_tell_bright_from_dark(run_folder, capsys):
    config = json.loads((run_folder / "config.json").read_text())
    assert config["labelled"] == 6 and config["alpha"] == 10 and config["model"]["kind"] == "semi_vae"
    assert main(["evaluate", str(run_folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((run_folder / "metrics.json").read_text())
    del told["measured_on"]
    assert set(told) == {"auc", "accuracy", "elbo", "bits_per_dim"}
    assert all(row["low"] <= row["value"] <= row["high"] for row in told.values())
    assert told["auc"]["value"] > 0.9 and told["accuracy"]["worst"] == 0.5
    assert told["bits_per_dim"]["value"] < 8, "more than uniform noise would need"
    assert main(["evaluate", str(run_folder)]) == 0
    assert "of q(y|x)" in capsys.readouterr().out


def test_samples_are_of_the_class_that_is_asked_for(run_folder, tmp_path, capsys):
    def drawn(name, *more):
        assert main(["sample", str(run_folder), "--n", "40", "--out", str(tmp_path / name), *more]) == 0
        return np.load(tmp_path / name)

    both = drawn("a.npz")
    assert both["images"].shape == (40, 12, 12) and sorted(both["labels"][:, 0]) == [0] * 20 + [1] * 20
    dark, bright = drawn("b.npz", "--label", "0"), drawn("c.npz", "--label", "1")
    assert set(bright["labels"][:, 0]) == {1} and bright["images"].mean() > dark["images"].mean()
    assert np.array_equal(both["images"], drawn("d.npz", "--seed", "0")["images"])
    assert (
        main(["sample", str(run_folder), "--n", "1", "--label", "2", "--out", str(tmp_path / "e.npz")]) == 2
    )
    assert "label is 2; this one knows 0 to 1" in capsys.readouterr().err


def test_a_run_goes_on(own, run_folder):
    words = [
        "train",
        "semi_vae",
        "--dataset",
        str(own),
        "--out",
        str(run_folder),
        "--labelled",
        "6",
        "--resume",
    ]
    assert (
        main([*words, "--num-epochs", "21", "--batch-size", "16", "--latent-dim", "4", "--device", "cpu"])
        == 0
    )
    assert len((run_folder / "history.csv").read_text().splitlines()) == 22


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--labelled", "1"], "n is 1; with 2 classes give at least 2"),
        (["--alpha", "-1"], "alpha must lie at or above 0"),
        (["--normal-class", "0"], "one class"),
    ],
)
def test_mistakes_are_one_line(own, words, message, tmp_path, capsys):
    assert main(["train", "semi_vae", "--dataset", str(own), "--out", str(tmp_path / "x"), *words]) == 2
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1
