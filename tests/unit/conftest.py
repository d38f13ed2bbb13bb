"""A machine without files or connection, and a server that can misbehave."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from medgen_course.datasets import fetch, sources


class Handler(BaseHTTPRequestHandler):
    """Serves `server.content` whole, half and then closes, or half and then nothing more."""

    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        if self.path.endswith("missing"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(server.content)))
        self.end_headers()
        whole = self.path.endswith("whole")
        self.wfile.write(server.content if whole else server.content[: len(server.content) // 2])
        self.wfile.flush()
        if self.path.endswith("stall"):
            server.released.wait(120)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.content, server.released = [], b"", threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A machine without any file or connection; `offer` decides which file is the official one, and where."""
    monkeypatch.delenv("MEDMNIST_ROOT", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setattr(fetch, "download_place", lambda: fetch.Place("data/", tmp_path / "data"))
    monkeypatch.setattr(fetch, "TIMEOUT_S", (120, 120))
    monkeypatch.setattr(sources, "PHANTOM_COUNTS", {"train": 8, "val": 4, "test": 4})
    monkeypatch.chdir(tmp_path)
    table = {name: dict(entry) for name, entry in fetch.medmnist_info().items()}
    monkeypatch.setattr(fetch, "medmnist_info", lambda: table)

    class World:
        data = tmp_path / "data"

        @staticmethod
        def offer(content: bytes = b"", url: str = "http://127.0.0.1:9/nothing", suffix: str = "") -> None:
            table["pneumoniamnist"][f"MD5{suffix}"] = hashlib.md5(content).hexdigest()
            table["pneumoniamnist"][f"url{suffix}"] = url

    World.offer()
    return World
