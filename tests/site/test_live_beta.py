"""The β explorer on a page beside the one in Python: pictures at ten β, numbers, keys, map, address."""

import numpy as np
import pytest
from live_page import apart

from medgen_course.site import beta

NAME = "beta"
STATES = ((0.1, 0, 0), (0.37, 3, 1), (1, 0, 0), (2.2, 5, 2), (6.1, 9, 0), (10, 1, 3), (31, 12, 0), (77, 2, 4),
          (120, 18, 5), (300, 7, 6))  # fmt: skip


@pytest.fixture(scope="module")
def python():
    return beta.explorer()[0]


def put(explorer, value, first, convention):
    with explorer.hold():
        explorer.beta.value = min(explorer.betas, key=lambda b: abs(np.log(b / value)))
        explorer.first.value = first
        explorer.convention.index = convention
    explorer.refresh()


def same(live, explorer):
    sheets = live.pictures()
    assert len(sheets) == len(explorer._rows) == 6
    for sheet, row in zip(sheets, explorer._rows.values(), strict=True):
        side = row.shape[-1]
        for i, image in enumerate(row):
            shown = sheet[:, i * (side + 1) : i * (side + 1) + side]
            assert apart(shown, np.repeat(image[0][..., None], 3, 2)) <= 1
    assert live.numbers() == explorer.picture.text


@pytest.mark.parametrize("state", STATES)
def test_pictures_and_numbers_are_pythons(live, python, state):
    value, first, convention = state
    live.open(beta=value, first=first, convention=convention)
    put(python, *state)
    same(live, python)


def test_keys_the_map_and_other_draws(live):
    live.open(beta=1)
    said = live.numbers()
    assert live.press("β (log scale)", "ArrowRight") != said
    surface = live.page.get_by_role("slider", name="rate-distortion curve")
    box = surface.bounding_box()
    before = live.numbers()
    live.page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 0.8 * box["height"])
    moved = live.changed(before)
    surface.focus()
    surface.press("ArrowLeft")
    assert live.changed(moved) != moved
    here = live.state()
    before = live.pictures()
    live.page.get_by_role("button", name="Draw again").press("Enter")
    live.page.wait_for_timeout(300)
    after = live.pictures()
    assert apart(before[1], after[1]) == 0 and apart(before[2], after[2]) > 10
    said = live.numbers()
    live.open(**here)
    assert live.numbers() == said
