"""A machine without a browser: one is fetched, and if none can be had the tests say so at the end."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from medgen_course import doctor

REPOSITORY = Path(__file__).parents[2]
BROWSER = "#!/bin/sh\necho Chromium 1"
posix = pytest.mark.skipif(os.name == "nt", reason="no make and no scripts without an ending on Windows")


def script(path, text=BROWSER):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A PATH with hardly anything on it, and no browser of playwright's, nor a place to get one from."""
    for name in ("sh", "touch", "rm", "timeout"):
        if there := shutil.which(name):
            (tmp_path / "bin").mkdir(exist_ok=True)
            (tmp_path / "bin" / name).symlink_to(there)
    make = shutil.which("make")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "playwright"))
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:9")
    return tmp_path, make


@posix
def test_a_browser_counts_when_it_starts(bare, monkeypatch):
    folder, _ = bare
    assert doctor.chromium() is None
    assert [finding.mark for finding in doctor._browser()] == ["note"]
    script(folder / "bin" / "chromium", "#!/bin/sh\nexit 127")  # as without its libraries
    assert doctor.chromium() is None
    other = script(folder / "bin" / "google-chrome")
    assert doctor.chromium() == str(other)
    assert [finding.mark for finding in doctor._browser()] == ["ok"]
    other.unlink()
    fetched = script(folder / "playwright" / "chrome")
    monkeypatch.setattr(doctor, "_fetched_by_playwright", lambda: str(fetched))
    assert doctor.chromium() == str(fetched)


@posix
def test_playwrights_own_is_found_where_playwright_says(bare):
    pytest.importorskip("playwright")
    folder, _ = bare
    code = "import playwright.sync_api as s\nwith s.sync_playwright() as p: print(p.chromium.executable_path)"
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    place = Path(asked.stdout.strip())
    assert folder in place.parents
    script(place)
    assert doctor.chromium() == str(place)


APT = """#!/bin/sh
echo "apt-get $*" >> {log}
case "$*" in *update*|*download-only*) ;; *) mv {waiting} {browser};; esac"""


@posix
@pytest.mark.parametrize("case", ["there", "from apt", "nowhere"])
def test_make_fetches_a_browser_once(bare, case):
    folder, make = bare
    if not make:
        pytest.skip("make is not installed")
    log, stamp = folder / "log", folder / "stamp"
    if case == "there":
        script(folder / "bin" / "chromium")
    if case == "from apt":
        waiting, browser = script(folder / "waiting"), folder / "bin" / "chromium"
        script(folder / "bin" / "apt-get", APT.format(log=log, waiting=waiting, browser=browser))
        script(folder / "bin" / "id", "#!/bin/sh\necho 0")
        (folder / "bin" / "mv").symlink_to("/bin/mv")
    command = [
        make,
        "--no-print-directory",
        "-o",
        ".venv/.installed",
        f"BIN={Path(sys.executable).parent}",
        f"BROWSER={stamp}",
        stamp,
    ]
    finished = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert stamp.exists()
    told = finished.stdout.splitlines()
    if case == "there":
        assert told == []
    else:
        assert told[0] == "make: fetching a Chromium for the browser tests"
    assert ("make: no Chromium" in finished.stdout) == (case == "nowhere")
    assert log.exists() == (case == "from apt")
    again = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "up to date" in again.stdout


@posix
@pytest.mark.parametrize("more", [[], ["-n", "1"]], ids=["one process", "xdist"])
def test_no_browser_is_the_last_thing_that_is_said(bare, more):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/browser", *more]
    finished = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )
    *_, last, count = finished.stdout.strip().splitlines()
    expected = r"NOT TESTED: \d+ browser tests \(.*Chromium.*Remedy: make browser"
    assert re.match(expected, last), finished.stdout
    assert "skipped" in count and "failed" not in count
