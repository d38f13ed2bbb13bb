"""Numbers in JavaScript look like Python's."""

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "site" / "src" / "words.js"


def test_numbers_are_written_as_python_writes_them():
    node = shutil.which("node")
    if node is None:
        pytest.skip("JavaScript is tested with node, which is not found")
    draw = random.Random(0)
    values = [0.5, 1.5, 2.5, 0.125, 0.25, 0.375, 12345.678, -9876.54, 0.0001234, 0.00001234, 0.19, 99995.0]
    values += [draw.gauss(0, 1) * 10 ** draw.uniform(-6, 6) for _ in range(300)]
    names = "fixed, general, percent, signed"
    program = f'import {{ {names} }} from "{SOURCE.as_uri()}"; console.log(JSON.stringify({values}.map(x =>'
    program += (
        "[fixed(x, 0), fixed(x, 1), fixed(x, 3), general(x, 4), general(x, 2), percent(x), signed(x, 3)])))"
    )
    ran = subprocess.run(
        [node, "--input-type=module", "-e", program], text=True, capture_output=True, check=True
    )
    wanted = [
        [f"{x:.0f}", f"{x:.1f}", f"{x:.3f}", f"{x:.4g}", f"{x:.2g}", f"{x:.0%}", f"{x:+.3f}"] for x in values
    ]
    assert json.loads(ran.stdout) == wanted
