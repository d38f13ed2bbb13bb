"""`medgen run`, `release`, `grade` and `site`. What is heavy is imported by the command that needs it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from medgen_course.files import quoted

SITE = Path("build/site")  # of `medgen site`; its explorers come to life on the pages of `medgen run`, too


def run(
    notebooks: Sequence[str] = (),
    profile: Literal["standard", "quick"] = "standard",
    dataset: str | None = None,
    out: Path = Path("build/course"),
    in_place: bool = False,
    jobs: int | None = None,
) -> int:
    """Execute notebooks; write them, an HTML page each and an index with a table.

    Args:
        notebooks: numbers (1), names (autoencoder) or files; none runs the whole course.
        profile: standard, or quick for a check in seconds.
        dataset: images for every notebook in place of its own choice.
        out: folder for what is written.
        in_place: store the executed notebooks where they lie, to be committed; standard profile, real images.
        jobs: notebooks at a time, each with its share of the cores; by default what cores and memory allow.
    """
    from medgen_course import course

    if in_place:
        if profile != "standard" or dataset is not None:
            raise ValueError("--in-place stores the standard profile on a notebook's own images.")
        left = course.refresh(notebooks, jobs=jobs)
        for line in left:
            print(f"medgen: {line}", file=sys.stderr)
        return int(bool(left))
    results = course.run(notebooks, profile, dataset, out, jobs=jobs)
    if SITE.is_dir():
        from medgen_course.site.attach import attach

        print(f"Explorers of {SITE} that are alive on these pages: {attach(results, out, SITE)}")
    return int(any(result.errors for result in results))


def release(
    notebooks: Sequence[str] = (),
    out: Path = Path("student"),
    nbgrader: bool = False,
    seed_by_student: Path | None = None,
) -> int:
    """Write the students' edition, which runs: no solutions, exercises with numbers and points.

    Args:
        notebooks: numbers (1), names (autoencoder) or files; none takes the whole course.
        out: an empty or new folder; docs/grading.md goes on from here.
        nbgrader: write source/NAME/NAME.ipynb with nbgrader's metadata, and nbgrader_config.py.
        seed_by_student: a CSV file with a column `student`: each gets a folder and a bug hunt of their own.
    """
    from medgen_course import classroom

    for line in classroom.release(out, notebooks, nbgrader, seed_by_student):
        print(line)
    print(f"Written to {quoted(out)}. What comes back: medgen grade SUBMISSIONS --out grades.csv")
    return 0


def grade(
    submissions: Path,
    notebooks: Sequence[str] = (),
    out: Path = Path("grades.csv"),
    seconds: float = 600.0,
    memory: float = 4.0,
    jobs: int | None = None,
) -> int:
    """Grade a folder of submissions, each in a process of its own; no sandbox against malice.

    Args:
        submissions: a folder with a folder for each student. They run with your rights; docs/grading.md has
            the line for a container without a network.
        notebooks: lessons to grade; none takes those that somebody has handed in.
        out: the table; pages for the class and each student go into a folder beside it.
        seconds: wall-clock that an exercise may take, with the cells that it needs.
        memory: GB that a submission may take.
        jobs: submissions at a time; by default one for each core.
    """
    from medgen_course import classroom

    classroom.grade(submissions, out, notebooks, seconds, memory, jobs)
    print(f"Written to {quoted(out)}; read on: {quoted(out.with_suffix('') / 'index.html')}")
    return 0


def site(out: Path = SITE) -> int:
    """Write the course as web pages on which the explorers work without Python (needs Node.js).

    Args:
        out: folder for the pages; what an earlier build left there is replaced.
    """
    from medgen_course.site.build import build_site

    build_site(out)
    print(f"Written to {quoted(out)}. To look at it: python -m http.server --directory {quoted(out)}")
    return 0
