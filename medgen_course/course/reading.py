"""What a notebook shows between its figures: code behind an equation, answers under a fold, their letters."""

import base64
import html
import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence

from IPython.display import HTML, Markdown

from medgen_course.course.findings import table_html


def show_source(*things: Callable | type) -> Markdown:
    """The source of functions or classes, in the colours of code: a notebook shows it instead of copying it.

    Args:
        things: functions, methods or classes of the package, shown one below the other.
    """
    sources = "\n\n".join(textwrap.dedent(inspect.getsource(thing)).strip() for thing in things)
    return Markdown(f"```python\n{sources}\n```")


def reveal(answer: str, question: str = "Decided? Show the answer", shown: Sequence[object] = ()) -> HTML:
    """An answer that stays folded until it is clicked on, with the figures and tables that give it away.

    Args:
        answer: HTML, with the numbers that were just measured.
        question: stands on the fold.
        shown: figures and tables that belong to the answer, below it.
    """
    style = "border-left: 4px solid #0072b2; padding: 0.3em 0.8em; max-width: 50em"
    return HTML(
        f'<details style="{style}"><summary><b>{question}</b></summary>'
        f'<p style="margin: 0.5em 0 0">{answer}</p>{"".join(map(_inside, shown))}</details>'
    )


def _inside(thing: object) -> str:
    """A figure as an image with its alternative text, or anything else by its own HTML."""
    if not hasattr(thing, "_repr_png_"):
        return f'<div style="margin: 0.8em 0">{thing._repr_html_()}</div>'
    says = getattr(thing, "alternative_text", lambda: "a figure")()
    data = base64.b64encode(thing._repr_png_()).decode()
    return f'<p><img alt="{html.escape(says, quote=True)}" src="data:image/png;base64,{data}"></p>'


def decide(**options: bool) -> str:
    """The one option whose condition holds, such as "b"; "none of them" where none or several do.

    Args:
        options: letter to what the option claims, put as a condition on what was measured.
    """
    holding = [name for name, holds in options.items() if holds]
    return holding[0] if len(holding) == 1 else "none of them"


def hold(claims: Mapping[str, bool], enough: bool = True, because: str = "") -> str:
    """Assert what a notebook claims of its own numbers, or say why it is not claimed here.

    Args:
        claims: sentence to whether it holds.
        enough: whether there were images and updates enough for these claims.
        because: why not, where there were not.
    Returns:
        What to print.
    Raises:
        AssertionError: there was enough, and a sentence does not hold; the message has all that do not.
    """
    if not enough:
        return f"Not claimed here, because {because}: {'; '.join(claims)}."
    if wrong := [sentence for sentence, holds in claims.items() if not holds]:
        raise AssertionError(f"this should hold and does not: {'; '.join(wrong)}")
    return f"All of it holds: {'; '.join(claims)}."


def table(header: Sequence[str], rows: Iterable[Sequence[str]], note: str = "") -> HTML:
    """A table with a note under it; a `findings.Table` in which several rows may have the same name.

    Args:
        header: the names of the columns.
        rows: one text for each column.
        note: a sentence under the table.
    """
    return HTML(table_html(header, rows, note))


def letter(measured: float, choices: Sequence[float]) -> str:
    """The letter of the choice that is nearest to what was measured: "a" for the first one."""
    return chr(ord("a") + min(range(len(choices)), key=lambda i: abs(choices[i] - measured)))
