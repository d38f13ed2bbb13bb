"""What students have handed in: which file is which lesson, and what is wrong with those that are none."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medgen_course.classroom.magics import plain

MOST_BYTES = 50_000_000  # of a notebook that is read at all
SAME = 0.5  # share of the texts of a lesson's cells by which a renamed notebook is recognised


@dataclass(frozen=True)
class Submission:
    """A student's file for a lesson; notebook is None where there is none to run, `note` says what is odd."""

    student: str
    lesson: str
    notebook: Any = None
    path: Path | None = None
    note: str = ""


def students(folder: Path) -> list[str]:
    """The students: folders of a folder.

    Raises:
        ValueError: there are none.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder; expected one with a folder for each student.")
    found = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not found:
        raise ValueError(f"{folder} has no folders; expected one for each student, with notebooks in it.")
    return found


def find(folder: Path, student: str, lessons: dict[str, Any]) -> list[Submission]:
    """One submission for each lesson, missing ones too.

    Args:
        folder: with a folder for each student.
        student: whose; notebooks may lie at any depth of the folder.
        lessons: the students' editions by name ("02_vae"); a renamed file is recognised by its cells.
    """
    paths = sorted(p for p in (folder / student).rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    read = [(path, *_read(path)) for path in paths]
    found = []
    for lesson, edition in lessons.items():
        named = [entry for entry in read if entry[0].stem == lesson]
        alike = [e for e in read if e[0].stem not in lessons and e[1] and _alike(e[1], edition, lesson)]
        if not named and not alike:
            found.append(Submission(student, lesson, note=f"missing: no {lesson}.ipynb was handed in"))
            continue
        path, notebook, note = max(named or alike, key=lambda entry: _changed(entry[0]))
        if not named:
            note = f"renamed: found as {path.name}"
        if len(named) > 1:
            note = f"{len(named)} files of this name: the newest, in {path.parent.name}, was taken. {note}"
        found.append(Submission(student, lesson, notebook, path, note.strip()))
    return found


def _read(path: Path) -> tuple[Any, str]:
    """A notebook and "", or None and what is wrong with the file."""
    import nbformat

    if path.exists() and not path.is_file():
        return None, "broken: not a file"  # a folder, or a pipe, which would be waited for
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            return None, f"too large: {size / 1e6:.0f} MB, at most {MOST_BYTES / 1e6:.0f} MB is read"
        content = json.loads(path.read_text(encoding="utf-8"))
        notebook = nbformat.from_dict(content)
        for cell in notebook.cells:
            if not isinstance(cell.source, str):
                cell.source = "".join(cell.source)
            if cell.get("cell_type") == "code":
                cell.source = plain(cell.source)
        for part in (notebook, *notebook.cells):
            _check(part)
    except (ValueError, AttributeError, KeyError, TypeError, OSError, RecursionError) as error:
        return None, f"broken: not a notebook ({type(error).__name__}: {str(error)[:120]})"
    return notebook, ""


def _check(part: Any) -> None:
    """Raise a TypeError where what is read later has another type than in any notebook."""
    about = part.setdefault("metadata", type(part)())
    kinds = ((about, dict), (about.get("medgen", {}), dict), (about.get("tags", []), list))
    if not all(isinstance(*kind) for kind in (*kinds, (part.get("id", ""), str))):
        raise TypeError("metadata or the id of a cell have another type than in a notebook")


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0  # a link to nothing


def _alike(notebook: Any, edition: Any, lesson: str) -> bool:
    """By what it says of itself, else by the texts of its cells; ids of two lessons may be the same."""
    if told := notebook.metadata.get("medgen", {}).get("lesson"):
        return told == lesson
    wanted = {cell.source for cell in edition.cells}
    return len(wanted & {cell.source for cell in notebook.cells}) >= SAME * len(wanted)
