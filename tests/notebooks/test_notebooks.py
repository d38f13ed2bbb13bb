"""The course's notebooks, executed by papermill on real images where they are at hand."""

import re
from pathlib import Path

import pytest

from medgen_course import course, datasets
from medgen_course.course import page as pages

REPOSITORY = Path(__file__).parents[2]
NOTEBOOKS = [course.read(path) for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb"))]
each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)


def test_readme_lists_exactly_the_notebooks_that_are_there():
    """Also what keeps the tests below from passing for lack of notebooks."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[`(\w+)`\]\(notebooks/\1\.ipynb\)", readme, re.M)
    assert listed and listed == [notebook.name for notebook in NOTEBOOKS]
    assert listed == [notebook.name for notebook in course.find()]


@each_notebook
def test_runs_with_papermill(notebook, tmp_path):
    dataset = None if _real_images_at_hand() else "phantom"
    result = course.execute(notebook, tmp_path, "quick", dataset)
    assert result.errors == ()
    assert result.sources and result.notices == ()
    assert ("MedMNIST" in result.sources[0]) == (dataset is None)
    page = pages.write_page(result, tmp_path).read_text(encoding="utf-8")
    assert result.notebook.title in page
    assert not re.search(r'<(script|img|iframe)[^>]+src="(?!data:)|<link[^>]+href="http', page)
    assert "MEDGENMATH" not in page and "data:image/png;base64," in page


def _real_images_at_hand():
    try:
        datasets.load("pneumoniamnist", download=False)
    except datasets.DatasetUnavailable:
        return False
    return True
