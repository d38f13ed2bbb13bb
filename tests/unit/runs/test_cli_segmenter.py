"""`medgen train segmenter`, `segment` and `evaluate`: own masks, the phantom's, mistakes in a line."""

import json

import numpy as np
import pytest

from medgen_course import datasets
from medgen_course.cli import main
from medgen_course.datasets import sources
from medgen_course.metrics.segmentation import dice

SPLITS = (("train", 96), ("val", 12), ("test", 24))


def squares(channels=1, structures=1, seed=0):
    """Dark noise, in two slices of three a bright square, with its mask; a second structure in the corner."""
    rng, arrays = np.random.default_rng(seed), {}
    for split, count in SPLITS:
        images = rng.integers(20, 60, (count, 16, 16, channels))
        masks = np.zeros((count, 16, 16, structures), np.uint8)
        for i, (top, left) in enumerate(rng.integers(3, 11, (count, 2))):
            if i % 3:
                masks[i, top : top + 4, left : left + 4, 0] = 1
            masks[i, :2, :2, 1:] = 1
        images = images + 120 * masks.any(-1, keepdims=True)
        arrays |= {
            f"{split}_images": images.astype(np.uint8)[..., 0] if channels == 1 else images.astype(np.uint8),
            f"{split}_labels": np.zeros((count, 1), int),
            f"{split}_masks": 255 * masks[..., 0] if structures == 1 else masks.astype(bool),
        }
    return arrays


def words(data, out, *more):
    base = ["train", "segmenter", "--dataset", str(data), "--out", str(out), "--device", "cpu"]
    return [*base, "--num-epochs", "12", "--batch-size", "8", "--learning-rate", "1e-2", *more]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    path = tmp_path_factory.mktemp("segmenter") / "own.npz"
    np.savez(path, **squares())
    return path


@pytest.fixture(scope="module")
def run_folder(own):
    out = own.parent / "run"
    assert main(words(own, out)) == 0
    return out


def test_the_masks_are_read_with_the_images(own):
    data = datasets.load(own)
    assert data.mask_names == ("mask",)
    masks = data.train.extras["masks"]
    assert masks.shape == (96, 1, 16, 16) and masks.dtype == np.uint8 and set(np.unique(masks)) == {0, 1}
    assert np.array_equal(masks[:, 0] * 255, np.load(own)["train_masks"])


