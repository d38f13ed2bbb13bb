"""The enhancement explorer on a page beside the one in Python: ten states, wipe, own pictures, address."""

import pytest
from live_page import cut, shows
from states import test_pictures_and_numbers_are_pythons  # noqa: F401 (runs here, on STATES)

from medgen_course.site import enhancement

NAME = "enhancement"
START = 26  # of the slices on the page, the one with the largest lesion: `test_it_opens`
STATES = (
    {"task": 0, "method": 1, "strength": 2},
    {"task": 0, "method": 2, "strength": 4, "image": 3, "consistent": "true"},
    {"task": 0, "method": 3, "strength": 0, "image": 0, "limit": 0.1},
    {"task": 0, "method": 1, "strength": 3, "image": 40, "consistent": "true"},
    {"task": 1, "method": 1, "image": 12, "consistent": "true"},
    {"task": 2, "method": 3, "image": 7},
    {"task": 2, "method": 0, "image": 9, "consistent": "true"},
    {"task": 3, "method": 1, "strength": 0, "image": 11, "consistent": "true", "limit": 0.6},
    {"task": 3, "method": 2, "strength": 2, "image": 47, "outlines": "false"},
    {"task": 4, "method": 2, "strength": 1, "image": 26},
    {"task": 4, "method": 1, "strength": 2, "image": 33, "consistent": "true"},
)


@pytest.fixture(scope="module")
def python():
    return enhancement.explorer()


def put(explorer, state):
    with explorer.hold():
        explorer.task.index = state["task"]
    explorer._offer()
    with explorer.hold():
        explorer.method.index = state["method"]
        if "strength" in state:
            explorer.strength.index = state["strength"]
        explorer.consistent.value = state.get("consistent") == "true"
        explorer.outlines.value = state.get("outlines") != "false"
        explorer.index.value, explorer.limit.value = state.get("image", START), state.get("limit", 0.3)
    explorer.refresh()


def same(live, explorer):
    enlarged = 1 / explorer.limit.value + 1  # what one grey level of the answer is in its difference
    shows(live, explorer, cut(explorer.array, 4), [1, 1, 1, enlarged])


def test_it_opens_on_the_largest_lesion(live):
    live.open()
    assert live.page.get_by_label("image", exact=True).input_value() == str(START)


def test_a_task_brings_its_methods_and_the_address_brings_it_back(live):
    live.open(task=0, method=2)
    live.press("task", "ArrowDown")  # has no total variation; the method stays by its name
    assert live.state() | {"strength": ""} == {"task": "1", "method": "1", "strength": ""}
    live.press("keep what was measured", "Space")
    live.press("image", "ArrowLeft")
    said = live.numbers()
    live.open(**live.state())
    assert live.numbers() == said and "· squared" in said


def test_the_wipe_moves_by_keyboard_and_is_kept(live):
    live.open()
    wipe = live.page.get_by_role("slider", name="wipe")
    wipe.press("Home")
    wipe.press("Shift+ArrowRight")
    live.page.wait_for_function("location.hash.includes('wipe=0.10')")
    live.open(**live.state())
    assert wipe.get_attribute("aria-valuenow") == "0.10"
    sizes = "all => all.map(c => [c.width, c.clientWidth, c.clientHeight])"
    assert live.page.locator(".live-wipe canvas").evaluate_all(sizes) == [[64, 320, 320], [64, 320, 320]]


def test_an_own_picture_is_restored_and_a_broken_file_gets_a_sentence(live, python, png):
    live.open(**STATES[0])
    before = live.numbers()
    live.page.locator("input[type=file]").set_input_files(png)
    live.changed(before)
    put(python, STATES[0])
    python.upload.receive(png["buffer"], png["name"])
    same(live, python)
    broken = {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"}
    live.page.locator("input[type=file]").set_input_files(broken)
    live.page.get_by_text("cannot be read as a PNG or JPEG picture").wait_for()
    before = live.numbers()
    live.page.get_by_role("button", name="Back to the images").press("Enter")
    assert "lesion" in live.changed(before)
