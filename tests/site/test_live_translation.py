"""The translation explorer on a page beside the one in Python: ten states, training, own picture, address."""

import numpy as np
import pytest
from live_page import cut, shows
from states import test_pictures_and_numbers_are_pythons  # noqa: F401 (runs here, on STATES)

from medgen_course.site import translation

NAME = "translation"
STATES = (
    {"image": 0},
    {"image": 3, "moment": 0},
    {"image": 5, "moment": 1, "noise": 0.02},
    {"image": 8, "moment": 1, "limit": 0.1},
    {"image": 12, "noise": 0.1, "outlines": "false"},
    {"direction": 1, "image": 1},
    {"direction": 1, "image": 7, "moment": 0, "limit": 1},
    {"direction": 1, "image": 19, "moment": 1, "noise": 0.005},
    {"direction": 1, "image": 13, "moment": 1, "outlines": "false"},
    {"direction": 1, "image": 23, "noise": 0.05, "limit": 0.05},
)


@pytest.fixture(scope="module")
def python():
    return translation.explorer()


def put(explorer, state):
    with explorer.hold():
        explorer.direction.index = state.get("direction", 0)
        explorer.index.value = state["image"]
        explorer.moment.index = state.get("moment", 2)
        explorer.limit.value, explorer.noise.value = state.get("limit", 0.3), state.get("noise", 0)
        explorer.outlines.value = state.get("outlines") != "false"
    explorer.refresh()


def same(live, explorer):
    wanted = cut(explorer.array, len(explorer.picture.captions))
    half = (wanted[0].shape[0] - 8) // 2
    # a grey level is up to 17 levels of its colour where colours are full at 0.05
    within = np.ones((len(wanted[0]), 1, 1))
    within[half:] += np.ceil(1 / explorer.limit.value)
    shows(live, explorer, wanted, within)


def test_the_training_by_keyboard_and_the_address_brings_it_back(live):
    live.open(image=3)
    live.press("step", "ArrowLeft")
    live.press("noise on way back", "ArrowRight")
    live.press("direction", "ArrowDown")
    said = live.numbers()
    assert live.state() == {"image": "3", "moment": "1", "noise": "0.005", "direction": "1"}
    live.open(**live.state())
    assert live.numbers() == said and "step 400" in said


def test_it_plays_to_the_end(live):
    live.open(image=3, moment=1)
    before = live.numbers()
    live.page.get_by_role("button", name="Play").press("Enter")
    assert "step 4000" in live.changed(before)
    live.page.get_by_role("button", name="Play").wait_for()  # and stops


def test_an_own_picture_goes_there_and_back_and_a_broken_file_gets_a_sentence(live, python, png):
    live.open(image=3)
    before = live.numbers()
    live.page.locator("input[type=file]").set_input_files(png)
    live.changed(before)
    put(python, {"image": 3})
    python.upload.receive(png["buffer"], png["name"])
    same(live, python)
    before = live.numbers()
    live.page.get_by_label("fit picture by", exact=True).press("ArrowDown")
    live.changed(before)
    python.fit.value = True
    same(live, python)
    python.fit.value = False
    python.put_away.click()
    broken = {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"}
    live.page.locator("input[type=file]").set_input_files(broken)
    live.page.get_by_text("cannot be read as a PNG or JPEG picture").wait_for()
    before = live.numbers()
    live.page.get_by_role("button", name="Back to the images").press("Enter")
    assert "image 3" in live.changed(before)
