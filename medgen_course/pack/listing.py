"""Which files there are and what they show: a folder for each class, or a table."""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medgen_course.datasets.errors import problem
from medgen_course.datasets.layout import SPLITS

COLUMNS = ("file", "label", "group", "split")
ONE_CLASS = "unlabelled"  # where images lie in the folder itself


@dataclass(frozen=True, slots=True)
class Row:
    """One file: its name from the root on (with /), its class, and, where they are given, group and split.

    The class is "" for a file that lies beside the folders of classes.
    """

    file: str
    label: str
    group: str = ""
    split: str = ""


def root_of(source: Path) -> Path:
    """The folder that the names of files start from: the source itself, or where the table lies.

    Raises:
        DatasetError: the source is neither a folder nor a table.
    """
    if source.is_dir():
        return source
    if source.is_file() and source.suffix.lower() == ".csv":
        return source.parent
    raise problem(
        source,
        "a file that is no .csv" if source.exists() else "nothing",
        "a folder with a folder for each class, or a table file,label[,group][,split] that ends in .csv",
        "check the path; medgen pack --help tells more",
    )


def rows(source: Path) -> Iterator[Row]:
    """Every file of a folder or table, in an order that depends on nothing but names.

    Raises:
        DatasetError: the table cannot be read, lacks a column or a value, or names a file twice; the folder
            has only some of the folders train, val and test.
    """
    return _of_folder(source) if source.is_dir() else _of_table(source)


def _of_folder(root: Path) -> Iterator[Row]:
    """Rows of root/CLASS/..., of root/{train,val,test}/CLASS/..., or of images in the root itself."""
    tops = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not _hidden(entry.name))
    given = set(tops) <= set(SPLITS) and tops != []
    if given and len(tops) < len(SPLITS):
        raise problem(
            root,
            f"folders {', '.join(tops)} only",
            "a folder for each class, or all of train, val and test with these in it",
            "move the classes out of them, and the split is drawn for you; or add what is missing",
        )
    beside = sorted(entry.name for entry in os.scandir(root) if entry.is_file() and not _hidden(entry.name))
    if not tops:
        yield from (Row(name, ONE_CLASS) for name in beside)
        return
    yield from (Row(name, "") for name in beside)
    for top in tops:
        for name in _below(root, top):
            parts = name.split("/")
            if given:
                yield Row(name, parts[1] if len(parts) > 2 else ONE_CLASS, split=top)
            else:
                yield Row(name, top)


def _below(root: Path, folder: str) -> Iterator[str]:
    """Names of the files in a folder and below it, sorted, without hidden ones; links to folders are left."""
    with os.scandir(root / folder) as entries:
        found = sorted((e.name, e.is_dir(follow_symlinks=False)) for e in entries if not _hidden(e.name))
    for name, is_folder in found:
        inside = f"{folder}/{name}" if folder else name
        if is_folder:
            yield from _below(root, inside)
        else:
            yield inside


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in ("Thumbs.db", "desktop.ini", "__MACOSX")


def _of_table(path: Path) -> Iterator[Row]:
    seen = set()
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter=";" if head.count(";") > head.count(",") else ",")
            columns = [column for column in COLUMNS if column in (reader.fieldnames or ())]
            if columns[:2] != [*COLUMNS[:2]]:
                raise problem(
                    path,
                    f"the columns {', '.join(reader.fieldnames or ()) or 'none'}",
                    "file,label[,group][,split]",
                    "name the columns in the first line",
                )
            for line in reader:
                values = {column: (line[column] or "").strip() for column in columns}
                row = _row(path, reader.line_num, values)
                if row.file in seen:
                    raise problem(
                        f"{path}, line {reader.line_num}",
                        "a file that stands in an earlier line too",
                        "each file once",
                        "remove one of the two lines",
                    )
                seen.add(row.file)
                yield row
    except UnicodeDecodeError as error:
        raise problem(path, "text that is not UTF-8", "UTF-8", "save the table as CSV UTF-8") from error
    except csv.Error as error:
        raise problem(path, f"no CSV ({error})", "a table with commas", "save it as CSV UTF-8") from error
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
        raise problem(path, found, "a readable file", "check its permissions") from error


def _row(path: Path, line: int, values: dict[str, str]) -> Row:
    """A row with a value in every column that the table has."""
    if missing := [column for column, value in values.items() if not value]:
        raise problem(
            f"{path}, line {line}",
            f"no {' and no '.join(missing)}",
            "a value in every column",
            "fill it in, or remove the line",
        )
    if values.get("split", SPLITS[0]) not in SPLITS:
        raise problem(
            f"{path}, line {line}",
            f"the split {values['split']!r}",
            ", ".join(SPLITS),
            "write one of these, or remove the column and the split is drawn for you",
        )
    return Row(**{**values, "file": values["file"].replace("\\", "/")})


def class_names(labels: set[str]) -> tuple[str, ...]:
    """Names in the order of their numbers: as numbers where all are, else by the alphabet."""
    if all(label.isascii() and label.isdecimal() for label in labels):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))
