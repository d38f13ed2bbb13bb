"""The course's notebooks, executed by nbval on the phantom; stored checks must hold."""

import pytest
from nbval_layer import run_nbval

from medgen_course import course


@pytest.mark.parametrize("notebook", course.find(), ids=lambda notebook: notebook.name)
def test_runs_with_nbval_on_the_phantom(notebook, tmp_path):
    finished = run_nbval(notebook, tmp_path / "copy")
    assert finished.returncode == 0, finished.stdout[-4000:]
