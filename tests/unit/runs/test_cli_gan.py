"""`medgen train gan`, `evaluate` and `sample`, from an own file to samples of a class."""

import json

import numpy as np
import pytest

from medgen_course.cli import main
from medgen_course.training.recorder import Recording

KEYS = {"measured_on", "frechet", "kernel", "precision", "recall", "density", "coverage", "memorisation"}


@pytest.fixture(scope="module", params=[1, 3])
def own(request, tmp_path_factory):
    """Grey or RGB ramps: class 0 dark, class 1 bright, 3 to 1."""
    folder, rng = tmp_path_factory.mktemp("gan"), np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 128), ("val", 32), ("test", 32)):
        labels = (np.arange(count) % 4 == 3).astype(np.uint8)
        ramp = np.linspace(0, 100, 28) * rng.random((count, 28, 1)) + 100 * labels[:, None, None]
        images = ramp if request.param == 1 else np.repeat(ramp[..., None], 3, axis=3)
        arrays |= {f"{split}_images": images.astype(np.uint8), f"{split}_labels": labels[:, None]}
    np.savez(folder / "own.npz", **arrays)
    return folder


@pytest.fixture(scope="module")
def run_folder(own):
    words = ["train", "gan", "--dataset", str(own / "own.npz"), "--out", str(own / "run"), "--conditional"]
    assert main([*words, "--num-epochs", "3", "--latent-dim", "4", "--batch-size", "32"]) == 0
    return own / "run"


def test_the_run_is_recorded(run_folder):
    recording = Recording.load(run_folder / "recording.safetensors")
    assert recording.moments[0] == 1 and recording.moments[-1] == 12
    assert recording.about["objective"] == "non_saturating"
    assert "loss/generator" in (run_folder / "history.csv").read_text()


def test_a_resumed_run_keeps_its_recording(own, run_folder):
    words = ["train", "gan", "--dataset", str(own / "own.npz"), "--out", str(run_folder), "--conditional"]
    assert main([*words, "--num-epochs", "4", "--latent-dim", "4", "--batch-size", "32", "--resume"]) == 0
    recording = Recording.load(run_folder / "recording.safetensors")
    assert recording.moments[0] == 1 and recording.moments[-1] == 16


@pytest.mark.filterwarnings("ignore:only 32 images in each column")
def test_evaluate_gives_every_figure_with_its_ends(run_folder, capsys):
    assert main(["evaluate", str(run_folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == KEYS and told == json.loads((run_folder / "metrics.json").read_text())
    for row in (told[name] for name in KEYS - {"measured_on"}):
        assert row["low"] <= row["value"] <= row["high"] and {"best", "worst", "blurred"} <= set(row)
        assert row["n"] == 32
    assert told["frechet"]["best"] < told["frechet"]["worst"]
    assert told["coverage"]["best"] > told["coverage"]["worst"]


@pytest.mark.filterwarnings("ignore:only 32 images in each column")
def test_evaluate_as_a_table(run_folder, capsys):
    assert main(["evaluate", str(run_folder)]) == 0
    told = capsys.readouterr().out
    assert "memorisation" in told and "32 images in every column" in told


def drawn(run_folder, tmp_path, *words):
    file = tmp_path / "samples.npz"
    file.unlink(missing_ok=True)
    assert main(["sample", str(run_folder), "--n", "8", "--out", str(file), *words]) == 0
    return dict(np.load(file))


def test_samples_have_the_training_proportions_or_the_class_asked_for(run_folder, tmp_path):
    channels = json.loads((run_folder / "config.json").read_text())["model"]["channels"]
    mixed = drawn(run_folder, tmp_path)
    assert mixed["images"].shape == ((8, 28, 28) if channels == 1 else (8, 28, 28, 3))
    assert mixed["labels"].shape == (8, 1) and mixed["labels"].sum() == 2
    assert drawn(run_folder, tmp_path, "--label", "1")["labels"].sum() == 8
    again = drawn(run_folder, tmp_path)
    assert np.array_equal(mixed["images"], again["images"])
    assert not np.array_equal(mixed["images"], drawn(run_folder, tmp_path, "--seed", "1")["images"])


def test_an_unknown_class_is_one_line(run_folder, tmp_path, capsys):
    words = ["sample", str(run_folder), "--n", "2", "--out", str(tmp_path / "x.npz"), "--label", "2"]
    assert main(words) == 2
    told = capsys.readouterr().err
    assert "label is 2; this one knows 0 to 1" in told and told.count("\n") == 1


@pytest.mark.parametrize("objective", ["hinge", "wasserstein_gp"])
def test_objectives_from_the_shell_without_classes(own, tmp_path, objective, capsys):
    out = tmp_path / "run"
    words = ["train", "gan", "--dataset", str(own / "own.npz"), "--out", str(out), "--objective", objective]
    assert main([*words, "--num-epochs", "1", "--batch-size", "32", "--augment"]) == 0
    assert json.loads((out / "config.json").read_text())["objective"] == objective
    file = drawn(out, tmp_path)
    assert "labels" not in file
    assert main(["sample", str(out), "--n", "2", "--out", str(tmp_path / "x.npz"), "--label", "0"]) == 2
    assert "trained without classes" in capsys.readouterr().err