def test_the_run_says_what_it_finds_and_evaluates(run_folder, capsys):
    config = json.loads((run_folder / "config.json").read_text())
    assert config["structures"] == ["mask"] and config["labelled"] == 96 and config["augment"] is False
    assert config["model"]["kind"] == "segmenter" and config["model"]["masks"] == 1
    assert main(["evaluate", str(run_folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    wanted = {f"{figure}_mask" for figure in ("dice", "clean", "precision", "recall", "f1")}
    assert set(told) == {"measured_on", *wanted}
    row = told["dice_mask"]
    assert 0.8 < row["low"] <= row["value"] <= row["high"] <= row["best"] == 1 and row["worst"] < 0.5
    assert told["f1_mask"]["value"] > 0.8 and told["clean_mask"]["value"] > 0.5
    assert main(["evaluate", str(run_folder)]) == 0
    assert "worst: the pixels that lie inside in half of the training masks" in capsys.readouterr().out


def test_segment_writes_masks_that_can_stand_beside_the_images(own, run_folder, tmp_path, capsys):
    out = tmp_path / "masks.npz"
    assert main(["segment", str(run_folder), str(own), "--out", str(out)]) == 0
    assert "test_masks: 24 images segmented, uint8 (24, 16, 16)" in capsys.readouterr().out
    made, known = dict(np.load(out)), dict(np.load(own))
    assert set(made) == {"train_masks", "val_masks", "test_masks", "mask_names"}
    assert made["test_masks"].dtype == np.uint8 and set(np.unique(made["test_masks"])) == {0, 1}
    assert dice(made["test_masks"], known["test_masks"])["value"] > 0.8
    np.savez(tmp_path / "again.npz", **known | made)
    assert datasets.load(tmp_path / "again.npz").mask_names == ("mask",)


def test_colours_and_two_named_structures(tmp_path, capsys):
    arrays = squares(channels=3, structures=2) | {"mask_names": np.array(["square", "the corner"])}
    path, out, masks = (tmp_path / name for name in ("two.npz", "run", "masks.npz"))
    np.savez(path, **arrays)
    assert main(words(path, out, "--labelled", "40", "--augment")) == 0
    capsys.readouterr()
    assert main(["evaluate", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["dice_the_corner"]["value"] > 0.9 and told["dice_the_corner"]["worst"] == 1  # always there
    assert told["clean_the_corner"]["value"] is None and told["clean_the_corner"]["note"]
    np.savez(tmp_path / "images.npz", images=arrays["test_images"][:5])
    assert main(["segment", str(out), str(tmp_path / "images.npz"), "--out", str(masks)]) == 0
    made = np.load(masks)
    assert made["masks"].shape == (5, 16, 16, 2) and made["mask_names"].tolist() == ["square", "the corner"]


@pytest.mark.parametrize(("name", "contrast"), [("phantom", "T1w"), ("phantom-t2w", "T2w")])
def test_the_phantom_brings_lesions_and_ventricles(monkeypatch, tmp_path, capsys, name, contrast):
    monkeypatch.setattr(sources, "PHANTOM_COUNTS", {"train": 48, "val": 16, "test": 24})
    out = tmp_path / "run"
    short = f"train segmenter --dataset {name} --size 32 --device cpu --num-epochs 2 --labelled 20".split()
    assert main([*short, "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"dice_lesion", "f1_lesion", "clean_lesion", "dice_ventricles"} <= set(told)
    assert 0 < told["dice_ventricles"]["worst"] < 1 and told["dice_lesion"]["worst"] == 0
    assert told["measured_on"]["dataset"] == name and contrast in told["measured_on"]["source"]
    fails(capsys, ["evaluate", str(out), "--dataset", "phantom-flair"], "no contrast 'flair'", "phantom-t2w")


def fails(capsys, words, *expected):
    assert main(words) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and all(part in told for part in expected), told


def test_mistakes_are_one_line(own, run_folder, tmp_path, capsys):
    base = ["segment", str(run_folder), str(own), "--out"]
    fails(capsys, [*base, str(own)], "the file that is to be segmented", "another name")
    fails(capsys, [*base, str(tmp_path / "x.png")], "must end in .npz")
    np.savez(tmp_path / "large.npz", images=np.zeros((2, 20, 20), np.uint8))
    large = ["segment", str(run_folder), str(tmp_path / "large.npz"), "--out", str(tmp_path / "x.npz")]
    fails(capsys, large, "large.npz [images]", "20 x 20 pixels", "16 x 16 pixels")
    fails(capsys, words(own, tmp_path / "r", "--labelled", "97"), "labelled is 97", "96 labelled")
    fails(capsys, ["sample", str(run_folder), "--n", "2", "--out", str(tmp_path / "x.npz")], "medgen segment")
    bare = {name: array for name, array in squares().items() if not name.endswith("masks")}
    np.savez(tmp_path / "bare.npz", **bare)
    fails(capsys, words(tmp_path / "bare.npz", tmp_path / "r"), "bare.npz has no masks", "train_masks")
    fails(capsys, ["evaluate", str(run_folder), "--dataset", str(tmp_path / "bare.npz")], "has no masks")
    np.savez(tmp_path / "named.npz", **squares(), mask_names=np.array(["other"]))
    fails(
        capsys, ["evaluate", str(run_folder), "--dataset", str(tmp_path / "named.npz")], "knows mask", "other"
    )
    assert not (tmp_path / "r").exists() and not (tmp_path / "x.npz").exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda a: a.pop("val_masks"), ("no val_masks", "all three splits")),
        (lambda a: a.update(train_masks=a["train_masks"].astype(float)), ("dtype float64", "uint8")),
        (lambda a: a.update(train_masks=a["train_masks"][:90]), ("shape (90, 16, 16)", "(96, 16, 16)")),
        (lambda a: a.update(test_masks=a["test_masks"][:, :8]), ("test_masks", "(24, 8, 16)")),
        (lambda a: a["val_masks"].__setitem__((0, 0, 0), 2), ("values 0, 2, 255", "numpy.stack")),
        (lambda a: a.update(val_masks=np.stack([a["val_masks"]] * 2, -1)), ("val_masks with 2",)),
        (lambda a: a.update(train_masks=a["train_masks"][..., None][..., :0]), ("0 structures",)),
        (lambda a: a.update(mask_names=np.array(["a", "b"])), ("2 names for 1 structures",)),
        (lambda a: a.update(mask_names=np.array([3])), ("mask_names", "text of shape")),
        (lambda a: a["train_masks"].fill(0), ("training masks of 'mask' are empty",)),
    ],
)
def test_masks_that_cannot_be_used_are_refused_in_one_line(tmp_path, capsys, change, expected):
    arrays = squares()
    change(arrays)
    np.savez(tmp_path / "own.npz", **arrays)
    fails(capsys, words(tmp_path / "own.npz", tmp_path / "run"), "own.npz", *expected)
    assert not (tmp_path / "run").exists()
