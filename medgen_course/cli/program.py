"""The command line as a whole: its commands, signals, and what goes wrong in one line."""

import re
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from docstring_parser import parse as parse_docstring

from medgen_course.arguments import Parser, add_options
from medgen_course.cli.images import data, doctor, pack
from medgen_course.cli.lessons import grade, release, run, site
from medgen_course.cli.models import audit, enhance, evaluate, sample, score, segment, train, translate
from medgen_course.pack.settings import Settings

EXIT_CODES = "exit codes: 0 fine; 1 a failure, a lack or a bug; 2 wrong usage or input; 130 interrupted"


def _commands() -> tuple[tuple[Callable, Sequence[str], Any], ...]:
    """All but `train`, which has commands of its own: function, what has no dashes, its **settings."""
    return (
        (doctor, (), None),
        (data, ("name",), None),
        (evaluate, ("folder",), None),
        (audit, ("folder",), None),
        (sample, ("folder",), None),
        (translate, ("folder", "images"), None),
        (score, ("folder", "images"), None),
        (enhance, ("folder", "images"), None),
        (segment, ("folder", "images"), None),
        (run, ("notebooks",), None),
        (pack, ("source",), Settings()),
        (release, ("notebooks",), None),
        (grade, ("submissions", "notebooks"), None),
        (site, (), None),
    )


def parser(training: bool = True) -> Parser:
    """The command line; help texts are those of the docstrings.

    Args:
        training: whether the options of `medgen train` are wanted: they are those of functions whose import
            brings torch, which takes seconds.
    """
    purpose = "A course on deep generative models for medical images, from the shell."
    top = Parser(prog="medgen", description=purpose, epilog=EXIT_CODES)
    top.add_argument("--version", action="version", version=f"medgen {version('medgen_course')}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for function, positional, shared in _commands():
        add_options(_command(commands, function.__name__, function), function, positional, shared)
    models = _command(commands, "train", train).add_subparsers(dest="model", required=True, metavar="MODEL")
    if training:
        from medgen_course.runs.kinds import kinds_with

        for model, kind in kinds_with("train").items():
            add_options(_command(models, model, kind.train), kind.train, shared=kind.SETTINGS)
    return top


def _command(commands: Any, name: str, function: Callable) -> Parser:
    """A command of its own, described by the first line of a docstring."""
    about = parse_docstring(function.__doc__).short_description
    return commands.add_parser(name, help=about.rstrip("."), description=about)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM (a batch system's warning) and SIGHUP (the terminal was closed) end a command like Ctrl-C.

    A SIGHUP that is ignored already (`nohup`) stays so. Only a program's first thread may set signals.
    """

    def interrupt(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) is signal.SIG_DFL}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(words: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        words: the command line after `medgen`; None takes the process's own.
    Returns:
        The exit code. What goes wrong is one line on stderr, see `_in_words`; `python -X dev -m
        medgen_course.cli` shows the traceback.
    """
    words = list(sys.argv[1:] if words is None else words)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console may lack a letter
    settings = vars(parser(training=words[:1] == ["train"]).parse_args(words))
    command = settings.pop("command")
    try:
        with _stopped_by_signals(), warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: _say(f"warning: {message}")
            functions = {function.__name__: function for function, *_ in _commands()} | {"train": train}
            return functions[command](**settings)
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        told, code = _in_words(error)
        _say(told)
        return code


def _say(told: str) -> None:
    """One line on stderr."""
    print(f"medgen: {' '.join(told.split())}", file=sys.stderr)


def _in_words(error: Exception) -> tuple[str, int]:
    """What to tell of an error, and the exit code: 2 where the user can do something, 1 for a bug."""
    if isinstance(error, MemoryError) or re.search("allocate memory|out of memory", str(error)):
        told = f"there is not enough memory ({error})"[:300]
        return f"{told}. Ask for fewer or smaller images, smaller batches or a smaller network.", 2
    if isinstance(error, ValueError | OSError):
        return str(error), 2
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"this is a bug of medgen_course {version('medgen_course')}, not of yours: {type(error).__name__}: "
        f"{error} ({Path(place.filename).name}, line {place.lineno}). Please report it where you got the "
        "course, with what `python -X dev -m medgen_course.cli` and the rest of your command prints.",
        1,
    )
