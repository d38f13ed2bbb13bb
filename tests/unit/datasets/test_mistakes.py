"""What people hand in for images, and what they must be told; images that are probably a mistake."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from npz_files import arrays, with_array, write_npz

from medgen_course import cli, datasets, runs
from medgen_course.datasets import fetch, sources
from medgen_course.datasets.audit import audit, doubts
from medgen_course.datasets.domains import from_dataset, named_classes
from medgen_course.datasets.layout import read_images
from medgen_course.datasets.sources import DatasetError, DatasetUnavailable

X = arrays()["train_images"]
SHAPES = {  # images -> what to do
    "RGBA": (np.stack([X] * 4, -1), "keep images[..., :3], without the transparency"),
    "grey with alpha": (np.stack([X] * 2, -1), "keep images[..., 0], without the transparency"),
    "an axis too many": (X[..., None], "keep images[..., 0]."),
    "channel first": (np.stack([X] * 3, 1), "numpy.moveaxis(images, 1, 3)"),
    "one channel first": (X[:, None], "keep images[:, 0]"),
    "flat": (X.reshape(6, -1), "images.reshape(N, H, W)"),
    "volumes": (np.stack([X] * 9, -1), "save slices or single frames"),
    "a single value": (np.array(3, np.uint8), "one array of images"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_the_remedy_fits_the_shape(case, tmp_path):
    images, remedy = SHAPES[case]
    with_array("train_images", images)(tmp_path / "own.npz")
    with pytest.raises(DatasetError) as caught:
        datasets.load(tmp_path / "own.npz")
    assert str(images.shape) in str(caught.value) and remedy in str(caught.value)


@pytest.mark.parametrize("ending", [".png", ".dcm", ".JPG"])
def test_a_folder_of_pictures_is_told_what_to_do(ending, tmp_path, capsys):
    for number in range(3):
        (tmp_path / f"{number}{ending}").write_bytes(b"picture")
    for given in (tmp_path, tmp_path / f"0{ending}"):
        assert cli.main(["data", str(given)]) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1 and all(word in told for word in (".npz", "medgen pack")), told
    with pytest.raises(DatasetError, match=rf"a folder \(3 {ending.lower()}\)"):
        datasets.load(tmp_path)


def test_a_folder_with_archives_names_them_and_an_empty_one_asks_for_the_file(tmp_path):
    with pytest.raises(DatasetError, match=r"a folder \(no files\).*path of the file"):
        datasets.load(tmp_path)
    write_npz(tmp_path / "ok.npz")
    with pytest.raises(DatasetError, match=r"path of a file in it: ok\.npz"):
        datasets.load(tmp_path)


def test_a_name_without_its_ending_is_guessed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_npz(tmp_path / "data" / "ok.npz")
    with pytest.raises(DatasetUnavailable, match=r"Did you mean data/ok\.npz\?"):
        datasets.load("data/ok")
    with pytest.raises(DatasetUnavailable) as caught:
        datasets.load("data/no")
    assert "Did you mean" not in str(caught.value)


def test_a_path_that_is_a_name_is_the_name(monkeypatch):
    asked = []
    monkeypatch.setattr(fetch, "official_file", lambda name, *_: asked.append(name) or (Path("x"), "source"))
    monkeypatch.setattr(sources, "_official", lambda name, *_: name)
    assert datasets.load(Path("breastmnist")) == "breastmnist" == datasets.load("BreastMNIST")
    assert asked == ["breastmnist"] * 2


def test_something_in_this_folder_is_meant_as_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="there is no data set 'images'"):
        datasets.load("images")
    (tmp_path / "images").mkdir()
    with pytest.raises(DatasetError, match="images: found a folder"):
        datasets.load("images")


@pytest.mark.parametrize("call", [{}, {"root": "~nosuchuser"}])
def test_a_home_of_nobody_is_told(call, monkeypatch):
    name = "pneumoniamnist" if call else "~nosuchuser/x.npz"
    with pytest.raises(ValueError, match="no home of ~nosuchuser; give the whole path"):
        datasets.load(name, **call)
    monkeypatch.setenv("MEDMNIST_ROOT", "~nosuchuser")
    with pytest.raises(ValueError, match="no home of ~nosuchuser"):
        datasets.load("pneumoniamnist", download=False)


def spoilt(path, change):
    """A good file but for the training images, which `change` makes of the good ones."""
    good = arrays()
    good["train_images"] = change(good["train_images"])
    np.savez(path, **good)
    return path


FIRST = np.arange(6)[:, None, None]
DOUBTFUL = {
    "two black images": (lambda x: np.where(FIRST < 2, 0, x), "train: 2 of 6 images are all black"),
    "one even image": (lambda x: np.where(FIRST < 1, np.uint8(9), x), "train: 1 of 6 images have one grey"),
    "masks": (lambda x: x % 2, "train: no grey level is above 1"),
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_doubtful_images_are_told_before_training_and_in_the_audit(case, tmp_path, capsys):
    change, told = DOUBTFUL[case]
    own = spoilt(tmp_path / "own.npz", change)
    found = doubts(datasets.load(own))
    assert len(found) == 1 and found[0].startswith(told)
    assert audit(datasets.load(own))["audit"]["doubts"] == found
    assert cli.main(["data", str(own)]) == 0
    assert f"doubtful: {told}" in capsys.readouterr().out
    with pytest.warns(UserWarning, match=told):
        runs.kind_named("autoencoder").train(str(own), tmp_path / "run", num_epochs=1, device="cpu")


def test_good_images_raise_no_doubts(tmp_path):
    assert doubts(datasets.load(spoilt(tmp_path / "own.npz", lambda x: x))) == []


def test_a_warning_is_one_line_of_the_shell(tmp_path, capsys):
    own = spoilt(tmp_path / "own.npz", lambda x: x % 2)
    words = [
        "train",
        "autoencoder",
        "--dataset",
        str(own),
        "--out",
        str(tmp_path / "run"),
        "--num-epochs",
        "1",
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert cli.main([*words, "--num-epochs", "1", "--device", "cpu"]) == 0
    told = capsys.readouterr().err
    assert told.startswith("medgen: warning: own.npz, train: no grey level") and told.count("\n") == 1


def with_names(tmp_path, *names):
    """An own data set whose classes have these names."""
    labels = np.arange(6)[:, None] % len(names)
    write_npz(tmp_path / "own.npz", labels)
    made = datasets.load(tmp_path / "own.npz")
    return sources.Dataset(**{**vars(made), "label_names": names})


WITH_COMMA = ("basophil", "granulocytes (myelocytes, metamyelocytes)", "platelet", "a", "a, a")
DOMAINS = {
    "0,2": (0, 2),
    "2 , 1": (2, 1),
    "basophil,platelet": (0, 2),
    "basophil,granulocytes (myelocytes, metamyelocytes)": (0, 1),
    "granulocytes (myelocytes, metamyelocytes), platelet": (1, 2),
    "1,basophil": (1, 0),
    "granulocytes (myelocytes, metamyelocytes),1": (1, 1),
    "3,4": (3, 4),
    "basophil,a, a": (0, 4),
}


@pytest.mark.parametrize("words", DOMAINS)
def test_classes_are_named_by_number_or_name_with_commas_or_without(words, tmp_path):
    assert named_classes(with_names(tmp_path, *WITH_COMMA), words) == DOMAINS[words]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("0", "give two classes"),
        ("0,1,2", "give two classes"),
        ("-1,0", "give two classes"),
        ("0,5", "give two classes"),
        ("", "give two classes"),
        ("a, a, a", "give numbers, as this can be read in several ways"),
    ],
)
def test_classes_that_cannot_be_named_so(words, told, tmp_path):
    with pytest.raises(DatasetError, match=told) as caught:
        named_classes(with_names(tmp_path, *WITH_COMMA), words)
    assert "1 granulocytes (myelocytes, metamyelocytes); 2 platelet" in str(caught.value)


def test_one_class_has_no_two_domains(tmp_path):
    with pytest.raises(DatasetError, match="one class only"):
        named_classes(with_names(tmp_path, "all"), "0,1")


def test_the_split_and_the_class_without_images_are_named(tmp_path):
    good = arrays()
    good["val_labels"][:] = 0
    np.savez(tmp_path / "own.npz", **good)
    with pytest.raises(DatasetError, match=r"no val images of class 1, class 1; .* divide the images anew"):
        from_dataset(datasets.load(tmp_path / "own.npz"), (0, 1))


def test_translate_guesses_the_ending_too(tmp_path):
    write_npz(tmp_path / "ok.npz")
    with pytest.raises(DatasetError, match=r"give its whole name: .*ok\.npz"):
        read_images(tmp_path / "ok")
