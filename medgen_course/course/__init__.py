"""The notebooks: found, given their parameters, executed, stored, and shown as pages."""

from medgen_course.course.notebooks import (
    CourseError,
    Notebook,
    Result,
    execute,
    find,
    parameters,
    read,
    select,
)
from medgen_course.course.runner import refresh, run
from medgen_course.course.tables import gan as tables_gan  # noqa: F401  as notebook 05 calls it
from medgen_course.course.tables import growing as tables_growing  # noqa: F401

__all__ = [
    "CourseError",
    "Notebook",
    "Result",
    "execute",
    "find",
    "parameters",
    "read",
    "refresh",
    "run",
    "select",
]
