"""nbval on a copy of a notebook, in a process of its own."""

import subprocess
import sys
from pathlib import Path

from papermill import execute_notebook

from medgen_course.course.kernel import environment
from medgen_course.course.notebooks import Notebook, parameters


def run_nbval(notebook: Notebook, folder: Path) -> subprocess.CompletedProcess:
    """Execute a quick copy on the phantom, cell by cell, and compare what is marked to be compared."""
    folder.mkdir()
    copy = folder / notebook.path.name
    values = parameters(notebook, "quick", "phantom")
    execute_notebook(notebook.path, copy, values, prepare_only=True, progress_bar=False)
    (folder / "pytest.ini").write_text("[pytest]\n")  # so that the project's own settings stay out
    nbval = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *nbval, "-p", "no:cacheprovider", "-q", copy.name],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
