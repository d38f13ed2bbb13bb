"""The anomaly explorer in JupyterLab: a lesion by keyboard, the threshold, another score, an own picture."""

from test_explorers_browser import (
    PLACE,
    check_controls,
    drag,
    give_picture,
    keep_screenshot,
    state,
    wait_for_change,
)

SETUP = """
import torch
from medgen_course import explorers
from medgen_course.datasets.anomalies import phantom_anomalies
from medgen_course.metrics.anomaly import shelf
torch.set_num_threads(1)
task = phantom_anomalies(64, counts=(96, 1, 1))
found = shelf.simple(task.train, components=16)
shown = {f"{name}, peak": found[name].by_peak for name in ("PCA residual", "pixel-wise Gaussian")}
shown["Mahalanobis in PCA"] = found["Mahalanobis in PCA"]
explorers.AnomalyExplorer(shown, task.val)
"""


def press(page, slider, key, before, times=1):
    page.get_by_role("slider", name=slider).focus()
    for _ in range(times):
        page.keyboard.press(key)
    return wait_for_change(page, before)


def test_a_lesion_by_keyboard_a_threshold_and_an_own_picture(run_code):
    page = run_code(SETUP)
    before = state(page)
    check_controls(page, sliders=6, buttons=0)
    page.evaluate("document.querySelector('.medgen-explorer').scrollIntoView()")
    keep_screenshot(page, "anomaly_explorer")
    place = page.evaluate(PLACE)
    assert place["shrunk"] == 0 and place["beyond"] <= 0 and place["above"] <= 0
    before = press(page, "slice", "ArrowRight", before)
    before = press(page, "lesion radius, mm", "ArrowRight", before)
    before = press(page, "lesion contrast", "End", before)
    before = press(page, "left – right, mm", "ArrowLeft", before)
    before = press(page, "back – front, mm", "ArrowRight", before)
    before = press(page, "healthy flagged", "End", before)
    assert "42 healthy flagged, 42 left alone" in before[1]
    page.get_by_role("combobox", name="score").select_option("Mahalanobis in PCA")
    before = wait_for_change(page, before)
    assert "this score has no map" in page.locator(".medgen-captions").inner_text()
    keep_screenshot(page, "anomaly_explorer_no_map")
    page.get_by_role("combobox", name="score").select_option("pixel-wise Gaussian, peak")
    before = wait_for_change(page, before)
    give_picture(page)
    before = wait_for_change(page, before)
    assert page.locator(".medgen-captions > div").first.inner_text() == "your picture"
    keep_screenshot(page, "anomaly_explorer_own")
    page.get_by_role("button", name="Back to the slices").press("Enter")
    before = wait_for_change(page, before)
    page.get_by_role("slider", name="slice").press("Home")
    wait_for_change(page, before)
    drag(page, page.get_by_role("slider", name="slice"), "_.index.value", "39")
