import io

import numpy as np
import pytest
from PIL import Image

from medgen_course.explorers.parts.upload import MAX_BYTES, PictureError, Upload, fit_picture


def file_of(picture, kind="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, format=kind, **options)
    return buffer.getvalue()


def ramp(width=40, height=40):
    """Dark to the left, bright to the right."""
    return Image.fromarray(np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_png_of_any_mode_becomes_an_image(mode, channels):
    source = ramp().convert("I").point(lambda v: v * 200).convert("I;16") if mode == "I;16" else ramp()
    image = fit_picture(file_of(source.convert(mode)), channels, 28)
    assert image.shape == (channels, 28, 28)
    assert image.dtype == np.uint8
    assert image[:, :, :8].mean() < 70
    assert image[:, :, -8:].mean() > 180


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_of_any_mode_becomes_an_image(mode):
    image = fit_picture(file_of(ramp().convert(mode), "JPEG", quality=95), 1, 28)
    assert image[0, :, 2].mean() < 60
    assert image[0, :, -2].mean() > 200


def test_sixteen_bits_are_stretched_over_all_grey_levels():
    values = np.linspace(1000, 5000, 32 * 32).reshape(32, 32).astype(np.uint16)
    image = fit_picture(file_of(Image.fromarray(values)), 1, 32)
    assert (image.min(), image.max()) == (0, 255)
    flat = fit_picture(file_of(Image.fromarray(np.full((9, 9), 700, np.uint16))), 1, 28)
    assert np.unique(flat).size == 1


def test_transparent_places_are_black():
    picture = Image.new("RGBA", (10, 10), (255, 255, 255, 0))
    assert fit_picture(file_of(picture), 3, 28).max() == 0
    palette = Image.new("P", (10, 10), 0)
    palette.putpalette([255, 255, 255] + [0, 0, 0] * 255)
    assert fit_picture(file_of(palette, transparency=0), 1, 28).max() == 0


def test_orientation_of_a_camera_is_respected():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned: the right of the stored picture is its bottom
    image = fit_picture(file_of(ramp(), "JPEG", exif=exif, quality=95), 1, 28)
    assert image[0, :5].mean() < 80 < 170 < image[0, -5:].mean()
    assert abs(float(image[0, :, :5].mean()) - float(image[0, :, -5:].mean())) < 5


def test_oblong_pictures_are_cut_or_padded():
    wide = np.zeros((20, 60), np.uint8)
    wide[:, 20:40] = 200
    content = file_of(Image.fromarray(wide))
    assert fit_picture(content, 1, 28).min() > 150
    padded = fit_picture(content, 1, 30, pad=True)
    assert padded[0, :9].max() == padded[0, -9:].max() == 0
    assert padded[0, 15, 15] == 200
    for size in ((1, 1), (1, 400), (3000, 2)):
        assert fit_picture(file_of(Image.new("L", size, 90)), 1, 28).shape == (1, 28, 28)


def test_grey_becomes_rgb_and_rgb_becomes_grey():
    red = Image.new("RGB", (28, 28), (255, 0, 0))
    assert fit_picture(file_of(red), 1, 28).mean() == pytest.approx(76, abs=1)
    grey = fit_picture(file_of(Image.new("L", (28, 28), 90)), 3, 28)
    assert np.unique(grey).tolist() == [90]


def broken():
    png, jpeg = file_of(ramp(200, 200)), file_of(ramp(200, 200), "JPEG")
    flipped = bytearray(png)
    flipped[60] ^= 255
    return {
        "empty": b"", "text": b"hello", "cut png": png[: len(png) // 2], "cut jpeg": jpeg[: len(jpeg) // 2],
        "head alone": png[:20], "flipped": bytes(flipped), "gif": file_of(ramp(), "GIF"),
    }  # fmt: skip


@pytest.mark.parametrize("case", broken())
def test_broken_files_are_refused_in_one_line(case):
    with pytest.raises(PictureError, match="cannot be read as a PNG or JPEG") as caught:
        fit_picture(broken()[case], 1, 28)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 220


def test_too_large_files_and_pictures_are_refused():
    with pytest.raises(PictureError, match="at most 8 MB"):
        fit_picture(bytes(MAX_BYTES + 1), 1, 28)
    for side in (7000, 20000):  # the second is what Pillow itself calls a bomb
        with pytest.raises(PictureError, match="pixels"):
            fit_picture(file_of(Image.new("1", (side, side))), 1, 28)


def test_other_channel_numbers_are_an_error_of_the_caller():
    with pytest.raises(ValueError, match="channels is 2"):
        fit_picture(file_of(ramp()), 2, 28)


def test_the_widget_reports_every_file_once():
    upload, seen = Upload(), []
    upload.observe(lambda change: seen.append((change["new"], upload.name, len(upload.content))), "count")
    content = file_of(ramp())
    upload.receive(content, "a.png")
    upload.receive(content, "a.png")  # the same again is an event too
    assert seen == [(1, "a.png", len(content)), (2, "a.png", len(content))]
    assert upload.picture(1, 28).shape == (1, 28, 28)
    with upload.hold_trait_notifications():  # what the browser does with a file that it keeps back
        upload.content, upload.length, upload.count = memoryview(b""), MAX_BYTES + 1, 3
    with pytest.raises(PictureError, match=r"a.png has 8.0 MB"):
        upload.picture(1, 28)
