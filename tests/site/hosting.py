"""Explorers built for a page of their own each, and a server for them on this machine."""

import contextlib
import functools
import http.server
import json
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
SITE, HOST = ROOT / "site", Path(__file__).parent / "host" / "host.js"
ESBUILD = SITE / "node_modules" / ".bin" / "esbuild"
ORT = SITE / "node_modules" / "onnxruntime-web" / "dist"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="style.css">
<style>:root {{ color-scheme: light dark }} body {{ font: 1rem/1.5 sans-serif; margin: 1rem }}</style></head>
<body><main><h1>{title}</h1><p>{sentence}</p><div data-live="{name}"></div></main>
<div id="announcer" aria-live="polite"></div><script type="module" src="{name}.js"></script></body></html>"""


def missing() -> str:
    """What a build of these pages lacks, or nothing."""
    return "" if ESBUILD.exists() else "the packages of site/package.json (cd site && npm ci)"


def write(live, out: Path) -> None:
    """Write an explorer's page with all that it loads."""
    folder, blob = out / "live" / live.name, bytearray()
    folder.mkdir(parents=True)

    def plain(value):
        if isinstance(value, np.ndarray):
            blob.extend(bytes(-len(blob) % 8))
            start = len(blob)
            blob.extend(np.ascontiguousarray(value).tobytes())
            return {"$array": [value.dtype.name, start, value.size]}
        if isinstance(value, dict):
            return {key: plain(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(part) for part in value]
        return value.item() if isinstance(value, np.generic) else value

    (folder / f"{live.name}.json").write_text(json.dumps(plain(live.data)), encoding="utf-8")
    (folder / f"{live.name}.bin").write_bytes(bytes(blob))
    for name, content in live.models.items():
        (folder / f"{name}.onnx").write_bytes(content)
    page = PAGE.format(name=live.name, title=live.title, sentence=live.sentence)
    (out / f"{live.name}.html").write_text(page, encoding="utf-8")
    explorer = (SITE / "src" / "live" / f"{live.name}.js").as_posix()
    entry = f'import {{ mount }} from "{explorer}"; import {{ start }} from "{HOST.as_posix()}"; '
    entry += "start(mount);"
    command = [ESBUILD, "--bundle", "--format=esm", f"--outfile={out / live.name}.js", "--log-level=warning"]
    subprocess.run(
        command, input=entry, text=True, check=True, cwd=SITE, env={"NODE_PATH": str(SITE / "node_modules")}
    )


def write_common(out: Path) -> None:
    """Write what all pages share: WebAssembly and styles."""
    for name in ("ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.mjs"):
        shutil.copy(ORT / name, out)
    parts = sorted((ROOT / "medgen_course" / "explorers" / "parts").glob("*.css"))
    styles = [SITE / "src" / "controls.css", SITE / "src" / "site.css", *parts]
    (out / "style.css").write_text("".join(p.read_text(encoding="utf-8") for p in styles), encoding="utf-8")


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
