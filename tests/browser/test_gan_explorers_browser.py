"""The explorers of notebook 03 in JupyterLab: sliders and play by keyboard, curves and map by mouse."""

from test_explorers_browser import (
    DATA,
    SETUP,
    check_controls,
    drag,
    keep_screenshot,
    state,
    wait_for_change,
)

LOAD = """
from medgen_course import pretrained
from medgen_course.metrics import fidelity

eye = pretrained.load_classifier("phantom")
"""
REPLAY = """
shown = explorers.GANExplorer(pretrained.load_recordings())
shown.play.interval = 1234  # ms; a busy machine must not have played to the end before it is told to pause
shown
"""
WATCH_TIMERS = """() => {
    const { setInterval: begin, clearInterval: end } = window;
    window.ticking = new Set();
    window.setInterval = (work, ms, ...more) => {
        const timer = begin(work, ms, ...more);
        if (ms === 1234) window.ticking.add(timer);  // the player's
        return timer;
    };
    window.clearInterval = (timer) => {
        window.ticking.delete(timer);
        end(timer);
    };
}"""
WALK = """
explorers.GeneratorExplorer(pretrained.load_gan("phantom")[0], data.label_names, eye)
"""
SANDBOX = """
explorers.MetricSandbox(fidelity.reference(data, eye), data.val.labels, data.train.images)
"""


def test_replay_by_keyboard_play_and_mouse(run_code):
    page = run_code(SETUP, LOAD, REPLAY)
    before = state(page)
    check_controls(page, sliders=1, buttons=1)
    page.get_by_role("slider", name="moment").focus()
    page.keyboard.press("ArrowLeft")
    before = wait_for_change(page, before)
    page.keyboard.press("Home")
    before = wait_for_change(page, before)
    assert "step 1 " in before[1]
    page.evaluate(WATCH_TIMERS)
    page.get_by_role("button", name="Play").press("Enter")
    assert page.evaluate("window.ticking.size") == 1
    before = wait_for_change(page, before)
    before = wait_for_change(page, before)
    page.get_by_role("button", name="Pause").press("Enter")
    assert page.evaluate("window.ticking.size") == 0  # it stands still
    before = state(page)
    surface = page.locator(".medgen-map-surface")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"])
    before = wait_for_change(page, before)
    page.get_by_role("combobox", name="run", exact=True).select_option("a discriminator that wins")
    before = wait_for_change(page, before)
    page.get_by_role("combobox", name="curves", exact=True).select_option("gradient norms")
    keep_screenshot(page, "gan_explorer")
    page.get_by_role("slider", name="moment").press("Home")
    page.wait_for_function("document.querySelector('.medgen-status').innerText.includes('step 1 ')")
    drag(page, page.get_by_role("slider", name="moment"), "_.moment.value", "20", events=20)


def test_walk_by_keyboard_mouse_and_class(run_code):
    page = run_code(SETUP, DATA, LOAD, WALK)
    before = state(page)
    check_controls(page, sliders=4, buttons=0)
    page.get_by_role("slider", name="way").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.medgen-status').innerText.startsWith('10%')")
    before = wait_for_change(page, before)
    page.get_by_role("combobox", name="class", exact=True).select_option(index=1)
    before = wait_for_change(page, before)
    surface = page.locator(".medgen-map-surface")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    for step in range(1, 10):
        page.mouse.move(box["x"] + (0.5 + 0.04 * step) * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.up()
    wait_for_change(page, before)
    keep_screenshot(page, "generator_explorer")


def test_sandbox_by_keyboard(run_code):
    page = run_code(SETUP, DATA, LOAD, SANDBOX)
    page.get_by_role("slider", name="blur").focus()
    page.wait_for_function("document.querySelectorAll('.medgen-status').length === 2")
    before = page.locator(".medgen-status").last.inner_text()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "old => [...document.querySelectorAll('.medgen-status')].at(-1).innerText !== old", arg=before
    )
    keep_screenshot(page, "metric_sandbox")
