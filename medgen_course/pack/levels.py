"""One rule for grey levels: which value becomes black, and which white, in every image of a data set."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from medgen_course.datasets.errors import problem
from medgen_course.pack.images import Image, Look, UnusableFile
from medgen_course.pack.settings import Settings

USUAL = (1.0, 99.0)  # percentiles, where none are given
SAMPLE = 1_000_000  # values that the percentiles are taken of
FEWEST = 10  # of them from one file
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue; ITU-R BT.601

Read = Callable[[str], Iterator[Image]]


class Seen:
    """Counts what the headers say, so that a rule can be chosen that fits all files."""

    MOST_WINDOWS = 100  # that are told apart

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.windows: set[tuple[float, float]] = set()
        self.colour = self.burnt = 0

    def add(self, look: Look) -> None:
        """Count one file."""
        self.kinds["stored" if look.stored else "window" if look.window else "wide"] += 1
        if look.window and len(self.windows) < self.MOST_WINDOWS:
            self.windows.add(look.window)
        self.colour += look.colour
        self.burnt += look.burnt


@dataclass(frozen=True)
class Rule:
    """How values become grey levels.

    kind: "stored", "window", "tag", "percentiles" or "file" (percentiles of each file).
    low, high: the values of black and of white; not used by "tag" and "file".
    percentiles: which, for the last two.
    text: the rule in words, for the reader.
    """

    kind: str
    text: str
    low: float = 0.0
    high: float = 255.0
    percentiles: tuple[float, float] = USUAL


def choose(settings: Settings, seen: Seen) -> Rule:
    """The rule that the settings ask for, or the one that fits what the headers say.

    Without a word from the settings: grey levels stay as they are where all files have 8 bits; the files' own
    windows count where each has one; percentiles of the training images otherwise.

    Raises:
        DatasetError: some files hold grey levels and others values, and no rule was asked for.
    """
    stored, windows, wide = (seen.kinds[kind] for kind in ("stored", "window", "wide"))
    if settings.window is not None:
        centre, width = settings.window
        low, high = centre - width / 2, centre + width / 2
        text = f"window {centre:g} {width:g}: {low:g} is black, {high:g} is white"
        return Rule("window", text, low, high)
    percentiles = settings.percentiles or USUAL
    if settings.per_image:
        shown = " and ".join(f"{p:g}" for p in percentiles)
        return Rule("file", f"percentiles {shown} of each file are black and white", percentiles=percentiles)
    if settings.percentiles is None and not wide and not windows:
        return Rule("stored", "as stored: 0 is black, 255 is white")
    if settings.percentiles is None and not wide and not stored:
        count = len(seen.windows)
        several = f", {count}{' or more' if count == seen.MOST_WINDOWS else ''} different ones"
        return Rule("tag", f"the window that each file names{several if count > 1 else ''}")
    if settings.percentiles is None and stored:
        raise problem(
            "grey levels",
            f"{stored:,} files with 8 bit grey levels and {windows + wide:,} with other values",
            "one kind, so that one rule fits all",
            "pack them separately, or give the rule: --window CENTRE WIDTH or --percentiles 1 99",
        )
    return Rule("percentiles", "", percentiles=percentiles)


def measured(rule: Rule, read: Read, training: Iterable[tuple[str, int]], count: int, seed: int) -> Rule:
    """The rule with the values of its percentiles over the training images; other rules as they are.

    Args:
        rule: from `choose`.
        read: gives the images of a file; it may raise UnusableFile.
        training: the training files, each with the number of its images.
        count: how many files these are.
        seed: of the values that are looked at; each file gives equally many.
    Raises:
        DatasetError: both percentiles are the same value, or there is none.
    """
    if rule.kind != "percentiles":
        return rule
    random, share = np.random.default_rng(seed), max(FEWEST, SAMPLE // count)
    drawn = []
    for file, images in training:
        with contextlib.suppress(UnusableFile):  # it will be listed when it is to be packed
            drawn.append(_sample(read(file), images, share, random))
    low, high = _percentiles(drawn, rule.percentiles)
    shown = " and ".join(f"{p:g}" for p in rule.percentiles)
    if not high > low:
        raise problem(
            "grey levels",
            f"percentiles {shown} of the training images that are both {low:g}",
            "two different values",
            "give others, such as --percentiles 0 100, or --window CENTRE WIDTH",
        )
    text = f"percentiles {shown} of the training images: {low:g} is black, {high:g} is white"
    return replace(rule, text=text, low=low, high=high)


def of_file(rule: Rule, read: Read, file: str, count: int) -> Rule:
    """The rule for the `count` images of one file: for the kind "file" with that file's own percentiles."""
    if rule.kind != "file":
        return rule
    low, high = _percentiles([_sample(read(file), count, SAMPLE, np.random.default_rng(0))], rule.percentiles)
    if not high > low:
        raise UnusableFile(f"its percentiles are both {low:g}")
    return replace(rule, low=low, high=high)


def _sample(images: Iterator[Image], count: int, share: int, random: np.random.Generator) -> np.ndarray:
    """About `share` finite values of `count` images, float32; all of them where there are no more."""
    each, drawn = -(-share // count), []
    for image in images:
        values = image.values.ravel()
        if values.size > each:
            values = values[random.integers(0, values.size, each)]
        values = values.astype(np.float32)
        drawn.append(values[np.isfinite(values)])
    return np.concatenate(drawn)


def _percentiles(drawn: Sequence[np.ndarray], percentiles: tuple[float, float]) -> tuple[float, float]:
    """The values at two percentiles; 0 and 0 of nothing."""
    values = np.concatenate(drawn) if drawn else np.zeros(0, np.float32)
    low, high = np.percentile(values, percentiles) if values.size else (0.0, 0.0)
    return float(low), float(high)


def to_grey(image: Image, rule: Rule, rgb: bool) -> np.ndarray:
    """Values as grey levels.

    Returns:
        float32 0 to 255, (H, W), or (H, W, 3) if `rgb`.
    Raises:
        UnusableFile: the rule is the file's window, and this image has none.
    """
    if rule.kind == "tag" and image.window is None:
        raise UnusableFile("an image without the window that the others have")
    low, high = image.window if rule.kind == "tag" else (rule.low, rule.high)
    grey = (image.values.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
    grey = np.nan_to_num(grey, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255)
    if image.inverted:
        grey = 255 - grey
    if grey.ndim == 3 and not rgb:
        return grey @ LUMA
    if grey.ndim == 2 and rgb:
        return np.repeat(grey[..., None], 3, axis=2)
    return grey
