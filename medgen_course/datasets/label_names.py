"""Names of classes in an own `.npz`: an array of text, `label_names`, in the order of the class numbers."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medgen_course.datasets import layout, memory, npz
from medgen_course.datasets.errors import problem

KEY = "label_names"
MAX_LETTERS = 60  # of a name; more would fill a figure


def read_label_names(path: Path, classes: int, several: bool = False) -> tuple[str, ...]:
    """Read the names of the classes, or make some up ("class 0", ...) where the file has none.

    Args:
        path: the .npz; `label_names`, if it is there, is an array of text (L,), never of Python objects.
        classes: how many the labels tell of.
        several: whether an image can have several labels; then there are as many names as classes. Otherwise
            there may be more: of classes without any image.
    Raises:
        DatasetError: the names are not like that, or are fewer, or one of them is no name (`wrong_name`).
    """
    names = read_names(path, KEY, classes, "class", layout.MAX_CLASSES, exactly=several)
    return names or tuple(f"class {number}" for number in range(classes))


def read_names(
    path: Path, key: str, count: int, what: str, most: int, exactly: bool
) -> tuple[str, ...] | None:
    """Read an array of names, or None where the file has none.

    Args:
        path, key: the .npz and the array in it.
        count: how many things there are to be named.
        what: what one of them is called, for messages.
        most: more names than that are a mistake.
        exactly: whether more names than things are one, too.
    Raises:
        DatasetError: see `read_label_names`.
    """
    several = "classes" if what == "class" else f"{what}s"
    with npz.open_npz(path) as archive:
        if f"{key}.npy" not in archive.namelist():
            return None
        subject, header = f"{path} [{key}]", npz.read_headers(path, archive, [key])[key]
        order = "the class numbers" if what == "class" else f"the {several}"
        remedy = f"save them with numpy.array([...], dtype=str), in the order of {order}"
        if header.dtype.kind != "U" or len(header.shape) != 1 or header.shape[0] > most:
            found = f"{header.dtype} of shape {header.shape}"
            raise problem(subject, found, f"text of shape (L,), at most {most} names", remedy)
        memory.check_memory(path, header.count * header.dtype.itemsize, None)
        names = np.empty(header.shape, header.dtype.newbyteorder("="))
        npz.read_into(path, archive, header, names)
    if names.nbytes and names.view(np.uint32).max() > sys.maxunicode:
        raise problem(subject, "damaged text", f"names of {several}", remedy)
    told = tuple(names.tolist())
    if len(told) < count or (exactly and len(told) > count):
        raise problem(subject, f"{len(told)} names for {count} {several}", f"one for each {what}", remedy)
    if wrong := wrong_name(told, what):
        raise problem(subject, wrong, "names that can stand in a figure", remedy)
    return told


def wrong_name(names: Sequence[str], what: str = "class") -> str:
    """What keeps names of classes, or of `what`, from standing in figures and menus, or "" for good ones."""
    if len(set(names)) < len(names):
        return f"two {'classes' if what == 'class' else what + 's'} with the same name"
    for number, name in enumerate(names):
        if not name or name != " ".join(name.split()) or not name.isprintable():
            return f"a name of {what} {number} that is empty or holds control characters or needless spaces"
        if len(name) > MAX_LETTERS:
            return f"a name of {what} {number} with {len(name)} letters, more than {MAX_LETTERS}"
        if "$" in name:
            return f"a name of {what} {number} with a $, which figures read as mathematics"
    return ""
