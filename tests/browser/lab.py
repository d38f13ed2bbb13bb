"""A real JupyterLab, a real Chromium, a notebook of one cell: for the tests here and for bench/browser.py."""

import contextlib
import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
from headless import CHROMIUM, PATIENCE

SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},  # cells off-screen render too
}
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


def missing():
    """What a machine lacks for all this, in words."""
    lacking = [] if CHROMIUM else ["Chromium (`make browser` fetches one where that can be)"]
    if not importlib.util.find_spec("playwright"):
        lacking.append("playwright (pip install playwright)")
    return " and ".join(lacking)


@contextlib.contextmanager
def jupyter_server(home):
    """JupyterLab in a folder of its own: (address, token, folder of the notebooks)."""
    token, folders = secrets.token_hex(16), {}
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
            process.wait(PATIENCE / 1000)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_server(process, address, log_file):
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except OSError:  # nobody listens yet, or not quickly
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log_file.read_text()[-3000:]}")


def profile(browser):
    """One profile of a headless.started() browser: JupyterLab's scripts are read once."""
    return browser.new_context(viewport={"width": 1280, "height": 1000})


def open_notebook(server, browser, name):
    """The page of a new notebook of one cell, its kernel ready."""
    address, token, folder = server
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell()])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / f"{name}.ipynb")
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("console", lambda line: page.troubles.append(line.text) if line.type == "error" else None)
    page.goto(f"{address}/doc/tree/{name}.ipynb?reset&token={token}", wait_until="domcontentloaded")
    page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.sessionContext")
    page.evaluate(READY)
    return page


def run_cell(page, *code):
    """Put code into the cell and run it."""
    page.evaluate(RUN, "\n".join(code))
    assert not failures(page)


def failures(page):
    """Errors and warnings that the kernel sent, from cells and from widgets' callbacks alike."""
    return page.evaluate("window.kernelFailures")
