"""The enhancement explorer in JupyterLab: the wipe by mouse and keyboard, tasks, methods, an own picture."""

from test_explorers_browser import ask, check_controls, give_picture, keep_screenshot, state, wait_for_change

SETUP = """
import torch
from medgen_course import explorers
from medgen_course.datasets.domains import phantom_domains
from medgen_course.models import classic
from medgen_course.models.unet import UNet, restore
torch.set_num_threads(1)
truth = phantom_domains(64, counts=(2, 24, 2)).val.truth
model = UNet(1, 64).eval().requires_grad_(False)
"""
TASKS = """
smooth = {"U-Net": lambda worse, y: restore(model, worse, y),
          "total variation": lambda worse, y: classic.total_variation(y, 0.1)}
tasks = [explorers.Task("denoise", "denoising", (0.05, 0.1, 0.2), 0.1, smooth),
         explorers.Task("mri", "a quarter of k-space", (0.25,), 0.25, {"U-Net": smooth["U-Net"]})]
"""
SHOW = "explorers.EnhancementExplorer(tasks, truth.a, truth)"
CUT = "document.querySelector('.medgen-wipe-after').style.clipPath"


def test_enhancement_by_mouse_and_keyboard(run_code):
    page = run_code(SETUP, TASKS, SHOW)
    before = state(page)
    check_controls(page, sliders=4, buttons=1)
    page.evaluate("document.querySelector('.medgen-explorer').scrollIntoView()")
    keep_screenshot(page, "enhancement_explorer")
    surface = page.locator(".medgen-wipe-surface")
    assert surface.get_attribute("role") == "slider"
    images = "[...document.querySelectorAll('.medgen-wipe img')].map((x) => x.naturalWidth)"
    assert page.evaluate(images) == [320, 320]
    box = surface.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 30)
    assert "25%" in page.evaluate(CUT)  # the browser cuts by itself
    page.mouse.move(box["x"] - 50, box["y"] + 30)
    page.mouse.up()
    assert page.evaluate(CUT) == "inset(0px)" or "0%" in page.evaluate(CUT)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowRight")
    assert surface.get_attribute("aria-valuenow") == "0.12"
    assert "first guess" in surface.get_attribute("aria-valuetext")
    page.wait_for_timeout(300)
    assert abs(float(ask(page, "_.wipe.place")) - 0.12) < 1e-6
    page.keyboard.press("End")
    assert surface.get_attribute("aria-valuenow") == "1.00"
    page.get_by_label("task").first.select_option("a quarter of k-space")
    before = wait_for_change(page, before)
    assert "a quarter of k-space" in before[1] and "U-Net" in before[1]
    page.get_by_role("checkbox", name="keep what was measured").press("Space")
    page.get_by_role("slider", name="image").focus()
    page.keyboard.press("ArrowLeft")
    before = wait_for_change(page, before)
    page.get_by_label("task").first.select_option("denoising")
    before = wait_for_change(page, before)
    page.get_by_label("method").first.select_option("total variation")
    before = wait_for_change(page, before)
    page.get_by_role("slider", name="strength").focus()
    page.keyboard.press("ArrowRight")
    while "networks learnt at 0.1" not in before[1]:  # the method's own picture may come first
        before = wait_for_change(page, before)
    give_picture(page)
    before = wait_for_change(page, before)
    assert "your picture counts as the truth" in before[1]
    keep_screenshot(page, "enhancement_explorer_own")
    page.get_by_role("button", name="Back to the images").click()
    wait_for_change(page, before)
