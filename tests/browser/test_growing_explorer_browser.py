"""The explorer of notebook 05 in JupyterLab: level by keyboard, play and drag, another noise and class."""

from test_explorers_browser import SETUP, check_controls, drag, keep_screenshot, state, wait_for_change

GROWN = """
from medgen_course import datasets, pretrained

real = datasets.load("phantom", size=64).val
shown = explorers.GrowingExplorer(pretrained.load_growing(), real.images, ("healthy", "lesion"))
shown.play.interval = 1234  # ms; a busy machine must not have played to the end before it is told to pause
shown
"""


def test_growing_by_keyboard_play_and_class(run_code):
    page = run_code(SETUP, GROWN)
    before = state(page)
    assert before[1].startswith("level 3.00: 64 px")
    check_controls(page, sliders=2, buttons=1)
    level = page.get_by_role("slider", name="level")
    level.focus()
    page.keyboard.press("ArrowLeft")
    before = wait_for_change(page, before)
    assert "alpha 0.95" in before[1]
    keep_screenshot(page, "growing_explorer")
    page.keyboard.press("Home")
    before = wait_for_change(page, before)
    assert "level 0.00: 8 px" in before[1]
    page.get_by_role("button", name="Play").press("Enter")
    before = wait_for_change(page, before)
    page.get_by_role("button", name="Pause").press("Enter")
    before = state(page)
    page.get_by_role("combobox", name="class", exact=True).select_option(index=1)
    before = wait_for_change(page, before)
    page.get_by_role("slider", name="noise").press("ArrowRight")
    wait_for_change(page, before)
    level.press("Home")
    page.wait_for_function("document.querySelector('.medgen-status').innerText.startsWith('level 0.00')")
    drag(page, level, "_.position.value", "20", events=20)
