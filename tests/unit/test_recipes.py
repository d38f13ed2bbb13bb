"""Recipes and benches run for minutes to hours, so no test runs them whole. That each can begin is tested."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPORT_ALL = """
import importlib, pathlib, sys
sys.path.insert(0, sys.argv[1])
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.py")):
    try:
        importlib.import_module(path.stem)
    except ImportError as error:
        print(f"{path.name}: {error}")
"""


@pytest.mark.parametrize("room", ["recipes", "bench"])
def test_every_script_finds_what_it_imports(room):
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, str(ROOT / room)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
