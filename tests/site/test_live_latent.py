"""The latent map of a VAE on a page beside Python's: ten states, map, slider, own picture, address."""

import numpy as np
import pytest
from live_page import apart, cut, shows

from medgen_course.site import latent

NAME = "latent"
STATES = (  # none half way, where both ends are as near and the last bit decides which is named first
    {}, {"start": 3, "end": 9, "way": 0.48}, {"start": 17, "end": 40, "way": 1},
    {"start": 99, "end": 5, "way": 0.26},
    {"plane": 1}, {"plane": 1, "start": 200, "end": 12, "way": 0.74}, {"start": 61, "end": 62, "way": 0.1},
    {"start": 33, "end": 150, "way": 0.9}, {"plane": 1, "start": 7, "end": 8, "way": 0.02}, {"start": 120},
)  # fmt: skip


@pytest.fixture(scope="module")
def python():
    return latent.explorer()[0]


def put(explorer, state, first):
    explorer.plane.index = state.get("plane", 0)
    with explorer.hold():
        explorer.start.value, explorer.end.value = state.get("start", first[0]), state.get("end", first[1])
    explorer.way.value = 0.5 if explorer.way.value != 0.5 else 0
    explorer.way.value = state.get("way", 0)


def same(live, explorer):
    shows(live, explorer, cut(explorer.array, 6))


@pytest.fixture(scope="module")
def first(python):
    return python.start.value, python.end.value


@pytest.mark.parametrize("state", STATES)
def test_pictures_and_numbers_are_pythons(live, python, first, state):
    live.open(**state)
    put(python, state, first)
    same(live, python)


def test_map_slider_and_address(live, python, first):
    live.open()
    put(python, {}, first)
    surface = live.page.get_by_role("slider", name=python.map.label)
    box = surface.bounding_box()
    before = live.numbers()
    live.page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.4 * box["height"])
    moved = live.changed(before)
    surface.press("ArrowUp")
    moved = live.changed(moved)
    live.page.locator(".medgen-sliders input").first.press("ArrowRight")
    moved = live.changed(moved)
    live.page.wait_for_timeout(300)
    state, pictures = live.state(), live.pictures()
    python.go_to(np.array([float(v) for v in state["z"].replace("%2C", ",").split(",")], np.float32))
    same(live, python)
    live.open(**state)
    assert live.numbers() == moved
    assert all(apart(*pair) == 0 for pair in zip(pictures, live.pictures(), strict=True))


def test_an_own_picture_is_placed_and_a_broken_one_refused(live, python, first, png):
    live.open()
    put(python, {}, first)
    before = live.numbers()
    live.page.locator("input[type=file]").set_input_files(png)
    live.changed(before)
    python.upload.receive(png["buffer"], png["name"])
    same(live, python)
    notice = live.page.locator(".live-notice").text_content()
    assert notice.startswith("Warning: unlike") and notice in python.notice.value
    live.page.locator("input[type=file]").set_input_files({**png, "buffer": b"no picture"})
    live.page.wait_for_function(
        "document.querySelector('.live-notice').textContent.includes('cannot be read')"
    )
    assert not live.elsewhere
