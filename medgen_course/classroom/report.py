"""Pages of a graded class: one for all, one for each student."""

import html
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from medgen_course.files import write_text

STYLE = """\
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3em .6em; border-bottom: 1px solid #8886; vertical-align: top }
td, h1 { overflow-wrap: anywhere }
td p { margin: 0 0 .3em }
td span { white-space: nowrap }
pre { white-space: pre-wrap; margin: 0; font: inherit }
.right { color: #0072b2 } .wrong { color: #d55e00 }
@media (prefers-color-scheme: dark) { .right { color: #56b4e9 } .wrong { color: #f0915a } }
@media (max-width: 40em) {
  body { margin: 1em auto }
  .long thead { display: none }
  .long tr, .long td { display: block; border: 0; padding: .1em 0 }
  .long tr { border-bottom: 1px solid #8886; padding: .6em 0 }
  .long td::before { content: attr(data-name) ": "; opacity: .75 }
  .long pre { display: inline }
  .long span { white-space: normal }
}"""


def write_pages(rows: list[Any], out: Path) -> None:
    """Write `index.html` and a page for each student into a folder.

    Args:
        rows: of `grading.Row`, in the order of the table.
    """
    students = list(dict.fromkeys(row.student for row in rows))
    for student in students:
        own = [row for row in rows if row.student == student]
        write_text(out / _file(student), _page(f"Results of {student}", _of_student(own)))
    write_text(out / "index.html", _page("Results of the class", _of_class(rows, students)))


def _file(student: str) -> str:
    """The page of a student; one who is called index has it beside the page of the class."""
    return f"{student}-.html" if student.lower().rstrip("-") == "index" else f"{student}.html"


def _of_student(rows: list[Any]) -> str:
    notes = list(dict.fromkeys(f"{row.notebook}: {row.note}" for row in rows if row.note))
    table = _table(
        ("exercise", "verdict", "points", "seconds", "what was found"),
        (
            (
                f"{row.exercise} {row.title}",
                _mark(row.verdict),
                f"{row.points} of {row.of}",
                f"{row.seconds:.1f}",
                f"<pre>{html.escape(row.message)}</pre>",
            )
            for row in rows
        ),
    )
    total = f"<p>{_points(rows)} points.</p>"
    return total + "".join(f"<p>{html.escape(note)}</p>" for note in notes) + table


def _of_class(rows: list[Any], students: list[str]) -> str:
    each = {student: [row for row in rows if row.student == student] for student in students}
    people = _table(
        ("student", "points", "right", "notes"),
        (
            (
                f'<a href="{quote(_file(name))}">{html.escape(name)}</a>',
                f"<span>{_points(own)}</span>",
                f"<span>{sum(row.verdict == 'right' for row in own)} of {len(own)}</span>",
                html.escape("; ".join(dict.fromkeys(row.note for row in own if row.note))),
            )
            for name, own in each.items()
        ),
    )
    by_exercise: dict[str, list[Any]] = {}
    for row in rows:
        by_exercise.setdefault(f"{row.exercise} {row.title}", []).append(row)
    work = _table(
        ("exercise", "verdicts", "what was found most often"),
        (
            (html.escape(title), _verdicts(own), "".join(map(_hint, _hints(own))))
            for title, own in by_exercise.items()
        ),
    )
    return f"<h2>Students</h2>{people}<h2>Exercises</h2>{work}"


def _verdicts(rows: list[Any]) -> str:
    found = Counter(row.verdict for row in rows)
    return "<br>".join(f"{count} × {_mark(verdict)}" for verdict, count in found.most_common())


def _hints(rows: list[Any]) -> list[tuple[str, int]]:
    """The three commonest messages of what is not right; a hunt's hints count one by one."""
    lines = (line for row in rows if row.verdict != "right" for line in row.message.split("\n- ")[:9])
    return Counter(line.strip()[:300] for line in lines if line.strip()).most_common(3)


def _hint(found: tuple[str, int]) -> str:
    return f"<p>{found[1]} × {html.escape(found[0])}</p>"


def _mark(verdict: str) -> str:
    return f'<span class="{"right" if verdict == "right" else "wrong"}">{html.escape(verdict)}</span>'


def _points(rows: list[Any]) -> str:
    return f"{sum(row.points for row in rows)} of {sum(row.of for row in rows)}"


def _table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    top = "".join(f'<th scope="col">{name}</th>' for name in head)
    cells = (
        "".join(f'<td data-name="{name}">{cell}</td>' for name, cell in zip(head, line, strict=True))
        for line in lines
    )
    body = "".join(f"<tr>{line}</tr>" for line in cells)
    wide = ' class="long"' if "what was found" in head[-1] else ""  # on a phone one cell a line
    return f"<table{wide}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _page(title: str, body: str) -> str:
    title = html.escape(title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>\n"
    )
