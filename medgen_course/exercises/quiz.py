"""Questions between the sections of a notebook: one source, shown in JupyterLab and on the HTML pages.

A question is plain HTML. Each answer is a fold whose inside says whether it is right, and why. That needs no
script and no network; the keyboard and a screen reader can use it, also where a notebook is not trusted.
"""

import hashlib
import html
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "quizzes"


@dataclass(frozen=True)
class Option:
    """One answer to choose.

    Args:
        text: the answer; `code` may stand in backticks.
        reason: why it is right, or what is wrong with it.
        right: whether it is right.
    """

    text: str
    reason: str
    right: bool = False


@dataclass(frozen=True)
class Quiz:
    """One question.

    Args:
        name: what it is called in its file.
        section: the number of the section that it ends.
        question: a text; `code` may stand in backticks.
        options: the answers, in the order in which they are shown (a drawn one, the same each time).
    """

    name: str
    section: int
    question: str
    options: tuple[Option, ...]

    def __repr__(self) -> str:
        letters = "abcdefgh"
        lines = [f"  {letter}  {option.text}" for letter, option in zip(letters, self.options, strict=False)]
        return "\n".join([f"Quiz. {self.question}", *lines])

    def _repr_html_(self) -> str:
        count = sum(option.right for option in self.options)
        many = "" if count == 1 else f"{count} answers are right. "
        hint = f"{many}Decide first, then unfold your answer."
        style = "border-left: 4px solid #009e73; padding: 0.3em 0.8em; max-width: 50em; margin: 0.5em 0"
        folds = "".join(map(_fold, self.options))
        return (
            f'<div class="medgen-quiz" role="group" aria-label="Quiz" style="{style}">'
            f"<p><b>Quiz.</b> {_inline(self.question)} <i>{hint}</i></p>{folds}</div>"
        )


def quiz(notebook: str, name: str) -> Quiz:
    """A question, which a notebook shows as the result of its cell.

    Args:
        notebook: the two digits that a notebook's name begins with, such as "02".
        name: of the question.
    Raises:
        ValueError: the notebook has no such question; the message lists those that it has.
    """
    known = quizzes(notebook)
    if name not in known:
        raise ValueError(f"notebook {notebook} has no quiz {name!r}; it has {', '.join(known) or 'none'}")
    return known[name]


def quizzes(notebook: str) -> dict[str, Quiz]:
    """All questions of a notebook by name, in the order of its sections.

    Args:
        notebook: the two digits that a notebook's name begins with.
    """
    path = FOLDER / f"{notebook}.toml"
    if not path.is_file():
        return {}
    made = {}
    for name, about in tomllib.loads(path.read_text(encoding="utf-8")).items():
        options = tuple(Option(**option) for option in sorted(about["options"], key=_drawn))
        made[name] = Quiz(name, about["section"], about["question"], options)
    return made


def _drawn(option: dict[str, str]) -> bytes:
    """A place in an order that knows nothing of what is right: an author puts that where it comes to mind."""
    return hashlib.sha256(option["text"].encode()).digest()


def _fold(option: Option) -> str:
    word = "Right." if option.right else "Not so."
    return (
        f'<details style="margin: 0.3em 0"><summary style="cursor: pointer">{_inline(option.text)}</summary>'
        f'<p style="margin: 0.2em 0 0.6em 1.2em"><b>{word}</b> {_inline(option.reason)}</p></details>'
    )


def _inline(text: str) -> str:
    """Text as HTML, with what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
