"""`medgen train progressive`, from images of 16 px to samples of a class; runs that are not done growing."""

import json

import numpy as np
import pytest

from medgen_course.cli import main

WORDS = ["--batch-size", "32", "--latent-dim", "4", "--width", "2", "--level-epochs", "1", "--conditional"]


@pytest.fixture(scope="module", params=[1, 3])
def own(request, tmp_path_factory):
    """Grey or RGB noise of 16 px: class 0 dark, class 1 bright, 3 to 1."""
    folder, rng = tmp_path_factory.mktemp("progressive"), np.random.default_rng(0)
    arrays, end = {}, () if request.param == 1 else (3,)
    for split, count in (("train", 96), ("val", 32), ("test", 32)):
        labels = (np.arange(count) % 4 == 3).astype(np.uint8)
        bright = 100 * labels.reshape(-1, *[1] * (2 + len(end)))
        arrays[f"{split}_images"] = (rng.integers(0, 100, (count, 16, 16, *end)) + bright).astype(np.uint8)
        arrays[f"{split}_labels"] = labels[:, None]
    np.savez(folder / "own.npz", **arrays)
    return folder / "own.npz"


def train(own, out, epochs, *words):
    given = ["train", "progressive", "--dataset", str(own), "--out", str(out), "--num-epochs", str(epochs)]
    return main([*given, *WORDS, *words])


@pytest.mark.filterwarnings("ignore:only 32 images in each column")
def test_train_evaluate_sample(own, tmp_path, capsys):
    assert train(own, tmp_path / "run", 3, "--objective", "hinge") == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["model"]["kind"] == "progressive" and config["level_epochs"] == 1
    assert "level" in (tmp_path / "run" / "history.csv").read_text().splitlines()[0]
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run"), "--json"]) == 0
    assert {"coverage", "density", "memorisation"} <= set(json.loads(capsys.readouterr().out))
    words = ["sample", str(tmp_path / "run"), "--n", "4", "--label", "1", "--out", str(tmp_path / "x.npz")]
    assert main(words) == 0
    made = np.load(tmp_path / "x.npz")
    assert made["images"].shape[:3] == (4, 16, 16) and made["labels"].sum() == 4


def test_growing_takes_more_epochs(own, tmp_path, capsys):
    assert train(own, tmp_path / "run", 2) == 2
    told = capsys.readouterr().err
    assert "num_epochs is 2; growing over 8, 16 pixels takes 2" in told and told.count("\n") == 1


def test_a_side_that_cannot_be_grown_to(tmp_path, capsys):
    images = {
        f"{s}_images": np.random.default_rng(0).integers(0, 255, (8, 20, 20))
        for s in ("train", "val", "test")
    }
    arrays = {k: v.astype(np.uint8) for k, v in images.items()}
    np.savez(
        tmp_path / "own.npz",
        **arrays,
        **{k.replace("images", "labels"): np.arange(8)[:, None] % 2 for k in arrays},
    )
    assert train(tmp_path / "own.npz", tmp_path / "run", 9) == 2
    told = capsys.readouterr().err
    assert "size is 20 pixels; growing starts at 7 or 8" in told and told.count("\n") == 1


def test_a_run_that_was_stopped_before_all_had_grown(own, tmp_path, capsys):
    """It draws small images, is not measured, and goes on."""
    from medgen_course.runs.opening import load
    from medgen_course.training import RunFolder

    assert train(own, tmp_path / "run", 3) == 0
    model, _ = load(tmp_path / "run")
    model.level.fill_(0.0)
    RunFolder(tmp_path / "run").save_model({"generator_ema": model})
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert "has grown to 8 px of 16" in told and told.count("\n") == 1
    words = ["sample", str(tmp_path / "run"), "--n", "4", "--out", str(tmp_path / "x.npz")]
    assert main(words) == 0 and np.load(tmp_path / "x.npz")["images"].shape[:3] == (4, 8, 8)
