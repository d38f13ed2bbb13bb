"""A run folder that was damaged, edited or written by another version: one line, before anything is built."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from medgen_course import cli, runs
from medgen_course.training import RunError, RunFolder


def save(path, size=16, counts=(12, 4, 6), classes=2):
    rng, arrays = np.random.default_rng(0), {}
    for split, count in zip(("train", "val", "test"), counts, strict=True):
        arrays[f"{split}_images"] = rng.integers(0, 256, (count, size, size), dtype=np.uint8)
        arrays[f"{split}_labels"] = np.arange(count)[:, None] % classes
    np.savez(path, **arrays)
    return str(path)


def train(folder, *words):
    own = save(folder / "own.npz")
    base = ["--dataset", own, "--num-epochs", "1", "--batch-size", "4", "--device", "cpu"]
    assert cli.main(["train", *words, *base, "--out", str(folder / "run")]) == 0
    return folder


@pytest.fixture(scope="module")
def vae(tmp_path_factory):
    return train(tmp_path_factory.mktemp("vae"), "vae", "--latent-dim", "2")


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    return train(tmp_path_factory.mktemp("gan"), "gan", "--latent-dim", "2", "--conditional")


@pytest.fixture
def copy(vae, tmp_path):
    return shutil.copytree(vae / "run", tmp_path / "run")


def one_line(capsys, *parts):
    told = capsys.readouterr().err
    assert told.startswith("medgen: ") and told.count("\n") == 1, told
    assert "bug" not in told and all(part in told for part in parts), told


def changed(of_model=(), **others):
    return lambda config: config | {"model": config["model"] | dict(of_model)} | others


def without(key):
    return lambda config: {"model": {k: v for k, v in config["model"].items() if k != key}}


EDITED = {  # how config.json is changed -> what the line holds
    "a list": (lambda _: [1], ["JSON object", "a list"]),
    "nothing": (lambda _: None, ["JSON object", "a NoneType"]),
    "a number that is none": (lambda c: c | {"beta": float("nan")}, ["NaN is no JSON"]),
    "no model": (lambda c: {"seed": 0}, ["'model' is a required property"]),
    "a model that is a list": (changed(model=[1]), ["model: [1]"]),
    "an unknown kind": (changed({"kind": "transformer"}), ["'transformer'", "known are autoencoder"]),
    "a kind that is a list": (changed({"kind": ["vae"]}), ["['vae']", "known are autoencoder"]),
    "a newer setting": (changed({"depth": 3}), ["'depth' was unexpected", "another version"]),
    "a missing setting": (without("size"), ["'size' is a required property"]),
    "text for a number": (changed({"latent_dim": "x"}), ["model.latent_dim", "'x'", "'integer'"]),
    "a fraction": (changed({"latent_dim": 2.0}), ["model.latent_dim", "2.0", "'integer'"]),
    "true": (changed({"latent_dim": True}), ["model.latent_dim", "True", "'integer'"]),
    "far too much": (changed({"width": 10**9}), ["model.width", "maximum of 1024"]),
    "too little": (changed({"size": 0}), ["model.size", "minimum of 8"]),
    "two channels": (changed({"channels": 2}), ["model.channels", "[1, 3]"]),
    "another likelihood": (
        changed({"likelihood": "bernoulli"}),
        ["model.likelihood is 'bernoulli'", "'gaussian'"],
    ),
    "another size of the same shapes": (changed({"size": 15}), ["model.size is 15", "written with 16"]),
    "a dataset that is a number": (changed(dataset=5), ["dataset: 5", "'string'"]),
    "another beta": (changed(beta=2.0), ["beta is 2.0", "written with 1.0"]),
}


@pytest.mark.parametrize("case", EDITED)
def test_an_edited_configuration_is_one_line(case, copy, capsys):
    change, parts = EDITED[case]
    config = change(json.loads((copy / "config.json").read_text()))
    (copy / "config.json").write_text(json.dumps(config))
    assert cli.main(["sample", str(copy), "--n", "1", "--out", str(copy.parent / "x.npz")]) == 2
    one_line(capsys, "config.json", *parts)
    assert not (copy.parent / "x.npz").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_a_damaged_configuration_is_one_line(content, copy, capsys):
    (copy / "config.json").write_bytes(content)
    assert cli.main(["evaluate", str(copy)]) == 2
    one_line(capsys, "config.json", "expected a JSON object", "train into a new folder")


def test_the_place_of_the_images_may_be_edited(copy, vae, tmp_path):
    moved = shutil.copy(vae / "own.npz", tmp_path / "moved.npz")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"dataset": str(moved)}))
    assert (
        runs.measure(copy, importance_samples=0).rows == runs.measure(vae / "run", importance_samples=0).rows
    )


def test_images_that_have_moved_are_known_again_on_resume(copy, vae, tmp_path, capsys):
    moved = shutil.copy(vae / "own.npz", tmp_path / "moved.npz")
    base = ["train", "vae", "--latent-dim", "2", "--batch-size", "4", "--device", "cpu", "--out", str(copy)]
    assert cli.main([*base, "--dataset", str(moved), "--num-epochs", "2", "--resume"]) == 0
    capsys.readouterr()
    other = save(tmp_path / "other.npz", counts=(11, 4, 6))
    assert cli.main([*base, "--dataset", other, "--num-epochs", "3", "--resume"]) == 2
    one_line(capsys, "images was", "choose another folder")


def test_one_flipped_bit_of_the_weights_is_noticed(copy, capsys):
    path = copy / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert cli.main(["evaluate", str(copy)]) == 2
    one_line(capsys, "model.safetensors", "checksum", "Copy it again")


@pytest.mark.parametrize("change", [("beta", "be\\a"), ("{", "["), ("config", "comfig")])
def test_damage_in_what_the_weights_say_of_themselves_is_noticed(change, copy, capsys):
    path, (before, after) = copy / "model.safetensors", change
    content = path.read_bytes()
    place = content.index(before.encode(), content.index(b"medgen"))
    path.write_bytes(content[:place] + after.encode() + content[place + len(before) :])
    assert cli.main(["evaluate", str(copy)]) == 2
    one_line(capsys, path.name)


@pytest.mark.parametrize("name", ["model", "resume"])
def test_a_damaged_or_foreign_file_of_tensors_is_one_line(name, copy, classes, capsys):
    words = ["train", "vae", "--dataset", str(classes / "own.npz"), "--latent-dim", "2", "--batch-size", "4"]
    words += ["--device", "cpu", "--out", str(copy), "--num-epochs", "2", "--resume"]
    words = words if name == "resume" else ["evaluate", str(copy)]
    path = copy / f"{name}.safetensors"
    whole = path.read_bytes()
    for content in (b"", whole[:1000], (classes / "run" / path.name).read_bytes()):
        path.write_bytes(content)
        assert cli.main(words) == 2
        one_line(capsys, path.name)
    save_file({"a": torch.zeros(2)}, path)  # whole, without a checksum, as an older version wrote it
    assert cli.main(words) == 2
    one_line(capsys, path.name)


def test_weights_of_an_older_version_are_read(copy, vae):
    path = copy / "model.safetensors"
    save_file(load_file(path), path)
    old = runs.sample(copy, 2, copy.parent / "old.npz")[0]
    new = runs.sample(vae / "run", 2, copy.parent / "new.npz")[0]
    assert np.array_equal(old, new)


def test_class_counts_of_an_older_run_are_checked(classes, tmp_path, capsys):
    run = shutil.copytree(classes / "run", tmp_path / "run")
    save_file(load_file(run / "model.safetensors"), run / "model.safetensors")
    config = json.loads((run / "config.json").read_text())
    for counts in ([1], [0, 0], []):
        (run / "config.json").write_text(json.dumps(config | {"class_counts": counts}))
        assert cli.main(["sample", str(run), "--n", "1", "--out", str(tmp_path / "x.npz")]) == 2
        one_line(capsys, "config.json: class_counts", "2 classes")


def test_figures_need_images(copy, capsys):
    RunFolder(copy).save_config({k: v for k, v in RunFolder(copy).load_config().items() if k != "dataset"})
    assert cli.main(["evaluate", str(copy)]) == 2
    one_line(capsys, "does not say of which images", "--dataset")


NUMBERS = {
    ("--n", "10000000000"): ["n is 10000000000", "GB of memory", "Draw fewer"],
    ("--n", "0"): ["n is 0", "at least 1"],
    ("--seed", "-1"): ["seed is -1", "18446744073709551615"],
    ("--seed", str(2**64)): [f"seed is {2**64}", "18446744073709551615"],
    ("--out", "OWN/x.npz"): ["own.npz is a file", "another place"],
    ("--out", "x.png"): ["must end in .npz"],
    ("--out", "OWN"): ["own.npz, which is there already", "another name"],
}


@pytest.mark.parametrize("words", NUMBERS)
def test_what_cannot_be_drawn_is_one_line(words, vae, classes, tmp_path, capsys):
    for folder in (vae, classes):
        option, value = words[0], words[1].replace("OWN", str(vae / "own.npz"))
        base = ["sample", str(folder / "run"), "--n", "1", "--out", str(tmp_path / "x.npz")]
        assert cli.main([*base, option, value]) == 2
        one_line(capsys, *NUMBERS[words])
    assert not list(tmp_path.iterdir())


def test_draws_of_weights_have_an_end(vae, capsys):
    assert cli.main(["evaluate", str(vae / "run"), "--importance-samples", "10000000000"]) == 2
    one_line(capsys, "importance_samples is 10000000000", "100000")


def test_a_largest_seed_works(vae, tmp_path):
    assert len(runs.sample(vae / "run", 1, tmp_path / "x.npz", seed=2**64 - 1)[0]) == 1


TRAINING = {
    ("--learning-rate", "0"): ["learning_rate is 0.0", "above 0"],
    ("--beta", "-1"): ["beta must lie at or above 0", "-1.0"],
    ("--latent-dim", "99999999999"): ["latent_dim is 99999999999", "1 to 4096"],
    ("--seed", str(2**64)): ["seed is", "2^64 - 1"],
    ("--devices", "100"): ["devices is 100", "cores"],
    ("--num-epochs", "-1"): ["num_epochs is -1", "0 or more"],
    ("--out", "OWN/run"): ["own.npz is a file", "another place"],
}


@pytest.mark.parametrize("words", TRAINING)
def test_what_cannot_be_trained_is_one_line(words, vae, tmp_path, capsys):
    option, value = words[0], words[1].replace("OWN", str(vae / "own.npz"))
    base = [
        "train",
        "vae",
        "--dataset",
        str(vae / "own.npz"),
        "--out",
        str(tmp_path / "run"),
        "--device",
        "cpu",
    ]
    assert cli.main([*base, option, value]) == 2
    one_line(capsys, *TRAINING[words])
    assert not (tmp_path / "run").exists()


def test_paths_in_hints_can_be_pasted(vae, tmp_path, capsys):
    run = shutil.copytree(vae / "run", tmp_path / "my run")
    words = ["train", "vae", "--dataset", str(vae / "own.npz"), "--latent-dim", "2", "--batch-size", "4"]
    assert cli.main([*words, "--device", "cpu", "--out", str(run), "--num-epochs", "1", "--resume"]) == 0
    assert f"medgen evaluate '{run}'" in capsys.readouterr().out
    assert cli.main(["evaluate", str(tmp_path / "no run")]) == 2
    one_line(capsys, f"--out '{tmp_path / 'no run'}'")


def test_python_may_give_paths_as_text(vae, tmp_path):
    assert len(runs.sample(str(vae / "run"), 1, str(tmp_path / "x.npz"))[0]) == 1
    with pytest.raises(RunError, match="cannot translate"):
        runs.translate(str(vae / "run"), str(vae / "own.npz"), "b", str(tmp_path / "y.npz"))
    with pytest.raises(ValueError, match="the path is empty"):
        runs.sample(vae / "run", 1, "")
