"""No silent wrong number, nothing lost: what users can do to the shell, and what it must answer."""

import hashlib
import json
import os
import shutil
import signal

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from medgen_course import cli, datasets, runs
from medgen_course.batches import Sampler
from medgen_course.datasets import fetch
from medgen_course.files import write_text
from medgen_course.metrics import classification, translation_eye
from medgen_course.models.autoencoder import Autoencoder, AutoencoderAlgorithm
from medgen_course.training import TrainingDiverged, checkpoints, fit


def save(path, classes=2, size=28, count=24, empty=None):
    """Noise with labels that go round; `empty` is a class that no training image has."""
    rng, arrays = np.random.default_rng(0), {}
    for split in ("train", "val", "test"):
        labels = np.arange(count) % classes
        if split == "train" and empty is not None:
            labels[labels == empty] = 0
        arrays[f"{split}_images"] = rng.integers(0, 256, (count, size, size), dtype=np.uint8)
        arrays[f"{split}_labels"] = labels[:, None]
    np.savez(path, **arrays)
    return path


def one_line(capsys, *parts):
    told = capsys.readouterr().err
    assert told.startswith("medgen: ") and told.count("\n") == 1 and all(part in told for part in parts), told


@pytest.mark.parametrize("name", ["pneumoniamnist", "phantom"])
def test_the_name_of_an_own_file_picks_no_weights(tmp_path, monkeypatch, name):
    trained = []
    monkeypatch.setattr(classification, "train_classifier", lambda *a, **k: trained.append(a) or "trained")
    own = datasets.load(save(tmp_path / f"{name}.npz", classes=5))
    assert own.name == f"{name}.npz" and own.name not in datasets.names()
    assert classification.feature_network(own) == "trained" and len(trained) == 1
    assert translation_eye.translation_eye(own) == "trained"


def test_an_official_file_is_known_by_its_checksum_whatever_it_is_called(tmp_path, monkeypatch):
    path = save(tmp_path / "renamed.npz")
    info = {name: dict(entry) for name, entry in fetch.medmnist_info().items()}
    info["breastmnist"]["MD5"] = fetch.md5(path)
    monkeypatch.setattr(fetch, "medmnist_info", lambda: info)
    data = datasets.load(path)
    assert data.name == "breastmnist" and data.label_names == tuple(info["breastmnist"]["label"].values())
    assert "renamed.npz" in data.source


def test_weights_that_are_lost_in_the_last_update_stop_the_run(tmp_path, capsys):
    own = str(save(tmp_path / "own.npz"))
    words = ["train", "vae", "--dataset", own, "--out", str(tmp_path / "run"), "--num-epochs", "1"]
    assert cli.main([*words, "--learning-rate", "1e6", "--device", "cpu"]) == 2
    one_line(capsys, "NaN or infinite", "Lower the learning rate")
    assert not (tmp_path / "run" / "model.safetensors").exists()


class Logging(AutoencoderAlgorithm):
    """Logs three values, in another order every time; `more` a fourth one at times."""

    more = False
    count = 0

    def step(self, batch, backward):
        super().step(batch, backward)
        self.count += 1
        logs = {f"value{i}": torch.tensor(float(i)) for i in np.roll([0, 1, 2], self.count)}
        return logs | ({"extra": torch.tensor(0.0)} if self.more and self.count == 3 else {})


def test_logged_values_go_by_their_names(tmp_path):
    data = datasets.load(save(tmp_path / "own.npz"))
    algorithm = Logging(Autoencoder(1, 28, 2), 1e-3)
    history = fit(algorithm, Sampler(data.train, 4), 1, device="cpu", progress=False)
    assert [history[f"value{i}"] for i in range(3)] == [[0.0], [1.0], [2.0]]
    algorithm.more, algorithm.count = True, 0
    with pytest.raises(ValueError, match=r"step 3 logs .*extra.*the steps before logged"):
        fit(algorithm, Sampler(data.train, 4), 1, device="cpu", progress=False)


@pytest.fixture
def autoencoder(tmp_path):
    words = ["train", "autoencoder", "--dataset", str(save(tmp_path / "own.npz")), "--device", "cpu"]
    assert cli.main([*words, "--out", str(tmp_path / "run"), "--num-epochs", "1"]) == 0
    return tmp_path / "run"


