"""Runs the course: every chosen notebook, a page each, an index, a table."""

from collections.abc import Sequence
from pathlib import Path

from medgen_course.course import notebooks, page, stored
from medgen_course.course.notebooks import CourseError, Notebook, Result


def run(
    wanted: Sequence[str] = (),
    profile: str = "standard",
    dataset: str | None = None,
    out: Path = Path("build/course"),
    folder: Path | None = None,
) -> list[Result]:
    """Execute notebooks and write what there is to read about it; a failure does not stop the others.

    Args:
        wanted: numbers, names or files; none runs all.
        profile: `standard` or `quick`.
        dataset: replaces every notebook's own choice.
        out: takes the executed notebooks, the HTML pages and `index.html`.
        folder: where the notebooks are; see `course.find`.
    Returns:
        One result a notebook.
    Raises:
        CourseError: a notebook is not there, or the profile is unknown.
    """
    chosen = _chosen(wanted, profile, folder)
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    results: list[Result] = []
    for number, notebook in enumerate(chosen, 1):
        results.append(_tell(number, len(chosen), notebook, out, profile, dataset))
        page.write_page(results[-1], out)
        page.write_index(results, out, profile)
    print(f"\n{page.table(results)}\n\nRead on: {out / 'index.html'}")
    return results


def refresh(
    wanted: Sequence[str] = (), out: Path = Path("build/stored"), folder: Path | None = None
) -> list[str]:
    """Execute notebooks in the standard profile and store the results where the notebooks lie.

    Args:
        wanted: numbers, names or files; none takes all.
        out: takes the executed copies before they are cleaned.
        folder: where the notebooks are; see `course.find`.
    Returns:
        One line for every notebook that was left as it was, with the reason.
    Raises:
        CourseError: a notebook is not there.
    """
    chosen = _chosen(wanted, "standard", folder)
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    left = []
    for number, notebook in enumerate(chosen, 1):
        try:
            stored.store(_tell(number, len(chosen), notebook, out, "standard", None), out)
        except CourseError as error:
            left.append(str(error))
    return left


def _chosen(wanted: Sequence[str], profile: str, folder: Path | None) -> list[Notebook]:
    if profile not in notebooks.PROFILES:
        raise CourseError(f"the profile is {profile!r}; choose {' or '.join(notebooks.PROFILES)}.")
    files = wanted and all(word.endswith(".ipynb") and Path(word).is_file() for word in wanted)
    return notebooks.select([] if files else notebooks.find(folder), wanted)


def _tell(number: int, of: int, notebook: Notebook, out: Path, profile: str, dataset: str | None) -> Result:
    """Execute one notebook between two halves of a line."""
    print(f"[{number}/{of}] {notebook.name} ...", end=" ", flush=True)
    result = notebooks.execute(notebook, out, profile, dataset)
    print(f"{result.seconds:.0f} s, {result.status}", flush=True)
    return result
