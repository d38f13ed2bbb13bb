"""What a notebook shows between its figures: code behind an equation, answers under a fold, their letters."""

import inspect
import textwrap
from collections.abc import Callable, Sequence

from IPython.display import HTML, Markdown


def show_source(*things: Callable | type) -> Markdown:
    """The source of functions or classes, in the colours of code: a notebook shows it instead of copying it.

    Args:
        things: functions, methods or classes of the package, shown one below the other.
    """
    sources = "\n\n".join(textwrap.dedent(inspect.getsource(thing)).strip() for thing in things)
    return Markdown(f"```python\n{sources}\n```")


def reveal(answer: str, question: str = "Decided? Show the answer") -> HTML:
    """An answer that stays folded until it is clicked on.

    Args:
        answer: HTML, with the numbers that were just measured.
        question: stands on the fold.
    """
    style = "border-left: 4px solid #0072b2; padding: 0.3em 0.8em; max-width: 50em"
    return HTML(
        f'<details style="{style}"><summary><b>{question}</b></summary>'
        f'<p style="margin: 0.5em 0 0">{answer}</p></details>'
    )


def decide(**options: bool) -> str:
    """The one option whose condition holds, such as "b"; "none of them" where none or several do.

    Args:
        options: letter to what the option claims, put as a condition on what was measured.
    """
    holding = [name for name, holds in options.items() if holds]
    return holding[0] if len(holding) == 1 else "none of them"


def letter(measured: float, choices: Sequence[float]) -> str:
    """The letter of the choice that is nearest to what was measured: "a" for the first one."""
    return chr(ord("a") + min(range(len(choices)), key=lambda i: abs(choices[i] - measured)))