def test_figures_of_other_weights_go_when_a_run_goes_on(autoencoder, tmp_path):
    runs.evaluate(autoencoder)
    assert (autoencoder / "metrics.json").exists()
    words = ["train", "autoencoder", "--dataset", str(tmp_path / "own.npz"), "--device", "cpu", "--resume"]
    assert cli.main([*words, "--out", str(autoencoder), "--num-epochs", "2"]) == 0
    assert not (autoencoder / "metrics.json").exists()


def test_figures_are_printed_even_where_they_cannot_be_stored(autoencoder, monkeypatch, capsys):
    def full(folder, figures):
        raise OSError(28, "No space left on device", str(folder / "metrics.json"))

    monkeypatch.setattr(runs, "store", full)
    assert cli.main(["evaluate", str(autoencoder), "--json"]) == 2
    streams = capsys.readouterr()
    assert "psnr" in json.loads(streams.out)
    assert "metrics.json" in streams.err and streams.err.count("\n") == 1


def test_a_killed_run_has_the_weights_of_its_last_whole_epoch(tmp_path, monkeypatch):
    step, steps = AutoencoderAlgorithm.step, iter(range(2))

    def killed(self, batch, backward):
        if next(steps, None) is None:
            raise RuntimeError("killed")
        return step(self, batch, backward)

    monkeypatch.setattr(AutoencoderAlgorithm, "step", killed)
    own = str(save(tmp_path / "own.npz"))
    with pytest.raises(RuntimeError, match="killed"):
        runs.kind_named("autoencoder").train(own, tmp_path / "run", num_epochs=3, device="cpu", batch_size=12)
    assert "psnr" in runs.evaluate(tmp_path / "run").rows
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 2


def test_a_run_killed_in_its_first_epoch_is_told_to_go_on(autoencoder, capsys):
    (autoencoder / "model.safetensors").unlink()
    capsys.readouterr()
    assert cli.main(["evaluate", str(autoencoder)]) == 2
    one_line(capsys, "model.safetensors", "before its first epoch ended", "--resume")


def test_a_class_without_training_images_is_not_drawn(tmp_path, capsys):
    own = save(tmp_path / "own.npz", classes=4, empty=3)
    words = ["train", "gan", "--dataset", str(own), "--out", str(tmp_path / "run"), "--conditional"]
    assert cli.main([*words, "--num-epochs", "1", "--batch-size", "8", "--device", "cpu"]) == 0
    capsys.readouterr()
    draw = ["sample", str(tmp_path / "run"), "--n", "2", "--out", str(tmp_path / "x.npz"), "--label"]
    assert cli.main([*draw, "3"]) == 2
    one_line(capsys, "label is 3", "no training image")
    assert cli.main([*draw, "2"]) == 0


def test_a_translation_does_not_replace_what_it_came_from(autoencoder, tmp_path, capsys):
    own = tmp_path / "own.npz"
    before = own.read_bytes()
    words = ["translate", str(autoencoder), str(own), "--to", "b", "--out", str(tmp_path / "." / "own.npz")]
    assert cli.main(words) == 2
    one_line(capsys, "the file that is to be translated")
    assert own.read_bytes() == before


