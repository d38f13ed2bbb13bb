"""A real JupyterLab and a real Chromium, started once; each test runs its own cell in its file's notebook."""

from pathlib import Path

import lab
import pytest


def pytest_collection_modifyitems(items):
    """Skip this folder where something is missing, and name it."""
    if missing := lab.missing():
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=f"browser tests need {missing}"))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with lab.jupyter_server(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="session")
def browser(chromium):
    context = lab.profile(chromium)
    yield context
    context.close()


@pytest.fixture(scope="module")
def notebook(server, browser, request):
    """One notebook, shared by the tests of a file."""
    page = lab.open_notebook(server, browser, request.node.path.stem)
    yield page
    page.close()


@pytest.fixture
def run_code(notebook):
    """A function: code -> the page on which it has run; fails if anything failed by the end of the test."""
    notebook.troubles.clear()

    def run(*code):
        lab.run_cell(notebook, *code)
        return notebook

    yield run
    assert not lab.failures(notebook)
    troubles = [line for line in notebook.troubles if is_ours(line)]
    assert not troubles


def is_ours(line):
    """Whether a line of the browser's console tells of a widget that failed."""
    words = ("widget", "medgen", "could not create a view", "uncaught", "typeerror", "referenceerror")
    return any(word in line.lower() for word in words)
