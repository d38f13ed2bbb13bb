"""The few-labels explorer on a page beside the one in Python: ten states, keys, a drag, the address."""

import pytest
from live_page import apart, cut, shows
from states import test_pictures_and_numbers_are_pythons  # noqa: F401 (runs here, on STATES)

from medgen_course.explorers import few_labels_view as view
from medgen_course.explorers.few_labels import SHOWN
from medgen_course.site import few_labels

NAME = "few_labels"
STATES = (
    {},
    {"method": 0, "labels": 0},
    {"method": 0, "labels": 2, "slices": 3, "curve": 2},
    {"method": 1, "labels": 1, "slices": 5},
    {"method": 1, "labels": 4, "slices": 1, "curve": 1},
    {"method": 2, "labels": 2, "slices": 1},
    {"method": 2, "labels": 3, "slices": 2, "curve": 2},
    {"method": 3, "labels": 0, "slices": 4, "curve": 1},
    {"method": 3, "labels": 4, "slices": 0},
    {"method": 4, "labels": 3, "slices": 5, "curve": 2},
)


@pytest.fixture(scope="module")
def python():
    return few_labels.explorer()


def put(explorer, state):
    with explorer.hold():
        explorer.method.index = state.get("method", len(explorer.method.options) - 1)
        explorer.labels.index = state.get("labels", 0)
        explorer.first.value = state.get("slices", 0)
        explorer.measure.index = state.get("curve", 0)
    explorer.refresh()


def same(live, explorer):
    side, pad = explorer._masks.images.shape[-1] * explorer._scale, 8
    above, below = explorer.array[:side], explorer.array[side + pad : 2 * side + pad]
    chart = explorer.array[2 * (side + pad) :]
    shows(live, explorer, [*cut(above, SHOWN), *cut(below, SHOWN), chart], within=0)


SAYS = "text => document.querySelector('.live-numbers').textContent === text"


def test_every_method_at_every_number_of_labels_says_what_python_says(live, python):
    live.open(slices=2)
    for method in range(len(python.method.options)):
        live.page.get_by_label("method", exact=True).select_option(str(method))
        for labels in range(len(python.labels.options)):
            live.page.get_by_label("labelled slices", exact=True).fill(str(labels))
            put(python, {"method": method, "labels": labels, "slices": 2})
            live.page.wait_for_function(SAYS, arg=python.picture.text)


def test_keys_and_a_drag_move_it_and_the_address_brings_all_back(live, python):
    live.open()
    assert "lesion" in live.press("labelled slices", "ArrowRight")
    live.press("method", "ArrowUp")
    live.press("curve", "ArrowDown")
    before, slider = live.numbers(), live.page.get_by_label("slices from", exact=True)
    box = slider.bounding_box()
    live.page.mouse.move(box["x"] + 4, box["y"] + box["height"] / 2)
    live.page.mouse.down()
    live.page.mouse.move(box["x"] + box["width"], box["y"] + box["height"] / 2, steps=4)
    live.page.mouse.up()
    said = live.changed(before)
    last = len(python._masks.images) - SHOWN
    chosen = {"labels": 1, "method": len(python.method.options) - 2, "curve": 1, "slices": last}
    assert live.state() == {name: str(value) for name, value in chosen.items()}
    live.open(**live.state())
    assert live.numbers() == said
    put(python, chosen)
    same(live, python)


def test_the_colours_mean_what_they_mean_in_the_notebook(live, python):
    live.open()
    legend = live.page.locator(".live-legend")
    assert "missed" in legend.inner_text() and "above: the true masks" in legend.inner_text()
    colours = legend.locator(".live-square").evaluate_all("all => all.map(s => s.style.background)")
    for colour in colours:
        red, green, blue = (int(part) for part in colour.strip("rgb()").split(","))
        assert f"#{red:02X}{green:02X}{blue:02X}" in python.children[2].value
    assert len(set(colours)) == 5


def test_the_pictures_are_told_to_a_reader_who_cannot_see_them(live):
    live.open(labels=2)
    names = live.page.locator("canvas").evaluate_all("all => all.map(c => c.ariaLabel)")
    assert names[:SHOWN] == live.captions() and names[SHOWN : 2 * SHOWN] == live.numbers().split("\n")[1:]
    assert names[-1].startswith("Dice of lesions over labelled slices")


def test_a_phone_gets_curves_whose_letters_are_as_large(live, python):
    live.page.set_viewport_size({"width": 390, "height": 800})
    live.open(labels=2, curve=1)
    put(python, {"labels": 2, "curve": 1})
    name, number = python.measure.value, int(python._masks.labels[2])
    chart = few_labels.narrow(python._curves[name], name)
    assert apart(live.pictures()[-1], view.with_cursor(chart, number, python.row()["value"])) == 0
    shown = live.page.locator(".live-charts canvas").bounding_box()["width"]
    assert shown > 0.85 * few_labels.NARROW
    assert live.numbers() == python.picture.text
    live.page.set_viewport_size({"width": 1100, "height": 900})
