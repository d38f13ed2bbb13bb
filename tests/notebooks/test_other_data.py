"""Every notebook on every kind of valid set: one class, classes without class 0, few images, RGB, 64 px.

By default the quick profile; `--other-data standard` runs the standard one, which takes much longer.
"""

import pytest
from other_data import CLASSES, COUNTS, made_up
from test_notebooks import each_notebook

from medgen_course import course, datasets


@pytest.fixture(scope="session")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    return {name: made_up(name, folder) for name in COUNTS}


@pytest.mark.parametrize("name", COUNTS)
def test_the_made_up_sets_are_what_they_are_called(sets, name):
    data = datasets.load(sets[name])
    assert data.channels == (3 if "RGB" in name else 1) and data.size == (64 if "64" in name else 28)
    assert set(data.train.labels.tolist()) == set(CLASSES[name])
    assert tuple(map(len, data.splits().values())) == COUNTS[name]
    assert len({image.tobytes() for split in data.splits().values() for image in split.images}) == sum(
        COUNTS[name]
    )


@pytest.mark.parametrize("name", COUNTS)
@each_notebook
def test_a_notebook_runs_on_it(notebook, name, sets, tmp_path, pytestconfig):
    result = course.execute(notebook, tmp_path, pytestconfig.getoption("--other-data"), str(sets[name]))
    assert result.errors == ()
    assert any(sets[name].name in source for source in result.sources)
