"""What can be wrong with images, folders, tables and options; what is left behind then."""

import os
import re

import numpy as np
import pydicom
import pytest
from pack_files import class_folders, dicom, images, nifti, noise, picture

from medgen_course.cli import main
from medgen_course.datasets import DatasetError
from medgen_course.pack.packing import pack


def test_broken_files_are_listed_and_the_run_goes_on(tmp_path, capsys):
    root = class_folders(tmp_path / "in", 12)
    (root / "cat" / "bad.png").write_bytes((root / "cat" / "p000.png").read_bytes()[:-60])
    (root / "dog" / "notes.txt").write_text("hello")
    (root / "README.md").write_text("no image beside the classes")
    picture(root / "stray.png")
    words = ["pack", str(root), "--out", str(tmp_path / "a.npz")]
    assert main(words) == 0
    told = capsys.readouterr()
    assert "skipped cat/bad.png: the picture cannot be read" in told.err
    assert "skipped dog/notes.txt: neither PNG, JPEG, TIFF, DICOM nor NIfTI" in told.err
    assert "skipped stray.png: it lies beside the folders" in told.err and "README" not in told.err
    assert "24 images from 24 files; files skipped: 3" in told.out
    assert "warning: no group is known for 25 of 25 files" in told.out
    assert re.search(r"train: 1[678] images; cat ", told.out)
    assert len(images(tmp_path / "a.npz")) == 24
    assert main([*words[:2], "--out", str(tmp_path / "b.npz"), "--strict"]) == 2
    streams = capsys.readouterr()
    assert streams.err.count("\n") == 1 and "--strict" in streams.err and not (tmp_path / "b.npz").exists()


def test_a_volume_with_a_broken_frame_leaves_no_frame_behind(tmp_path):
    for number in range(6):
        dicom(tmp_path / "in" / "x" / f"{number}.dcm", noise(number, (4, 16, 16)), f"P{number}00")
    made = pydicom.dcmread(tmp_path / "in" / "x" / "0.dcm")
    made.compress(pydicom.uid.RLELossless)
    parts = list(pydicom.encaps.generate_frames(made.PixelData, number_of_frames=4))
    made.PixelData = pydicom.encaps.encapsulate([*parts[:3], b"\0\0"])
    made.save_as(tmp_path / "in" / "x" / "0.dcm")
    packed = pack(tmp_path / "in", tmp_path / "a.npz", size=16)
    assert any("20 images from 5 files; files skipped: 1" in text for _, text in packed.facts)
    assert len(images(tmp_path / "a.npz")) == 20


