"""The explorers as a reader meets them: in JupyterLab, by keyboard and by mouse."""

import io
import os
import time
from pathlib import Path

import numpy as np
from lab import PATIENCE
from PIL import Image

SETUP = """
import numpy as np, torch
from types import SimpleNamespace
from medgen_course import explorers, phantom
torch.set_num_threads(1)
"""
DATA = """
def split(n, seed):
    made = phantom.generate(n, size=28, seed=seed)
    return SimpleNamespace(images=made.t1w, labels=made.labels)

data = SimpleNamespace(name="phantom", size=28, label_names=("healthy", "lesion"),
                       train=split(60, 1), val=split(20, 2), test=split(20, 3))
"""
MODEL = """
pixels = torch.from_numpy(data.train.images).flatten(1) / 255
centre = pixels.mean(0)
axes = torch.linalg.svd(pixels - centre, full_matrices=False)[2][:12]

def encode(x):
    return (x.flatten(1) - centre) @ axes.T

def decode(z):
    return (z @ axes + centre).clamp(0, 1).reshape(-1, 1, 28, 28)
"""
LATENT = "explorers.LatentExplorer(encode, decode, data.train.images, data.train.labels, data.label_names)"

DRAG = """(control, events) => {
    const image = document.querySelector("img.medgen-picture");
    window.picturesCame = 0;
    const watcher = new MutationObserver((changes) => { window.picturesCame += changes.length; });
    watcher.observe(image, { attributeFilter: ["src"] });
    for (let i = 1; i <= events; i++) {  // all before the kernel can answer the first
        const key = new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true });
        if (control.type === "range") control.valueAsNumber = Number(control.min) + i * Number(control.step);
        control.dispatchEvent(control.type === "range" ? new Event("input", { bubbles: true }) : key);
    }
}"""
SHOWN = """async () => {
    const bytes = await (await fetch(document.querySelector("img.medgen-picture").src)).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}"""
ASK = """async ([expression, code]) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const asked = { code, silent: true, user_expressions: { answer: expression } };
    const { answer } = (await kernel.requestExecute(asked).done).content.user_expressions;
    return answer.status === "ok" ? answer.data["text/plain"] : JSON.stringify(answer);
}"""
HASH = """
import hashlib
from medgen_course.pictures import render

def fresh(explorer):
    return hashlib.sha256(render.to_png(explorer.draw()[0])).hexdigest()
"""


def ask(page, expression, code=""):
    """What the kernel finds for an expression; in it, _ is the explorer that is shown."""
    return page.evaluate(ASK, [expression, code])


def settle(page, value="None", last="None"):
    """Wait until the expression `value` is `last`, and the picture on the screen the one that belongs to it.

    Questions and sliders reach the kernel on ways of their own: an answer does not say that a slider arrived.
    """
    end = time.monotonic() + PATIENCE / 1000
    while True:
        found = ask(page, value), repr(page.evaluate(SHOWN))
        if found == (last, ask(page, "fresh(_)", HASH)):
            return
        assert time.monotonic() < end, f"{value} is {found[0]}, wanted {last} and its picture"
        page.wait_for_timeout(50)


def drag(page, control, value, last, events=40):
    """Move a control so often at once: the kernel draws the first value and the newest, nothing between.

    In the end the expression `value` is `last`, and the picture is the one that belongs to it.
    """
    settle(page)
    control.evaluate(DRAG, events)
    settle(page, value, last)
    assert 1 <= page.evaluate("window.picturesCame") <= 2
    return state(page)


def state(page):
    """Address of the picture (a new blob for new bytes) and the numbers."""
    page.wait_for_function("document.querySelector('.medgen-picture')?.naturalWidth > 0")
    picture, status = page.locator("img.medgen-picture"), page.locator(".medgen-status")
    return picture.get_attribute("src"), status.inner_text()


def wait_for_change(page, before):
    """Wait until picture and numbers are both others than before."""
    page.wait_for_function(
        """([src, text]) => {
            const picture = document.querySelector(".medgen-picture");
            const status = document.querySelector(".medgen-status");
            return picture.src !== src && picture.naturalWidth > 0 && status.innerText !== text;
        }""",
        arg=list(before),
    )
    return state(page)


