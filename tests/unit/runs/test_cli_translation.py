"""`medgen train cyclegan` and `pix2pix`, `evaluate`, `translate`: classes of an own file, and the phantom."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from medgen_course.cli import main
from medgen_course.datasets import sources
from medgen_course.metrics import translation_eye
from medgen_course.models.cyclegan import CycleGANAlgorithm
from medgen_course.models.cyclegan_networks import SIZES, ResNetGenerator
from medgen_course.models.local_enhancer import LocalEnhancer
from medgen_course.models.pix2pix import Pix2PixAlgorithm
from medgen_course.runs import load
from medgen_course.runs.cyclegan import CONFIG
from medgen_course.runs.schema import check

SMALL = ["--num-epochs", "1", "--batch-size", "8"]


def words(own, out, *more):
    return ["train", "cyclegan", "--dataset", str(own), "--out", str(out), *SMALL, *more]


def ramps(path, side=28, channels=1):
    """Write ramps of three classes, dark, middle, bright; grey or RGB."""
    arrays, rng = {}, np.random.default_rng(0)
    for split, count in (("train", 96), ("val", 30), ("test", 30)):
        labels = (np.arange(count) % 3).astype(np.uint8)
        ramp = np.linspace(0, 60, side) * rng.random((count, side, 1)) + 60 * labels[:, None, None]
        images = ramp if channels == 1 else np.repeat(ramp[..., None], 3, axis=3)
        arrays |= {f"{split}_images": images.astype(np.uint8), f"{split}_labels": labels[:, None]}
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module", params=[1, 3])
def own(request, tmp_path_factory):
    return ramps(tmp_path_factory.mktemp("translation") / "own.npz", channels=request.param)


@pytest.fixture(scope="module")
def run_folder(own):
    out = own.parent / "run"
    assert main(words(own, out, "--domains", "0,2", "--lambda-identity", "0")) == 0
    return out


@pytest.fixture
def small_phantom(monkeypatch):
    monkeypatch.setattr(sources, "PHANTOM_COUNTS", {"train": 48, "val": 16, "test": 24})
    monkeypatch.setattr(translation_eye, "SLICES", 64)


def test_the_run_folder_says_which_domains_it_translates(run_folder):
    config = json.loads((run_folder / "config.json").read_text())
    assert config["names"] == ["class 0", "class 2"] and config["domains"] == "0,2"
    assert config["model"]["kind"] == "cyclegan" and config["lambda_identity"] == 0
    assert "loss/cycle" in (run_folder / "history.csv").read_text()


def test_evaluate_classes(run_folder, capsys):
    assert main(["evaluate", str(run_folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    keys = {"measured_on", "frechet_ab", "frechet_ba", "cycle_l1", "domain_auc", "domain_auc_translated"}
    assert set(told) == keys and told == json.loads((run_folder / "metrics.json").read_text())
    assert told["domain_auc"]["value"] > 0.99  # dark and bright
    assert told["frechet_ab"]["best"] < told["frechet_ab"]["worst"]
    row = told["cycle_l1"]
    assert 0 < row["low"] <= row["value"] <= row["high"] < 1
    assert main(["evaluate", str(run_folder)]) == 0
    assert "worst: the image left as it is" in capsys.readouterr().out


def test_translate_a_file_and_one_array(own, run_folder, tmp_path, capsys):
    out = tmp_path / "made.npz"
    assert main(["translate", str(run_folder), str(own), "--to", "b", "--out", str(out)]) == 0
    given, made = np.load(own), np.load(out)
    assert set(made) == {"train_images", "val_images", "test_images"}
    assert made["test_images"].shape == given["test_images"].shape and made["test_images"].dtype == np.uint8
    assert "test_images: 30 images" in capsys.readouterr().out
    np.savez(tmp_path / "one.npz", images=given["test_images"][:3], what=np.zeros(2))
    words = ["translate", str(run_folder), str(tmp_path / "one.npz"), "--out"]
    assert main([*words, str(tmp_path / "b.npz"), "--to", "b"]) == 0
    there = np.load(tmp_path / "b.npz")["images"]
    assert np.array_equal(there, made["test_images"][:3])
    assert main([*words, str(tmp_path / "a.npz"), "--to", "a"]) == 0
    assert not np.array_equal(there, np.load(tmp_path / "a.npz")["images"])


def test_mistakes_are_one_line(own, run_folder, tmp_path, capsys):
    def fails(words, *expected):
        assert main(words) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1 and all(part in told for part in expected), told

    small = tmp_path / "small.npz"
    np.savez(small, images=np.zeros((2, 16, 16), np.uint8))
    base = ["translate", str(run_folder), str(small), "--to", "b", "--out"]
    fails([*base, str(tmp_path / "x.npz")], "16 x 16 pixels", "28 x 28", "[images]")
    fails([*base, str(tmp_path / "x.png")], "must end in .npz")
    fails([*base, str(own)], "own.npz, which is there already", "another name")
    np.savez(small, pictures=np.zeros((2, 28, 28), np.uint8))
    fails([*base, str(tmp_path / "x.npz")], "arrays pictures", "called images")
    fails(words(own, tmp_path / "r", "--domains", "0"), "two classes", "0 class 0; 1 class 1; 2 class 2")
    fails(words(own, tmp_path / "r", "--domains", "1,1"), "choose two")
    fails(["train", "pix2pix", "--dataset", str(own), "--out", str(tmp_path / "r")], "has no pairs")
    fails(["sample", str(run_folder), "--n", "2", "--out", str(small)], "medgen translate")


def test_the_phantom_is_measured_against_its_truth(small_phantom, tmp_path, capsys):
    out = tmp_path / "cycle"
    assert main(["train", "cyclegan", "--dataset", "phantom", "--size", "32", "--out", str(out), *SMALL]) == 0
    config = json.loads((out / "config.json").read_text())
    assert config["names"] == ["T1w", "T2w"] and config["lambda_identity"] == 0
    capsys.readouterr()
    assert main(["evaluate", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    for way in ("ab", "ba"):
        for name in ("ssim", "psnr", "error_inside", "error_outside", "erased", "invented", "frechet"):
            assert "value" in told[f"{name}_{way}"], name
        assert told[f"ssim_{way}"]["worst"] < told[f"ssim_{way}"]["best"] == 1
    assert "cycle_l1" in told and "domain_auc" not in told


@pytest.mark.parametrize("kind", ["cyclegan", "pix2pix"])
def test_t2w_comes_along_and_is_not_translated_from(small_phantom, tmp_path, capsys, kind):
    words = ["train", kind, "--dataset", "phantom-t2w", "--size", "32", "--out", str(tmp_path / "r"), *SMALL]
    assert main(words) == 2
    assert "phantom-t2w shows T2w; translate phantom, with which T2w comes along" in capsys.readouterr().err


def test_pix2pix_goes_one_way(small_phantom, tmp_path, capsys):
    out = tmp_path / "pairs"
    base = ["train", "pix2pix", "--dataset", "phantom", "--size", "32", "--out", str(out), *SMALL]
    assert main([*base, "--to", "a"]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"ssim_ba", "psnr_ba", "frechet_ba"} <= set(told) and "cycle_l1" not in told
    assert not any(name.endswith("_ab") for name in told)
    images = tmp_path / "t2w.npz"
    np.savez(images, images=np.zeros((2, 32, 32), np.uint8))
    translate = ["translate", str(out), str(images), "--out"]
    assert main([*translate, str(tmp_path / "made.npz"), "--to", "a"]) == 0
    capsys.readouterr()
    assert main([*translate, str(tmp_path / "more.npz"), "--to", "b"]) == 2
    assert "no translator to b here, only one to a" in capsys.readouterr().err


def test_one_image_in_each_domain_is_enough_but_for_a_frechet_distance(tmp_path, capsys):
    arrays = {}
    for split in ("train", "val", "test"):
        images = np.random.default_rng(0).integers(0, 256, (2, 16, 16), dtype=np.uint8)
        arrays |= {f"{split}_images": images, f"{split}_labels": np.arange(2)[:, None]}
    np.savez(tmp_path / "own.npz", **arrays)
    assert main(words(tmp_path / "own.npz", tmp_path / "run", "--device", "cpu")) == 0
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    for way in ("frechet_ab", "frechet_ba"):
        assert told[way] == {"value": None, "n": 1, "note": "1 image; 2 are needed, and hundreds are better"}
    assert told["cycle_l1"]["value"] > 0 and 0 <= told["domain_auc"]["value"] <= 1
    assert main(["evaluate", str(tmp_path / "run")]) == 0


def test_an_interrupted_run_goes_on(own, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(words(own, out)) == 0
    assert json.loads((out / "config.json").read_text())["lambda_identity"] == 5
    assert main(words(own, out)) == 2
    assert "--resume" in capsys.readouterr().err
    longer = [w if w != "1" else "2" for w in words(own, out, "--resume")]
    assert main(longer) == 2  # four epochs at once would have had other step sizes
    assert "step_size_falls_over_epochs was 1 and is 2" in capsys.readouterr().err


def interrupt_after(patch, algorithm, steps):
    """So many steps of an algorithm, and then Ctrl-C."""
    step, left = algorithm.step, iter(range(steps))

    def interrupted(self, batch, backward):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return step(self, batch, backward)

    patch.setattr(algorithm, "step", interrupted)


def test_an_interrupted_run_ends_as_one_at_once(own, tmp_path, monkeypatch):
    def two_epochs(out, *more):
        return [w if w != "1" else "2" for w in words(own, out, *more)]

    once, twice = tmp_path / "once", tmp_path / "twice"
    assert main(two_epochs(once)) == 0
    with monkeypatch.context() as patch:
        interrupt_after(patch, CycleGANAlgorithm, 6)  # four an epoch
        assert main(two_epochs(twice)) == 130
    assert main(two_epochs(twice, "--resume")) == 0
    assert (twice / "model.safetensors").read_bytes() == (once / "model.safetensors").read_bytes()


@pytest.mark.parametrize(("kind", "more"), [("cyclegan", []), ("pix2pix", ["--to", "a"])])
def test_a_run_of_half_the_side_is_built_on(small_phantom, tmp_path, capsys, kind, more):
    small, large = tmp_path / "small", tmp_path / "large"
    base = ["train", kind, "--dataset", "phantom", *SMALL, *more]
    assert main([*base, "--size", "32", "--out", str(small)]) == 0
    assert main([*base, "--size", "64", "--coarse", str(small), "--out", str(large)]) == 0
    before, after = (load(folder)[0]["a"] for folder in (small, large))
    kept = after.coarse.state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in before.state_dict().items())
    assert after.fine["head"].weight.abs().max() > 0 and after.config["size"] == 64
    capsys.readouterr()
    assert main(["evaluate", str(large), "--json"]) == 0
    assert "ssim_ba" in json.loads(capsys.readouterr().out)
    words = [*base, "--size", "32", "--out", str(tmp_path / "wrong"), "--coarse", str(small)]
    assert main(words) == 2
    told = capsys.readouterr().err
    assert f"a {kind} of 32 pixels" in told and f"a {kind} of 16 pixels" in told and "leave --coarse" in told
    config = json.loads((large / "config.json").read_text())
    generator = config["model"] if kind == "cyclegan" else config["model"]["generator"]
    generator["coarse"]["kind"] = "pickle"
    (large / "config.json").write_text(json.dumps(config))
    assert main(["evaluate", str(large)]) == 2
    assert "coarse.kind" in capsys.readouterr().err


@pytest.mark.parametrize(("kind", "more"), [("cyclegan", []), ("pix2pix", ["--to", "a"])])
def test_a_run_on_top_goes_on_without_the_coarse_one(small_phantom, tmp_path, monkeypatch, kind, more):
    small, gone = tmp_path / "small", tmp_path / "gone"
    base = ["train", kind, "--dataset", "phantom", "--num-epochs", "2", "--batch-size", "8", *more]
    assert main([*base[:5], "1", *base[6:], "--size", "32", "--out", str(small)]) == 0
    base += ["--size", "64"]
    once, twice = tmp_path / "once", tmp_path / "twice"
    assert main([*base, "--coarse", str(small), "--out", str(once)]) == 0
    algorithm = {"cyclegan": CycleGANAlgorithm, "pix2pix": Pix2PixAlgorithm}[kind]
    with monkeypatch.context() as patch:
        interrupt_after(patch, algorithm, {"cyclegan": 3, "pix2pix": 6}[kind])  # an epoch
        assert main([*base, "--coarse", str(small), "--out", str(twice)]) == 130
    small.rename(gone)
    assert main([*base, "--out", str(twice), "--resume"]) == 0
    assert (twice / "model.safetensors").read_bytes() == (once / "model.safetensors").read_bytes()


def test_a_coarse_run_translates_between_the_same_domains_the_same_way(tmp_path, capsys):
    sides = {side: ramps(tmp_path / f"ramps{side}.npz", side) for side in (16, 32, 33)}
    coarse = tmp_path / "coarse"
    assert main(words(sides[16], coarse, "--domains", "0,2")) == 0
    wrong = {
        ("--domains", "2,0"): "A = class 0 and B = class 2, yours A = class 2 and B = class 0",
        ("--domains", "0,1"): "yours A = class 0 and B = class 1",
    }
    for more, told in wrong.items():
        capsys.readouterr()
        assert main(words(sides[32], tmp_path / "fine", *more, "--coarse", str(coarse))) == 2
        assert told in capsys.readouterr().err
    assert main(words(sides[33], tmp_path / "odd", "--domains", "0,2", "--coarse", str(coarse))) == 2
    told = capsys.readouterr().err
    assert "images of 33 pixels: a coarse run has half of an even side" in told and "Leave --coarse" in told
    colour = ramps(tmp_path / "colour.npz", 32, channels=3)
    assert main(words(colour, tmp_path / "colour", "--domains", "0,2", "--coarse", str(coarse))) == 2
    assert "its images have 1 and 1 channels (A and B), yours 3 and 3" in capsys.readouterr().err
    assert not (tmp_path / "fine").exists() and not (tmp_path / "colour").exists()
    other = tmp_path / "vae"
    assert main(["train", "vae", "--dataset", str(sides[16]), "--out", str(other), *SMALL]) == 0
    capsys.readouterr()
    assert main(words(sides[32], tmp_path / "fine", "--domains", "0,2", "--coarse", str(other))) == 2
    assert "this is a vae. To build on for 32 pixels, give a cyclegan of 16 pixels" in capsys.readouterr().err


def test_enhancers_stand_on_one_another_up_to_the_largest_side():
    generator = ResNetGenerator(1, 1, SIZES[0], width=2, blocks=1)
    config = CONFIG["model"]
    while generator.config["size"] < SIZES[1]:
        check(Path("config.json"), {"model": drop_kind(generator.config)}, {"model": config})
        generator = LocalEnhancer(generator, width=2, layers=1)
    check(Path("config.json"), {"model": drop_kind(generator.config)}, {"model": config})
    assert generator.config["size"] == SIZES[1]


def drop_kind(config):
    """A model's configuration as `open_run` hands it on."""
    return {name: value for name, value in config.items() if name != "kind"}
