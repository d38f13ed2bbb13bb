"""What a check says, and how it is shown: the part that all exercises share."""

import html
import inspect
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from IPython import get_ipython
from IPython.display import display
from torch import Tensor

RIGHT, WRONG, NOT_ATTEMPTED, RAISED = "right", "not yet right", "not attempted", "raised an error"
_MARKS = {
    RIGHT: ("✓", "#0072b2"),
    NOT_ATTEMPTED: ("○", "#888888"),
    WRONG: ("✗", "#d55e00"),
    RAISED: ("✗", "#d55e00"),
}


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check.

    Args:
        exercise: what was asked for, in a few words.
        status: "right", "not yet right", "not attempted" or "raised an error".
        message: what was found and what was expected. Of several mistakes each stands in a line that begins
            with "- "; a notebook folds these lines, so that nobody reads what they still want to find.
    """

    exercise: str
    status: str
    message: str

    @property
    def right(self) -> bool:
        """Whether the exercise is solved."""
        return self.status == RIGHT

    def __str__(self) -> str:
        return f"{_MARKS[self.status][0]} {self.exercise}: {self.status}. {self.message}"

    def _repr_html_(self) -> str:
        mark, colour = _MARKS[self.status]
        style = f"border-left: 4px solid {colour}; padding: 0.3em 0.8em; white-space: pre-wrap"
        title = html.escape(f"{mark} {self.exercise}: {self.status}.")
        message, *mistakes = html.escape(self.message).split("\n- ")
        hints = "".join(
            f"<details><summary>Hint {number} of {len(mistakes)}</summary>{mistake}</details>"
            for number, mistake in enumerate(mistakes, 1)
        )
        return f'<div role="status" style="{style}"><b>{title}</b> {message}{hints}</div>'

    def _ipython_display_(self) -> None:
        """Show nothing: the check has shown the verdict, and a cell that ends in a check would repeat it."""


class Finding(Exception):
    """Ends a check early, with the status and the message of its verdict."""

    def __init__(self, message: str, status: str = WRONG):
        super().__init__(message)
        self.status = status


def judge(
    exercise: str, fn: Callable, examine: Callable[[Callable], None], praise: str | Callable[[], str]
) -> Verdict:
    """Examine a student's function, show the verdict (also in the middle of a cell) and return it.

    Args:
        exercise: what was asked for, in a few words.
        fn: the student's function.
        examine: calls the function and raises a `Finding` where it is not right.
        praise: the message for a right solution: what it achieves, or a function that says what was found.
    Returns:
        The verdict, shown as HTML in a notebook and printed elsewhere.
    """
    try:
        if fn is None:
            raise not_attempted()
        if not callable(fn):
            raise Finding(f"Give the function itself, not what it returns: found a {type(fn).__name__}.")
        examine(fn)
        verdict = Verdict(exercise, RIGHT, praise() if callable(praise) else praise)
    except Finding as finding:
        verdict = Verdict(exercise, finding.status, str(finding))
    if get_ipython() is None:
        print(verdict)
    else:
        display({"text/plain": str(verdict), "text/html": verdict._repr_html_()}, raw=True)
    return verdict


def remaining(left: list[str]) -> Finding:
    """Make the finding for a bug hunt in which these mistakes are left; three are planted."""
    found = f"{len(left)} of 3 mistakes remain."
    if len(left) > 3:
        found = f"{len(left)} mistakes are in it now, more than were planted."
    return Finding("\n- ".join([found, *left]), WRONG)


def not_attempted() -> Finding:
    """Make the finding for a stub, which returns None."""
    return Finding("The function returns None: write its body, then run this cell again.", NOT_ATTEMPTED)


def call(fn: Callable, *arguments: object) -> object:
    """Call a student's function; whatever it raises becomes a finding with type, message and line.

    Args:
        fn: the student's function.
        arguments: what it is called with.
    Returns:
        What the function returns.
    Raises:
        Finding: the function raised an exception.
    """
    try:
        return fn(*arguments)
    except Exception as error:  # a student's function may raise anything, and all of it is the verdict
        raise Finding(f"{type(error).__name__}: {error}{_place(fn, error)}", RAISED) from error


def number(fn: Callable, *arguments: object) -> float:
    """What a student's function returns, as one number.

    Raises:
        Finding: it raised an exception, returned None, or something that is no number.
    """
    return as_number(call(fn, *arguments))


def as_number(found: object, wrong: str = "It returns a {}; expected one number.") -> float:
    """What a student's function returned, as one number; `wrong` is the finding, with a place for the type.

    Raises:
        Finding: it is None, or no number.
    """
    if found is None:
        raise not_attempted()
    try:
        return float(found)
    except (TypeError, ValueError) as error:
        raise Finding(wrong.format(type(found).__name__)) from error


def hint(usual: Mapping[str, float], near: Callable[[float], bool]) -> str:
    """What was probably done instead, as a sentence; empty where it is none of the usual mistakes.

    Args:
        usual: mistake -> the value that it leads to.
        near: whether a value is what the student's function returned.
    """
    return next((f" {text}." for text, value in usual.items() if near(value)), "")


def _place(fn: Callable, error: Exception) -> str:
    """Say which line of the student's file or cell the error comes from; empty where none took part."""
    code = getattr(inspect.unwrap(fn), "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
    return f"\nLine {own[-1].lineno}: {own[-1].line}" if own else ""


def show_values(values: Tensor) -> str:
    """Write a short vector for a message, such as [0.12, -1.3, 0]."""
    return "[" + ", ".join(f"{v:.3g}" for v in values.detach().flatten()[:6].tolist()) + "]"
