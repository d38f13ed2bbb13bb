"""The most memory that each lesson takes: the column of docs/teaching.md.

Each notebook runs as `medgen run` in a process of its own; what counts is the largest process below it, its
kernel. `python bench/lessons.py 00 01` measures just these.
"""

import subprocess
import sys
import tempfile

from medgen_course import course

MEASURE = """\
import resource, subprocess, sys
medgen = [sys.executable, "-m", "medgen_course.cli", *sys.argv[1:]]
done = subprocess.run(medgen, stdout=subprocess.DEVNULL)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def memory_of(name: str) -> float:
    """The most memory of one notebook in bytes.

    Raises:
        SystemExit: the notebook failed.
    """
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-c", MEASURE, "run", name, "--out", out]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    code, most = map(int, done.stdout.split())
    if code:
        raise SystemExit(f"{name} failed: medgen run {name} says why")
    return most * (1 if sys.platform == "darwin" else 1024)  # macOS counts bytes, Linux kilobytes


def main(wanted: list[str]) -> None:
    names = [notebook.name for notebook in course.find()]
    print("| lesson | memory, GB |\n|---|---|", flush=True)
    for name in [name for name in names if not wanted or name[:2] in wanted]:
        print(f"| `{name}` | {memory_of(name) / 1e9:.1f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
