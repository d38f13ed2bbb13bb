import json
import subprocess
import sys

import numpy as np
import pytest

from medgen_course import cli, doctor, home


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A small own data set: discs of random grey on black; one image stands twice in train, and in val."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:28, :28] - 13.5
    disc = (x**2 + y**2 < 100).astype(float)

    def draw(count):
        grey = generator.uniform(60, 250, (count, 1, 1)) + generator.normal(0, 2, (count, 28, 28))
        return (disc * grey).round().clip(0, 255).astype(np.uint8)

    train, val, test = draw(64), draw(8), draw(8)
    train[1] = val[0] = train[0]
    path = tmp_path_factory.mktemp("images") / "discs.npz"
    arrays = {}
    for name, part in (("train", train), ("val", val), ("test", test)):
        arrays[f"{name}_images"], arrays[f"{name}_labels"] = part, np.arange(len(part))[:, None] % 2
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def run_folder(images, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "ae"
    words = ["train", "autoencoder", "--dataset", str(images), "--out", str(out), "--num-epochs", "2"]
    assert cli.main([*words, "--latent-dim", "2", "--batch-size", "16", "--device", "cpu"]) == 0
    return out


def test_data_json(images, capsys):
    assert cli.main(["data", str(images), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"name", "source", "splits", "audit"}
    assert told["name"] == "discs.npz"
    assert told["splits"]["train"]["count"] == 64
    assert told["splits"]["test"]["classes"] == {"class 0": 4, "class 1": 4}
    assert told["audit"]["repeats"] == {"train": 1, "val": 0, "test": 0}
    assert told["audit"]["shared"] == {"train-val": 1, "train-test": 0, "val-test": 0}


def test_data_text(images, capsys):
    assert cli.main(["data", str(images)]) == 0
    told = capsys.readouterr().out
    assert "train: 64 images; class 0 32, class 1 32" in told
    assert "shared between splits: train-val 1, train-test 0, val-test 0" in told


def test_training_writes_a_run_and_leaves_an_existing_one_alone(images, run_folder, capsys):
    assert {path.name for path in run_folder.iterdir()} >= {"model.safetensors", "config.json", "history.csv"}
    before = {path.name: path.read_bytes() for path in run_folder.iterdir()}
    words = ["train", "autoencoder", "--dataset", str(images), "--out", str(run_folder)]
    assert cli.main(words) == 2
    told = capsys.readouterr().err
    assert told.startswith("medgen: ") and "--resume" in told and told.count("\n") == 1
    assert {path.name: path.read_bytes() for path in run_folder.iterdir()} == before


def test_the_seed_decides_the_weights(images, tmp_path):
    def train(name, seed, *more):
        out = tmp_path / name
        words = ["train", "autoencoder", "--dataset", str(images), "--out", str(out), "--seed", seed]
        assert cli.main([*words, "--batch-size", "16", "--device", "cpu", *more]) == 0
        return (out / "model.safetensors").read_bytes()

    first = train("a", "1", "--num-epochs", "2")
    assert train("b", "1", "--num-epochs", "2") == first
    assert train("c", "2", "--num-epochs", "2") != first
    train("d", "1", "--num-epochs", "1")
    assert train("d", "1", "--num-epochs", "2", "--resume") == first


def test_evaluate_prints_what_it_writes(run_folder, capsys):
    assert cli.main(["evaluate", str(run_folder), "--json", "--device", "cpu"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((run_folder / "metrics.json").read_text(encoding="utf-8"))
    assert told.pop("measured_on")["split"] == "test"
    assert set(told) == {"psnr", "ssim", "mse"}
    for name, row in told.items():
        assert row["low"] <= row["value"] <= row["high"]
        assert set(row) == {"value", "low", "high", "worst"} | (set() if name == "psnr" else {"best"})
    assert cli.main(["evaluate", str(run_folder), "--device", "cpu"]) == 0
    assert f"{told['psnr']['value']:.4g}" in capsys.readouterr().out


def test_worst_is_the_mean_training_image(run_folder, images, capsys):
    assert cli.main(["evaluate", str(run_folder), "--json", "--device", "cpu"]) == 0
    worst = json.loads(capsys.readouterr().out)["mse"]["worst"]
    with np.load(images) as arrays:
        mean = arrays["train_images"].mean(0).round() / 255
        expected = ((arrays["test_images"] / 255 - mean) ** 2).mean()
    assert worst == pytest.approx(expected, rel=1e-5)


TRAIN = ["train", "autoencoder", "--dataset", "OWN", "--out", "OUT"]
MISTAKES = {
    "unknown data set": (["data", "pneumoniamnits"], "Did you mean"),
    "missing file": (["data", "no_such.npz"], "no_such.npz"),
    "no run": (["evaluate", "no_such_run"], "Train first"),
    "no such notebook": (["run", "no_such_notebook"], "no notebook"),
    "device": ([*TRAIN, "--device", "abacus"], "abacus"),
    "latent size": ([*TRAIN, "--latent-dim", "0"], "latent_dim is 0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_code_2(mistake, images, tmp_path, capsys):
    words, expected = MISTAKES[mistake]
    words = [{"OWN": str(images), "OUT": str(tmp_path / "out")}.get(word, word) for word in words]
    assert cli.main(words) == 2
    streams = capsys.readouterr()
    assert expected in streams.err and streams.err.count("\n") == 1 and "Traceback" not in streams.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["doctor", "data", "train", "evaluate", "run", "exit codes"]),
        (["train", "autoencoder"], ["--dataset", "--num-epochs", "--seed", "--out", "length of the code"]),
        (["train", "autoencoder"], ["--device ", "--precision", "--devices", "--resume"]),
        (["run"], ["--profile", "{standard,quick}", "--in-place"]),
        (["evaluate"], ["--json"]),
        (["pack"], ["--window", "--group", "start:stop:step", "--allow-repeats", "Hounsfield"]),
    ],
)
def test_help_comes_from_the_docstrings(words, expected, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main([*words, "--help"])
    assert left.value.code == 0
    told = capsys.readouterr().out
    assert all(word in told for word in expected)


def test_help_comes_quickly_and_without_torch():
    watch = "try: cli.main(['--help'])\nfinally: assert 'torch' not in sys.modules"
    command = [sys.executable, "-c", f"import sys\nfrom medgen_course import cli\n{watch}"]
    subprocess.run(command, check=True, capture_output=True)


def test_doctor_finds_a_remedy_for_every_problem(capsys, monkeypatch):
    code = cli.main(["doctor"])
    told = capsys.readouterr().out
    assert code == ("PROBLEM" in told)
    for topic in ("Python", "packages", "torch", "GPU", "torchvision", "kernel", "images", "disk"):
        assert topic in told
    monkeypatch.setattr(doctor, "OLDEST_PYTHON", (99, 0))
    monkeypatch.setattr(doctor, "FREE_GB", 1e12)
    monkeypatch.setattr(doctor, "BROWSERS", ("no-such-browser",))
    marks = {finding.topic: finding for finding in doctor.examine()}
    assert [marks[topic].mark for topic in ("Python", "disk", "browser")] == ["PROBLEM", "PROBLEM", "note"]
    assert all(finding.remedy for finding in marks.values() if finding.mark == "PROBLEM")
    assert cli.main(["doctor"]) == 1


def test_doctor_of_an_installation_knows_no_constraints_and_names_the_wheel(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda _: ["no-such-package"])
    [finding] = doctor._packages()
    assert "constraints.txt" in finding.remedy and doctor.constraints()["torch"]
    monkeypatch.setattr(home, "PACKAGE", tmp_path / "site-packages" / "medgen_course")
    [finding] = doctor._packages()
    assert finding.remedy.endswith(".whl") and doctor.constraints() == {}


def test_doctor_tells_a_foreign_kernel(monkeypatch, tmp_path):
    (tmp_path / "kernels" / "python3").mkdir(parents=True)
    spec = {"argv": ["/elsewhere/python"], "display_name": "foreign", "language": "python"}
    (tmp_path / "kernels" / "python3" / "kernel.json").write_text(json.dumps(spec))
    assert [finding.mark for finding in doctor._kernel()] == ["ok"]
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    [finding] = doctor._kernel()
    assert finding.mark == "PROBLEM" and "/elsewhere/python" in finding.text and finding.remedy


def test_doctor_tells_a_broken_torchvision(monkeypatch, tmp_path):
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    (tmp_path / "torchvision-0.1.dist-info").mkdir()
    (tmp_path / "torchvision-0.1.dist-info" / "METADATA").write_text("Name: torchvision\nVersion: 0.1\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    [finding] = doctor._torchvision()
    assert finding.mark == "PROBLEM"
    assert "nms does not exist" in finding.text and "uninstall torchvision" in finding.remedy
