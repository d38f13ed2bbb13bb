"""The wheel as a stranger has it: built, installed and used where no checkout can be imported."""

import os
import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from jupyter_core.paths import jupyter_path

import medgen_course

PACKAGE = Path(medgen_course.__file__).parent
REPOSITORY = PACKAGE.parent
SHIPPED = {"notebooks": "*.ipynb", "data/pretrained": "**/*.*"}
MOST_BYTES = 100e6  # what a package index takes
BIN, EXE = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")
LOAD_ALL = """\
import os, sys
from pathlib import Path
import medgen_course
from medgen_course import pretrained
from medgen_course.datasets import fetch
package = Path(medgen_course.__file__).parent
assert Path(sys.prefix).resolve() in package.resolve().parents, package
assert pretrained.shelf().is_relative_to(package.resolve()), pretrained.shelf()
for name in ("phantom", "pneumoniamnist"):
    for load in ("autoencoder", "vaes", "conditioned", "classifier", "gan", "codes", "sweep", "translators"):
        getattr(pretrained, f"load_{load}")(name)
pretrained.load_recordings(), pretrained.load_games(), pretrained.load_lab(), pretrained.load_known_map()
print(*(place.folder for place in fetch.places()), sep="\\n")"""


def call(*command, **more):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built by way of the source archive, as a release is, and so without what git ignores."""
    out = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, REPOSITORY)
    [archive] = out.glob("*.tar.gz")
    [made] = out.glob("*.whl")
    assert archive.name.removesuffix(".tar.gz") == made.name.removesuffix("-py3-none-any.whl")
    return made


@pytest.fixture(scope="module")
def stranger(wheel, tmp_path_factory):
    """A fresh environment that sees the packages of this one, but no checkout; a home and a folder, empty."""
    place = tmp_path_factory.mktemp("stranger")
    python = place / "venv" / BIN / f"python{EXE}"
    call(sys.executable, "-m", "venv", "--without-pip", place / "venv")
    packages = call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    there = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    Path(packages, "those_of_the_tests.pth").write_text("\n".join(there), encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    call(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel)
    for name in ("home", "work"):
        (place / name).mkdir()
    hidden = ("PYTHONPATH", "MEDMNIST_ROOT")
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    variables |= {"HOME": str(place / "home"), "USERPROFILE": str(place / "home")}
    variables["JUPYTER_PATH"] = os.pathsep.join(jupyter_path())  # templates of pages lie beside the packages

    class Stranger:
        work, home, package = place / "work", place / "home", Path(packages, "medgen_course")

        @staticmethod
        def run(program, *words):
            return call(python.with_name(f"{program}{EXE}"), *words, cwd=place / "work", env=variables)

    return Stranger


def test_the_wheel_holds_the_course_its_licences_and_no_image_file(wheel):
    expected = {
        f"medgen_course/shipped/{path.relative_to(REPOSITORY).as_posix()}"
        for folder, pattern in SHIPPED.items()
        for path in (REPOSITORY / folder).glob(pattern)
        if path.is_file()
    }
    code = {path.relative_to(REPOSITORY).as_posix() for kind in ("py", "js", "css", "toml")
            for path in PACKAGE.rglob(f"*.{kind}")}  # fmt: skip
    with zipfile.ZipFile(wheel) as held:
        names = {name for name in held.namelist() if ".dist-info/" not in name}
        assert names == expected | code
        [about] = (name for name in held.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(held.read(about))
        folder = about.removesuffix("METADATA")
        files = metadata.get_all("License-File")
        licences = [held.read(f"{folder}licenses/{name}").decode() for name in files]
    assert not [name for name in names if name.endswith((".npz", ".npy", ".dcm", ".nii.gz"))]
    assert metadata["License-Expression"] == "MIT AND CC-BY-4.0"
    assert "MIT License" in licences[0] and "CC BY 4.0" in licences[1]
    told = re.search(r"The wheel \(about (\d+) MB", (REPOSITORY / "README.md").read_text(encoding="utf-8"))
    assert wheel.stat().st_size == pytest.approx(float(told[1]) * 1e6, rel=0.2)
    assert wheel.stat().st_size < MOST_BYTES


def test_an_installation_runs_a_notebook_and_leaves_itself_as_it_was(stranger):
    def files():
        return {path: path.stat().st_mtime_ns for path in stranger.package.rglob("*.*") if path.is_file()
                and "__pycache__" not in path.parts}  # fmt: skip

    before = files()
    assert len(before) > 100
    quick = ("--profile", "quick", "--dataset", "phantom")
    told = stranger.run("medgen", "run", "00", *quick, "--out", "course")
    assert "1/1" in told and "ok" in told
    made = {path.name for path in (stranger.work / "course").iterdir()}
    assert {"00_data.ipynb", "00_data.html", "index.html"} <= made
    assert files() == before
    assert [path.name for path in stranger.work.iterdir()] == ["course"]


def test_an_installation_finds_all_weights_and_would_download_into_the_home(stranger):
    assert stranger.run("python", "-c", LOAD_ALL).splitlines() == [str(stranger.home / ".medmnist")]
