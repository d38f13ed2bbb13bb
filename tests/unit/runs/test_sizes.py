"""Every kind of model at 64 px in colour, and every kind in two processes."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from medgen_course.batches.domains import PairedSampler
from medgen_course.cli import main
from medgen_course.models.cyclegan_networks import PatchDiscriminator
from medgen_course.models.pix2pix import Pix2PixAlgorithm, UNetGenerator
from medgen_course.runs.kinds import kinds_with
from medgen_course.training import fit

KINDS = [name for name in kinds_with("train") if name != "pix2pix"]  # which takes the phantom alone, below
WORDS = {
    "cyclegan": ["--domains", "0,1"],
    "progressive": ["--level-epochs", "1", "--width", "4", "--conditional"],
    "gan": ["--conditional"],
    "semi_vae": ["--labelled", "4"],
}
EPOCHS = {"progressive": 7}  # at 64 px three times a fade and a hold, and one more


def own(path, size, end, count):
    rng, arrays = np.random.default_rng(0), {}
    for split in ("train", "val", "test"):
        arrays[f"{split}_images"] = rng.integers(0, 255, (count, size, size, *end), np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % 2)[:, None]
        arrays[f"{split}_masks"] = rng.integers(0, 2, (count, size, size), np.uint8)
    np.savez(path, **arrays)
    return path


def words(kind, images, out, epochs):
    given = ["train", kind, "--dataset", str(images), "--out", str(out), "--device", "cpu", "--seed", "3"]
    return [*given, "--num-epochs", str(epochs), "--batch-size", "4", *WORDS.get(kind, [])]


@pytest.mark.parametrize("kind", KINDS)
def test_64_px_in_colour(kind, tmp_path):
    images, out = own(tmp_path / "own.npz", 64, (3,), 8), tmp_path / "run"
    assert main(words(kind, images, out, EPOCHS.get(kind, 1))) == 0
    model = json.loads((out / "config.json").read_text())["model"]
    model = model.get("generator", model)
    assert (model["size"], model.get("channels", model.get("in_channels"))) == (64, 3)
    if kind in kinds_with("sample"):
        assert main(["sample", str(out), "--n", "2", "--out", str(tmp_path / "x.npz")]) == 0
        assert np.load(tmp_path / "x.npz")["images"].shape == (2, 64, 64, 3)
    if kind in kinds_with("segment"):
        assert main(["segment", str(out), str(images), "--out", str(tmp_path / "x.npz")]) == 0
        assert np.load(tmp_path / "x.npz")["test_masks"].shape == (8, 64, 64)
    if kind in kinds_with("translate"):
        words_ = ["translate", str(out), str(images), "--to", "b", "--out", str(tmp_path / "x.npz")]
        assert main(words_) == 0
        assert np.load(tmp_path / "x.npz")["test_images"].shape == (8, 64, 64, 3)


def test_pix2pix_at_64_px_in_colour():
    images = np.random.default_rng(0).integers(0, 255, (8, 3, 64, 64), np.uint8)
    algorithm = Pix2PixAlgorithm(UNetGenerator(3, 3, 64), PatchDiscriminator(6, 64), decay_steps=2)
    history = fit(algorithm, PairedSampler(images, images, 4), 1, progress=False)
    assert len(history) == 1 and algorithm.networks["generator"](torch.rand(2, 3, 64, 64)).shape == (
        2,
        3,
        64,
        64,
    )


PARALLEL = """
import sys
from torch.distributed import destroy_process_group, get_world_size
from medgen_course.cli import main
for words in {runs!r}:
    assert main(words) == 0, words
assert get_world_size() == 2
destroy_process_group()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun's gloo rendezvous is not built for Windows")
def test_every_kind_trains_and_goes_on_in_two_processes(tmp_path):
    """Those whose step size falls towards an end that is known from the start train in one go."""
    images, runs = own(tmp_path / "own.npz", 28, (), 24), []
    for kind in KINDS:
        epochs = EPOCHS.get(kind, 2)
        if kind in ("cyclegan", "enhancer", "segmenter"):
            runs.append(words(kind, images, tmp_path / kind, epochs))
        else:
            first = [*words(kind, images, tmp_path / kind, epochs - 1)]
            last = [*words(kind, images, tmp_path / kind, epochs), "--resume"]
            runs += [first, last]
    script = tmp_path / "parallel.py"
    script.write_text(PARALLEL.format(runs=runs))
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-6000:]
    for kind in KINDS:
        config = json.loads((tmp_path / kind / "config.json").read_text())
        assert config["processes"] == 2
        assert len((tmp_path / kind / "history.csv").read_text().splitlines()) == 1 + EPOCHS.get(kind, 2)
