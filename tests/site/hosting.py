"""Explorers built for a page of their own each, and a server for them on this machine."""

import contextlib
import functools
import http.server
import importlib.util
import threading
from pathlib import Path

from medgen_course.site.build import bundle
from medgen_course.site.files import write_live
from medgen_course.site.pages import HEAD, TAIL

SITE = Path(__file__).parents[2] / "site"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>{head}
<style>:root {{ color-scheme: light dark }} body {{ font: 1rem/1.5 sans-serif; margin: 1rem }}</style></head>
<body><main><h1>{title}</h1><p>{sentence}</p><div class="live" data-live="{name}"></div></main>{tail}
</body></html>"""


def missing() -> str:
    """What a build of these pages lacks, or nothing."""
    if not (SITE / "node_modules" / ".bin" / "esbuild").exists():
        return "the packages of site/package.json (Node.js, then make site)"
    return "" if importlib.util.find_spec("onnx") else "onnx and onnxscript"


def write(live, out: Path) -> None:
    """Write an explorer with a page of its own, brought to life by the site's shell."""
    write_live(live, out)
    page = PAGE.format(name=live.name, title=live.title, sentence=live.sentence, head=HEAD, tail=TAIL)
    (out / f"{live.name}.html").write_text(page, encoding="utf-8")


def write_common(out: Path) -> None:
    """Write what all pages share."""
    bundle(SITE, out / "assets")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(folder: Path):
    """The address of a server for a folder."""
    handler = functools.partial(_Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
