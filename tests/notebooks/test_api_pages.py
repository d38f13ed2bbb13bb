"""`make docs`: a page for every file, and on a room's page all that the room hands on."""

import importlib
import re
import runpy
from pathlib import Path
from types import ModuleType

import pytest

import medgen_course

PACKAGE = Path(medgen_course.__file__).parent
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    write = runpy.run_path(str(PACKAGE.parent / "recipes" / "api.py"))["write"]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in write(folder)}


def test_every_file_of_the_package_has_a_page(pages):
    files = {path.relative_to(PACKAGE.parent).with_suffix(".html") for path in PACKAGE.rglob("*.py")}
    files = {(file.parent.with_suffix(".html") if file.stem == "__init__" else file) for file in files}
    assert set(pages) == {file.as_posix() for file in files} | {"index.html", "search.js"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_rooms_page_shows_what_it_hands_on_and_lists_its_files(pages, room):
    page, module = pages[f"medgen_course/{room}.html"], importlib.import_module(f"medgen_course.{room}")
    for name in getattr(module, "__all__", ()):
        if isinstance(getattr(module, name), ModuleType):
            assert f"medgen_course/{room}/{name}.html" in pages, "a room within has a page of its own"
            continue
        section = re.search(rf'<section id="{name}">(.*?)</section>', page, re.DOTALL)
        assert section, name
        assert 'class="docstring"' in section[1] or not callable(getattr(module, name)), name
    for path in PACKAGE.glob(f"{room}/*.py"):
        assert path.stem == "__init__" or f'href="{room}/{path.stem}.html"' in page


def test_pages_are_read_without_a_connection(pages):
    for name, page in pages.items():
        assert not re.search(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=[\"']?(?:https?:)?//", page), name
