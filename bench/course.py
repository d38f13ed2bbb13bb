"""Seconds of notebooks beside their budgets, for maintainers: `python bench/course.py [01 02 ...]`.

Budgets (`metadata.medgen.budget_s`) are meant for a notebook that runs alone on two cores of a machine whose
float32 matrix product reaches REFERENCE GFLOP/s. On another machine they are scaled by what this one reaches.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "2")  # before torch; a kernel takes it over

from timing import matrix_speed

from medgen_course import course

REFERENCE = 112.0  # GFLOP/s in float32, two cores


def report(results, speed):
    """Lines: seconds, budget at the reference, budget here, and whether the one is within the other."""
    width = max(len("notebook"), *(len(result.notebook.name) for result in results))
    yield f"this machine {speed:.0f} GFLOP/s in float32, two threads; budgets are meant at {REFERENCE:.0f}"
    yield f"{'notebook':{width}}  seconds  budget  budget here"
    for result in results:
        name, budget = f"{result.notebook.name:{width}}  {result.seconds:7.0f}", result.notebook.budget_s
        if result.errors or budget is None:
            yield f"{name}  {result.errors[0] if result.errors else 'no budget'}"
            continue
        here = budget * REFERENCE / speed
        verdict = "within" if result.seconds <= here else f"OVER by {result.seconds / here - 1:.0%}"
        yield f"{name}  {budget:6.0f}  {here:11.0f}  {verdict}"
    seconds = sum(result.seconds for result in results)
    yield f"{'sum':{width}}  {seconds:7.0f}  {sum(result.notebook.budget_s or 0 for result in results):6.0f}"


if __name__ == "__main__":
    before = matrix_speed()
    with tempfile.TemporaryDirectory() as folder:
        results = course.run(sys.argv[1:], out=Path(folder), jobs=1)
    print("\n" + "\n".join(report(results, (before + matrix_speed()) / 2)))
