"""`medgen train --normal-class`, `evaluate --anomaly`, `score`: one class learnt, the other found."""

import csv
import json

import numpy as np
import pytest

from medgen_course.cli import main


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Dark ramps, class "fine", and the same with a bright square, class "odd"."""
    folder, rng = tmp_path_factory.mktemp("anomaly"), np.random.default_rng(0)
    arrays = {"label_names": np.array(["fine", "odd"])}
    for split, count in (("train", 96), ("val", 20), ("test", 60)):
        labels = np.arange(count) % 3 // 2  # a third is odd
        images = np.linspace(0, 60, 28) * rng.random((count, 28, 1)) + rng.integers(0, 8, (count, 28, 28))
        images[labels == 1, 10:18, 10:18] += 120
        arrays |= {f"{split}_images": images.astype(np.uint8), f"{split}_labels": labels[:, None]}
    np.savez(folder / "own.npz", **arrays)
    return folder / "own.npz"


def train(own, name, kind, *more):
    out = own.parent / name
    words = ["train", kind, "--dataset", str(own), "--out", str(out), "--latent-dim", "4", "--device", "cpu"]
    assert main([*words, "--num-epochs", "12", "--batch-size", "16", "--learning-rate", "3e-3", *more]) == 0
    return out


@pytest.fixture(scope="module")
def run(own):
    return train(own, "vae", "vae", "--normal-class", "fine")


def test_the_run_says_what_is_normal_and_goes_on_with_that_alone(own, run, capsys):
    config = json.loads((run / "config.json").read_text())
    assert config["normal_class"] == "fine" and "normal_class" not in config["model"]
    words = ["train", "vae", "--dataset", str(own), "--out", str(run), "--latent-dim", "4", "--device", "cpu",
             "--batch-size", "16", "--learning-rate", "3e-3", "--resume", "--num-epochs", "13"]  # fmt: skip
    assert main(words) == 2
    assert "normal_class" in capsys.readouterr().err
    assert main([*words, "--normal-class", "0"]) == 0  # the same class, by its number


def test_evaluate_tells_the_classes_apart(run, capsys):
    assert main(["evaluate", str(run), "--anomaly", "fine", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    scores = {"auroc", "average_precision"}
    assert set(told) == {"measured_on", *scores, *(f"{s}_{n}" for s in scores for n in ("elbo", "kl"))}
    assert told["measured_on"]["normal"] == "fine" and told == json.loads((run / "anomaly.json").read_text())
    row = told["auroc"]
    assert 0.95 < row["low"] <= row["value"] <= row["high"] <= row["best"] == 1 and row["worst"] == 0.5
    assert told["average_precision"]["worst"] == pytest.approx(1 / 3) and "note" not in row
    assert not (run / "metrics.json").exists()
    assert main(["evaluate", str(run), "--anomaly", "0"]) == 0
    assert "worst: chance" in capsys.readouterr().out


def test_a_model_that_saw_all_classes_is_measured_with_a_note(own, capsys):
    out = train(own, "ae", "autoencoder")
    assert main(["evaluate", str(out), "--anomaly", "fine", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.split("medgen evaluate")[-1].partition("\n")[2])
    assert set(told) == {"measured_on", "auroc", "average_precision"}
    assert "--normal-class fine" in told["auroc"]["note"]


def test_score_writes_a_line_an_image_and_the_maps(own, run, tmp_path, capsys):
    out = tmp_path / "scores.csv"
    assert main(["score", str(run), str(own), "--out", str(out)]) == 0
    assert "test_images: 60 images scored" in capsys.readouterr().out
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 176 and set(rows[0]) == {"array", "index", "reconstruction", "elbo", "kl"}
    test = [float(row["reconstruction"]) for row in rows if row["array"] == "test_images"]
    labels = np.load(own)["test_labels"][:, 0]
    assert np.mean(np.array(test)[labels == 1]) > np.mean(np.array(test)[labels == 0])
    maps = np.load(out.with_suffix(".npz"))
    assert maps["test_images"].shape == (60, 28, 28) and maps["test_images"].dtype == np.float32
    peaks = maps["test_images"][labels == 1].reshape(sum(labels), -1).argmax(1)
    assert np.mean((peaks // 28 > 8) & (peaks // 28 < 19) & (peaks % 28 > 8) & (peaks % 28 < 19)) > 0.9
    assert main(["score", str(run), str(own), "--out", str(out)]) == 2
    assert "is there already" in capsys.readouterr().err


def one_line(capsys):
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told


@pytest.mark.parametrize(
    ("shape", "says"),
    [((3, 28, 28, 3), "expected uint8 (N, 1, 28, 28)"), ((3, 32, 32), "expected uint8 (N, 1, 28, 28)")],
)
def test_images_of_another_kind_are_refused_in_one_line(run, tmp_path, shape, says, capsys):
    np.savez(tmp_path / "other.npz", images=np.zeros(shape, np.uint8))
    words = ["score", str(run), str(tmp_path / "other.npz"), "--out", str(tmp_path / "s.csv")]
    assert main(words) == 2
    told = one_line(capsys)
    assert says in told and "other.npz [images]" in told and not (tmp_path / "s.csv").exists()


def test_an_all_black_image_is_scored_like_any_other(run, tmp_path):
    np.savez(tmp_path / "black.npz", images=np.zeros((2, 28, 28), np.uint8))
    assert main(["score", str(run), str(tmp_path / "black.npz"), "--out", str(tmp_path / "b.csv")]) == 0
    assert "nan" not in (tmp_path / "b.csv").read_text()


def test_what_cannot_be_is_refused_in_one_line(own, run, tmp_path, capsys):
    assert main(["evaluate", str(run), "--anomaly", "healthy"]) == 2
    assert "0 fine; 1 odd" in one_line(capsys)
    assert main(["score", str(run), str(own), "--out", str(tmp_path / "s.txt")]) == 2
    assert "must end in .csv" in one_line(capsys)
    words = ["train", "vae", "--dataset", str(own), "--out", str(tmp_path / "x"), "--normal-class", "good"]
    assert main(words) == 2
    assert "no training images of a class 'good'" in one_line(capsys)
    arrays = dict(np.load(own)) | {f"{s}_labels": np.zeros_like(np.load(own)[f"{s}_labels"])
                                   for s in ("train", "val", "test")}  # fmt: skip
    np.savez(tmp_path / "one.npz", **arrays)
    assert main(["evaluate", str(run), "--anomaly", "fine", "--dataset", str(tmp_path / "one.npz")]) == 2
    assert "one class only" in one_line(capsys)


def test_a_model_without_a_score_says_who_has_one(own, tmp_path, capsys):
    out = tmp_path / "gan"
    words = [
        "train",
        "gan",
        "--dataset",
        str(own),
        "--out",
        str(out),
        "--num-epochs",
        "1",
        "--batch-size",
        "32",
    ]
    assert main(words) == 0
    capsys.readouterr()
    assert main(["score", str(out), str(own), "--out", str(tmp_path / "s.csv")]) == 2
    assert "cannot score; those that can: autoencoder, linear_autoencoder, vae" in one_line(capsys)
