"""A class: notebooks without solutions out (`release`), work in, and graded (`grade`)."""

from medgen_course.classroom.grading import grade
from medgen_course.classroom.release import release

__all__ = ["grade", "release"]
