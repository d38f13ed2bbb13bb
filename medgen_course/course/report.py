"""README's results and pictures: from what `medgen evaluate` and the notebooks stored, never by hand."""

import base64
import json
from pathlib import Path

BEGIN, END = "<!-- results: written by `make report` -->", "<!-- end of results -->"


def written(readme: str, table: str) -> str:
    """README with the table in its place.

    Raises:
        ValueError: the two marks are not there.
    """
    if BEGIN not in readme or END not in readme:
        raise ValueError(f"README.md lacks the marks {BEGIN!r} and {END!r}; put them back around the table.")
    head, rest = readme.split(BEGIN)
    return f"{head}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}"


def gallery_picture(notebook: Path) -> bytes:
    """The PNG that the cell tagged `gallery` of a stored notebook shows.

    Raises:
        ValueError: there is not exactly one such picture.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    shown = [output["data"]["image/png"] for cell in cells if "gallery" in cell["metadata"].get("tags", ())
             for output in cell["outputs"] if "image/png" in output.get("data", {})]  # fmt: skip
    if len(shown) != 1:
        raise ValueError(f"{notebook}: {len(shown)} pictures in cells tagged gallery; tag the cell of one.")
    return base64.b64decode("".join(shown[0]))


def gallery_path(notebook: Path) -> Path:
    """Where README looks for it."""
    return notebook.parents[1] / "docs" / "gallery" / f"{notebook.stem}.png"
