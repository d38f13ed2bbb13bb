"""What a run of the course leaves to read: one HTML page a notebook, an index, a table for the terminal.

The pages need no connection: pictures and styles are inside, equations are MathML.
"""

import html
import platform
import re
import textwrap
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from medgen_course.course.kernel import cores
from medgen_course.course.notebooks import Notebook, Result
from medgen_course.files import write_text

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_NOTE = "An explorer stands here: open the notebook in JupyterLab and run the cell to use it."

# Outputs that may be wider than a narrow window: they scroll, so a keyboard must reach them.
WIDE = '<div class="jp-RenderedHTMLCommon jp-RenderedMarkdown jp-MarkdownOutput'

STYLE = Path(__file__).with_name("page.css")

# nbconvert's page without what it would load from the network, light or dark as the reader's screen is.
PAGE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head -%}
{{ super() }}
<link rel="icon" href="data:,">
{{ resources.include_css("static/theme-dark.css")
   | replace("<style", '<style media="(prefers-color-scheme: dark)"') }}
<style>{{ resources.medgen_style }}</style>
{{ resources.medgen_head }}
{%- endblock -%}
{%- block body_header -%}
{{ super() }}
<nav style="max-width:60rem;margin:1rem auto;font-family:sans-serif"><a href="index.html">All notebooks</a>
{% for line in resources.medgen_errors %}<p role="alert" style="border:3px solid #b3261e;padding:.5rem 1rem">
<strong>This notebook failed.</strong> {{ line | e }}</p>{% endfor %}</nav>
{%- endblock -%}
"""

INDEX = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The course, executed</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .5rem .75rem; border-bottom: 1px solid #8886; }}
td.number, th.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.failed {{ color: #c5221f; font-weight: 600; }}
.banner {{ border: 3px solid #c5221f; border-radius: .4rem; padding: .75rem 1rem; font-weight: 600; }}
.small {{ opacity: .75; font-size: .875rem; }}
</style>
</head>
<body>
<h1>The course, executed</h1>
{banners}
<div class="scroll">
<table>
<thead><tr><th scope="col">Notebook</th><th scope="col" class="number">Seconds</th>
<th scope="col">Status</th><th scope="col">Where the images came from</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
<p class="small">{footer}</p>
</body>
</html>
"""


def write_page(result: Result, out: Path) -> Path:
    """Write the HTML page of an executed notebook.

    Args:
        result: of `course.execute`.
        out: the folder with the executed notebook; the page goes there too.
    Returns:
        The page's path.
    """
    import nbformat

    notebook = nbformat.read(out / result.notebook.path.name, as_version=4)
    page = out / f"{result.notebook.name}.html"
    write_text(page, page_of(notebook, result.notebook, result.errors))
    return page


def page_of(
    notebook: Any, about: Notebook, errors: Sequence[str] = (), head: str = "", tail: str = ""
) -> str:
    """An executed notebook as HTML.

    Args:
        notebook: its node; changed on the way.
        about: title and place.
        errors: lines to be shown at the top.
        head, tail: HTML for the page's head, and for the end of its body.
    """
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    equations: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = set_aside_equations(cell.source, equations)
        for output in cell.get("outputs", []):
            replace_widget_view(output)
    notebook.metadata.pop("widgets", None)
    templates = DictLoader({"medgen.html.j2": PAGE})
    exporter = HTMLExporter(
        extra_loaders=[templates],
        template_file="medgen.html.j2",
        embed_images=True,
        filters={"clean_html": lambda coloured: coloured},  # pygments has escaped the code; half of the time
    )
    resources = {
        "metadata": {"name": about.title, "path": str(about.path.parent)},
        "medgen_errors": errors,
        "medgen_head": head,
        "medgen_style": STYLE.read_text(encoding="utf-8"),
    }
    body, _ = exporter.from_notebook_node(notebook, resources)
    body = put_back_equations(body, equations)
    body = body.replace(WIDE, f'{WIDE[:5]}tabindex="0" {WIDE[5:]}')
    return body.replace("</body>", f"{tail}</body>", 1) if tail else body


