"""Every kind of picture arrives with the values that it shows."""

import os

import numpy as np
import pytest
import tifffile
from pack_files import noise, picture
from PIL import Image as Pillow

from medgen_course.pack import pictures
from medgen_course.pack.images import UnusableFile
from medgen_course.pack.readers import reader_of
from medgen_course.pack.settings import Settings

GREY, COLOUR = noise(0), noise(1, (20, 20, 3))
DEEP = noise(2, top=65536, dtype=np.uint16)


def read(path, slices="::1"):
    return list(pictures.read(path, Settings(slices=slices)))


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("values", [GREY, DEEP, COLOUR], ids=["grey", "16 bit", "colour"])
def test_lossless_pictures_keep_their_values(tmp_path, ending, values):
    path = picture(tmp_path / f"x.{ending}", values)
    [image] = read(path)
    np.testing.assert_array_equal(image.values, values)
    assert not image.inverted
    look = pictures.look(path, Settings())
    assert (look.count, look.stored, look.colour) == (1, values.dtype == np.uint8, values.ndim == 3)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits"])
def test_compressed_tiff(tmp_path, compression):
    [image] = read(picture(tmp_path / "x.tif", GREY, compression=compression))
    np.testing.assert_array_equal(image.values, GREY)


def test_jpeg_is_near_what_was_saved(tmp_path):
    smooth = np.add.outer(np.arange(0, 200, 10), np.arange(20)).astype(np.uint8)
    [image] = read(picture(tmp_path / "x.jpg", smooth, quality=95))
    assert np.abs(image.values.astype(int) - smooth).max() < 8
    [image] = read(picture(tmp_path / "y.jpeg", np.stack([smooth] * 3, 2), quality=95))
    assert image.values.shape == (20, 20, 3)


def test_palette_gives_the_colours_it_names(tmp_path):
    indices = Pillow.new("P", (20, 20))
    indices.putdata(noise(3, top=4).ravel().tolist())
    indices.putpalette([10, 20, 30, 250, 0, 0, 0, 250, 0, 0, 0, 250])
    indices.save(tmp_path / "x.png")
    [image] = read(tmp_path / "x.png")
    expected = np.array([[10, 20, 30], [250, 0, 0], [0, 250, 0], [0, 0, 250]], np.uint8)
    np.testing.assert_array_equal(image.values, expected[noise(3, top=4)])


def test_what_is_transparent_becomes_black(tmp_path):
    alpha = np.full((20, 20, 1), 255, np.uint8)
    alpha[:10] = 0
    [image] = read(picture(tmp_path / "x.png", np.concatenate([COLOUR, alpha], 2)))
    assert not image.values[:10].any()
    np.testing.assert_array_equal(image.values[10:], COLOUR[10:])
    [image] = read(picture(tmp_path / "y.png", np.concatenate([GREY[..., None], alpha], 2)))
    assert image.values.shape == (20, 20) and not image.values[:10].any()
    np.testing.assert_array_equal(image.values[10:], GREY[10:])


def test_one_bit_is_black_and_white(tmp_path):
    [image] = read(picture(tmp_path / "x.png", GREY > 127))
    np.testing.assert_array_equal(image.values, np.where(GREY > 127, 255, 0))


def test_tiff_in_which_white_is_zero(tmp_path):
    tifffile.imwrite(tmp_path / "deep.tif", DEEP, photometric="miniswhite")
    [image] = read(tmp_path / "deep.tif")
    assert image.inverted
    tifffile.imwrite(tmp_path / "grey.tif", GREY, photometric="miniswhite")
    [image] = read(tmp_path / "grey.tif")
    assert not image.inverted  # Pillow has done it
    np.testing.assert_array_equal(image.values, 255 - GREY)


def test_sixteen_bit_colour_keeps_its_high_bytes(tmp_path):
    deep = noise(4, (20, 20, 3), 65536, np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", deep, photometric="rgb")
    [image] = read(tmp_path / "x.tif")
    np.testing.assert_array_equal(image.values, deep >> 8)


def test_pages_are_slices(tmp_path):
    stack = noise(5, (6, 20, 20))
    tifffile.imwrite(tmp_path / "x.tif", stack, photometric="minisblack")
    for slices, expected in (("::1", range(6)), ("1:5:2", (1, 3)), ("middle", (3,)), ("-2:", (4, 5))):
        assert pictures.look(tmp_path / "x.tif", Settings(slices=slices)).count == len(expected)
        for image, page in zip(read(tmp_path / "x.tif", slices), expected, strict=True):
            np.testing.assert_array_equal(image.values, stack[page])
    with pytest.raises(UnusableFile, match=r"--slices 7: leaves none of its 6 pages"):
        pictures.look(tmp_path / "x.tif", Settings(slices="7:"))


def test_a_photograph_stands_upright(tmp_path):
    exif = Pillow.Exif()
    exif[0x0112] = 6  # the camera was held upright
    path = picture(tmp_path / "x.png", COLOUR[:10], exif=exif)
    [image] = read(path)
    np.testing.assert_array_equal(image.values, np.rot90(COLOUR[:10], -1))


FAULTS = {
    "cut off": (lambda data: data[: len(data) // 2], "the picture cannot be read"),
    "no picture": (lambda data: b"\x89PNG\r\n\x1a\n" + b"nonsense" * 9, "the picture cannot be read"),
    "empty": (lambda data: b"", r"an empty file \(0 bytes\)"),
    "text": (lambda data: b"hello", "neither PNG, JPEG, TIFF, DICOM nor NIfTI"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_have_a_reason(tmp_path, fault):
    damage, reason = FAULTS[fault]
    path = picture(tmp_path / "x.png", noise(0, (64, 64)))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UnusableFile, match=reason):
        reader_of(path).look(path, Settings())
        read(path)


def test_missing_file_and_impossible_name(tmp_path):
    for name in ("none.png", "nu\0ll.png"):
        with pytest.raises(UnusableFile, match="cannot be opened"):
            reader_of(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.png")
    with pytest.raises(UnusableFile, match="not a file"):
        reader_of(tmp_path / "x.png")


def test_a_bomb_is_not_decoded(tmp_path, monkeypatch):
    path = picture(tmp_path / "x.png")
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 399)
    with pytest.raises(UnusableFile, match="DecompressionBomb"):
        pictures.look(path, Settings())
