"""Own images into one `.npz` in the course's layout.

Headers first: which files there are, what they show, what belongs together (`plan`). Then the rule for grey
levels, measured on training images where it has to be, then image by image onto the disk, the audit, and the
file. Memory holds one file at a time.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medgen_course.datasets.audit import audit
from medgen_course.datasets.errors import problem
from medgen_course.datasets.layout import SPLITS
from medgen_course.pack import levels, listing
from medgen_course.pack.images import Image, UnusableFile
from medgen_course.pack.plan import Plan, make_plan
from medgen_course.pack.readers import reader_of
from medgen_course.pack.settings import Settings
from medgen_course.pack.squares import to_square
from medgen_course.pack.writer import Spool

MANY = 500  # files from which on progress is told
FITS = {"pad": "padded with black to a square", "crop": "cropped to a square"}


@dataclass(frozen=True)
class Packed:
    """What was done: (title, text) pairs, warnings, and what `datasets.audit` found in the file."""

    facts: list[tuple[str, str]]
    warnings: list[str]
    audit: dict[str, Any]


@dataclass
class _Run:
    """One run: how many files and images were left out so far, and the way to say so."""

    strict: bool
    skipped: int = 0
    used: int = 0
    blank: int = 0

    def say(self, line: str) -> None:
        print(f"pack: {line}", file=sys.stderr)

    def skip(self, file: str, reason: str) -> None:
        if self.strict:
            raise problem(file, reason, "a file that can be used", "mend or remove it, or drop --strict")
        self.skipped += 1
        self.say(f"skipped {file}: {reason}")

    def progress(self, what: str, numbers: np.ndarray) -> Iterator[int]:
        """Numbers of files, with a line at every tenth of many."""
        for done, number in enumerate(numbers.tolist(), start=1):
            yield number
            if len(numbers) >= MANY and done % (len(numbers) // 10) == 0:
                self.say(f"{what} {done:,} of {len(numbers):,} files")


def pack(source: str | Path, out: str | Path, **settings: Any) -> Packed:
    """Pack own images into an `.npz` in MedMNIST's layout, with the names of the classes.

    Nothing that a file tells of a patient goes into it: only pixels, class numbers and names of classes.

    Args:
        source: a folder with a folder for each class (or train, val and test with these in them), or a table
            `file,label[,group][,split]` (.csv) with names of files from its own folder on.
        out: the .npz; written whole or not at all.
        settings: see `settings.Settings`.
    Returns:
        What was done. Lines on stderr tell of progress and of each file that was skipped, with its reason.
    Raises:
        ValueError: a setting is out of range.
        DatasetError: the source, or what is in it, cannot be packed like that; images repeat across splits.
    """
    chosen, source, out = Settings(**settings), Path(source), Path(out)
    if out.suffix != ".npz":
        raise problem(out, "a name that does not end in .npz", "the file to be written", "call it mine.npz")
    run, root = _Run(chosen.strict), listing.root_of(source)
    plan = make_plan(source, out, chosen, run.skip, run.say)

    def read(file: str) -> Iterator[Image]:
        return reader_of(root / file).read(root / file, chosen)

    numbers = np.flatnonzero(plan.split == 0)
    training = ((plan.files[n], int(plan.counts[n])) for n in run.progress("took grey levels of", numbers))
    rule = levels.measured(levels.choose(chosen, plan.seen), read, training, len(numbers), chosen.seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=".medgen-pack-", dir=out.parent) as folder,
        Spool(Path(folder), chosen.size, chosen.rgb) as spool,
    ):
        for number in run.progress("packed", np.arange(len(plan.files))):
            try:
                _add(spool, plan, number, read, rule, chosen, run)
            except UnusableFile as error:
                run.skip(plan.files[number], str(error))
        if not all(spool.counts()):
            _refuse_empty(source, spool.counts())
        found = audit(spool.dataset(out.name, plan.label_names, f"packed from {source.name}"))
        repeated = {pair: count for pair, count in found["audit"]["shared"].items() if count}
        if repeated and not chosen.allow_repeats:
            _refuse_repeats(spool, plan, repeated)
        spool.write(out, plan.label_names)
    return Packed(_facts(out, chosen, plan, rule, run, found), _warnings(chosen, plan, found), found)


def _add(
    spool: Spool, plan: Plan, number: int, read: levels.Read, rule: levels.Rule, chosen: Settings, run: _Run
) -> None:
    """All images of one file, or none of them where one is damaged."""
    file = plan.files[number]
    of_file, made = levels.of_file(rule, read, file, int(plan.counts[number])), []
    for image in read(file):
        grey = levels.to_grey(image, of_file, chosen.rgb)
        square = to_square(grey, chosen.size, chosen.fit, image.spacing)
        if np.ptp(grey) < 0.5 or not np.ptp(square):  # air around a head, a frame before the exposure
            run.blank += 1
        else:
            made.append(square)
    run.used += 1
    for square in made:
        spool.add(int(plan.split[number]), square, int(plan.labels[number]), number)


def _refuse_empty(source: Path, counts: list[int]) -> None:
    found = ", ".join(f"{split} {count}" for split, count in zip(SPLITS, counts, strict=True))
    raise problem(source, f"images {found}", "some in every split", "give more images, or mend those skipped")


def _refuse_repeats(spool: Spool, plan: Plan, repeated: dict[str, int]) -> None:
    first, second = spool.repeated()
    found = ", ".join(f"{pair} {count}" for pair, count in repeated.items())
    raise problem(
        "images that stand in two splits",
        f"{found}; for example {plan.files[first]} and {plan.files[second]}",
        "none, for what is tested must not have been learnt",
        "remove the repeats, keep them together with a group, or accept them with --allow-repeats",
    )


def _facts(
    out: Path, chosen: Settings, plan: Plan, rule: levels.Rule, run: _Run, found: dict[str, Any]
) -> list[tuple[str, str]]:
    images = sum(split["count"] for split in found["splits"].values())
    written = f"{out}: {images:,} images from {run.used:,} files"
    written += f"; files skipped: {run.skipped:,}" if run.skipped else ""
    written += f"; images of a single grey level, left out: {run.blank:,}" if run.blank else ""
    kind = "RGB" if chosen.rgb else "grey, colour turned to grey" if plan.seen.colour else "grey"
    shares = f"{1 - chosen.val - chosen.test:.0%} / {chosen.val:.0%} / {chosen.test:.0%}, seed {chosen.seed}"
    return [
        ("written", written),
        ("images", f"{chosen.size} x {chosen.size} pixels, {kind}; {FITS[chosen.fit]}, antialiased"),
        ("grey", rule.text),
        ("labels", "; ".join(f"{number} = {name}" for number, name in enumerate(plan.label_names))),
        ("groups", f"{plan.groups:,} that stay together"),
        ("split", "as given" if plan.given else f"train / val / test {shares}"),
    ]


def _warnings(chosen: Settings, plan: Plan, found: dict[str, Any]) -> list[str]:
    told = []
    if plan.alone:
        told.append(
            f"no group is known for {plan.alone:,} of {len(plan.files):,} files: images of one patient may "
            "stand in two splits. Say what belongs together: --group PATTERN, or a column group in a table."
        )
    if chosen.per_image:
        told.append("each file has grey levels of its own: brightness cannot be compared between images.")
    elif len(plan.seen.windows) > 1 and not (chosen.window or chosen.percentiles):
        told.append("files have different windows: brightness cannot be compared between images (--window).")
    if plan.seen.burnt:
        told.append(f"{plan.seen.burnt:,} files say that text is burnt into their pixels: look for names.")
    for name in plan.label_names:
        if absent := [split for split, facts in found["splits"].items() if not facts["classes"][name]]:
            told.append(f"the class {name} has no image in {' and '.join(absent)}.")
    if any(found["audit"]["shared"].values()):
        told.append("some images stand in two splits: figures on the test split will flatter the model.")
    return told
