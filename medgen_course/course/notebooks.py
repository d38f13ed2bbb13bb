"""Finds the course's notebooks, gives them their parameters, executes them and says how it went."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medgen_course import home
from medgen_course.course.errors import hidden_errors
from medgen_course.course.kernel import Kernels

PROFILES = ("standard", "quick")
SOURCE_MIME = "application/vnd.medgen.source+json"

# What papermill has to say of a notebook stands in its result; between the lines of a run it would disturb.
logging.getLogger("papermill").addHandler(logging.NullHandler())


class CourseError(ValueError):
    """A notebook that cannot be found or given its parameters; the message says what to do."""


@dataclass(frozen=True)
class Notebook:
    """A notebook and what its own metadata says about it.

    Attributes:
        path: the `.ipynb` file.
        title: for tables.
        budget_s: seconds that it may take, alone on two cores of the machine that bench/course.py names, or
            None; also decides which notebooks of a run begin first.
        quick: the parameters that the quick profile changes.
    """

    path: Path
    title: str
    budget_s: float | None = None
    quick: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name without its ending, e.g. `01_autoencoder`."""
        return self.path.stem


@dataclass(frozen=True)
class Result:
    """How the execution of one notebook went.

    Attributes:
        notebook: which one.
        seconds: wall-clock, kernel start included.
        errors: one line each; empty when all went well.
        sources: where its images came from, as the data sets told.
        notices: what must not be overlooked about them (the phantom in place of real images).
    """

    notebook: Notebook
    seconds: float
    errors: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """`ok` or `failed`."""
        return "failed" if self.errors else "ok"


def read(path: Path) -> Notebook:
    """What a notebook says about itself.

    Args:
        path: an `.ipynb` file; its `metadata.medgen` may hold `title`, `budget_s` and `quick`.
    Raises:
        CourseError: the file is not a notebook.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        about = content["metadata"].get("medgen", {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(f"{path}: expected a Jupyter notebook, found something else ({error!r})") from error
    title, budget_s = about.get("title", path.stem), about.get("budget_s")
    return Notebook(path.resolve(), title, budget_s, about.get("quick", {}))


def find(folder: Path | None = None) -> list[Notebook]:
    """The course's notebooks in their order: files named with two digits and a word.

    Args:
        folder: where to look; None takes those that came with the package, else `notebooks/` of the working
            directory.
    Raises:
        CourseError: there are none.
    """
    places = [folder] if folder else [home.shipped("notebooks"), Path.cwd() / "notebooks"]
    for place in places:
        if paths := sorted(place.glob("[0-9][0-9]_*.ipynb")):
            return [read(path) for path in paths]
    looked = " nor ".join(dict.fromkeys(str(place) for place in places))
    raise CourseError(f"no notebooks (NN_name.ipynb) in {looked}. Go to the folder with README.md.")


def select(notebooks: Sequence[Notebook], wanted: Sequence[str]) -> list[Notebook]:
    """Pick notebooks by number (`1`, `01`), name (`autoencoder`, `01_autoencoder`) or file.

    Args:
        notebooks: to pick from.
        wanted: none picks all.
    Raises:
        CourseError: one is not there; the message lists those that are.
    """
    if not wanted:
        return list(notebooks)
    chosen = []
    for word in wanted:
        if word.endswith(".ipynb") and Path(word).is_file():
            chosen.append(read(Path(word)))
            continue
        stem = Path(word).stem
        number = int(stem) if stem.isdecimal() else None
        fits = [n for n in notebooks if stem in (n.name, n.name[3:]) or number == int(n.name[:2])]
        if not fits:
            names = ", ".join(n.name for n in notebooks)
            raise CourseError(f"there is no notebook {word!r}; there are {names}.")
        chosen += fits
    return list({notebook.path: notebook for notebook in chosen}.values())


def parameters(notebook: Notebook, profile: str = "standard", dataset: str | None = None) -> dict[str, Any]:
    """The values that replace those of the notebook's parameters cell.

    Args:
        notebook: whose.
        profile: `standard` changes nothing, `quick` what the notebook's metadata lists.
        dataset: replaces the notebook's own choice; a file is named in full, because a kernel works in a
            folder of its own.
    Raises:
        CourseError: the profile is unknown, or the notebook has no parameter of a given name.
    """
    from papermill import inspect_notebook

    if profile not in PROFILES:
        raise CourseError(f"the profile is {profile!r}; choose {' or '.join(PROFILES)}.")
    values = dict(notebook.quick) if profile == "quick" else {}
    if dataset is not None:
        own = dataset.endswith(".npz") and Path(dataset).is_file()
        values["dataset"] = str(Path(dataset).resolve()) if own else dataset
    try:
        known = inspect_notebook(notebook.path)
    except ValueError as error:
        raise CourseError(f"{notebook.path.name}: {error} Name kernelspec python3 there.") from error
    if unknown := sorted(set(values) - set(known)):
        raise CourseError(
            f"{notebook.path.name} has no parameter {', '.join(unknown)}; its cell tagged `parameters` has "
            f"{', '.join(known) or 'none'}. Correct the name in metadata.medgen.quick or in the cell."
        )
    return values


def execute(
    notebook: Notebook,
    out: Path,
    profile: str = "standard",
    dataset: str | None = None,
    kernels: Kernels | None = None,
) -> Result:
    """Execute one notebook in a kernel of this Python, working in `out`.

    Args:
        notebook: is read, never written.
        out: a folder that exists; takes the executed copy under the same name. What an earlier run left
            of this notebook goes.
        profile, dataset: see `parameters`.
        kernels: to which its kernel will belong; None makes some.
    Returns:
        The result; whatever goes wrong inside the notebook stands there and is not raised.
    """
    import nbformat
    from papermill import execute_notebook

    target = out / notebook.path.name
    for left in (target, target.with_suffix(".html")):
        left.unlink(missing_ok=True)
    errors: list[str] = []
    started = time.perf_counter()
    try:
        execute_notebook(
            notebook.path,
            target,
            parameters(notebook, profile, dataset),
            kernel_name="python3",
            kernel_manager_class=(kernels or Kernels()).kind(out),
            progress_bar=False,
            request_save_on_cell_execute=False,  # once at the end: a fifth of the time
            shutdown_kernel="immediate",  # nothing is left to be done; to ask politely takes 1 to 2.5 s
        )
    except Exception as error:  # one notebook's failure, of any kind, is a line in the table
        errors.append(_first_line(error))
    seconds = time.perf_counter() - started
    if not target.exists():  # it never began: a page without outputs, and the error
        bare = nbformat.read(notebook.path, as_version=4)
        for cell in bare.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(bare, target)
    executed = nbformat.read(target, as_version=4)
    if not errors:
        errors += hidden_errors(executed)
    told = list(_sources(executed))
    sources = dict.fromkeys(f"{about.get('name')}: {about.get('source')}" for about in told)
    notices = dict.fromkeys(about["notice"] for about in told if about.get("notice"))
    return Result(notebook, round(seconds, 1), tuple(errors), tuple(sources), tuple(notices))


def _sources(executed: Any):
    """What the data sets displayed in an executed notebook say about themselves."""
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            if SOURCE_MIME in output.get("data", {}):
                yield output["data"][SOURCE_MIME]


def _first_line(error: Exception) -> str:
    """An exception as one line; of a cell's, the cell's own error."""
    if hasattr(error, "ename"):
        where = f"cell [{error.exec_count}]: " if error.exec_count is not None else ""
        text = f"{where}{error.ename}: {error.evalue}"
    else:
        text = f"{type(error).__name__}: {error}"
    return text.strip().splitlines()[0][:300]
