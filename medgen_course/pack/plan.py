"""What is to be packed: a look at every header, the classes, what belongs together, and the split."""

import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medgen_course.datasets.errors import problem
from medgen_course.datasets.label_names import wrong_name
from medgen_course.datasets.layout import MAX_CLASSES, SPLITS
from medgen_course.pack import listing, splits
from medgen_course.pack.images import Look, UnusableFile, words
from medgen_course.pack.levels import Seen
from medgen_course.pack.readers import reader_of
from medgen_course.pack.settings import Settings

EVERY = 5_000  # files between two lines of progress; how many there will be is not known yet


@dataclass(frozen=True)
class Plan:
    """The files that can be used, as far as their headers tell.

    files: names from the root on; the arrays beside it have an entry for each.
    labels, counts, split: class number, number of images, 0 train, 1 val or 2 test.
    label_names: of the classes.
    seen: what the headers say of grey levels and colour.
    groups: how many groups of files stay together; a file whose group is not known is one of its own.
    alone: files whose group is not known.
    given: whether the split was given rather than drawn.
    """

    files: list[str]
    labels: np.ndarray
    counts: np.ndarray
    split: np.ndarray
    label_names: tuple[str, ...]
    seen: Seen
    groups: int
    alone: int
    given: bool


def make_plan(
    source: Path, out: Path, settings: Settings, skip: Callable[[str, str], None], say: Callable[[str], None]
) -> Plan:
    """Look at every file.

    Args:
        source: a folder or a table; `listing` says which.
        out: what will be written; it is no image, should it lie in the source.
        settings: what is wanted.
        skip: told of each file that cannot be used, and why; what it raises stops the run.
        say: for lines of progress.
    Raises:
        DatasetError: the table or the folders are wrong, nothing can be used, there are too many classes, a
            class has no proper name or that of a patient, a given split divides a group or lacks a part, or
            no split can be drawn.
    """
    root, seen, files = listing.root_of(source), Seen(), []
    classes, known = {}, {}  # label -> number as it came, group -> number
    labels, groups, counts, given = array("i"), array("q"), array("i"), array("b")
    alone = 0
    for looked, row in enumerate(listing.rows(source), start=1):
        if looked % EVERY == 0:
            say(f"looked at {looked:,} files")
        path = root / row.file
        if path.name == out.name and path.resolve() == out.resolve():
            continue
        try:
            look = reader_of(path).look(path, settings)
        except UnusableFile as error:
            if row.label:  # beside the classes may lie what is no image
                skip(row.file, str(error))
            continue
        if not row.label:
            skip(row.file, "it lies beside the folders of the classes")
            continue
        group = _group(row, look, settings)
        _check_class(source, row.label, look, group, settings)
        seen.add(look)
        files.append(row.file)
        labels.append(classes.setdefault(row.label, len(classes)))
        if len(classes) > MAX_CLASSES:
            raise problem(source, f"more than {MAX_CLASSES} classes", "fewer", "check what names the classes")
        counts.append(look.count)
        given.append(SPLITS.index(row.split) if row.split else -1)
        alone += not group
        groups.append(known.setdefault(group, len(known)) if group else -alone)
    if not files:
        raise problem(
            source,
            "no file that can be used",
            "PNG, JPEG, TIFF, DICOM or NIfTI, in a folder for each class",
            "check the path, and the lines above if there are any",
        )
    names = listing.class_names(set(classes))
    if wrong := wrong_name(names):
        raise problem(source, wrong, "names that can stand in figures", "rename the folders or the labels")
    order = np.array([names.index(label) for label in classes])
    label_numbers, sizes = order[np.array(labels)], np.array(counts)
    group_numbers = np.unique(np.array(groups), return_inverse=True)[1]
    split, told = np.array(given), given[0] >= 0
    if told:
        _check_split(source, group_numbers, split)
    else:
        split = splits.assign(label_numbers, group_numbers, sizes, settings.val, settings.test, settings.seed)
    return Plan(files, label_numbers, sizes, split, names, seen, len(known) + alone, alone, told)


def _check_split(source: Path, groups: np.ndarray, split: np.ndarray) -> None:
    """Raise DatasetError where a given split lacks a part, or has a group in two parts."""
    if missing := [name for number, name in enumerate(SPLITS) if number not in split]:
        raise problem(
            source,
            f"a split without images for {' and '.join(missing)}",
            f"some for each of {', '.join(SPLITS)}",
            "add them, or leave the split out and it is drawn for you",
        )
    if divided := splits.divided(groups, split):
        raise problem(
            source,
            f"{divided} groups with images in more than one split",
            "each group, such as a patient, in one",
            "correct the split, or leave it out and it is drawn for you",
        )


def _group(row: listing.Row, look: Look, settings: Settings) -> str:
    """What a file belongs to, by the pattern, the table, or the file itself; "" where nothing is known."""
    if settings.group is None:
        return row.group or look.group
    found = re.search(settings.group, row.file)
    if not found or not found[found.re.groups and 1]:
        raise problem(
            row.file,
            f"nothing that --group {settings.group!r} fits",
            "a match in the name of every file",
            "change the pattern, or name the groups in a table",
        )
    return found[found.re.groups and 1]


def _check_class(source: Path, label: str, look: Look, group: str, settings: Settings) -> None:
    """Raise DatasetError where a class has the name of a patient: names of classes are stored in the file."""
    told = words(label)
    names = look.private if settings.group is None else look.private | {words(group)}
    telling = (name for name in names if " " in name or any(letter.isdigit() for letter in name))
    if told in names or any(f" {name} " in f" {told} " for name in telling):
        raise problem(
            source,
            "a class that is called like a patient or group in it",
            "names of classes, for they are stored in the file",
            "sort the images into a folder for each class, or name the classes in a table",
        )