def test_repeats_across_splits_are_refused(tmp_path):
    root = class_folders(tmp_path / "in", 10)
    for number in range(10):
        picture(root / "cat" / f"again{number}.png", noise(number, (12, 12)))
    out = tmp_path / "a.npz"
    with pytest.raises(DatasetError, match=r"stand in two splits: found .*cat/.* and cat/.*--allow-repeats"):
        pack(root, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    packed = pack(root, out, allow_repeats=True)
    assert sum(packed.audit["audit"]["shared"].values()) and any(
        "flatter" in line for line in packed.warnings
    )


def test_the_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    root, out = class_folders(tmp_path / "in"), tmp_path / "deep" / "a.npz"
    pack(root, out)
    before = out.read_bytes()

    def interrupt(*_args, **_more):
        raise KeyboardInterrupt

    for place in ("shutil.copyfileobj", "medgen_course.pack.packing.to_square"):
        with monkeypatch.context() as patch:
            patch.setattr(place, interrupt)
            with pytest.raises(KeyboardInterrupt):
                pack(root, out, seed=1)
        assert out.read_bytes() == before and os.listdir(out.parent) == ["a.npz"]
    pack(root, out, seed=1)
    assert out.read_bytes() != before


def table(text):
    return lambda root: (root / "t.csv").write_text(text)


def patient_folder(root):
    for number in range(3):
        dicom(root / "PID4711" / f"{number}.dcm", noise(number), "PID4711")


def name_folder(root):
    dicom(root / "Quimby_Joelle" / "0.dcm", noise(0))


def only_train(root):
    class_folders(root / "train")


def mixed(root):
    class_folders(root)
    nifti(root / "cat" / "x.nii", noise(0, (4, 4, 4), 999, np.int16))


def divided(root):
    class_folders(root)
    (root / "t.csv").write_text(
        "file,label,group,split\ncat/p000.png,a,g,train\ncat/p001.png,a,g,val\ncat/p002.png,a,h,test"
    )


def no_test(root):
    class_folders(root)
    (root / "t.csv").write_text("file,label,split\ncat/p000.png,a,train\n")


def one_patient(root):
    for number in range(5):
        dicom(root / "x" / f"{number}.dcm", noise(number))


def many_letters(root):
    class_folders(root, classes=("x" * 61, "dog"))


def no_test_left(root):
    divided(root)
    text = (root / "t.csv").read_text().replace("a,g,val", "a,i,val")
    (root / "t.csv").write_text(text)
    data = (root / "cat" / "p002.png").read_bytes()
    (root / "cat" / "p002.png").write_bytes(data[:60])


MISTAKES = {
    "nothing": (lambda root: None, "in", [], "no file that can be used"),
    "no such place": (lambda root: None, "none", [], "found nothing"),
    "no table": (lambda root: (root / "t.txt").write_text("x"), "in/t.txt", [], "no .csv"),
    "columns": (table("name,class\na,b"), "in/t.csv", [], "the columns name, class"),
    "empty table": (table(""), "in/t.csv", [], "the columns none"),
    "no label": (table("file,label\na.png,\n"), "in/t.csv", [], "line 2: found no label"),
    "twice": (
        table("file,label\na.png,x\nb.png,x\na.png,y"),
        "in/t.csv",
        [],
        "line 4: found a file that stands",
    ),
    "split": (table("file,label,split\na.png,x,valid"), "in/t.csv", [], "the split 'valid'"),
    "coding": (lambda root: (root / "t.csv").write_bytes(b"file,label\n\xe4,x"), "in/t.csv", [], "not UTF-8"),
    "missing files": (table("file,label\na.png,x"), "in/t.csv", [], "no file that can be used"),
    "a patient's id": (patient_folder, "in", [], "called like a patient"),
    "a patient's name": (name_folder, "in", [], "called like a patient"),
    "a group's name": (class_folders, "in", ["--group", "(cat|dog)"], "called like a patient or group"),
    "train only": (only_train, "in", [], "folders train only"),
    "two sorts of values": (mixed, "in", [], "--window CENTRE WIDTH"),
    "no test": (no_test, "in/t.csv", [], "a split without images for val and test"),
    "a group in two splits": (divided, "in/t.csv", [], "1 groups with images in more than one split"),
    "one patient": (one_patient, "in", [], "1 group of images"),
    "no match": (class_folders, "in", ["--group", r"(sub-\d+)"], "nothing that --group"),
    "long name": (many_letters, "in", [], "61 letters"),
    "an empty split": (no_test_left, "in/t.csv", [], "train 1, val 1, test 0"),
    "setting": (class_folders, "in", ["--size", "4"], "--size is 4"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_code_2(mistake, tmp_path, capsys):
    make, source, words, expected = MISTAKES[mistake]
    (tmp_path / "in").mkdir()
    make(tmp_path / "in")
    out = tmp_path / "out" / "a.npz"
    assert main(["pack", str(tmp_path / source), "--out", str(out), *words]) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("pack: skipped")]
    assert len(told) == 1 and expected in told[0] and "Traceback" not in told[0]
    assert not out.exists() and not (out.parent.exists() and os.listdir(out.parent))


def test_the_name_of_the_result_ends_in_npz(tmp_path):
    with pytest.raises(DatasetError, match=r"does not end in \.npz"):
        pack(class_folders(tmp_path / "in"), tmp_path / "a.zip")
