"""Explorers for the pages that `medgen run` writes, if a site was built before."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import nbformat

from medgen_course.course.notebooks import Result
from medgen_course.files import write_text
from medgen_course.site.live import Live
from medgen_course.site.pages import lesson_page

PARTS = ("assets", "live")


def attach(results: Sequence[Result], out: Path, built: Path) -> int:
    """Write the pages of executed notebooks anew, with a built site's explorers in their places.

    Args:
        results: of a run into `out`; pages of notebooks that failed stay as they are.
        out: the folder with executed notebooks and their pages.
        built: a folder that `medgen site` has written; where it is none, nothing is done.
    Returns:
        How many explorers are alive on these pages.
    """
    if not all((built / part).is_dir() for part in PARTS):
        return 0
    for part in PARTS:
        shutil.copytree(built / part, out / part, dirs_exist_ok=True)
    explorers = {path.stem: _about(path) for path in (out / "live").glob("*/*.json")}
    count = 0
    for result in results:
        if result.errors:
            continue
        notebook = nbformat.read(out / result.notebook.path.name, as_version=4)
        page, names = lesson_page(notebook, result.notebook, explorers)
        write_text(out / f"{result.notebook.name}.html", page)
        count += len(names)
    return count


def _about(path: Path) -> Live:
    about = json.loads(path.read_text(encoding="utf-8"))
    return Live(path.stem, about["title"], about["sentence"])
