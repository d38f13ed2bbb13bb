"""From a folder to samples and an explorer, with the names of the classes all the way."""

import numpy as np
import pytest
from pack_files import arrays, picture

from medgen_course import datasets
from medgen_course.cli import main
from medgen_course.datasets.domains import named_classes
from medgen_course.explorers import DataExplorer


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Discs and squares, sixteen patients each with three pictures."""
    folder, draw = tmp_path_factory.mktemp("own"), np.random.default_rng(0)
    y, x = np.mgrid[:48, :40]
    for name in ("disc", "square"):
        for number in range(48):
            up, along = draw.uniform(18, 30), draw.uniform(14, 26)
            inside = np.maximum(abs(y - up), abs(x - along)) < 9
            if name == "disc":
                inside = (y - up) ** 2 + (x - along) ** 2 < 100
            values = draw.normal(20, 5, (48, 40)) + inside * draw.uniform(80, 200)
            patient = f"{name[0]}{number // 3:02d}"
            picture(folder / "in" / name / f"{patient}_{number}.png", values.clip(0, 255).astype(np.uint8))
    words = ["pack", str(folder / "in"), "--out", str(folder / "shapes.npz"), "--group", "([ds][0-9]+)_"]
    assert main(words) == 0
    return folder / "shapes.npz"


def test_data_shows_the_names(packed, capsys):
    assert main(["data", str(packed)]) == 0
    told = capsys.readouterr().out
    assert "0 = disc; 1 = square (binary-class)" in told and "train: 66 images; disc 36, square 30" in told


def test_train_evaluate_and_sample(packed, tmp_path, capsys):
    run = str(tmp_path / "run")
    words = ["train", "gan", "--dataset", str(packed), "--out", run, "--conditional", "--num-epochs", "1"]
    assert main([*words, "--batch-size", "16", "--device", "cpu"]) == 0
    assert main(["sample", run, "--n", "4", "--label", "1", "--out", str(tmp_path / "drawn.npz")]) == 0
    drawn = arrays(tmp_path / "drawn.npz")
    assert drawn["images"].shape == (4, 28, 28) and drawn["labels"].ravel().tolist() == [1] * 4
    run = str(tmp_path / "ae")
    words = ["train", "autoencoder", "--dataset", str(packed), "--out", run, "--num-epochs", "1"]
    assert main([*words, "--device", "cpu"]) == 0
    assert main(["evaluate", run, "--device", "cpu"]) == 0
    assert "psnr" in capsys.readouterr().out


def test_classes_can_be_domains_by_name(packed):
    data = datasets.load(packed)
    assert named_classes(data, "square,disc") == (1, 0)


def test_the_explorer_shows_the_names(packed):
    explorer = DataExplorer(datasets.load(packed))
    assert [name for name, _ in explorer.label.options] == ["all", "disc", "square"]
    explorer.label.value = 1
    picture, told = explorer.draw()
    assert "shapes.npz, train image" in told and ": square" in told and picture.any()
