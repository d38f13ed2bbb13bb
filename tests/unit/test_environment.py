"""One environment, told three times: pyproject.toml, constraints.txt, environment.yml."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[2]
SLOW = {"lightning_fabric", "sklearn", "torchmetrics"}  # a second or two each to import
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
NAMED_OTHERWISE = {"torch": "pytorch", "build": "python-build"}


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements():
    extras = PROJECT["project"]["optional-dependencies"].values()
    lines = [*PROJECT["project"]["dependencies"], *(line for extra in extras for line in extra)]
    return [Requirement(line) for line in lines]


def constraints():
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {plain(name): version for name, version in pairs}


def conda():
    listed = yaml.safe_load((REPOSITORY / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    by_pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    return [entry for entry in listed if isinstance(entry, str)], by_pip


def test_environment_yml_is_what_pyproject_says(tmp_path):
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    tool = shutil.which("pyproject2conda", path=str(Path(sys.executable).parent))
    subprocess.run([tool, "project", "--overwrite", "force"], cwd=tmp_path, check=True, capture_output=True)
    written = (tmp_path / "environment.yml").read_text(encoding="utf-8")
    assert written == (REPOSITORY / "environment.yml").read_text(encoding="utf-8"), "run `make environment`"


def test_every_requirement_stands_in_environment_yml_with_its_bound():
    from_conda, by_pip = conda()
    named = {plain(re.split(r"[<>=]", entry)[0]): entry for entry in from_conda}
    named |= {plain(Requirement(entry).name): entry for entry in by_pip if not entry.startswith("-")}
    for requirement in requirements():
        entry = named[plain(NAMED_OTHERWISE.get(requirement.name, requirement.name))]
        assert str(requirement.specifier) in entry
    assert "-e ." in by_pip
    assert f"python{PROJECT['project']['requires-python']}" in from_conda


@pytest.mark.parametrize("package", ["medmnist", "lightning-fabric", "playwright"])
def test_what_pip_installs_beside_conda_adds_nothing_else(package):
    from_conda, _ = conda()
    there = {plain(re.split(r"[<>=]", entry)[0]) for entry in from_conda}
    for line in importlib.metadata.requires(package):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            assert plain(NAMED_OTHERWISE.get(requirement.name, requirement.name)) in there


def test_every_requirement_is_constrained_within_its_bound():
    tested = constraints()
    for requirement in requirements():
        assert requirement.specifier.contains(tested[plain(requirement.name)]), requirement


def test_all_that_the_requirements_bring_is_constrained():
    """So that an installation next year gets what was tested."""
    tested, seen = constraints(), set()
    waiting = [(requirement, "") for requirement in requirements()]
    while waiting:
        requirement, _ = waiting.pop()
        for extra in requirement.extras or {""}:
            key = (plain(requirement.name), extra)
            if key in seen:
                continue
            seen.add(key)
            assert key[0] in tested, f"{key[0]} is missing in constraints.txt"
            try:
                lines = importlib.metadata.requires(requirement.name) or []
            except importlib.metadata.PackageNotFoundError:
                assert key[0] == "torchvision"  # removed where it does not fit torch
                continue
            for line in map(Requirement, lines):
                environment = {"extra": extra}
                if line.marker is None or line.marker.evaluate(environment):
                    waiting.append((line, extra))


def test_explorers_load_without_what_takes_seconds_to_import():
    """A notebook's first cell waits for this; training and measuring import what they need by themselves."""
    code = f"import sys, medgen_course.explorers; print(*sorted({SLOW} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


needs_make = pytest.mark.skipif(not shutil.which("make"), reason="no make on this machine")


@needs_make
@pytest.mark.parametrize(
    ("python", "expected"),
    [("no-such-python", "there is no 'no-such-python' here"), ("./old", "the course needs 3.11 or newer")],
)
def test_make_says_what_is_wrong_with_a_python(tmp_path, python, expected):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, tmp_path)
    old = tmp_path / "old"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "run", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert expected in done.stdout
    assert not (tmp_path / ".venv").exists()