def replace_widget_view(output: Any) -> None:
    """Put a sentence where a widget's view stands in an output: without a kernel there is nothing to show."""
    data = output.get("data", {})
    if data.pop(WIDGET_VIEW, None) is not None:
        data["text/plain"] = WIDGET_NOTE


def set_aside_equations(markdown: str, equations: list[str]) -> str:
    """Replace TeX between `$` or `$$`, outside code, by marks, and append its MathML to `equations`.

    MathML itself would not survive nbconvert, which rewrites the tags that it does not know. What is no
    valid TeX stays as it is.
    """
    from latex2mathml.converter import convert

    def replace(match: re.Match) -> str:
        tex = match["block"] or match["inline"]
        if tex is None:
            return match[0]
        try:
            mathml = convert(tex.strip(), display="block" if match["block"] else "inline")
        except Exception:  # the converter raises many kinds; the page then shows the TeX itself
            return match[0]
        equations.append(mathml)
        return f"MEDGENMATH{len(equations) - 1}END"

    code = r"```.*?```|`[^`\n]*`"
    tex = r"\$\$(?P<block>.+?)\$\$|(?<![\\$\w])\$(?P<inline>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\w$])"
    return re.sub(f"{code}|{tex}", replace, markdown, flags=re.DOTALL)


def put_back_equations(page: str, equations: list[str]) -> str:
    """Put MathML where its marks stand in a page's text; marks inside tags (anchors) just go."""
    mark = re.compile(r"MEDGENMATH(\d+)END")
    inside_tag = re.compile(r"<[^<>]*MEDGENMATH[^<>]*>")
    page = inside_tag.sub(lambda tag: mark.sub("", tag[0]), page)
    return mark.sub(lambda match: equations[int(match[1])], page)


def write_index(results: Sequence[Result], out: Path, profile: str, jobs: int = 1) -> Path:
    """Write `index.html`: the table, and a banner for every notice.

    Args:
        results: of all notebooks executed so far.
        out: the folder with the pages.
        profile: named in the footer.
        jobs: how many notebooks run at a time, for the footer.
    Returns:
        The index's path.
    """
    notices = dict.fromkeys(notice for result in results for notice in result.notices)
    banners = "\n".join(f'<p class="banner" role="alert">{html.escape(notice)}</p>' for notice in notices)
    footer = (
        f"Profile {profile}. Python {platform.python_version()}, torch {version('torch')}, "
        f"{platform.system()} {platform.machine()}, {cores()} cores, {jobs} at a time. "
        "Seconds include starting a kernel."
    )
    rows = "\n".join(_row(result) for result in results)
    page = out / "index.html"
    write_text(page, INDEX.format(banners=banners, rows=rows, footer=html.escape(footer)))
    return page


def _row(result: Result) -> str:
    name, title = html.escape(result.notebook.name), html.escape(result.notebook.title)
    status = html.escape("; ".join((result.status, *result.errors)))
    kind = ' class="failed"' if result.errors else ""
    sources = "<br>".join(html.escape(source) for source in result.sources) or "no data set shown"
    return (
        f'<tr><td><a href="{name}.html">{title}</a><br><span class="small">{name} '
        f'(<a href="{name}.ipynb">notebook</a>)</span></td><td class="number">{result.seconds:.1f}</td>'
        f"<td{kind}>{status}</td><td>{sources}</td></tr>"
    )


def table(results: Sequence[Result]) -> str:
    """The same table as plain text, with the notices below in a frame of their own."""
    head = ("notebook", "seconds", "status", "images")
    rows = [head]
    for result in results:
        images = "; ".join(result.sources) or "-"
        rows.append((result.notebook.name, f"{result.seconds:.1f}", result.status, images))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"{name:{widths[0]}}  {seconds:>{widths[1]}}  {status:{widths[2]}}  {images}"
        for name, seconds, status, images in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in [*widths, len(head[3])]))
    lines += [f"{result.notebook.name}: {line}" for result in results for line in result.errors]
    for notice in dict.fromkeys(notice for result in results for notice in result.notices):
        wrapped = textwrap.wrap(notice, 76)
        lines += ["", "!" * 80, *(f"! {line}" for line in wrapped), "!" * 80]
    return "\n".join(lines)
