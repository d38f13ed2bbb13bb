"""The walk through noise on a page beside the one in Python: ten states, keyboard, map, address."""

import pytest
from live_page import cut, shows
from states import test_pictures_and_numbers_are_pythons  # noqa: F401 (runs here, on STATES)

from medgen_course.site import gan_walk

NAME = "gan_walk"
STATES = (
    {},
    {"way": 0.5},
    {"class": 1, "from": 3, "to": 9, "way": 0.26},
    {"class": 0, "from": 12, "to": 12, "way": 0.7},
    {"class": 1, "from": 99, "to": 50, "way": 1, "truncation": 0.5},
    {"truncation": 0},
    {"truncation": 0, "along": 3, "up": -3},
    {"class": 1, "truncation": 1.5, "from": 40, "to": 2, "way": 0.9},
    {"from": 7, "to": 8, "way": 0.32, "along": -1.2, "up": 2.4},
    {"class": 1, "from": 61, "to": 17, "way": 0.44, "truncation": 0.75, "along": 0.6, "up": 0.12},
)


@pytest.fixture(scope="module")
def python():
    return gan_walk.explorer()


def put(explorer, state):
    with explorer.hold():
        explorer.kind.index = state.get("class", 0)
        explorer.start.value, explorer.end.value = state.get("from", 0), state.get("to", 1)
        explorer.way.value, explorer.truncation.value = state.get("way", 0), state.get("truncation", 1)
        explorer.map.position = [(state.get(axis, 0) / 3 + 1) / 2 for axis in ("along", "up")]
    explorer.refresh()


def same(live, explorer):
    shows(live, explorer, cut(explorer.array, len(explorer.picture.captions)))


def directions(live):
    return live.page.get_by_role("slider", name="two directions in noise")


def test_the_walk_by_keyboard_and_the_address_brings_it_back(live):
    live.open()
    live.press("to noise", "ArrowRight")
    live.press("way", "End")
    live.press("truncation", "ArrowLeft")
    live.press("class", "ArrowDown")
    before = live.numbers()
    directions(live).press("Shift+ArrowUp")
    said = live.changed(before)
    live.page.wait_for_function("location.hash.includes('up=0.6')")
    wanted = {"to": "2", "way": "1", "truncation": "0.95", "class": "1", "along": "0", "up": "0.6"}
    assert live.state() == wanted
    live.open(**live.state())
    assert live.numbers() == said


def test_a_click_on_the_map_moves_the_noise_there(live, python):
    live.open(way=0.5)
    before = live.numbers()
    box = directions(live).bounding_box()
    directions(live).click(position={"x": box["width"] * 0.9, "y": box["height"] * 0.2})
    live.changed(before)
    live.page.wait_for_function("location.hash.includes('along=')")
    state = {name: float(value) for name, value in live.state().items()}
    assert state["along"] > 2 and state["up"] > 1
    put(python, state)
    assert live.numbers() == python.picture.text


def test_another_class_has_another_map(live):
    live.open()
    src = live.page.locator(".medgen-map-image").get_attribute("src")
    live.press("class", "ArrowDown")
    assert live.page.locator(".medgen-map-image").get_attribute("src") != src


def test_images_on_the_map_keep_their_greys_in_the_dark(live):
    live.page.emulate_media(color_scheme="dark")
    live.open()
    assert live.page.locator(".medgen-map-image").evaluate("e => getComputedStyle(e).filter") == "none"
    live.page.emulate_media(color_scheme="light")
