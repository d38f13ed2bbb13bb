"""The floor plan, read from the imports: nothing runs up, no two rooms lean on each other."""

import ast
import graphlib
import re
from pathlib import Path

import medgen_course

PACKAGE = Path(medgen_course.__file__).parent
FLOORS = (  # from the ground up; a room imports only rooms of the floors below
    ("home", "files", "phantom", "batches"),
    ("datasets", "models"),
    ("training", "pictures", "exercises", "pack"),
    ("pretrained", "course"),
    ("metrics",),
    ("runs", "explorers", "toys"),
    ("doctor", "arguments", "classroom", "site"),
    ("cli",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
READ_ALONE = {"training", "pictures", "metrics", "explorers", "pretrained", "runs"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path):
    """Rooms of the package that a file imports, and packages of others."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides its room"
            inside = node.module == "medgen_course"
            names = [f"medgen_course.{alias.name}" for alias in node.names] if inside else [node.module]
        for name in names:
            first, _, rest = name.partition(".")
            yield (rest.split(".")[0], "") if first == "medgen_course" else ("", first)


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
IMPORTS = {path: list(imported(path)) for path in FILES}


def test_every_file_stands_in_a_room_of_the_plan():
    assert {room_of(path) for path in FILES} == set(FLOOR)


def test_no_import_runs_up_or_along_a_floor():
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {room}"
        for path, found in IMPORTS.items()
        for room, _ in found
        if room and room != room_of(path) and FLOOR[room] >= FLOOR[room_of(path)]
    ]
    assert not wrong


def test_no_circle_between_rooms():
    graph = {room: set() for room in FLOOR}
    for path, found in IMPORTS.items():
        graph[room_of(path)] |= {room for room, _ in found if room and room != room_of(path)}
    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_a_model_can_be_read_alone():
    for path, found in IMPORTS.items():
        if room_of(path) == "models":
            assert not READ_ALONE & {room for room, _ in found}, path
            assert not {"matplotlib", "ipywidgets", "anywidget"} & {package for _, package in found}, path


def test_unit_tests_stand_in_the_rooms_of_what_they_test():
    unit = Path(__file__).parent
    assert {path.name for path in unit.iterdir() if path.is_dir() and path.name[0] not in "._"} <= set(FLOOR)
    of_the_repository = {"test_environment", "test_published", "test_recipes", "test_rooms"}
    assert {path.stem for path in unit.glob("test_*.py")} == of_the_repository


def test_contributing_shows_this_plan_and_names_what_there_is():
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| (.*) \|$", text, flags=re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(len(FLOORS)))
    assert tuple(tuple(re.findall(r"`(\w+)`", rooms)) for _, rooms in rows) == FLOORS
    paths = re.findall(r"`([\w./]+(?:/|\.py|\.md))`", text)
    assert len(paths) > 12
    assert not [path for path in paths if not (PACKAGE.parent / path).exists()]
