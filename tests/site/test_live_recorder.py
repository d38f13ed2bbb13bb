"""The flight recorder on a page beside the one in Python: ten moments, playing, curves, address."""

import pytest
from live_page import shows

from medgen_course.site import recorder

NAME = "recorder"
STATES = (
    {},
    {"moment": 0},
    {"moment": 13, "curves": 1},
    {"run": 1, "moment": 5},
    {"run": 1, "moment": 27, "curves": 2},
    {"run": 2, "moment": 1, "curves": 3},
    {"run": 2, "moment": 33},
    {"run": 3, "moment": 20, "curves": 1},
    {"run": 3, "moment": 39},
    {"run": 2, "moment": 9, "curves": 2},
)
PLACE = """surface => { const c = surface.querySelector(".medgen-map-cursor").style;
  return [parseFloat(c.left) / 100, 1 - parseFloat(c.top) / 100]; }"""


@pytest.fixture(scope="module")
def python():
    return recorder.explorer()


def put(explorer, state):
    explorer.run.index = state.get("run", 0)
    explorer.group.index = state.get("curves", 0)
    explorer.moment.value = state.get("moment", explorer.moment.max)


def curves(live):
    return live.page.get_by_role("slider", name="curves of the run")


@pytest.mark.parametrize("state", STATES)
def test_pictures_numbers_and_curves_are_pythons(live, python, state):
    live.open(**state)
    put(python, state)
    shows(live, python, [python.array], within=0)
    assert curves(live).evaluate(PLACE) == pytest.approx(python.curves.position, abs=1e-4)
    size = live.page.locator(".live-curves img").evaluate("i => i.decode().then(() => i.naturalWidth)")
    assert size == python.timeline(python.run.value, python.group.value).picture.shape[1]


def test_a_click_on_the_curves_goes_to_the_nearest_moment(live, python):
    live.open(run=1, moment=3)
    before = live.numbers()
    box = curves(live).bounding_box()
    curves(live).click(position={"x": box["width"] * 0.6, "y": box["height"] / 2})
    said = live.changed(before)
    put(python, {"run": 1, "moment": 3})
    python.curves.position = (0.6, 0.5)
    assert said == python.picture.text


def test_the_curves_answer_to_keys_and_the_address_brings_all_back(live):
    live.open(run=2, moment=10)
    before = live.numbers()
    curves(live).press("Shift+ArrowRight")
    before = live.changed(before)
    live.press("moment", "ArrowLeft")
    live.page.get_by_label("curves", exact=True).press("ArrowDown")
    live.page.wait_for_function("location.hash.includes('curves=1')")
    said = live.numbers()
    live.open(**live.state())
    assert live.numbers() == said != before


def test_another_run_is_shown_at_its_end(live, python):
    live.open(moment=2)
    said = live.press("run", "ArrowDown")
    put(python, {"run": 1})
    assert said == python.picture.text


def test_it_plays_from_the_start_and_holds(live):
    live.open(run=0)
    before = live.numbers()
    live.page.get_by_role("button", name="Play").press("Enter")
    assert live.changed(before).startswith("step 1 ")
    live.page.get_by_role("button", name="Pause").press("Enter")
    held = live.state()["moment"]
    live.page.wait_for_timeout(600)
    assert live.state()["moment"] == held and int(held) < 10