def test_a_drive_without_file_modes_can_be_written(tmp_path, monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.chmod", refuse)
    for text in ("one", "two"):
        write_text(tmp_path / "file.txt", text)
        assert (tmp_path / "file.txt").read_text() == text


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    write_text(tmp_path / "file.txt", "old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(tmp_path / "file.txt", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]
    assert (tmp_path / "file.txt").read_text() == "old"


def test_weights_of_another_shape_are_one_line(autoencoder, tmp_path, capsys):
    shutil.copytree(autoencoder, tmp_path / "other")
    config = json.loads((tmp_path / "other" / "config.json").read_text())
    config["model"]["latent_dim"] = 3
    (tmp_path / "other" / "config.json").write_text(json.dumps(config))
    assert cli.main(["evaluate", str(tmp_path / "other")]) == 2
    one_line(capsys, "model.latent_dim is 3", "written with 16")


def test_diverged_training_is_an_error_for_callers_too(tmp_path):
    with pytest.raises(TrainingDiverged):
        own, vae = str(save(tmp_path / "own.npz")), runs.kind_named("vae")
        vae.train(own, str(tmp_path / "run"), num_epochs=1, learning_rate=1e6, device="cpu")


def test_figures_say_of_what_they_are(autoencoder, tmp_path, capsys):
    assert cli.main(["evaluate", str(autoencoder), "--json"]) == 0
    stored = json.loads((autoencoder / "metrics.json").read_text())
    assert json.loads(capsys.readouterr().out) == stored
    own = datasets.load(tmp_path / "own.npz")
    about = stored["measured_on"]
    weights = hashlib.sha256((autoencoder / "model.safetensors").read_bytes()).hexdigest()
    assert (about["dataset"], about["split"]) == ("own.npz", "test")
    assert (about["images"], about["weights"]) == (own.checksum, weights)
    other = save(tmp_path / "other.npz", count=12)
    assert cli.main(["evaluate", str(autoencoder), "--dataset", str(other)]) == 0
    assert "other.npz" in capsys.readouterr().out
    about = json.loads((autoencoder / "metrics.json").read_text())["measured_on"]
    assert (about["dataset"], about["images"]) == ("other.npz", datasets.load(other).checksum)


def test_a_file_that_was_replaced_is_noticed(autoencoder, tmp_path, capsys):
    own = save(tmp_path / "own.npz", count=30)
    assert cli.main(["evaluate", str(autoencoder)]) == 2
    one_line(capsys, "own.npz", "other images stand there", "--dataset")
    assert not (autoencoder / "metrics.json").exists()
    assert cli.main(["evaluate", str(autoencoder), "--dataset", str(own)]) == 0
    capsys.readouterr()
    words = ["train", "autoencoder", "--dataset", str(own), "--out", str(autoencoder), "--resume"]
    weights = (autoencoder / "model.safetensors").read_bytes()
    assert cli.main([*words, "--num-epochs", "2", "--device", "cpu"]) == 2
    one_line(capsys, "another run is there", "images was")
    assert (autoencoder / "model.safetensors").read_bytes() == weights


def test_images_that_have_moved_go_on_being_learnt(autoencoder, tmp_path):
    moved = (tmp_path / "own.npz").rename(tmp_path / "moved.npz")
    words = ["train", "autoencoder", "--dataset", str(moved), "--out", str(autoencoder), "--resume"]
    assert cli.main([*words, "--num-epochs", "2", "--device", "cpu"]) == 0
    assert len((autoencoder / "history.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    "changed",
    [["--precision", "bfloat16"], ["--batch-size", "7"], ["--learning-rate", "0.1"], ["--seed", "1"]],
)
def test_a_run_goes_on_with_its_own_settings(autoencoder, tmp_path, capsys, changed):
    words = ["train", "autoencoder", "--dataset", str(tmp_path / "own.npz"), "--out", str(autoencoder)]
    assert cli.main([*words, "--resume", "--num-epochs", "2", "--device", "cpu", *changed]) == 2
    one_line(capsys, "another run is there", changed[0].removeprefix("--").replace("-", "_"))


def test_a_size_that_the_file_does_not_have_is_refused(tmp_path, capsys):
    own = str(save(tmp_path / "own.npz"))
    words = ["train", "vae", "--dataset", own, "--out", str(tmp_path / "run"), "--size", "64"]
    assert cli.main(words) == 2
    one_line(capsys, "size is 64", "own.npz have 28")
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_batch_systems_warning_ends_a_run_like_ctrl_c(tmp_path, monkeypatch, name):
    step, number = AutoencoderAlgorithm.step, getattr(signal, name)
    steps = iter(range(3))

    def warned(self, batch, backward):
        if next(steps, None) is None:
            os.kill(os.getpid(), number)
        return step(self, batch, backward)

    monkeypatch.setattr(AutoencoderAlgorithm, "step", warned)
    words = ["train", "autoencoder", "--dataset", str(save(tmp_path / "own.npz")), "--batch-size", "12"]
    words += ["--out", str(tmp_path / "run"), "--num-epochs", "9", "--device", "cpu"]
    before = signal.signal(number, signal.SIG_DFL)  # whoever started the tests may ignore it
    try:
        assert cli.main(words) == 130
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, before)
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 2
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_a_full_disk_names_the_file(autoencoder, tmp_path, monkeypatch, capsys):
    def full(*_arguments):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(checkpoints, "save_file", full)
    words = ["train", "autoencoder", "--dataset", str(tmp_path / "own.npz"), "--out", str(tmp_path / "new")]
    assert cli.main([*words, "--num-epochs", "1", "--device", "cpu"]) == 2
    one_line(capsys, "No space left on device", str(tmp_path / "new" / "resume.safetensors"))
    assert not list((tmp_path / "new").glob("*.partial"))
