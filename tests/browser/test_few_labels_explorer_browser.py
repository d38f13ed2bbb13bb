"""The few-labels explorer in JupyterLab: labels, slices, method and curve by keyboard, a legend in words."""

from test_explorers_browser import PLACE, check_controls, drag, keep_screenshot, state, wait_for_change

SETUP = """
from types import SimpleNamespace
import numpy as np
from medgen_course import explorers, phantom
made = phantom.generate(factors=phantom.draw_factors(6, 3, 1.0, "val"), size=64, split="val")
truth = made.masks[:, 0].copy()
truth[5], truth[:, 8:12, 8:12] = 0, 2
methods, labels = ("atlas", "U-Net", "U-Net, augmented"), (1, 3, 10, 30, 100)
found = np.stack([np.stack([np.roll(truth, 5 - j + i, 2) for j in range(5)]) for i in range(3)])
rows = {n: {"value": 0.3 + j / 8, "low": 0.2 + j / 8, "high": 0.35 + j / 8} for j, n in enumerate(labels)}
curves = {name: dict.fromkeys(methods, rows) for name in ("Dice of lesions", "lesion-wise F1")}
masks = SimpleNamespace(methods=methods, labels=labels, images=made.t2w, truth=truth, found=found)
explorers.FewLabelsExplorer(masks, curves)
"""


def test_labels_slices_method_and_curve_by_keyboard(run_code):
    page = run_code(SETUP)
    before = state(page)
    assert before[1].startswith("U-Net, augmented, 1 labelled slice: Dice of lesions 0.30")
    check_controls(page, sliders=2, buttons=0)
    page.evaluate("document.querySelector('.medgen-explorer').scrollIntoView()")
    keep_screenshot(page, "few_labels_explorer")
    place = page.evaluate(PLACE)
    assert place["shrunk"] == 0 and place["beyond"] <= 0
    legend = page.locator(".medgen-legend").inner_text()
    assert all(word in legend for word in ("lesion, found", "missed", "invented"))
    for slider, key in (("labelled slices", "ArrowRight"), ("slices from", "End")):
        page.get_by_role("slider", name=slider).focus()
        page.keyboard.press(key)
        before = wait_for_change(page, before)
    assert "3 labelled slices" in before[1] and "slice 5: lesion none there" in before[1]
    page.get_by_role("combobox", name="method").select_option("atlas")
    before = wait_for_change(page, before)
    page.get_by_role("combobox", name="curve").select_option("lesion-wise F1")
    before = wait_for_change(page, before)
    assert before[1].startswith("atlas, 3 labelled slices: lesion-wise F1")
    page.get_by_role("slider", name="slices from").press("Home")
    wait_for_change(page, before)
    drag(page, page.get_by_role("slider", name="slices from"), "_.first.value", "3")
