"""PyTorch's random numbers in JavaScript are PyTorch's."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

SOURCE = Path(__file__).parents[3] / "site" / "src" / "torch_random.js"
RATES = (0.0, 0.3, 5.0, 9.99, 12.0, 300.0, 1000.0)


def answer(code):
    """What an expression is, with `Generator` at hand."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("JavaScript is tested with node, which is not found")
    program = f'import {{ Generator }} from "{SOURCE.as_uri()}"; console.log(JSON.stringify({code}));'
    ran = subprocess.run([node, "--input-type=module", "-e", program], text=True, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("seed", (0, 7, 2**40 + 5))
def test_uniform_and_normal_numbers(seed):
    ours = answer(
        f"(g => [...g.rand(5), ...g.randn(16), ...g.randn(37), ...g.rand(700)])(new Generator({seed}))"
    )
    rng = torch.Generator().manual_seed(seed)
    drawn = [torch.rand(5, generator=rng), torch.randn(16, generator=rng), torch.randn(37, generator=rng)]
    torch.testing.assert_close(torch.tensor(ours), torch.cat([*drawn, torch.rand(700, generator=rng)]))


def test_counts():
    rates = [rate for rate in RATES for _ in range(40)]
    ours = answer(f"(g => {rates}.map(r => g.poisson(Math.fround(r))))(new Generator(3))")
    theirs = torch.poisson(torch.tensor(rates), generator=torch.Generator().manual_seed(3))
    assert ours == theirs.int().tolist()
