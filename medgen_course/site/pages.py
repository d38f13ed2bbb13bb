"""Pages of the site: the first one, and each notebook with its explorers alive."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from medgen_course.course.notebooks import Notebook
from medgen_course.course.page import WIDGET_NOTE, page_of, replace_widget_view
from medgen_course.site.explorers import LIVE
from medgen_course.site.live import Live

HEAD = '<link rel="icon" href="data:,"><link rel="stylesheet" href="assets/site.css">'
TAIL = '<div id="announcer" aria-live="polite"></div><script type="module" src="assets/shell.js"></script>'
SENTENCE = "Networks that invent medical images: build them, move them, and measure what they get wrong."
STYLE = """:root { color-scheme: light dark; --line: #8885; --soft: #6b6b6b; }
@media (prefers-color-scheme: dark) { :root { --soft: #b5b5b5; } }
body { font: 1.0625rem/1.55 system-ui, sans-serif; margin: 0 auto; padding: 0 1rem 3rem; max-width: 66rem; }
h1 { font-size: clamp(1.7rem, 5vw, 3rem); line-height: 1.12; letter-spacing: -.02em; margin: 2.2rem 0 .75rem; max-width: 22ch; }
.lead { font-size: 1.15rem; color: var(--soft); max-width: 46rem; margin: 0 0 1.5rem; }
.live { border: 0; padding: 0; }
.lessons { list-style: none; padding: 0; display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); }
.lessons a { display: block; color: inherit; text-decoration: none; border: 1px solid var(--line); border-radius: .7rem; padding: .9rem; height: 100%; box-sizing: border-box; }
.lessons a:hover, .lessons a:focus-visible { border-color: #0072b2; outline: 2px solid #0072b2; }
.lessons img { display: block; width: 100%; height: 11rem; object-fit: contain; background: #fff; border-radius: .4rem; }
.lessons h3 { margin: .7rem 0 .2rem; font-size: 1.05rem; } .lessons p { margin: 0; color: var(--soft); font-size: .9375rem; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; font-size: .9375rem; color: var(--soft); } footer a { color: inherit; }"""


def start_page(lessons: Sequence[Notebook], promises: Mapping[str, str], told: str) -> str:
    """The first page: a sentence, films that β takes away, the lessons.

    Args:
        lessons: in their order.
        promises: what each teaches, by name.
        told: where the films come from.
    """
    cards = "\n".join(_card(lesson, promises.get(lesson.name, "")) for lesson in lessons)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Generative models for medical images</title>
<meta name="description" content="{html.escape(SENTENCE)}">{HEAD}<style>{STYLE}</style></head>
<body><main><h1>{html.escape(SENTENCE)}</h1>
<p class="lead">Move β. Below the real chest films you see what a network rebuilds of them when every bit that it
keeps has a price. It runs here, in this page.</p>
<div class="live" data-live="start" data-from="beta"></div>
<h2>The course</h2><ul class="lessons">
{cards}
</ul></main>
<footer><p>{html.escape(told)}. Every page works without a network; pictures of your own never leave it.</p>
<p><a href="start.html">All about β: this explorer with its numbers</a></p></footer>{TAIL}</body></html>
"""


def _card(lesson: Notebook, promise: str) -> str:
    title = html.escape(lesson.title)
    return (
        f'<li><a href="{lesson.name}.html"><img src="gallery/{lesson.name}.png" alt="" loading="lazy">'
        f"<h3>{html.escape(lesson.name[:2])} · {title}</h3><p>{html.escape(promise)}</p></a></li>"
    )


def lesson_page(notebook: Any, about: Notebook, explorers: Mapping[str, Live]) -> tuple[str, list[str]]:
    """A notebook's page with explorers in the places where JupyterLab shows them.

    Of several explorers of one kind the first is alive; the sentence in place of the others names it.

    Args:
        notebook: as it is stored; changed on the way.
        about: title and place.
        explorers: those that are there, by name.
    Returns:
        The page, and the names of the explorers on it.
    """
    names: list[str] = []
    for cell in notebook.cells:
        called = [LIVE[word] for word in re.findall(r"\b(\w+)\(", cell.source) if word in LIVE]
        name = next((name for name in called if name in explorers), None)
        for output in cell.get("outputs", []):
            replace_widget_view(output)
            if output.get("data", {}).get("text/plain") != WIDGET_NOTE or name is None:
                continue
            if name in names:
                output.data["text/plain"] = (
                    f"{WIDGET_NOTE} On this page, one of its kind is alive further up."
                )
                continue
            names.append(name)
            output.data = {"text/html": _place(explorers[name])}
    head, tail = (HEAD, TAIL) if names else ("", "")
    return page_of(notebook, about, (), head, tail), names


def _place(live: Live) -> str:
    title, sentence = html.escape(live.title), html.escape(live.sentence)
    return (
        f'<section class="live" data-live="{live.name}" aria-label="{title}"><p class="live-wait">{title} '
        f"{sentence} The explorer needs JavaScript; the figure below shows its picture.</p></section>"
    )
