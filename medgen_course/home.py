"""Where the course's own files lie: beside the package in a checkout, inside it in an installation.

A wheel carries notebooks and weights as `medgen_course/shipped/`, under the names that they have in a
checkout; `pyproject.toml` lists them.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def checkout() -> Path | None:
    """The project's folder if the package runs from one, None if it was installed from a wheel."""
    above = PACKAGE.parent
    return above if (above / "pyproject.toml").is_file() else None


def shipped(name: str) -> Path:
    """A file or folder that comes with the course; it is there to be read.

    Args:
        name: as in a checkout: `notebooks`, `data/pretrained`.
    """
    return (checkout() or PACKAGE / "shipped") / name
