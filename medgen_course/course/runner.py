"""Runs the course: chosen notebooks side by side, a page each, an index, a table.

Each notebook has a kernel, so a process, of its own; here a thread each waits for it. Two kernels of one
thread get more out of two cores than one kernel of two threads: what is small or not parallel leaves no core
idle.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

from medgen_course import home
from medgen_course.course import notebooks, page, stored
from medgen_course.course.kernel import Kernels, cores
from medgen_course.course.notebooks import CourseError, Notebook, Result

MEMORY_EACH = 2.5e9  # bytes, a notebook in its kernel


def run(
    wanted: Sequence[str] = (),
    profile: str = "standard",
    dataset: str | None = None,
    out: Path = Path("build/course"),
    folder: Path | None = None,
    jobs: int | None = None,
) -> list[Result]:
    """Execute notebooks and write what there is to read about it; a failure does not stop the others.

    Args:
        wanted: numbers, names or files; none runs all.
        profile: `standard` or `quick`.
        dataset: replaces every notebook's own choice.
        out: takes the executed notebooks, the HTML pages and `index.html`.
        folder: where the notebooks are; see `course.find`.
        jobs: notebooks at a time; see `jobs_for`.
    Returns:
        One result a notebook, in the order of the course.
    Raises:
        CourseError: a notebook is not there, the profile is unknown, or jobs is under 1.
        KeyboardInterrupt: after the kernels have ended; what was done by then is written and told.
    """
    chosen, _ = _chosen(wanted, profile, folder)
    jobs = jobs_for(len(chosen), jobs)
    out = out.resolve()
    results: list[Result] = []
    started = time.perf_counter()
    try:
        with contextlib.closing(_side_by_side(chosen, jobs, out, profile, dataset)) as ended:
            for result in ended:
                results = sorted([*results, result], key=lambda result: chosen.index(result.notebook))
                _show(results, out, profile, jobs)
    finally:
        if results:
            _show(results, out, profile, jobs)  # again, because an interrupt may have come between
            print(f"\n{page.table(results)}\n\n{time.perf_counter() - started:.0f} s in all.", end=" ")
            print(f"Read on: {out / 'index.html'}", flush=True)
    return results


def refresh(
    wanted: Sequence[str] = (),
    out: Path = Path("build/stored"),
    folder: Path | None = None,
    jobs: int | None = None,
) -> list[str]:
    """Execute notebooks in the standard profile and store the results where the notebooks lie.

    Sums depend on the number of threads in their last bits. So a notebook gets the share that it has in a run
    of the whole course, even when it is stored alone.

    Args:
        wanted: numbers, names or files; none takes all.
        out: takes the executed copies before they are cleaned.
        folder: where the notebooks are; see `course.find`.
        jobs: notebooks at a time; see `jobs_for`.
    Returns:
        One line for every notebook that was left as it was, with the reason, in the order of the course.
    Raises:
        CourseError: a notebook is not there or belongs to an installation, or jobs is under 1.
        KeyboardInterrupt: after the kernels have ended; what was done by then is stored.
    """
    chosen, whole = _chosen(wanted, "standard", folder)
    for notebook in chosen:
        if notebook.path.is_relative_to(home.PACKAGE):
            raise CourseError(
                f"{notebook.path} belongs to the installed package and stays as it is; expected a notebook "
                "of your own. Leave out --in-place, and copies are written to the folder that --out names."
            )
    left = {}
    ended = _side_by_side(chosen, jobs_for(whole, jobs), out.resolve(), "standard", None)
    with contextlib.closing(ended):
        for result in ended:
            try:
                stored.store(result, out.resolve())
            except CourseError as error:
                left[result.notebook.path] = str(error)
    return [left[notebook.path] for notebook in chosen if notebook.path in left]


def jobs_for(count: int, wanted: int | None = None) -> int:
    """How many notebooks to execute at a time.

    Args:
        count: notebooks that there are.
        wanted: a number that is only bounded by `count`; None takes two cores a notebook, but two notebooks
            on two cores, as far as free memory allows.
    Raises:
        CourseError: fewer than one is wanted.
    """
    if wanted is not None and wanted < 1:
        raise CourseError(f"jobs is {wanted}; at least one notebook at a time is needed, or leave jobs out.")
    if wanted is None:
        import psutil

        fitting = int(psutil.virtual_memory().available / MEMORY_EACH)
        wanted = max(1, min(cores(), max(2, cores() // 2), fitting))
    return min(wanted, count)


def _chosen(wanted: Sequence[str], profile: str, folder: Path | None) -> tuple[list[Notebook], int]:
    """The notebooks that are wanted, and how many the whole course has."""
    if profile not in notebooks.PROFILES:
        raise CourseError(f"the profile is {profile!r}; choose {' or '.join(notebooks.PROFILES)}.")
    files = wanted and all(word.endswith(".ipynb") and Path(word).is_file() for word in wanted)
    there = [] if files else notebooks.find(folder)
    chosen = notebooks.select(there, wanted)
    return chosen, max(len(there), len(chosen))


def _side_by_side(
    chosen: Sequence[Notebook], jobs: int, out: Path, profile: str, dataset: str | None
) -> Iterator[Result]:
    """Execute notebooks, the slowest first; yield and tell each as it ends. Closing it ends all kernels."""
    import papermill  # noqa: F401  before the threads, which would import it at the same time

    threads = max(1, cores() // jobs)
    jobs = min(jobs, len(chosen))
    count, width = len(chosen), max(len(notebook.name) for notebook in chosen)
    out.mkdir(parents=True, exist_ok=True)
    print(f"Notebooks: {count}, {jobs} at a time, threads for each: {threads}", flush=True)
    kernels, pool = Kernels(threads), ThreadPoolExecutor(jobs)
    slowest_first = sorted(chosen, key=lambda notebook: -(notebook.budget_s or 0))
    running = {
        pool.submit(_in_thread, notebook, out, profile, dataset, kernels): notebook
        for notebook in slowest_first
    }
    done = 0
    try:
        while running:
            # Without a timeout Windows would not hear Ctrl-C.
            ended = wait(running, timeout=0.5, return_when=FIRST_COMPLETED).done
            for future in [future for future in running if future in ended]:
                result, done = future.result(), done + 1
                del running[future]
                told = f"{result.notebook.name:{width}}  {result.seconds:4.0f} s  {result.status}"
                print(f"[{done}/{count}] {told}", flush=True)
                yield result
    finally:
        kernels.end()
        pool.shutdown(cancel_futures=True)
        for notebook in running.values():  # half a copy is none
            (out / notebook.path.name).unlink(missing_ok=True)


def _show(results: Sequence[Result], out: Path, profile: str, jobs: int) -> None:
    """Write the pages that are not there yet, and the index."""
    for result in results:
        if not (out / f"{result.notebook.name}.html").exists():
            page.write_page(result, out)
    page.write_index(results, out, profile, jobs)


def _in_thread(*settings) -> Result:
    from jupyter_core.utils import ensure_event_loop

    try:
        return notebooks.execute(*settings)
    finally:
        ensure_event_loop().close()  # of this thread: papermill leaves it open
