"""The small lesson, by itself and in a folder."""

import nbformat
import pytest
from small_lesson import NAME, lesson


@pytest.fixture
def whole():
    """The lesson with its solutions."""
    return lesson()


@pytest.fixture
def lessons(tmp_path, whole):
    """A folder with the lesson."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    nbformat.write(whole, folder / NAME)
    return folder
