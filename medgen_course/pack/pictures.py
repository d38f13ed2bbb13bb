"""PNG, JPEG and TIFF: 8 bit grey, colour, palette and alpha; 16 and 32 bit grey; pages of a TIFF as slices.

Colour with 16 bits is read with 8 of them. Transparent parts become black, as what is padded.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from medgen_course.pack.images import Image, Look, UnusableFile, check_memory, decoding
from medgen_course.pack.settings import Settings

FORMATS = ("PNG", "JPEG", "TIFF")
STARTS = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
WIDE = ("I;16", "I;16B", "I;16L", "I", "F")  # Pillow's modes of one channel with more than 8 bits
GREY = ("1", "L", "LA", *WIDE)
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0  # a TIFF tag


def look(path: Path, settings: Settings) -> Look:
    """What the header says; UnusableFile if it is damaged, or the file has none of the slices."""
    with _opened(path) as picture:
        count = getattr(picture, "n_frames", 1)
        taken = len(settings.chosen(count))
        if not taken:
            raise UnusableFile(f"--slices {settings.slices} leaves none of its {count} pages")
        check_memory(*picture.size)
        return Look(taken, stored=picture.mode not in WIDE, colour=picture.mode not in GREY)


def read(path: Path, settings: Settings) -> Iterator[Image]:
    """The pages that the settings choose, one at a time; UnusableFile if the data are damaged."""
    with _opened(path) as picture:
        pages = settings.chosen(getattr(picture, "n_frames", 1))
    for page in pages:
        with _opened(path) as picture:
            if page:
                picture.seek(page)
            image = _image(picture)
        yield image


@contextmanager
def _opened(path: Path) -> Iterator[Pillow.Image]:
    """A picture whose pixels are not decoded yet; what goes wrong inside is an UnusableFile."""
    with decoding("the picture"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Pillow.DecompressionBombWarning)
        with Pillow.open(path, formats=FORMATS) as picture:
            yield picture


def _image(picture: Pillow.Image) -> Image:
    inverted = (
        picture.mode in WIDE  # Pillow has turned the others already
        and getattr(picture, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO
    )
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in WIDE:
        return Image(np.asarray(upright), inverted=inverted)
    see_through = upright.has_transparency_data
    kind = "L" if upright.mode in GREY else "RGB"
    if not see_through:
        return Image(np.asarray(upright.convert(kind)))
    layers = upright.convert("RGBA")
    black = Pillow.new("RGBA", layers.size, (0, 0, 0, 255))
    return Image(np.asarray(Pillow.alpha_composite(black, layers).convert(kind)))
