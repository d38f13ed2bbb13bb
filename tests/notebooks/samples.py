"""Tiny notebooks for tests."""

from nbformat import write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from medgen_course.course.notebooks import Notebook, read

PARAMETERS = 'dataset: str = "pneumoniamnist"  # images\nseed: int = 0  # of all randomness'
DISPLAY_SOURCE = """\
from IPython.display import display
display({
    "text/plain": "images",
    "application/vnd.medgen.source+json": {"name": "phantom", "source": "drawn", "notice": NOTICE},
}, raw=True)"""


def notebook(*cells: str, kernelspec: bool = True, **about):
    """A notebook node: a title, a parameters cell, and these code cells."""
    made = new_notebook(
        cells=[
            new_markdown_cell("# A sample: $x^2$\n\nA price of 5 $ and `$code$`."),
            new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
            *(new_code_cell(source) for source in cells),
        ]
    )
    made.metadata = {"medgen": {"title": "A sample", "minutes": 1, "budget_s": 60, "quick": {}, **about}}
    if kernelspec:
        made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


def save(folder, name: str, *cells: str, **about) -> Notebook:
    """The same as a file, described."""
    path = folder / f"{name}.ipynb"
    write(notebook(*cells, **about), path)
    return read(path)
