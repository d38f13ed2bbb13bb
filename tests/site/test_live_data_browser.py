"""The data explorer on a page beside the one in Python: every change, classes, other draws, the address."""

import pytest
from live_page import apart, cut

from medgen_course.site import data_browser

NAME = "data_browser"
STATES = (
    {},
    {"augmentation": 0, "corruption": 0},
    {"augmentation": 1, "corruption": 0, "image": 2},
    {"augmentation": 0.5, "corruption": 1, "strength": 0.5, "image": 5, "draws": 3},
    {"augmentation": 0, "corruption": 2, "strength": 1, "split": 1},
    {"augmentation": 0, "corruption": 3, "strength": 0.3, "image": 7},
    {"augmentation": 0.2, "corruption": 3, "strength": 0.9, "image": 8, "draws": 1},
    {"augmentation": 0.1, "corruption": 4, "strength": 0.4, "split": 1, "image": 9},
    {"augmentation": 0, "corruption": 5, "strength": 0.75, "image": 11},
    {"label": 1, "image": 1, "augmentation": 0.05},
    {"label": 2, "image": 3, "split": 1, "corruption": 4, "strength": 1},
)


@pytest.fixture(scope="module")
def python():
    return data_browser.explorer()


def put(explorer, state):
    with explorer.hold():
        explorer.dataset.index = state.get("dataset", 0)
        explorer.split.index = state.get("split", 0)
        explorer.label.index = state.get("label", 0)
    explorer._select()
    with explorer.hold():
        explorer.index.value = state.get("image", 0)
        explorer.augmentation.value = state.get("augmentation", 0.2)
        explorer.corruption.index = state.get("corruption", 2)
        explorer.strength.value = state.get("strength", 0.15)
    explorer._draws = state.get("draws", 0)
    explorer.refresh()


def same(live, explorer):
    stored, changed, difference = map(apart, live.pictures(), cut(explorer.array, 3))
    assert stored == 0 and changed <= 1 and difference <= 2  # a grey level is two levels of its colour
    assert live.numbers() == explorer.picture.text


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("dataset", (0, 1))
def test_pictures_and_numbers_are_pythons(live, python, state, dataset):
    state = state | {"dataset": dataset}
    if dataset >= len(python.dataset.options):
        pytest.skip("MedMNIST's images are not at hand, only the phantom is shown")
    live.open(**state)
    put(python, state)
    same(live, python)


def test_another_draw_another_class_and_the_address(live):
    live.open()
    before = live.numbers()
    live.page.get_by_role("button", name="Draw again").press("Enter")
    before = live.changed(before)
    live.press("image", "End")
    live.press("class", "ArrowDown")  # the images are counted anew
    said = live.numbers()
    assert live.page.get_by_label("image", exact=True).input_value() == "0"
    live.open(**live.state())
    assert live.numbers() == said != before
