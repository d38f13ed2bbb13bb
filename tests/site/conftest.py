"""Live explorers, built once a session, each on a page of its own, in a real Chromium."""

import importlib
import os
from pathlib import Path

import headless
import hosting
import pytest

pytest.register_assert_rewrite("live_page", "states")

import live_page  # noqa: E402 (after the line above, so that its asserts say what they compare)

LACKING = hosting.missing() or ("" if headless.CHROMIUM else "a Chromium")


def pytest_collection_modifyitems(items):
    for item in items:
        if LACKING and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=f"tests of the site need {LACKING}"))


def pytest_generate_tests(metafunc):
    if "listed_state" in metafunc.fixturenames:
        metafunc.parametrize("listed_state", metafunc.module.STATES)


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    hosting.write_common(out)
    with hosting.served(out) as url:
        yield url, out


@pytest.fixture(scope="session")
def browser(chromium):
    return chromium


@pytest.fixture(scope="module")
def live(address, browser, request):
    """The page of the explorer that a test module names in NAME; nothing may go wrong on it."""
    pytest.importorskip("onnx", reason="tests of the site need onnx and onnxscript")
    url, out = address
    name = request.module.NAME
    hosting.write(importlib.import_module(f"medgen_course.site.{name}").build(), out)
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    made = live_page.LivePage(page, url, name)
    yield made
    if folder := os.environ.get("MEDGEN_SCREENSHOTS"):
        for width in (1100, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(folder) / f"live_{name}_{width}.png", full_page=True)
    page.close()
    assert not made.troubles and not made.elsewhere


@pytest.fixture(scope="session")
def png():
    """A picture of a reader: grey, oblong, larger than the slices."""
    import io

    import numpy as np
    from PIL import Image

    y, x = np.mgrid[:150, :211]
    grey = (127 + 80 * np.sin(x / 9) * np.cos(y / 13) + 40 * ((x // 20 + y // 20) % 2)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG")
    return {"name": "own.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
