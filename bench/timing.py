"""What the scripts of this folder share: how long something takes, beside how fast this machine is.

Nothing here fails on a slow machine. A ratio of two sides that run in turn survives a busy machine; seconds
do not, so `machine()` is printed beside them.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

SIDE = 1024  # of the matrices that the machine is measured with


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turn(sides: dict[str, Callable[[], object]], rounds: int = 5) -> dict[str, float]:
    """Median seconds of each side; the first round warms up and does not count."""
    times = {name: [] for name in sides}
    for index in range(rounds + 1):
        for name, work in sides.items():
            elapsed = seconds(work)
            if index:
                times[name].append(elapsed)
    return {name: statistics.median(values) for name, values in times.items()}


def latency(name: str, move: Callable[[int], object], count: int = 200) -> None:
    """Milliseconds from a new value to the new bytes of the picture."""
    say_latency(name, [1000 * seconds(lambda i=i: move(i)) for i in range(count + 10)][10:], target=30)


def say_latency(name: str, milliseconds: list[float], target: float) -> None:
    middle, late = np.percentile(milliseconds, [50, 95])
    print(f"{name}: median {middle:.1f} ms, 95th percentile {late:.1f} ms (target {target:g})", flush=True)


def matrix_speed(rounds: int = 9) -> float:
    """GFLOP/s of a product of two float32 matrices, 1024 x 1024, on torch's threads; median."""
    a, b = torch.rand(2, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    return 2 * SIDE**3 / in_turn({"product": lambda: a @ b}, rounds)["product"] / 1e9


def machine() -> str:
    """This machine just now, in words."""
    return f"this machine: {matrix_speed():,.0f} GFLOP/s in float32, {torch.get_num_threads()} threads"


if __name__ == "__main__":
    print(machine())
