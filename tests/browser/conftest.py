"""A real JupyterLab and a real Chromium, started once; each test runs its own cell in its file's notebook."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},  # cells off-screen render too
}
PATIENCE = 60_000  # ms; a busy machine is slow, a broken one never ends
READY = """async () => {
    const app = window.jupyterapp, panel = app.shell.currentWidget;
    await app.restored;
    await panel.context.ready;
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session.kernel;
    await kernel.requestExecute({ code: "import ipywidgets" }).done;  // the page asks for widgets at once
    kernel.anyMessage.connect((_, { msg, direction }) => {
        if (direction !== "recv") return;
        const { header: { msg_type: type }, content } = msg;
        const expected = /^No such comm: /.test(content.text);  // JupyterLab asks for one of its own
        if (type === "error" || (type === "stream" && content.name === "stderr" && !expected))
            window.kernelFailures.push(content);
    });
}"""
RUN = """async (code) => {
    const app = window.jupyterapp, panel = app.shell.currentWidget;
    window.kernelFailures = [];
    panel.model.sharedModel.getCell(0).setSource(code);
    await app.commands.execute("notebook:run-all-cells");
}"""


def pytest_collection_modifyitems(items):
    """Skip this folder where something is missing, and name it."""
    missing = [] if CHROMIUM else ["Chromium (chromium, chromium-browser or google-chrome on the PATH)"]
    try:
        import playwright  # noqa: F401
    except ImportError:
        missing.append("playwright (pip install playwright)")
    if missing:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=f"browser tests need {' and '.join(missing)}"))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """JupyterLab in a folder of its own: (address, token, folder of the notebooks)."""
    home, token = tmp_path_factory.mktemp("lab"), secrets.token_hex(16)
    folders = {}
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTERLAB_SETTINGS_DIR",
                 "JUPYTERLAB_WORKSPACES_DIR", "NOTEBOOKS"):  # fmt: skip
        folders[name] = home / name.lower()
        folders[name].mkdir()
    for plugin, values in SETTINGS.items():
        file = (folders["JUPYTERLAB_SETTINGS_DIR"] / plugin).with_suffix(".jupyterlab-settings")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    notebooks, port = folders.pop("NOTEBOOKS"), free_port()
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={notebooks}", "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    log_file = home / "server.log"
    environment = os.environ | {name: str(path) for name, path in folders.items()}
    with log_file.open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=notebooks, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for_server(process, f"{address}/api/status?token={token}", log_file)
            yield address, token, notebooks
        finally:
            process.terminate()
            process.wait(timeout=30)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_server(process, address, log_file):
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log_file.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def browser():
    """One headless Chromium for all tests, and one profile: JupyterLab's scripts are read once."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium.new_context(viewport={"width": 1280, "height": 1000})
        chromium.close()


@pytest.fixture(scope="module")
def notebook(server, browser, request):
    """One notebook of one cell, open in JupyterLab, its kernel ready: shared by the tests of a file."""
    address, token, folder = server
    name = f"{request.node.path.stem}.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell()])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / name)
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("console", lambda line: page.troubles.append(line.text) if line.type == "error" else None)
    page.goto(f"{address}/doc/tree/{name}?reset&token={token}", wait_until="domcontentloaded")
    page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.sessionContext")
    page.evaluate(READY)
    yield page
    page.close()


@pytest.fixture
def run_code(notebook):
    """A function: code -> the page on which it has run; fails if anything failed by the end of the test."""
    notebook.troubles.clear()

    def run(*code):
        notebook.evaluate(RUN, "\n".join(code))
        assert not failures(notebook)
        return notebook

    yield run
    assert not failures(notebook)
    troubles = [line for line in notebook.troubles if is_ours(line)]
    assert not troubles


def failures(page):
    """Errors and warnings that the kernel sent, from cells and from widgets' callbacks alike."""
    return page.evaluate("window.kernelFailures")


def is_ours(line):
    """Whether a line of the browser's console tells of a widget that failed."""
    words = ("widget", "medgen", "could not create a view", "uncaught", "typeerror", "referenceerror")
    return any(word in line.lower() for word in words)
