"""`medgen site`: the course as a folder that any web server can show, explorers included."""

import gzip
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat

from medgen_course import course, home
from medgen_course.files import check_place, write_text
from medgen_course.site import beta
from medgen_course.site.explorers import LIVE, built
from medgen_course.site.files import write_bytes, write_live
from medgen_course.site.live import Live
from medgen_course.site.pages import lesson_page, share_styles, start_page

RUNTIME = "ort-wasm-simd-threaded"  # the smallest one of onnxruntime-web
NO_NODE = (
    "the site's JavaScript is bundled with esbuild, which was not found in {place}. Install Node.js 20 or "
    "newer and run `npm ci` in the folder site/, or `make site`, which does both steps."
)


def build_site(out: Path, names: Sequence[str] | None = None) -> dict[str, int]:
    """Write the site.

    Args:
        out: a folder; what an earlier build left there is replaced.
        names: explorers that come to life, "beta" among them; None takes all.
    Returns:
        Bytes of its parts: `all`, and one entry for each explorer.
    Raises:
        FileNotFoundError: no checkout, or the bundler is missing; the message says what to install.
    """
    source = frontend()
    check_place(out)
    started = time.perf_counter()
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    explorers = {}
    for name in sorted(names or set(LIVE.values())):
        explorers[name] = built(name)
        write_live(explorers[name], partial)
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
    write_live(beta.start(explorers["beta"]), partial)
    write_bytes(partial / "live" / "start" / "still.png", beta.still())
    bundle(source, partial / "assets")
    _write_pages(partial, explorers)
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
    sizes = {"all": _bytes(out)} | {name: _bytes(out / "live" / name) for name in explorers}
    print(f"{sizes['all'] / 1e6:.1f} MB in {time.perf_counter() - started:.0f} s", flush=True)
    return sizes


def frontend() -> Path:
    """The folder with the site's JavaScript and its bundler; FileNotFoundError where they are missing."""
    checkout = home.checkout()
    if checkout is None:
        raise FileNotFoundError("the site is built from a checkout of the project; this is an installation.")
    if not (checkout / "site" / "node_modules" / ".bin" / "esbuild").exists():
        raise FileNotFoundError(NO_NODE.format(place=checkout / "site" / "node_modules"))
    return checkout / "site"


def bundle(source: Path, assets: Path) -> None:
    """Bundle the JavaScript, and lay WebAssembly and styles beside it."""
    command = [source / "node_modules" / ".bin" / "esbuild", source / "src" / "shell.js", "--bundle",
               "--splitting", "--format=esm", "--minify", f"--outdir={assets.resolve()}",
               "--log-level=warning", "--legal-comments=linked"]  # fmt: skip
    subprocess.run([str(word) for word in command], check=True, cwd=source)
    runtime = source / "node_modules" / "onnxruntime-web" / "dist"
    shutil.copy(runtime / f"{RUNTIME}.mjs", assets)
    packed = gzip.compress((runtime / f"{RUNTIME}.wasm").read_bytes(), mtime=0)
    write_bytes(assets / f"{RUNTIME}.wasm.bin", packed)  # not .gz: some servers would unpack that on the way
    parts = sorted((home.PACKAGE / "explorers" / "parts").glob("*.css"))
    styles = [source / "src" / "controls.css", source / "src" / "site.css", *parts]
    shutil.copy(source / "src" / "start.css", assets)
    write_text(assets / "site.css", "".join(path.read_text(encoding="utf-8") for path in styles))


def _write_pages(out: Path, explorers: dict[str, Live]) -> None:
    lessons, pages = course.find(), {}
    for lesson in lessons:
        notebook = nbformat.read(lesson.path, as_version=4)
        pages[lesson.name], _ = lesson_page(notebook, lesson, explorers)
    pages, styles = share_styles(pages)
    write_text(out / "assets" / "lesson.css", styles)
    for name, page in pages.items():
        write_text(out / f"{name}.html", page)
    gallery = home.checkout() / "docs" / "gallery"
    shutil.copytree(gallery, out / "gallery")
    told = explorers["beta"].data["some"].split("; ")[-1].rstrip(".")
    write_text(out / "index.html", start_page(lessons, promises(), f"Films: {told}", beta.STILL_SAYS))


def promises() -> dict[str, str]:
    """What each notebook teaches, from README's table."""
    text = (home.checkout() / "README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| \[`(\d\d_\w+)`\]\([^)]*\) \| ([^|]+?) \|", text, re.MULTILINE))


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
