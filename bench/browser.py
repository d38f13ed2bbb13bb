"""From a key on a slider to the new picture on the screen, in JupyterLab as tests/browser starts it.

The kernel draws on one thread; the machine's speed is given on that one.
"""

import sys
import tempfile
from pathlib import Path

import torch
from timing import machine, say_latency

sys.path.extend(str(Path(__file__).parents[1] / "tests" / room) for room in ("", "browser"))

import headless
import lab
import test_explorers_browser as first
import test_gan_explorers_browser as gan
import test_translation_explorer_browser as translation
import test_vae_explorers_browser as vae

EVENTS = 60
HANDLE, INPUT = ".noUi-handle", ".medgen-sliders input"
EXPLORERS = {
    "data, image": ((first.SETUP, first.DATA, "explorers.DataExplorer(data)"), HANDLE),
    "latent slider": ((first.SETUP, first.DATA, first.MODEL, first.LATENT), INPUT),
    "beta": ((vae.SETUP, vae.DATA, vae.SHIPPED, vae.BETA), HANDLE),
    "VAE latent slider": ((vae.SETUP, vae.DATA, vae.SHIPPED, vae.LATENT), INPUT),
    "replay, moment": ((gan.SETUP, gan.LOAD, gan.REPLAY), HANDLE),
    "translation, image": ((translation.SETUP, translation.SHIPPED, translation.SHOW), HANDLE),
}
TIMES = """async ([selector, events]) => {
    const control = document.querySelector(selector), image = document.querySelector("img.medgen-picture");
    const times = [], pause = (ms) => new Promise((done) => setTimeout(done, ms));
    control.scrollIntoView({ block: "nearest" });
    await pause(500);
    for (let i = 0; i < events; i++) {
        const loaded = new Promise((done) => image.addEventListener("load", done, { once: true }));
        const started = performance.now();
        const key = new KeyboardEvent("keydown", { key: i % 2 ? "ArrowLeft" : "ArrowRight", bubbles: true });
        if (control.type === "range") control.value = Number(control.min) + ((i % 20) + 1) * control.step;
        control.dispatchEvent(control.type === "range" ? new Event("input", { bubbles: true }) : key);
        await loaded;
        times.push(performance.now() - started);
        await pause(30);
    }
    return times;
}"""


def measure(page) -> None:
    for name, (code, selector) in EXPLORERS.items():
        lab.run_cell(page, *code)
        first.state(page)  # the picture is there
        page.locator(selector).first.press("Home")
        times = page.evaluate(TIMES, [selector, EVENTS])
        say_latency(f"browser, {name}", times[10:], target=100)


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(machine())
    if lacking := lab.missing():
        print(f"not measured: it needs {lacking}")
        sys.exit()
    with tempfile.TemporaryDirectory() as folder, lab.jupyter_server(Path(folder)) as server:
        with headless.started() as browser:
            measure(lab.open_notebook(server, lab.profile(browser), "bench"))