PLACE = """() => {
    const box = (node) => node.getBoundingClientRect();
    const picture = document.querySelector("img.medgen-picture");
    const area = box(document.querySelector(".medgen-explorer"));
    const captions = [...document.querySelectorAll(".medgen-captions > div")].map(box);
    return {
        shrunk: picture.naturalWidth - box(picture).width,
        beyond: box(picture).right - area.right,
        above: Math.max(...captions.map((c) => c.bottom)) - box(picture).top,
        columns: captions.map((c) => c.left - box(picture).left),
    };
}"""


def stripes():
    """A PNG file of stripes, wider than high."""
    buffer = io.BytesIO()
    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8) // 15 % 2 * 255, (60, 1))).save(buffer, "PNG")
    return buffer.getvalue()


def give_picture(page):
    """Choose the stripes in the explorer's upload field."""
    file = {"name": "stripes.png", "mimeType": "image/png", "buffer": stripes()}
    page.locator(".medgen-upload input").set_input_files(file)


def drop_picture(page):
    """Drop the stripes on the explorer's upload field."""
    page.evaluate("""bytes => {
        const files = new DataTransfer();
        files.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
        const field = document.querySelector(".medgen-upload span");
        field.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
    }""", list(stripes()))  # fmt: skip


def keep_screenshot(page, name):
    """Keep a picture of the page where MEDGEN_SHOTS names a folder for them."""
    if folder := os.environ.get("MEDGEN_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def check_controls(page, sliders, buttons):
    """Every slider and button has a name and takes the focus."""
    for role, least in (("slider", sliders), ("button", buttons)):
        controls = page.locator(".medgen-explorer").get_by_role(role).all()
        assert len(controls) >= least
        for control in controls:
            name = control.get_attribute("aria-label") or control.inner_text()
            assert name.strip(), control
            control.focus()
            assert control.evaluate("node => node === document.activeElement"), name


def test_data_explorer_by_keyboard(run_code):
    page = run_code(SETUP, DATA, "explorers.DataExplorer(data)")
    first = state(page)
    assert "train image 0" in first[1]
    check_controls(page, sliders=3, buttons=1)
    handle = page.get_by_role("slider", name="image")
    handle.focus()
    page.keyboard.press("ArrowRight")
    second = wait_for_change(page, first)
    assert "train image 1" in second[1]
    page.get_by_role("slider", name="augmentation").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.medgen-status').innerText.includes('± 11°')")
    third = state(page)
    assert third[0] != second[0]
    page.get_by_label("corruption").first.select_option("Rician noise")
    fourth = wait_for_change(page, third)
    assert "Rician noise σ = 0.12" in fourth[1]
    keep_screenshot(page, "data_explorer")
    page.get_by_role("button", name="Draw again").press("Enter")
    wait_for_change(page, fourth)
    assert "train image 41" in drag(page, handle, "_.index.value", "41")[1]


def test_latent_explorer_by_keyboard_and_mouse(run_code):
    page = run_code(SETUP, DATA, MODEL, LATENT)
    before = state(page)
    check_controls(page, sliders=12, buttons=2)
    page.locator(".medgen-explorer .noUi-handle").focus()
    page.keyboard.press("ArrowRight")  # the next image
    before = wait_for_change(page, before)
    page.locator(".medgen-sliders input").first.focus()
    page.keyboard.press("ArrowLeft")
    before = wait_for_change(page, before)
    surface = page.locator(".medgen-map-surface")
    box = surface.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    before = wait_for_change(page, before)
    said = surface.get_attribute("aria-valuetext")
    for step in range(1, 20):
        page.mouse.move(box["x"] + (0.5 + 0.02 * step) * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.move(box["x"] + box["width"] + 60, box["y"] + 0.4 * box["height"])  # beyond the edge
    page.mouse.up()
    before = wait_for_change(page, before)
    assert surface.get_attribute("aria-valuenow") == "1.000"
    assert surface.get_attribute("aria-valuetext") != said
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")  # the map has the focus after the drag
    before = wait_for_change(page, before)
    assert surface.get_attribute("aria-valuenow") == "0.700"
    keep_screenshot(page, "latent_explorer")
    page.get_by_role("button", name="Back to image").click()
    wait_for_change(page, before)
