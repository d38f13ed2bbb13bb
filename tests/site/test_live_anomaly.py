"""The anomaly explorer on a page beside the one in Python: ten states, keyboard, own pictures, address."""

import pytest
from live_page import cut, shows
from states import test_pictures_and_numbers_are_pythons  # noqa: F401 (runs here, on STATES)

from medgen_course.site import anomaly

NAME = "anomaly"
STATES = (
    {},
    {"score": 1, "slice": 3, "radius": 12, "contrast": 0.8, "x": -20, "y": 20},
    {"score": 2, "slice": 7, "radius": 5.5, "contrast": 1, "x": 25, "y": -30, "flagged": 0.2},
    {"score": 3, "slice": 12, "radius": 14, "contrast": 0.5, "x": -35, "y": 5},
    {"score": 4, "slice": 39, "radius": 8, "contrast": 0.6, "x": 12, "y": 44, "flagged": 0},
    {"score": 5, "slice": 21, "radius": 10, "contrast": 0.9, "x": -28, "y": -12},
    {"score": 0, "slice": 30, "contrast": 0},
    {"score": 1, "slice": 5, "radius": 2, "contrast": 1, "x": 50, "y": 60},
    {"score": 4, "slice": 18, "radius": 13.5, "contrast": 0.2, "x": 40, "y": -20, "flagged": 0.5},
    {"score": 5, "slice": 1, "contrast": 0.05, "flagged": 0.33},
)


@pytest.fixture(scope="module")
def python():
    return anomaly.explorer()[0]


def put(explorer, state):
    with explorer.hold():
        explorer.detector.index = state.get("score", 0)
        explorer.index.value = state.get("slice", 0)
        explorer.radius.value, explorer.fraction.value = state.get("radius", 9), state.get("contrast", 0.35)
        explorer.x.value, explorer.y.value = state.get("x", 30), state.get("y", 0)
        explorer.flagged.value = state.get("flagged", 0.05)
    explorer.refresh()


def same(live, explorer):
    side = 256
    wanted = cut(explorer.array[:side], 3)
    charts = explorer.array[side + 8 :]
    half = (charts.shape[1] - 8) // 2
    wanted += [charts[:, :half], charts[:, half + 8 :]]
    shows(live, explorer, wanted, [1, 1, 1, 0, 0])


def test_a_lesion_by_keyboard_and_the_address_brings_it_back(live):
    live.open()
    live.press("slice", "ArrowRight")
    live.press("lesion radius, mm", "End")
    live.press("healthy flagged", "ArrowRight")
    said = live.numbers()
    assert live.state() == {"slice": "1", "radius": "14", "flagged": "0.06"}
    live.open(**live.state())
    assert live.numbers() == said


def test_outside_the_brain_there_is_no_lesion_and_the_page_says_so(live):
    live.open(x=50, y=60, radius=2)
    assert "touch no brain tissue" in live.page.get_by_role("alert").text_content()
    assert live.captions()[0] == "slice 0"


def test_an_own_picture_is_scored_and_a_broken_file_gets_a_sentence(live, python, png):
    live.open()
    before = live.numbers()
    live.page.locator("input[type=file]").set_input_files(png)
    live.changed(before)
    put(python, {})
    python.upload.receive(png["buffer"], png["name"])
    same(live, python)
    python.put_away.click()
    broken = {"name": "x.png", "mimeType": "image/png", "buffer": png["buffer"][:40]}
    live.page.locator("input[type=file]").set_input_files(broken)
    live.page.get_by_text("cannot be read as a PNG or JPEG picture").wait_for()
    assert live.captions()[0] == "your picture"
    before = live.numbers()
    live.page.get_by_role("button", name="Back to the slices").press("Enter")
    live.changed(before)
    assert live.captions()[0].startswith("slice 0")
