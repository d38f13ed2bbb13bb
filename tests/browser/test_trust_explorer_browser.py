"""The trust explorer in JupyterLab: the way by keyboard and by drag, another way, another image."""

from test_explorers_browser import PLACE, check_controls, drag, keep_screenshot, state, wait_for_change

SETUP = """
import numpy as np
import torch
from medgen_course import explorers
from medgen_course.batches.transforms import to_unit
from medgen_course.metrics.trust.counterfactuals import Path
torch.set_num_threads(1)
twins = np.random.default_rng(0).integers(60, 90, (4, 1, 28, 28)).astype(np.uint8)
images, masks = twins.copy(), np.zeros_like(twins)
images[:, :, 8:14, 6:12], masks[:, :, 8:14, 6:12] = 200, 1


def fading(towards):
    def walk(image):
        x = to_unit(torch.from_numpy(image))
        end = to_unit(torch.from_numpy(towards(image)))
        way = torch.stack([x + share * (end - x) for share in torch.linspace(0, 1, 21)])
        return Path(way, (way > 0.6).float().mean((2, 3, 4)).clamp(max=0.02) * 50, torch.tensor([0]))
    return walk


walks = {"to the twin": fading(lambda i: twins[:1]), "to black": fading(np.zeros_like)}
maps = {name: (lambda i: i[0, 0] / 255 - 0.3) for name in ("occlusion", "integrated gradients", "Grad-CAM")}
known = explorers.Subject(("healthy", "lesion"), images, np.ones(4, int), walks, maps, twins, masks)
bare = explorers.Subject(("normal", "pneumonia"), twins, np.zeros(4, int), walks, maps)
explorers.TrustExplorer({"slices": known, "films": bare})
"""


def test_the_way_by_keyboard_and_drag_another_way_and_other_images(run_code):
    page = run_code(SETUP)
    before = state(page)
    check_controls(page, sliders=2, buttons=0)
    page.evaluate("document.querySelector('.medgen-explorer').scrollIntoView()")
    place = page.evaluate(PLACE)
    assert place["shrunk"] == 0 and place["beyond"] <= 0 and place["above"] <= 0
    page.get_by_role("slider", name="along the way").focus()
    page.keyboard.press("ArrowRight")
    before = wait_for_change(page, before)
    page.keyboard.press("End")
    before = wait_for_change(page, before)
    assert "0.00 here" in before[1] and "100% of it inside the outline" in before[1]
    keep_screenshot(page, "trust_explorer")
    page.get_by_role("combobox", name="way").select_option("to black")
    before = wait_for_change(page, before)
    page.get_by_role("slider", name="image").focus()
    page.keyboard.press("ArrowRight")
    before = wait_for_change(page, before)
    assert page.locator(".medgen-captions > div").first.inner_text() == "image 1, lesion outlined"
    page.get_by_role("combobox", name="images").select_option("films")
    before = wait_for_change(page, before)
    assert "no twin known" in page.locator(".medgen-captions").inner_text()
    keep_screenshot(page, "trust_explorer_films")
    page.get_by_role("slider", name="along the way").press("Home")
    drag(page, page.get_by_role("slider", name="along the way"), "_.place.value", "1.0")
