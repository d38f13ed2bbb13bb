"""Folders and tables become a file: labels, groups, grey levels, and nobody's name."""

import re
import zipfile

import nibabel
import numpy as np
import pytest
from pack_files import SECRETS, arrays, class_folders, dicom, images, nifti, noise, patients, picture

from medgen_course import datasets
from medgen_course.cli import main
from medgen_course.datasets.audit import audit
from medgen_course.pack.packing import pack


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


def test_a_shipped_volume_and_shipped_slices(tmp_path):
    root = tmp_path / "in"
    shipped = nibabel.load(f"{nibabel.__path__[0]}/tests/data/example4d.nii.gz").get_fdata()[..., 0]
    for number in range(3):
        nifti(root / "mri" / f"{number}.nii.gz", np.roll(shipped, 7 * number, 0).astype(np.float32))
    packed = pack(root, tmp_path / "a.npz", slices="4:20:3", size=64)
    assert images(tmp_path / "a.npz").shape == (18, 64, 64)
    assert packed.facts[2][1].startswith("percentiles 1 and 99")


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


def test_pairs_of_numbers_are_two_words(tmp_path, capsys):
    root = patients(tmp_path / "in", window=None, count=1)
    words = ["pack", str(root), "--out", str(tmp_path / "a.npz")]
    assert main([*words, "--window", "-10", "100"]) == 0
    assert "window -10 100: -60 is black, 40 is white" in capsys.readouterr().out
    assert main([*words, "--percentiles", "0", "100"]) == 0
    assert "percentiles 0 and 100 of the training images: 0 is black, 99 is white" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*words, "--window", "40"])
