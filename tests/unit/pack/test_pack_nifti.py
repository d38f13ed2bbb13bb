"""NIfTI: volumes turned to RAS and cut as a radiologist sees them."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform
from pack_files import nifti, noise

from medgen_course.pack import nifti as reader
from medgen_course.pack.images import UnusableFile
from medgen_course.pack.settings import Settings

SHIPPED = Path(nibabel.__file__).parent / "tests" / "data"


def read(path, **settings):
    return list(reader.read(path, Settings(**settings)))


def reason_of(path) -> str:
    try:
        reader.look(path, Settings())
        read(path)
    except UnusableFile as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "name", ["anatomical.nii", "standard.nii.gz", "example_nifti2.nii.gz", "example4d.nii.gz"]
)
def test_shipped_volumes(name):
    volume = nibabel.as_closest_canonical(nibabel.load(SHIPPED / name))
    expected = volume.get_fdata().reshape(*volume.shape[:3], -1)[..., 0]  # RAS; the first of a series
    for axis, number in (("sagittal", 0), ("coronal", 1), ("axial", 2)):
        middle = expected.shape[number] // 2
        [image] = read(SHIPPED / name, axis=axis, slices="middle")
        plane = np.take(expected, middle, number)
        np.testing.assert_allclose(image.values, plane[::-1, ::-1].T, rtol=1e-6)
        assert reader.look(SHIPPED / name, Settings(axis=axis)).count == expected.shape[number]


def marked() -> np.ndarray:
    """A volume in RAS (x to the right, y to the front, z up), brighter towards each of them."""
    x, y, z = np.meshgrid(np.arange(4), np.arange(5), np.arange(6), indexing="ij")
    return (100 * x + 10 * y + z).astype(np.float32)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "LAS", "PIR", "SAL", "ASR"])
def test_slices_look_the_same_however_the_volume_is_stored(tmp_path, codes):
    """The same head stored in six ways: front at the top, the patient's right at the left of the picture."""
    ras, zooms = marked(), np.diag([1.0, 2.0, 3.0, 1.0])
    turn = ornt_transform(io_orientation(zooms), axcodes2ornt(codes))
    stored = apply_orientation(ras, turn)
    affine = zooms @ nibabel.orientations.inv_ornt_aff(turn, ras.shape)
    path = nifti(tmp_path / "x.nii.gz", stored, affine)
    axial = read(path)
    assert len(axial) == 6 and axial[2].values.shape == (5, 4) and axial[2].spacing == (2, 1)
    assert axial[2].values[0, 0] == 100 * 3 + 10 * 4 + 2  # front right of the patient
    assert axial[2].values[-1, -1] == 2  # back left
    coronal = read(path, axis="coronal", slices="1:2")[0]
    assert coronal.spacing == (3, 1) and coronal.values[0, 0] == 300 + 10 + 5 and coronal.values[-1, -1] == 10
    sagittal = read(path, axis="sagittal", slices="1:2")[0]
    assert (
        sagittal.spacing == (3, 2) and sagittal.values[0, 0] == 100 + 40 + 5 and sagittal.values[-1, 0] == 140
    )


def test_step_and_range(tmp_path):
    path = nifti(tmp_path / "x.nii", noise(0, (8, 9, 10)))
    assert [len(read(path, slices=slices)) for slices in ("::3", "2:-2", "middle")] == [4, 6, 1]
    assert reader.look(path, Settings(slices="::3")).count == 4
    with pytest.raises(UnusableFile, match="leaves none of its 10 axial slices"):
        reader.look(path, Settings(slices="20:"))


def test_scaled_integers_become_values(tmp_path):
    volume = nibabel.Nifti1Image(noise(0, (4, 4, 4), dtype=np.int16), np.eye(4))
    volume.header.set_slope_inter(0.5, -20)
    nibabel.save(volume, tmp_path / "x.nii")
    expected = np.asarray(nibabel.load(tmp_path / "x.nii").dataobj)[:, :, 0]
    np.testing.assert_allclose(read(tmp_path / "x.nii")[0].values, expected[::-1, ::-1].T)


def colours(path):
    kind = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4), kind), np.eye(4)), path)


def flat(path):
    nibabel.save(nibabel.Nifti1Image(noise(0, (4, 4)), np.eye(4)), path)


def nowhere(path):
    data = bytearray(nifti(path, noise(0, (4, 4, 4))).read_bytes())
    data[280:296] = bytes(16)  # srow_x: where the first axis goes
    path.write_bytes(data)


def cut(path):
    nifti(path, noise(0, (40, 40, 40)))
    path.write_bytes(path.read_bytes()[:-9000])


def zipped_cut(path):
    zipped = gzip.compress(nifti(path, noise(0, (40, 40, 40))).read_bytes())
    path.write_bytes(zipped[: len(zipped) // 2])


def huge(path):
    volume = nibabel.Nifti1Image(noise(0, (4, 4, 4)), np.eye(4))
    nibabel.save(volume, path)
    data = bytearray(path.read_bytes())
    data[42:48] = np.array([32767] * 3, "<i2").tobytes()
    path.write_bytes(data)


FAULTS = {
    "colour": (colours, "x.nii", "not plain numbers"),
    "flat": (flat, "x.nii", "2 axes"),
    "no orientation": (nowhere, "x.nii", "(how the volume lies in space|cannot be read)"),
    "cut off": (cut, "x.nii", "damaged or cut off"),
    "cut off, zipped": (zipped_cut, "x.nii.gz", "damaged or cut off"),
    "huge": (huge, "x.nii", "32767 x 32767 x 32767"),
    "nonsense": (lambda path: path.write_bytes(b"nonsense" * 100), "x.nii", "cannot be read"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_have_a_reason(tmp_path, fault):
    make, name, reason = FAULTS[fault]
    make(tmp_path / name)
    with pytest.raises(UnusableFile, match=reason):
        reader.look(tmp_path / name, Settings())
        read(tmp_path / name)


def test_random_damage_gives_images_or_a_reason(tmp_path):
    good = nifti(tmp_path / "x.nii", noise(0, (4, 5, 6))).read_bytes()
    draw, refused = np.random.default_rng(0), 0
    for _ in range(150):
        bad = bytearray(good)
        for at in draw.integers(0, 348, draw.integers(1, 9)):
            bad[at] = draw.integers(256)
        (tmp_path / "y.nii").write_bytes(bad)
        refused += bool(reason_of(tmp_path / "y.nii"))
    assert 10 < refused < 150
