import os

import headless
import pytest

# A kernel named python3 that some other program has registered must not take the place of this one.
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"

# Test files run side by side, one a core: two threads each would wait for one another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser):
    profiles = {"choices": ("quick", "standard"), "default": "quick"}
    parser.addoption("--other-data", **profiles, help="profile of the notebooks on made-up sets")


@pytest.fixture(scope="session")
def real_images():
    """PneumoniaMNIST, when its file is on this machine; nothing is downloaded for a test."""
    from medgen_course import datasets

    try:
        return datasets.load("pneumoniamnist", download=False)
    except datasets.DatasetUnavailable:
        pytest.skip("pneumoniamnist.npz is not on this machine; set MEDMNIST_ROOT to the folder with it")


@pytest.fixture(scope="session")
def chromium():
    """The one Chromium of a test process, whichever folders' tests it runs."""
    pytest.importorskip("playwright.sync_api")
    with headless.started() as browser:
        yield browser


BROWSER = "make browser, or on Debian and Ubuntu apt install chromium"
PIP = "python -m pip download nbgrader==0.9.6 says why; with a connection make test fetches it"
NODE = "Node.js 20 or newer and a Chromium, then make test"
NOT_TESTED = (
    ("tests/browser/", "browser", BROWSER),
    ("tests/site/", "site", NODE),
    ("tests/notebooks/test_nbgrader.py", "nbgrader", PIP),
)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter):
    """The last lines before the counts: that no browser or nbgrader was there must not be overlooked."""
    result = yield
    skipped = terminalreporter.stats.get("skipped", [])
    for place, name, remedy in NOT_TESTED:
        reasons = [report.longrepr[2] for report in skipped if report.nodeid.startswith(place)]
        reasons = [reason for reason in reasons if "MedMNIST" not in reason]  # a lack of images is no secret
        if reasons:
            why = reasons[0].removeprefix("Skipped: ")
            told = f"NOT TESTED: {len(reasons)} {name} tests ({why}). Remedy: {remedy}"
            terminalreporter.write_line(told, red=True, bold=True)
    return result
