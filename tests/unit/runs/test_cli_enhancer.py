"""`medgen train enhancer`, `enhance` and `evaluate`: grey, RGB, the phantom's lesions, mistakes in a line."""

import json

import numpy as np
import pytest

from medgen_course.cli import main
from medgen_course.datasets import sources

SMALL = ["--num-epochs", "1", "--device", "cpu"]


def words(own, out, *more):
    return ["train", "enhancer", "--dataset", str(own), "--out", str(out), *SMALL, *more]


@pytest.fixture(scope="module", params=[1, 3])
def own(request, tmp_path_factory):
    """Grey or RGB ramps, smooth, so that a coarse one tells nearly all."""
    folder, rng = tmp_path_factory.mktemp("enhancer"), np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 96), ("val", 12), ("test", 12)):
        ramp = np.linspace(20, 220, 28) * rng.random((count, 28, 1))
        images = ramp if request.param == 1 else np.repeat(ramp[..., None], 3, axis=3)
        arrays |= {f"{split}_images": images.astype(np.uint8), f"{split}_labels": np.zeros((count, 1), int)}
    np.savez(folder / "own.npz", **arrays)
    return folder / "own.npz"


@pytest.fixture(scope="module")
def run_folder(own):
    out = own.parent / "run"
    assert main(words(own, out, "--task", "superres", "--strength", "2", "--lambda-adversarial", "0.01")) == 0
    return out


def test_the_run_folder_says_what_it_undoes(run_folder):
    config = json.loads((run_folder / "config.json").read_text())
    assert (config["task"], config["strength"], config["lambda_adversarial"]) == ("superres", 2.0, 0.01)
    assert config["model"]["kind"] == "enhancer"
    assert "loss/adversarial" in (run_folder / "history.csv").read_text()


def test_evaluate(run_folder, capsys):
    assert main(["evaluate", str(run_folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"measured_on", "psnr", "ssim", "frechet", "kernel"}
    assert told == json.loads((run_folder / "metrics.json").read_text())
    row = told["psnr"]
    assert 10 < row["low"] <= row["value"] <= row["high"] < 80 and row["worst"] > 10
    assert told["frechet"]["n"] == 6 and "random" in told["frechet"]["features"]
    assert told["frechet"]["best"] < told["frechet"]["worst"]
    assert main(["evaluate", str(run_folder)]) == 0
    assert "worst: the first guess" in capsys.readouterr().out


def test_enhance_a_coarse_file_and_keep_what_was_measured(own, run_folder, tmp_path, capsys):
    whole = np.load(own)["test_images"].astype(float)
    shape = (12, 14, 2, 14, 2, *whole.shape[3:])
    coarse = whole.reshape(shape).mean((2, 4)).round().astype(np.uint8)
    np.savez(tmp_path / "coarse.npz", images=coarse)
    base = ["enhance", str(run_folder), str(tmp_path / "coarse.npz"), "--out"]
    assert main([*base, str(tmp_path / "free.npz")]) == 0
    assert main([*base, str(tmp_path / "kept.npz"), "--consistent"]) == 0
    assert "images: 12 images, uint8" in capsys.readouterr().out
    free, kept = (np.load(tmp_path / f"{name}.npz")["images"] for name in ("free", "kept"))
    assert free.shape == kept.shape == whole.shape and free.dtype == np.uint8
    assert np.abs(kept.astype(float).reshape(shape).mean((2, 4)) - coarse).max() <= 0.5  # bytes are rounded
    assert not np.array_equal(free, kept)


@pytest.mark.parametrize(
    ("task", "strength"), [("denoise", "0.2"), ("lowdose", "20"), ("mri", "0.3"), ("inpaint", "0.1")]
)
def test_every_task_trains_evaluates_and_enhances(own, tmp_path, capsys, task, strength):
    out = tmp_path / "run"
    assert main(words(own, out, "--task", task, "--strength", strength)) == 0
    assert main(["evaluate", str(out)]) == 0
    made = tmp_path / "made.npz"
    code = main(["enhance", str(out), str(own), "--out", str(made), "--consistent"])
    if task == "inpaint":
        assert code == 2 and "does not say where its hole is" in capsys.readouterr().err
    else:
        assert code == 0 and np.load(made)["test_images"].shape == np.load(own)["test_images"].shape


def test_mistakes_are_one_line(own, run_folder, tmp_path, capsys):
    def fails(words, *expected):
        assert main(words) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1 and all(part in told for part in expected), told

    base = ["enhance", str(run_folder), str(own), "--out"]
    fails([*base, str(tmp_path / "x.npz")], "28 x 28 pixels", "14 x 14 pixels", "[train_images]")
    fails([*base, str(own)], "the file that is to be enhanced", "another name")
    fails([*base, str(tmp_path / "x.png")], "must end in .npz")
    fails(words(own, tmp_path / "r", "--task", "superres", "--strength", "3"), "is 3; give 2 or 4")
    fails(words(own, tmp_path / "r", "--strength", "-1"), "sigma, must lie between 0 and 1")
    fails(words(own, run_folder), "holds a run already")
    fails(["sample", str(run_folder), "--n", "2", "--out", str(tmp_path / "x.npz")], "medgen enhance")
    odd = tmp_path / "odd.npz"
    arrays = {}
    for split in ("train", "val", "test"):
        images = np.random.default_rng(len(arrays)).integers(0, 256, (4, 30, 30), dtype=np.uint8)
        arrays |= {f"{split}_images": images, f"{split}_labels": np.zeros((4, 1), int)}
    np.savez(odd, **arrays)
    fails(
        words(odd, tmp_path / "r", "--task", "superres", "--strength", "4"),
        "30 x 30 pixels have no whole blocks of 4 x 4",
    )
    assert not (tmp_path / "r").exists()


def test_a_longer_run_is_another_run(own, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(words(own, out)) == 0
    longer = [w if w != "1" else "2" for w in words(own, out, "--resume")]
    assert main(longer) == 2
    assert "step_size_falls_over_epochs was 1 and is 2" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:black.npz")
def test_few_black_images_are_measured_as_far_as_they_can_be(tmp_path, capsys):
    arrays = {}
    for split in ("train", "val", "test"):
        images = np.zeros((3, 16, 16), np.uint8)
        arrays |= {f"{split}_images": images, f"{split}_labels": np.zeros((3, 1), int)}
    np.savez(tmp_path / "black.npz", **arrays)
    out = tmp_path / "run"
    assert main(words(tmp_path / "black.npz", out, "--task", "superres")) == 0
    capsys.readouterr()
    assert main(["evaluate", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["frechet"]["value"] is None and "4 are needed" in told["frechet"]["note"]


@pytest.mark.parametrize("name", ["phantom", "phantom-t2w"])
def test_the_phantoms_lesions_are_counted(monkeypatch, tmp_path, capsys, name):
    monkeypatch.setattr(sources, "PHANTOM_COUNTS", {"train": 48, "val": 16, "test": 24})
    out = tmp_path / "run"
    assert main(words(name, out, "--size", "32")) == 0
    capsys.readouterr()
    assert main(["evaluate", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 0 <= told["erased"]["value"] <= 1 and told["invented"]["best"] == 0
