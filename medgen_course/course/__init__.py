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
