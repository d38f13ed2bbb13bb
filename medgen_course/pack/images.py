"""What readers hand on: a look at a file's header, then its images one by one; or why it cannot be used."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from medgen_course.datasets import memory

BYTES_A_VALUE = 16  # read, rescaled to float, resized


class UnusableFile(ValueError):
    """A file cannot be used; the message is the reason, without anything that stands in the file."""


@dataclass(frozen=True)
class Look:
    """What a header says.

    count: images that the settings take from the file.
    stored: the values are grey levels, 0 to 255, as they are.
    window: low and high value of the window that the file names, the value of black and that of white.
    colour, burnt: whether the images have colour; whether the file says that text is burnt into them.
    group: what the patient is known by in the file, or "".
    private: what the patient is known by, as `words`; no class may be called so.
    """

    count: int
    stored: bool
    window: tuple[float, float] | None = None
    colour: bool = False
    burnt: bool = False
    group: str = ""
    private: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Image:
    """One image as it is in the file.

    values: (H, W) of any real type, or uint8 (H, W, 3).
    window: as in Look, of this image.
    inverted: the lowest value is white.
    spacing: height and width of a pixel, in any unit.
    """

    values: np.ndarray
    window: tuple[float, float] | None = None
    inverted: bool = False
    spacing: tuple[float, float] = (1.0, 1.0)


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """Whatever a decoder raises on damaged bytes becomes an UnusableFile.

    Only the type of the error is told: its text may hold what stands in the file.
    """
    try:
        yield
    except (UnusableFile, KeyboardInterrupt):
        raise
    except Exception as error:
        raise UnusableFile(f"{what} cannot be read, damaged or cut off ({type(error).__name__})") from error


def check_memory(*sides: int) -> None:
    """Raise UnusableFile for an image or volume that would not fit into memory; nothing is allocated."""
    values = int(np.prod([int(side) for side in sides], dtype=object))
    if values < 1 or values * BYTES_A_VALUE > memory.memory_limit():
        raise UnusableFile(f"a header that claims {' x '.join(map(str, sides))} values")


def words(text: str) -> str:
    """A text in lower case, with one space for all that is neither a letter nor a digit."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))
