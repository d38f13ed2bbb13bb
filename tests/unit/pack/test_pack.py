"""The whole way: folders and tables to a file; faults, repeats, privacy, memory."""

import io
import os
import re
import tracemalloc
import zipfile

import nibabel
import numpy as np
import pydicom
import pytest
from pack_files import SECRETS, arrays, class_folders, dicom, images, nifti, noise, picture
from PIL import Image as Pillow

from medgen_course import datasets
from medgen_course.cli import main
from medgen_course.datasets import DatasetError
from medgen_course.datasets.audit import audit
from medgen_course.pack.packing import pack

BY_NUMBER = {"group": r"(p\d+)"}


def test_a_folder_becomes_a_data_set_with_the_names_of_its_classes(tmp_path, capsys):
    out = tmp_path / "mine.npz"
    packed = pack(class_folders(tmp_path / "in", 20, shape=(28, 28)), out)
    data = datasets.load(out)
    assert data.label_names == ("cat", "dog") and data.task == "binary-class"
    assert {name: len(split) for name, split in data.splits().items()} == {"train": 28, "val": 4, "test": 8}
    assert packed.audit == audit(data)
    expected = {noise(1000 * label + i, (28, 28)).tobytes(): label for label in (0, 1) for i in range(20)}
    for split in data.splits().values():
        for image, label in zip(split.images, split.labels, strict=True):
            assert expected.pop(image[0].tobytes()) == label
    assert not expected
    assert "0 = cat; 1 = dog" in str(data)


def test_a_table_gives_labels_groups_and_splits(tmp_path):
    lines = ["file;label;group;split"]
    for number in range(12):
        picture(tmp_path / "in" / f"{number}.png", seed=number)
        lines.append(
            f"in\\{number}.png;{10 - number % 2};g{number // 2};{('train', 'val', 'test')[number // 4]}"
        )
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    packed = pack(tmp_path / "t.csv", tmp_path / "mine.npz", size=20)
    assert ("split", "as given") in packed.facts and ("groups", "6 that stay together") in packed.facts
    assert not packed.warnings
    data = datasets.load(tmp_path / "mine.npz")
    assert data.label_names == ("9", "10")  # as numbers, not as text
    for part, split in enumerate(data.splits().values()):
        want = [noise(4 * part + i) for i in range(4)]
        np.testing.assert_array_equal(split.images[:, 0], want)
        assert split.labels.tolist() == [1, 0, 1, 0]


def test_folders_that_are_split_already(tmp_path):
    for split in ("train", "val", "test"):
        class_folders(tmp_path / "in" / split, 2 + len(split), shape=(9, len(split)))
    packed = pack(tmp_path / "in", tmp_path / "mine.npz", allow_repeats=True)
    assert ("split", "as given") in packed.facts
    counts = {name: facts["classes"] for name, facts in packed.audit["splits"].items()}
    assert counts == {
        "train": {"cat": 7, "dog": 7},
        "val": {"cat": 5, "dog": 5},
        "test": {"cat": 6, "dog": 6},
    }


def test_images_without_classes_are_one_class(tmp_path):
    class_folders(tmp_path, 8)
    pack(tmp_path / "cat", tmp_path / "mine.npz")
    assert datasets.load(tmp_path / "mine.npz").label_names == ("unlabelled",)


def test_colour_on_request(tmp_path):
    for number in range(6):
        picture(tmp_path / "in" / "skin" / f"{number}.png", noise(number, (28, 28, 3)))
    grey = pack(tmp_path / "in", tmp_path / "grey.npz")
    pack(tmp_path / "in", tmp_path / "rgb.npz", rgb=True)
    assert arrays(tmp_path / "grey.npz")["train_images"].shape[1:] == (28, 28)
    assert any("colour turned to grey" in text for _, text in grey.facts)
    want = {noise(number, (28, 28, 3)).tobytes() for number in range(6)}
    assert {image.tobytes() for image in images(tmp_path / "rgb.npz")} == want
    assert datasets.load(tmp_path / "rgb.npz").channels == 3


