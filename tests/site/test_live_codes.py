"""The map of an autoencoder's codes on a page beside the one in Python: ten images, map, buttons, address."""

import numpy as np
import pytest
from live_page import cut, shows

from medgen_course.site import codes

NAME = "codes"


@pytest.fixture(scope="module")
def python():
    return codes.explorer()[0]


def same(live, explorer):
    shows(live, explorer, cut(explorer.array, 3))


@pytest.mark.parametrize("image", (0, 1, 7, 50, 99, 123, 250, 333, 444, 499))
def test_pictures_and_numbers_are_pythons(live, python, image):
    live.open(image=image)
    python.index.value = image
    python.reset.click()
    same(live, python)


def test_map_buttons_and_address(live, python):
    live.open()
    python.index.value = 0
    before = live.numbers()
    live.page.get_by_role("button", name=python.average.description).press("Enter")
    moved = live.changed(before)
    python.average.click()
    same(live, python)
    for key in ("Shift+ArrowRight", "Shift+ArrowUp"):
        live.page.get_by_role("slider", name=python.map.label).press(key)
        moved = live.changed(moved)
    live.page.wait_for_timeout(300)
    state = live.state()
    python.go_to(np.array([float(v) for v in state["z"].replace("%2C", ",").split(",")], np.float32))
    same(live, python)
    live.open(**state)
    assert live.numbers() == moved
