"""Pages of the package's functions, from their docstrings: `make docs`.

python recipes/api.py [FOLDER]      default: build/docs

pdoc's own command leaves out what is not in a room's `__all__`; notebooks call more than that.
"""

import pkgutil
import sys
from pathlib import Path

from pdoc import doc, render

import medgen_course

TEMPLATES = Path(__file__).parents[1] / "docs" / "api"


def write(folder: Path) -> list[Path]:
    """A page for every file of the package, an index, and what the search field looks in.

    Args:
        folder: is made where it is missing; needs no server, `index.html` opens from the disk.
    """
    found = pkgutil.walk_packages(medgen_course.__path__, "medgen_course.")
    names = ["medgen_course", *sorted(module.name for module in found)]
    modules = {name: doc.Module.from_name(name) for name in names}
    render.configure(docformat="google", template_directory=TEMPLATES)
    pages = {f"{name.replace('.', '/')}.html": render.html_module(modules[name], modules) for name in names}
    pages |= {"index.html": render.html_index(modules), "search.js": render.search_index(modules)}
    for name, text in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "build/docs")
    print(f"{len(write(target))} files written. Read on: {target / 'index.html'}")
