"""The table of kinds: a new one is a line, and every verb of the shell then knows it."""

import json

import numpy as np
import pytest
import tiny_kind  # noqa: F401  (the table names it)

from medgen_course.cli import main
from medgen_course.runs.kinds import KINDS, kinds_with


@pytest.fixture
def own(tmp_path):
    rng, arrays = np.random.default_rng(0), {}
    for split, count in (("train", 32), ("val", 8), ("test", 8)):
        images = rng.integers(90, 110, (count, 28, 28))
        arrays |= {f"{split}_images": images.astype(np.uint8), f"{split}_labels": np.zeros((count, 1), int)}
    np.savez(tmp_path / "own.npz", **arrays)
    return tmp_path / "own.npz"


def test_one_line_makes_a_kind_that_trains_evaluates_and_samples(own, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(KINDS, "tiny", "tiny_kind")
    run, drawn = tmp_path / "run", tmp_path / "drawn.npz"
    words = ["train", "tiny", "--dataset", str(own), "--out", str(run), "--brightness", "0.5"]
    assert main([*words, "--num-epochs", "4", "--device", "cpu"]) == 0
    config = json.loads((run / "config.json").read_text())
    assert config["brightness"] == 0.5 and config["batch_size"] == 8 and config["model"]["kind"] == "tiny"
    capsys.readouterr()
    assert main(["evaluate", str(run), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["mse"]["value"] < 0.01
    assert main(["evaluate", str(run)]) == 0
    assert f"the tiny kind knows one figure: {told['mse']['value']:.3f}" in capsys.readouterr().out
    assert main(["sample", str(run), "--n", "3", "--out", str(drawn)]) == 0
    assert np.load(drawn)["images"].shape == (3, 28, 28)
    assert abs(np.load(drawn)["images"].mean() - 50) < 3  # half as bright as the images
    assert main(["translate", str(run), str(own), "--to", "b", "--out", str(tmp_path / "x.npz")]) == 2
    assert "which cannot translate; those that can: cyclegan, pix2pix" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["train", "tiny", "--help"])
    told = capsys.readouterr().out
    assert all(word in told for word in ("--brightness", "of the tiny kind alone", "--precision", "--resume"))


def test_without_the_line_nothing_knows_it(own, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["train", "tiny", "--dataset", str(own), "--out", str(tmp_path / "run")])
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"model": {"kind": "tiny"}}')
    assert main(["evaluate", str(tmp_path / "run")]) == 2
    assert "the model is 'tiny'; known are autoencoder" in capsys.readouterr().err


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_says_how_its_figures_are_read(name):
    kind = kinds_with("evaluate")[name]
    assert kind.LEGEND and kind.SHOWN and callable(kind.load)
    assert hasattr(kind, "SETTINGS") == hasattr(kind, "train")
