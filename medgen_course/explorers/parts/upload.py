"""A reader's own picture: the widget that takes it, and how any PNG or JPEG becomes an image for a model."""

import io
import struct
import warnings
import zlib
from pathlib import Path

import anywidget
import numpy as np
import traitlets
from PIL import Image, ImageOps

_HERE = Path(__file__).parent
MAX_BYTES = 8_000_000  # Jupyter closes the connection at a message of 10 MiB
MAX_PIXELS = 40_000_000
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")  # Pillow's names for more than 8 bits
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)


class PictureError(ValueError):
    """A file that cannot be used as a picture; the message is one line for the person who gave it."""


def fit_picture(content: bytes, channels: int, size: int, pad: bool = False) -> np.ndarray:
    """Make an image for a model out of any PNG or JPEG file.

    The picture is turned as its EXIF orientation says, laid on black where it is transparent, reduced to
    grey or widened to RGB, cut to its central square (as MedMNIST's chest images were; or padded with black)
    and resampled bicubically. More than 8 bits a pixel are stretched from their darkest to their brightest
    value. Of several frames the first is taken.

    Args:
        content: the bytes of the file.
        channels: 1 for grey, 3 for RGB.
        size: side wanted, in pixels.
        pad: keep all of an oblong picture, with black bars.
    Returns:
        uint8 (channels, size, size).
    Raises:
        PictureError: no PNG or JPEG, broken, or too large; one line.
        ValueError: another number of channels than 1 or 3.
    Source: Yang et al., Scientific Data 10, 41, 2023 (crop and bicubic interpolation).
    """
    if channels not in (1, 3):
        raise ValueError(f"channels is {channels}; expected 1 (grey) or 3 (RGB)")
    picture = _flat(_read(content)).convert("L" if channels == 1 else "RGB")
    method = Image.Resampling.BICUBIC
    if pad:
        square = ImageOps.pad(picture, (size, size), method)
    else:
        square = ImageOps.fit(picture, (size, size), method)
    return np.asarray(square).reshape(size, size, channels).transpose(2, 0, 1).copy()


def _read(content: bytes) -> Image.Image:
    """Decode a file whose size was checked before its pixels are."""
    if len(content) > MAX_BYTES:
        raise PictureError(
            f"this file has {len(content) / 1e6:.1f} MB; at most {MAX_BYTES / 1e6:.0f} MB can be taken: "
            "make it smaller"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow only doubts, it either reads or not
            with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise PictureError(
                        f"this picture has {width} x {height} pixels; at most {MAX_PIXELS / 1e6:.0f} million "
                        "can be taken: make it smaller"
                    )
                picture.load()
                return ImageOps.exif_transpose(picture)
    except PictureError:
        raise
    except _BROKEN as error:
        raise PictureError(
            f"this file cannot be read as a PNG or JPEG picture ({_one_line(error)}): open it in an image "
            "viewer and save it again"
        ) from error


def _flat(picture: Image.Image) -> Image.Image:
    """The picture on black, in a mode that converts to grey and RGB without surprises."""
    if picture.mode in _DEEP:
        values = np.asarray(picture, dtype=np.float64)
        values -= values.min()
        return Image.fromarray(np.rint(255 * values / max(values.max(), 1e-12)).astype(np.uint8))
    if picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return "unknown format" if isinstance(error, OSError) and "identify" in text else text[:100]


class Upload(anywidget.AnyWidget):
    """Takes one file: by its button, by keyboard, or dropped on it.

    Traits:
        count: how many files have been given; observe it. Then `content` and `name` hold the newest one.
        content: its bytes, empty where the file was larger than `max_bytes` (the browser keeps it back).
        name: its name.
        length: its length in bytes.
        label: what is wanted, for the reader's eyes and for screen readers.
    """

    _esm = _HERE / "upload.js"
    _css = _HERE / "upload.css"

    count = traitlets.Int(0).tag(sync=True)
    content = traitlets.CBytes().tag(sync=True, echo_update=False)  # comes as a memoryview, is not sent back
    name = traitlets.Unicode().tag(sync=True)
    length = traitlets.Int(0).tag(sync=True)
    label = traitlets.Unicode("Drop in your own picture (PNG, JPEG)").tag(sync=True)
    max_bytes = traitlets.Int(MAX_BYTES).tag(sync=True)

    def receive(self, content: bytes, name: str) -> None:
        """Take a file, as a hand gives it."""
        with self.hold_trait_notifications():
            self.content, self.name, self.length = content, name, len(content)
            self.count += 1

    def picture(self, channels: int, size: int, pad: bool = False) -> np.ndarray:
        """The newest file, fitted: see `fit_picture`. Raises PictureError."""
        if self.length > self.max_bytes:
            raise PictureError(
                f"{self.name} has {self.length / 1e6:.1f} MB; at most {self.max_bytes / 1e6:.0f} MB can be "
                "taken: make it smaller"
            )
        return fit_picture(self.content, channels, size, pad)
