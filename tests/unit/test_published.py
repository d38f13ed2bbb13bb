"""What others read, cite and build from: true, valid by its own schema, in step with pyproject.toml."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
DOCKERFILE = REPOSITORY / "Dockerfile"


def text(name):
    return (REPOSITORY / name).read_text(encoding="utf-8")


PROJECT = tomllib.loads(text("pyproject.toml"))["project"]
README = text("README.md")


def valid(schema, *paths):
    """What check-jsonschema, which brings the schemas, says of these files."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "name", "fault"),
    [
        ("vendor.citation-file-format", "CITATION.cff", ("authors:", "author:")),
        ("vendor.dependabot", ".github/dependabot.yml", ("monthly", "now and then")),
        *(("vendor.github-workflows", path.relative_to(REPOSITORY).as_posix(), ("runs-on:", "runs:"))
          for path in WORKFLOWS),
    ],
)  # fmt: skip
def test_files_fulfil_their_schemas_and_a_fault_would_be_seen(tmp_path, schema, name, fault):
    fine, said = valid(schema, REPOSITORY / name)
    assert fine, said
    broken = tmp_path / Path(name).name
    broken.write_text(text(name).replace(*fault), encoding="utf-8")
    assert not valid(schema, broken)[0]


def test_one_version_everywhere():
    version = PROJECT["version"]
    cited = yaml.safe_load(text("CITATION.cff"))
    assert str(cited["version"]) == version
    newest = re.search(r"^## (\S+) \((.+)\)$", text("CHANGELOG.md"), re.MULTILINE)
    assert newest[1] == version
    released = str(cited.get("date-released", "not released yet"))
    assert newest[2] == released, "CHANGELOG.md and CITATION.cff name one date, or none"
    assert set(re.findall(r"medgen_course-(\d[\d.]*\d)-py3-none-any\.whl", README)) == {version}


def test_the_citation_names_who_holds_the_licence():
    cited = yaml.safe_load(text("CITATION.cff"))
    assert cited["license"] in PROJECT["license"].split(" AND ")
    [holder] = re.findall(r"^Copyright \(c\) \d+ (.+)$", text("LICENSE"), re.MULTILINE)
    named = {author["name"].lower() for author in [*cited["authors"], *PROJECT["authors"]]}
    assert named == {holder.lower()}
    assert cited["references"][0]["doi"] in text("data/README.md")


def test_badges_are_true():
    true = {
        "python": PROJECT["requires-python"].replace(">=", "≥"),
        "code": text("LICENSE").split()[0],
        "weights": " and ".join(sorted(licences_of_weights())),
    }
    image = r"^\[!\[.+?\]\(https://img\.shields\.io/badge/(.+?)\)\]\((.+?)\)$"
    shown = re.findall(image, README, re.MULTILINE)
    badges = [unquote(badge).replace("_", " ").split("-") for badge, _ in shown]
    assert {label: said for label, said, _ in badges} == true
    assert all((REPOSITORY / target).is_file() for _, target in shown)
    assert README.count("img.shields.io") == len(true)  # each was looked at


def licences_of_weights():
    """What the cards say; one of other terms than these two would have to be left out, or told of."""
    weights = (REPOSITORY / "data" / "pretrained").glob("*/*.safetensors")
    cards = [json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) for path in weights]
    return {card["data"]["licence"].split(",")[0] for card in cards}


def test_the_wheels_licence_covers_the_weights_in_it():
    assert {licence.replace(" ", "-") for licence in licences_of_weights()} == set(
        PROJECT["license"].split(" AND ")
    )


def test_workflows_run_readmes_commands_on_the_systems_that_it_names():
    workflows = "\n".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    rows = re.findall(r"^\| (Linux, macOS|Windows|conda) \| (.+) \| (.+) \|$", README, re.MULTILINE)
    assert len(rows) == 3
    commands = {command for _, *cells in rows for cell in cells for command in re.findall("`(.+?)`", cell)}
    left = {command for command in commands if command not in workflows}
    assert left == {"make lab", "jupyter lab notebooks"}  # they wait for a person
    for system in ("ubuntu", "macos", "windows"):
        assert f"{system}-latest" in workflows


def test_actions_are_pinned_to_a_commit_and_name_its_release():
    used = [line.strip() for path in WORKFLOWS for line in path.read_text(encoding="utf-8").splitlines()
            if "uses:" in line]  # fmt: skip
    assert used
    for line in used:
        assert re.fullmatch(r"- uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def needs(tool):
    return pytest.mark.skipif(not shutil.which(tool), reason=f"no {tool} on this machine")


@needs("actionlint")
def test_actionlint_finds_nothing():
    done = subprocess.run(["actionlint", *map(str, WORKFLOWS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@needs("hadolint")
def test_hadolint_finds_nothing():
    done = subprocess.run(["hadolint", str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stdout, done.stdout


def test_the_container_gets_all_that_its_build_copies():
    ignored = text(".dockerignore").splitlines()
    for line in re.findall(r"^COPY --chown=\S+ (.+)$", text("Dockerfile"), re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (REPOSITORY / source).exists() and source not in ignored, source
    assert {"data/*.npz", ".venv", ".git"} <= set(ignored)  # no images, nothing of this machine


def test_the_dev_container_is_built_from_the_dockerfile():
    folder = REPOSITORY / ".devcontainer"
    about = json.loads((folder / "devcontainer.json").read_text(encoding="utf-8"))
    assert (folder / about["build"]["dockerfile"]).resolve() == DOCKERFILE
    assert (folder / about["build"]["context"]).resolve() == REPOSITORY
    extras = set(re.search(r"-e '\.\[(.+?)\]'", about["postCreateCommand"])[1].split(","))
    assert extras == set(PROJECT["optional-dependencies"])
    assert f"useradd --create-home --uid 1000 {about['remoteUser']}" in text("Dockerfile")