def patients(root, window=(40, 80), count=6):
    """Two classes of three patients each with `count` slices of a scan."""
    for number in range(6):
        for cut in range(count):
            values = noise(10 * number + cut, (16, 16), 100, np.int16)
            name = root / ("healthy", "ill")[number % 2] / f"{number}{cut}.dcm"
            tags = {"WindowCenter": window[0] + number, "WindowWidth": window[1]} if window else {}
            dicom(name, values, f"PID4711-{number}", **tags)
    return root


def test_patients_stay_together_and_out_of_the_file(tmp_path, capfd):
    out = tmp_path / "mine.npz"
    packed = pack(patients(tmp_path / "in"), out, size=16)
    assert ("groups", "6 that stay together") in packed.facts
    assert not [line for line in packed.warnings if "no group" in line]
    where = {}
    for split in ("train", "val", "test"):
        for image in arrays(out)[f"{split}_images"]:
            where[image.tobytes()] = split
    for number in range(6):
        low = 40 + number - 0.5 - 39.5
        grey = [
            np.rint(((noise(10 * number + cut, (16, 16), 100, np.int16) - low) * 255 / 79).clip(0, 255))
            for cut in range(6)
        ]
        assert len({where[image.astype(np.uint8).tobytes()] for image in grey}) == 1
    assert any("different windows" in line for line in packed.warnings)
    told = "".join(capfd.readouterr()) + str(packed)
    with zipfile.ZipFile(out) as archive:
        held = b"".join(archive.read(name) for name in archive.namelist()) + out.read_bytes()
    for secret in SECRETS:
        assert secret.lower() not in told.lower()
        for coding in ("utf-8", "utf-32-le"):
            assert secret.lower().encode(coding) not in held.lower()


def test_rules_for_grey_levels_are_said_and_kept(tmp_path):
    root = patients(tmp_path / "in", window=None)
    packed = pack(root, tmp_path / "a.npz")
    [text] = [text for title, text in packed.facts if title == "grey"]
    low, high = (float(found) for found in re.findall(r"(\d+) is", text))
    assert text.startswith("percentiles 1 and 99 of the training images") and low < 5 and high > 95
    packed = pack(root, tmp_path / "b.npz", window=(50, 100))
    assert ("grey", "window 50 100: 0 is black, 100 is white") in packed.facts
    packed = pack(root, tmp_path / "c.npz", per_image=True)
    assert any("brightness cannot be compared" in line for line in packed.warnings)


def test_percentiles_come_from_training_images_alone(tmp_path):
    lines = ["file,label,split"]
    for number, (split, top) in enumerate([("train", 1000), ("train", 1000), ("val", 9000), ("test", 60000)]):
        picture(tmp_path / f"{number}.png", noise(number, (20, 20), top, np.uint16))
        lines.append(f"{number}.png,x,{split}")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    packed = pack(tmp_path / "t.csv", tmp_path / "a.npz", percentiles=(0, 100))
    expected = [noise(number, (20, 20), 1000, np.uint16) for number in (0, 1)]
    low, high = np.min(expected), np.max(expected)
    text = f"percentiles 0 and 100 of the training images: {low} is black, {high} is white"
    assert ("grey", text) in packed.facts
    assert arrays(tmp_path / "a.npz")["test_images"].mean() > 230


def test_burnt_in_text_and_missing_classes_are_warned_of(tmp_path):
    for number in range(5):
        dicom(
            tmp_path / "in" / "many" / f"{number}.dcm",
            noise(number),
            f"P{number}00",
            BurnedInAnnotation="YES",
        )
    dicom(tmp_path / "in" / "rare" / "x.dcm", noise(9), "P900")
    warned = "\n".join(pack(tmp_path / "in", tmp_path / "a.npz").warnings)
    assert "5 files say that text is burnt into their pixels" in warned
    assert re.search(r"the class rare has no image in \w+ and \w+\.", warned)


