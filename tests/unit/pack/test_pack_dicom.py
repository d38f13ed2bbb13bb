"""DICOM: the files that pydicom ships, and made-up ones for what they do not show."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pack_files import dicom, noise
from pydicom.pixels import apply_windowing, pixel_array
from pydicom.uid import JPEGLSLossless

from medgen_course.pack import dicom as reader
from medgen_course.pack import levels
from medgen_course.pack.images import UnusableFile
from medgen_course.pack.readers import reader_of
from medgen_course.pack.settings import Settings

SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"  # what comes with the package, no download
RULE = levels.Rule("tag", "")


def read(path, **settings):
    return list(reader.read(path, Settings(**settings)))


def reason_of(path) -> str:
    try:
        reader_of(path).look(path, Settings())
        read(path)
    except UnusableFile as error:
        return str(error)
    return ""


READABLE = {
    "CT_small.dcm": (128, 128), "MR_small.dcm": (64, 64), "MR_small_RLE.dcm": (64, 64),
    "MR_small_bigendian.dcm": (64, 64), "MR_small_implicit.dcm": (64, 64), "MR_small_padded.dcm": (64, 64),
    "MR_small_jp2klossless.dcm": (64, 64), "JPEG2000.dcm": (1024, 256), "693_J2KI.dcm": (512, 512),
    "ExplVR_BigEnd.dcm": (60, 80, 3), "SC_rgb_rle.dcm": (100, 100, 3), "SC_rgb_jpeg_dcmtk.dcm": (100, 100, 3),
    "SC_rgb_rle_16bit.dcm": (100, 100, 3), "SC_rgb_rle_32bit.dcm": (100, 100, 3),
    "SC_ybr_full_422_uncompressed.dcm": (100, 100, 3), "examples_overlay.dcm": (300, 484),
    "examples_palette.dcm": (350, 800, 3), "examples_jpeg2k.dcm": (480, 640, 3),
    "rtdose_1frame.dcm": (10, 10), "liver_1frame.dcm": (512, 512),
    "dicomdirtests/77654033/CR1/6154": (16, 16),
}  # fmt: skip


@pytest.mark.parametrize("name", READABLE)
def test_shipped_files_that_can_be_read(name):
    path = SHIPPED / name
    look = reader_of(path).look(path, Settings())
    [image] = read(path)
    assert image.values.shape == READABLE[name] and np.ptp(image.values) > 0
    assert look.count == 1 and look.colour == (image.values.ndim == 3)
    assert image.values.dtype == np.uint8 or not look.stored


REFUSED = {
    "MR_small_jpeg_ls_lossless.dcm": "syntax JPEG-LS Lossless Image Compression (1.2.840.10008.1.2.4.80)",
    "JPEGLSNearLossless_16.dcm": "transfer syntax JPEG-LS Lossy",
    "SC_rgb_jpeg_gdcm.dcm": "transfer syntax JPEG Lossless, Non-Hierarchical",
    "MR_truncated.dcm": "damaged or cut off",
    "JPGExtended.dcm": "damaged or cut off",  # 12 bit JPEG, which Pillow cannot decode
    "SC_rgb_jpeg.dcm": "damaged or cut off",
    "badVR.dcm": "damaged or cut off",
    "rtplan.dcm": "without an image (RT Plan Storage)",
    "reportsi.dcm": "without an image (Basic Text SR Storage)",
    "waveform_ecg.dcm": "without an image",
    "meta_missing_tsyntax.dcm": "without an image",
    "no_meta.dcm": "without an image",
    "image_dfl.dcm": "damaged or cut off",  # a header alone
    "dicomdirtests/DICOMDIR": "without an image (Media Storage Directory Storage)",
    "README.txt": "neither PNG",
}


@pytest.mark.parametrize("name", REFUSED)
def test_shipped_files_that_are_refused_by_reason(name):
    assert REFUSED[name] in reason_of(SHIPPED / name)


def test_every_shipped_file_is_read_or_has_a_reason():
    paths = [path for path in sorted(SHIPPED.rglob("*")) if path.is_file() and path.stat().st_size < 300_000]
    reasons = [reason_of(path) for path in paths]
    assert len(paths) > 100 and 40 < reasons.count("") < len(paths)
    assert not [reason for reason in reasons if "4MR1" in reason or "CompressedSamples" in reason]


@pytest.mark.parametrize("name", ["MR_small.dcm", "examples_overlay.dcm", "dicomdirtests/98892003/MR1/15820"])
def test_the_window_of_the_tag_is_that_of_pydicom(name):
    header = pydicom.dcmread(SHIPPED / name)
    expected = apply_windowing(pixel_array(header).astype(np.float64), header).astype(np.float64)
    [image] = read(SHIPPED / name)
    grey = levels.to_grey(image, RULE, rgb=False)
    top = 2.0**header.BitsStored  # pydicom's output covers the range of the stored bits
    signed = header.PixelRepresentation
    np.testing.assert_allclose(grey, (expected + signed * top / 2) / (top - 1) * 255, atol=0.01)
    assert np.ptp(grey) > 100


def test_rescaled_values_are_hounsfield_units(tmp_path):
    stored = np.arange(400, dtype=np.uint16).reshape(20, 20)
    [image] = read(dicom(tmp_path / "x.dcm", stored, RescaleSlope=2, RescaleIntercept=-1024))
    np.testing.assert_array_equal(image.values, stored * 2.0 - 1024)
    assert image.window is None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(None, (-160.5 + 0.5, 239.5 - 0.5)), ("LINEAR_EXACT", (-160, 240)), ("SIGMOID", None)],
)
def test_windows_of_every_function(tmp_path, kind, expected):
    tags = {"WindowCenter": [40, 300], "WindowWidth": [400, 1500]}
    tags |= {"VOILUTFunction": kind} if kind else {}
    path = dicom(tmp_path / "x.dcm", noise(0, dtype=np.int16), **tags)
    assert read(path)[0].window == expected
    assert reader.look(path, Settings()).window == expected


def test_an_empty_window_is_none(tmp_path):
    path = dicom(tmp_path / "x.dcm", noise(0, dtype=np.int16), WindowCenter="", WindowWidth="")
    assert read(path)[0].window is None
    path = dicom(tmp_path / "y.dcm", noise(0, dtype=np.int16), WindowCenter=40, WindowWidth=0)
    assert read(path)[0].window is None


def test_monochrome1_shows_its_low_values_white(tmp_path):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    [one] = read(dicom(tmp_path / "1.dcm", ramp, PhotometricInterpretation="MONOCHROME1"))
    [two] = read(dicom(tmp_path / "2.dcm", ramp))
    stored = levels.Rule("stored", "")
    np.testing.assert_array_equal(levels.to_grey(two, stored, False), ramp)
    np.testing.assert_array_equal(levels.to_grey(one, stored, False), 255 - ramp)


def test_frames_are_chosen(tmp_path):
    frames = noise(1, (5, 20, 20), 4096, np.uint16)
    path = dicom(tmp_path / "x.dcm", frames)
    for slices, expected in (("::1", (0, 1, 2, 3, 4)), ("1::2", (1, 3)), ("middle", (2,))):
        assert reader.look(path, Settings(slices=slices)).count == len(expected)
        for image, number in zip(read(path, slices=slices), expected, strict=True):
            np.testing.assert_array_equal(image.values, frames[number])
    with pytest.raises(UnusableFile, match="leaves none of its 5 frames"):
        reader.look(path, Settings(slices="9:"))


def test_enhanced_files_have_windows_and_slopes_for_each_frame(tmp_path):
    def group(slope, centre):
        values, window, measures, frame = (pydicom.Dataset() for _ in range(4))
        values.RescaleSlope, values.RescaleIntercept, values.RescaleType = slope, 0, "US"
        window.WindowCenter, window.WindowWidth = centre, 101
        measures.PixelSpacing = [2, 1]
        frame.PixelValueTransformationSequence, frame.FrameVOILUTSequence = [values], [window]
        frame.PixelMeasuresSequence = [measures]
        return frame

    frames = noise(1, (2, 20, 20), 100, np.uint16)
    groups = [group(1, 50), group(3, 150)]
    path = dicom(tmp_path / "x.dcm", frames, PerFrameFunctionalGroupsSequence=groups)
    first, second = read(path)
    np.testing.assert_array_equal(second.values, frames[1] * 3.0)
    assert first.window == (-0.5, 99.5) and second.window == (99.5, 199.5) and second.spacing == (2, 1)
    shared = dicom(tmp_path / "y.dcm", frames, SharedFunctionalGroupsSequence=[group(3, 150)])
    assert [image.window for image in read(shared)] == [(99.5, 199.5)] * 2


def test_groups_are_patients_then_studies(tmp_path):
    values = noise(0)

    def group(number, patient, study):
        path = dicom(tmp_path / f"{number}.dcm", values, patient, StudyInstanceUID=study)
        return reader.look(path, Settings()).group

    known = (("P1", "1.1"), ("P1", "1.2"), ("P2", "1.1"), ("", "1.1"), ("", "1.1"), ("", "1.2"))
    groups = [group(number, *ids) for number, ids in enumerate(known)]
    assert groups[0] == groups[1] != groups[2] and groups[3] == groups[4] != groups[5]
    assert not {*groups[:3]} & {*groups[3:]}
    unknown = dicom(tmp_path / "f.dcm", values, "", StudyInstanceUID=None)
    assert reader.look(unknown, Settings()).group == ""
    assert {"pid4711", "quimby", "joelle", "quimby joelle"} <= reader.look(
        dicom(tmp_path / "g.dcm", values), Settings()
    ).private


def test_an_unreadable_transfer_syntax_is_named_before_pixels_are_read(tmp_path):
    path = dicom(tmp_path / "x.dcm", noise(0))
    made = pydicom.dcmread(path)
    made.file_meta.TransferSyntaxUID = JPEGLSLossless
    made.PixelData = pydicom.encaps.encapsulate([b"\0\0"])
    made.save_as(path)
    assert "JPEG-LS Lossless" in reason_of(path) and "gdcmconv --raw" in reason_of(path)


def test_a_header_that_claims_more_than_memory(tmp_path):
    path = dicom(tmp_path / "x.dcm", noise(0), NumberOfFrames=1)
    made = pydicom.dcmread(path)
    made.Rows = made.Columns = 65535
    made.save_as(path)
    reason = reason_of(path)
    assert "65535 x 65535" in reason or "damaged" in reason


def test_floating_point_pixels(tmp_path):
    values = np.linspace(-1, 1, 400, dtype=np.float32).reshape(20, 20)
    tags = {"BitsAllocated": 32, "PixelData": None, "FloatPixelData": values.tobytes()}
    gone = dict.fromkeys(("BitsStored", "HighBit", "PixelRepresentation"))
    path = dicom(tmp_path / "x.dcm", values, **tags, **gone)
    np.testing.assert_array_equal(read(path)[0].values, values)
    assert not reader.look(path, Settings()).stored


def test_random_damage_gives_images_or_a_reason(tmp_path):
    good = bytearray(
        dicom(tmp_path / "x.dcm", noise(0, (3, 8, 8)), WindowCenter=40, WindowWidth=80).read_bytes()
    )
    draw, refused = np.random.default_rng(0), 0
    for _ in range(150):
        bad = bytearray(good)
        for at in draw.integers(132, len(bad) - 192, draw.integers(1, 9)):
            bad[at] = draw.integers(256)
        (tmp_path / "y.dcm").write_bytes(bad)
        refused += bool(reason_of(tmp_path / "y.dcm"))
    assert 10 < refused < 150
