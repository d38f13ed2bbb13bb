"""Stores executed notebooks where they lie, so that a reader on a web page sees the figures."""

import hashlib
from pathlib import Path
from typing import Any

from medgen_course.course.notebooks import CourseError, Result
from medgen_course.course.page import replace_widget_view
from medgen_course.files import write_text

MOST_BYTES = 1_000_000
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def source_hash(notebook: Any) -> str:
    """SHA-256 of a notebook's code, to tell whether stored outputs still belong to it.

    Args:
        notebook: a notebook node; only the sources of its code cells count, in their order.
    """
    sources = "\0".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return hashlib.sha256(sources.encode()).hexdigest()


def store(result: Result, out: Path) -> None:
    """Replace a notebook by its executed copy, cleaned of what belongs to this machine.

    Widget state, papermill's notes and time stamps go; paths into the home, working and image folders are
    shortened; the hash of the code is added.

    Args:
        result: of `course.execute` with the standard profile.
        out: the folder with the executed copy.
    Raises:
        CourseError: the execution failed, ran on the fallback phantom, or the result is over 1 MB; the
            stored notebook is then as it was.
    """
    import nbformat

    name = result.notebook.path.name
    if result.errors:
        raise CourseError(f"{name} failed and was not stored: {result.errors[0]}")
    if result.notices:
        raise CourseError(f"{name} was not stored, because it ran without its images: {result.notices[0]}")
    notebook = nbformat.read(out / name, as_version=4)
    clean(notebook)
    text = nbformat.writes(notebook) + "\n"
    if (size := len(text.encode())) > MOST_BYTES:
        raise CourseError(
            f"{name} was not stored: it would take {size / 1e6:.2f} MB, at most 1 MB is wanted. "
            "Draw smaller figures."
        )
    write_text(result.notebook.path, text)


def clean(notebook: Any) -> None:
    """Drop what belongs to one execution on one machine, in place, and add the hash of the code."""
    about = dict(notebook.metadata.get("medgen", {}), executed_source=source_hash(notebook))
    language = dict(notebook.metadata.get("language_info", {}))
    notebook.metadata = {"kernelspec": KERNELSPEC, "language_info": language, "medgen": about}
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        for output in cell.get("outputs", []):
            replace_widget_view(output)
        if cell.cell_type == "code":
            cell.outputs = [_without_paths(output) for output in cell.outputs]


def _without_paths(value: Any) -> Any:
    """Shorten paths of this machine in every text of a nested value."""
    if isinstance(value, dict):
        return type(value)({key: _without_paths(item) for key, item in value.items()})
    if isinstance(value, list):
        return [_without_paths(item) for item in value]
    if not isinstance(value, str):
        return value
    for path, short in _places():
        value = value.replace(path, short)
    return value


def _places() -> list[tuple[str, str]]:
    """Folders of this machine and what is written instead, the longest first."""
    import sys

    from medgen_course.course.kernel import environment

    places = [(str(Path(__file__).parents[2]), "."), (sys.prefix, "(python)"), (str(Path.home()), "~")]
    if root := environment().get("MEDMNIST_ROOT"):
        places.append((root, "MEDMNIST_ROOT"))
    return sorted((place for place in places if len(place[0]) > 3), key=lambda place: -len(place[0]))
