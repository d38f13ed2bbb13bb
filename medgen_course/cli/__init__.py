"""`medgen`: the package's functions from a shell."""

from medgen_course.cli.program import main, parser

__all__ = ["main", "parser"]
