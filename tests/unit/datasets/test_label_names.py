"""Names of classes in an own file: read where they are, made up where not, never unpickled."""

import numpy as np
import pytest
from npz_files import OBJECTS, arrays

from medgen_course import datasets
from medgen_course.datasets import DatasetError
from medgen_course.pictures import plots


def load(path, names, **others):
    np.savez(path, **(arrays() | others), **({} if names is None else {"label_names": names}))
    return datasets.load(path)


def test_names_are_read_and_shown(tmp_path):
    data = load(tmp_path / "own.npz", np.array(["healthy", "glioma, grade II"]))
    assert data.label_names == ("healthy", "glioma, grade II") and data.task == "binary-class"
    assert "0 = healthy; 1 = glioma, grade II" in str(data)
    [axes] = plots.bars(data.label_names, {"train": [1, 2]}, "images").axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["healthy", "glioma, grade II"]


def test_names_in_another_byte_order(tmp_path):
    assert load(tmp_path / "own.npz", np.array(["ä", "b"], ">U3")).label_names == ("ä", "b")


def test_without_names_classes_are_numbers(tmp_path):
    assert load(tmp_path / "own.npz", None).label_names == ("class 0", "class 1")


def test_a_class_without_images_keeps_its_name(tmp_path):
    data = load(tmp_path / "own.npz", np.array(["a", "b", "c"]))
    assert data.label_names == ("a", "b", "c") and data.task == "multi-class"


def test_each_of_several_labels_has_a_name(tmp_path):
    several = {
        f"{split}_labels": np.eye(3, dtype=int)[np.arange(6) % 3] for split in ("train", "val", "test")
    }
    assert load(tmp_path / "own.npz", np.array(["a", "b", "c"]), **several).label_names == ("a", "b", "c")
    for names in (["a", "b"], ["a", "b", "c", "d"]):
        with pytest.raises(DatasetError, match=rf"{len(names)} names for 3 classes"):
            load(tmp_path / "own.npz", np.array(names), **several)


WRONG = {
    "pickled": (OBJECTS[:2], "pickled Python objects, which are never unpickled"),
    "numbers": (np.array([1, 2]), r"int64 of shape \(2,\); expected text"),
    "bytes": (np.array([b"a", b"b"]), r"\|S1 of shape"),
    "table": (np.array([["a", "b"]]), r"shape \(1, 2\)"),
    "too few": (np.array(["a"]), "1 names for 2 classes"),
    "too many": (np.array([f"{i}" for i in range(1001)]), "at most 1000 names"),
    "twice": (np.array(["a", "a"]), "two classes with the same name"),
    "empty": (np.array(["a", ""]), "a name of class 1 that is empty"),
    "escape": (np.array(["a", "b\x1b[31m"]), "control characters"),
    "lines": (np.array(["a\nb", "c"]), "a name of class 0 that is empty or holds control"),
    "long": (np.array(["a", "b" * 61]), "class 1 with 61 letters"),
    "mathematics": (np.array(["a", "$x$"]), "figures read as mathematics"),
    "no letters": (np.frombuffer(np.array([0x110000, 65], "<u4").tobytes(), "<U1"), "damaged text"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_name_is_refused(tmp_path, case):
    names, expected = WRONG[case]
    np.savez(tmp_path / "own.npz", **arrays(), label_names=names, allow_pickle=True)
    with pytest.raises(DatasetError, match=expected) as refused:
        datasets.load(tmp_path / "own.npz")
    assert "[label_names]: found" in str(refused.value) and "What to do: save" in str(refused.value)


def test_names_cannot_write_html(tmp_path):
    html = load(tmp_path / "own.npz", np.array(["<script>", "b&c"]))._repr_mimebundle_()["text/html"]
    assert "<script>" not in html and "b&amp;c" in html
