"""What can be chosen when images are packed, checked before the first file is opened."""

import re
from dataclasses import dataclass
from typing import Literal

SIZES = (8, 1024)  # pixels; what a model of this course could still be trained on


@dataclass(frozen=True)
class Settings:
    """How own images become a data set.

    Args:
        size: side of the packed images in pixels; the notebooks and `medgen train` expect 28 unless told.
        fit: pad adds black at two sides until an image is square, crop cuts two sides off.
        rgb: keep colour; without it colour images become grey.
        window: centre and width of the values that become black to white, e.g. 40 400 (Hounsfield units).
        percentiles: low and high, e.g. 1 99: the values at these percentiles of the training images become
            black and white.
        per_image: take the percentiles of each file (a volume as a whole) rather than of all of them.
        axis: along which a NIfTI volume is cut into slices.
        slices: which slices or frames of a file: start:stop:step as in Python, or middle.
        group: regular expression whose match in a file's name (from SOURCE on, with /) says which images
            belong together, e.g. '(sub-[^/_]+)'; its first bracket counts if there is one.
        val: share of the images for validation.
        test: share of the images for testing.
        seed: of the split.
        strict: stop at the first file that cannot be used.
        allow_repeats: write the file although one image stands in two splits.
    """

    size: int = 28
    fit: Literal["pad", "crop"] = "pad"
    rgb: bool = False
    window: tuple[float, float] | None = None
    percentiles: tuple[float, float] | None = None
    per_image: bool = False
    axis: Literal["axial", "coronal", "sagittal"] = "axial"
    slices: str = "::1"
    group: str | None = None
    val: float = 0.1
    test: float = 0.2
    seed: int = 0
    strict: bool = False
    allow_repeats: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError, with what was found and what is expected, for a setting out of range."""
        low, high = SIZES
        if not low <= self.size <= high:
            raise ValueError(f"--size is {self.size}; choose {low} to {high} pixels.")
        if self.window is not None and not self.window[1] > 0:
            raise ValueError(f"--window has the width {self.window[1]:g}; give centre and width > 0: 40 400.")
        if self.percentiles is not None and not 0 <= self.percentiles[0] < self.percentiles[1] <= 100:
            found = " ".join(f"{value:g}" for value in self.percentiles)
            raise ValueError(f"--percentiles are {found}; give two from 0 to 100, the low one first: 1 99.")
        if self.window is not None and (self.percentiles is not None or self.per_image):
            raise ValueError("--window is a rule for grey levels, percentiles are another; choose one.")
        if not (self.val > 0 and self.test > 0 and self.val + self.test < 1):
            raise ValueError(
                f"--val is {self.val:g} and --test {self.test:g}; give shares above 0 that leave some images "
                "for training, such as 0.1 and 0.2."
            )
        if self.seed < 0:
            raise ValueError(f"--seed is {self.seed}; give a whole number from 0 on.")
        if self.group is not None:
            try:
                re.compile(self.group)
            except re.error as error:
                raise ValueError(
                    f"--group {self.group!r} is no regular expression ({error}); an example: '(sub-[^/_]+)'."
                ) from error
        self.chosen(1)

    def chosen(self, count: int) -> range:
        """The numbers of the slices or frames wanted from a file with `count` of them; may be empty.

        Raises:
            ValueError: `slices` cannot be understood.
        """
        if self.slices == "middle":
            return range(count // 2, count // 2 + 1)
        try:
            numbers = [int(part) if part else None for part in self.slices.split(":")]
            if len(numbers) not in (2, 3) or (
                len(numbers) == 3 and numbers[2] is not None and numbers[2] < 1
            ):
                raise ValueError
        except ValueError:
            raise ValueError(
                f"--slices is {self.slices!r}; give start:stop:step with a step of 1 or more, such as "
                "40:120:4 or ::2, or the word middle."
            ) from None
        return range(*slice(*numbers).indices(count))
