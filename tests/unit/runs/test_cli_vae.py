"""`medgen train vae`, `evaluate` and `sample`, from an own file to samples in MedMNIST's layout."""

import json

import numpy as np
import pytest

from medgen_course.cli import main

KEYS = {
    "measured_on",
    "elbo",
    "bits_per_dim",
    "reconstruction",
    "kl",
    "active_units",
    "log_likelihood",
    "psnr",
    "ssim",
}


@pytest.fixture(scope="module", params=[1, 3])
def run_folder(request, tmp_path_factory):
    """A VAE trained for two epochs on grey or RGB ramps."""
    folder, rng = tmp_path_factory.mktemp("vae"), np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 64), ("val", 16), ("test", 16)):
        ramp = np.linspace(0, 255, 28) * rng.random((count, 28, 1))
        images = ramp if request.param == 1 else np.repeat(ramp[..., None], 3, axis=3)
        arrays |= {
            f"{split}_images": images.astype(np.uint8),
            f"{split}_labels": np.zeros((count, 1), np.uint8),
        }
    np.savez(folder / "own.npz", **arrays)
    words = ["train", "vae", "--dataset", str(folder / "own.npz"), "--out", str(folder / "run")]
    assert main([*words, "--num-epochs", "2", "--latent-dim", "4", "--beta", "2"]) == 0
    return folder / "run"


def test_evaluate_gives_every_figure_and_stores_it(run_folder, capsys):
    assert main(["evaluate", str(run_folder), "--importance-samples", "5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == KEYS and told == json.loads((run_folder / "metrics.json").read_text())
    assert told["elbo"]["value"] == pytest.approx(
        told["reconstruction"]["value"] - told["kl"]["value"], rel=1e-5
    )
    assert told["ssim"]["best"] == 1.0 and told["psnr"]["worst"] > 0
    del told["measured_on"]
    assert all(row["low"] <= row["value"] <= row["high"] for row in told.values())


def test_importance_samples_can_be_left_out(run_folder, capsys):
    assert main(["evaluate", str(run_folder), "--importance-samples", "0", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == KEYS - {"log_likelihood"}


def test_samples_come_in_medmnists_layout_and_repeat_with_their_seed(run_folder, tmp_path):
    channels = json.loads((run_folder / "config.json").read_text())["model"]["channels"]
    shape = (5, 28, 28) if channels == 1 else (5, 28, 28, 3)

    def drawn(name, *seed):
        assert main(["sample", str(run_folder), "--n", "5", "--out", str(tmp_path / name), *seed]) == 0
        return np.load(tmp_path / name)["images"]

    first = drawn("a.npz")
    assert first.dtype == np.uint8 and first.shape == shape
    assert np.array_equal(first, drawn("b.npz", "--seed", "0"))
    assert not np.array_equal(first, drawn("c.npz", "--seed", "1"))
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--n", "0", "--out", "x.npz"], "n is 0"),
        (["--n", "1", "--out", "x.png"], "must end in .npz"),
    ],
)
def test_mistakes_are_one_line(run_folder, words, message, capsys):
    assert main(["sample", str(run_folder), *words]) == 2
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1


def test_an_autoencoder_has_nothing_to_sample(run_folder, tmp_path, capsys):
    own = str(run_folder.parent / "own.npz")
    assert (
        main(["train", "autoencoder", "--dataset", own, "--out", str(tmp_path / "ae"), "--num-epochs", "1"])
        == 0
    )
    assert main(["sample", str(tmp_path / "ae"), "--n", "2", "--out", str(tmp_path / "s.npz")]) == 2
    assert "no prior to draw from" in capsys.readouterr().err


def test_an_unknown_likelihood_is_named(run_folder, tmp_path, capsys):
    own = str(run_folder.parent / "own.npz")
    words = ["train", "vae", "--dataset", own, "--out", str(tmp_path / "v"), "--likelihood", "laplace"]
    assert main(words) == 2
    assert "choose gaussian or bernoulli" in capsys.readouterr().err
