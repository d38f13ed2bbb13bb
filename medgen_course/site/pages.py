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
NEEDS = (
    "The explorer needs JavaScript and a page from a web server (python -m http.server); the figure below "
    "shows its picture."
)
STILL = """<figure class="live-still" hidden><img src="live/start/still.png" loading="lazy" alt="{told}">
<figcaption>{told}</figcaption></figure>
<noscript><style>.live-still {{ display: block !important }}</style></noscript>
<script>if (location.protocol === "file:") document.querySelector(".live-still").hidden = false</script>"""
SENTENCE = "Networks that invent medical images: build them, move them, and measure what they get wrong."


def start_page(lessons: Sequence[Notebook], promises: Mapping[str, str], told: str, still: str) -> str:
    """The first page: a sentence, films that β takes away, the lessons.

    Args:
        lessons: in their order.
        promises: what each teaches, by name.
        told: where the films come from.
        still: what the picture shows that stands there where nothing can run.
    """
    cards = "\n".join(_card(lesson, promises.get(lesson.name, "")) for lesson in lessons)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Generative models for medical images</title>
<meta name="description" content="{html.escape(SENTENCE)}">{HEAD}
<link rel="stylesheet" href="assets/start.css"></head>
<body><main><h1>{html.escape(SENTENCE)}</h1>
<p class="lead">Move β. Below the real chest films you see what a network rebuilds of them when every bit
that it keeps has a price. It runs here, in this page.</p>
<div class="live" data-live="start" data-networks="beta"><p class="live-wait">{NEEDS}</p>
{STILL.format(told=html.escape(still))}</div>
<h2>The course</h2><ul class="lessons">
{cards}
</ul></main>
<footer><p>{html.escape(told)}. Every page works without a network; pictures of your own never leave it.</p>
<p><a href="02_vae.html">All about β, with its numbers</a></p></footer>{TAIL}</body></html>
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


def share_styles(pages: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Take out what styles all lesson pages have alike (notebook themes: a quarter of a megabyte each).

    Args:
        pages: HTML by name.
    Returns:
        The pages with a link to assets/lesson.css in the place of the first such style, and its content.
    """
    found = {name: re.findall(r"<style[^>]*>.*?</style>", page, re.DOTALL) for name, page in pages.items()}
    alike = [style for style in next(iter(found.values()), []) if all(style in own for own in found.values())]
    shared = dict(pages)
    for number, style in enumerate(alike):
        link = "" if number else '<link rel="stylesheet" href="assets/lesson.css">'
        shared = {name: page.replace(style, link, 1) for name, page in shared.items()}
    return shared, "\n".join(map(_as_css, alike))


def _as_css(style: str) -> str:
    """A style element as it stands in a file: what it says of the screen comes along."""
    tag, content = re.fullmatch(r"(<style[^>]*>)(.*)</style>", style, re.DOTALL).groups()
    media = re.search(r'media="([^"]*)"', tag)
    return f"@media {media[1]} {{{content}}}" if media else content


def _place(live: Live) -> str:
    title, sentence = html.escape(live.title), html.escape(live.sentence)
    return (
        f'<section class="live" data-live="{live.name}" aria-label="{title}"><p class="live-wait">{title} '
        f"{sentence} {NEEDS}</p></section>"
    )