def test_volumes_become_slices_without_air(tmp_path):
    for number in range(4):
        volume = noise(number, (10, 12, 8), 1000, np.int16)
        volume[:, :, :3] = 0
        nifti(tmp_path / "in" / "t1" / f"sub-0{number}" / "anat.nii.gz", volume)
    packed = pack(tmp_path / "in", tmp_path / "a.npz", group=r"(sub-\d+)")
    assert images(tmp_path / "a.npz").shape == (20, 28, 28)
    assert any("of a single grey level, left out: 12" in text for _, text in packed.facts)
    pack(tmp_path / "in", tmp_path / "b.npz", slices="3::2", axis="axial")
    assert images(tmp_path / "b.npz").shape == (12, 28, 28)


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
    frames = noise(0, (4, 16, 16))
    for number in range(6):
        dicom(tmp_path / "in" / "x" / f"{number}.dcm", noise(number, (4, 16, 16)), f"P{number}00")
    made = pydicom.dcmread(tmp_path / "in" / "x" / "0.dcm")
    made.compress(pydicom.uid.RLELossless)
    parts = list(pydicom.encaps.generate_frames(made.PixelData, number_of_frames=4))
    made.PixelData = pydicom.encaps.encapsulate([*parts[:3], b"\0\0"])
    made.save_as(tmp_path / "in" / "x" / "0.dcm")
    packed = pack(tmp_path / "in", tmp_path / "a.npz", size=16)
    assert any("20 images from 5 files; files skipped: 1" in text for _, text in packed.facts)
    assert len(images(tmp_path / "a.npz")) == 20 and len(frames) == 4


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


def test_the_same_images_give_the_same_bytes(tmp_path):
    root = class_folders(tmp_path / "in", shape=(20, 17))
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        pack(root, tmp_path / f"{name}.npz", seed=seed)
    a, b, c = ((tmp_path / f"{name}.npz").read_bytes() for name in "abc")
    assert a == b != c


def test_the_result_may_lie_in_the_source(tmp_path):
    root = class_folders(tmp_path / "in")
    for _ in range(2):
        packed = pack(root, root / "cat" / "mine.npz", strict=True)
        assert packed.facts[0][1].endswith("20 images from 20 files")


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


def test_pairs_of_numbers_are_two_words(tmp_path, capsys):
    root = patients(tmp_path / "in", window=None, count=1)
    words = ["pack", str(root), "--out", str(tmp_path / "a.npz")]
    assert main([*words, "--window", "-10", "100"]) == 0
    assert "window -10 100: -60 is black, 40 is white" in capsys.readouterr().out
    assert main([*words, "--percentiles", "0", "100"]) == 0
    assert "percentiles 0 and 100 of the training images: 0 is black, 99 is white" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*words, "--window", "40"])


def test_progress_is_told_for_many_files(tmp_path, capsys):
    pack(many(tmp_path / "in", 500), tmp_path / "a.npz", allow_repeats=True)
    told = re.findall(r"packed ([\d,]+) of 500 files", capsys.readouterr().err)
    assert told == [str(count) for count in range(50, 501, 50)]


def many(root, count):
    """Tiny PNG files, no two alike."""
    (root / "x").mkdir(parents=True)
    for number in range(count):
        values = np.array([[number >> 8, number & 255], [7, 9]], np.uint8)
        data = io.BytesIO()
        Pillow.fromarray(values).save(data, "PNG")
        (root / "x" / f"{number:05d}.png").write_bytes(data.getvalue())
    return root


# Its name, its numbers and the audit's fingerprints are 250; Python's table of interned names, which holds
# the parts of paths, may grow by 4 MB in between. The image alone would be 4,096.
BYTES_A_FILE = 2_000


def test_memory_stays_flat(tmp_path):
    peaks = {}
    for count in (50, 500, 5000):  # the first one imports what is imported late
        source = many(tmp_path / str(count), count)
        tracemalloc.start()
        pack(source, tmp_path / f"{count}.npz", size=64, allow_repeats=True)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert len(images(tmp_path / "5000.npz")) == 5000
    assert peaks[5000] - peaks[500] < 4500 * BYTES_A_FILE


def test_a_shipped_volume_and_shipped_slices(tmp_path):
    root = tmp_path / "in"
    shipped = nibabel.load(f"{nibabel.__path__[0]}/tests/data/example4d.nii.gz").get_fdata()[..., 0]
    for number in range(3):
        nifti(root / "mri" / f"{number}.nii.gz", np.roll(shipped, 7 * number, 0).astype(np.float32))
    packed = pack(root, tmp_path / "a.npz", slices="4:20:3", size=64)
    assert images(tmp_path / "a.npz").shape == (18, 64, 64)
    assert packed.facts[2][1].startswith("percentiles 1 and 99")
