"""FewLabelsExplorer: every control changes what it should, and says in numbers what the picture shows."""

import re
from types import SimpleNamespace

import matplotlib.figure
import numpy as np
import pytest

from medgen_course import explorers, phantom
from medgen_course.explorers import few_labels_view as view
from medgen_course.pictures.render import rgb_of

METHODS, LABELS = ("atlas", "U-Net", "pix2pix"), (1, 10, 100)


def toy(size=28):
    """Masks that are shifted, the less the more labels there are; the last slice has no lesion."""
    table = phantom.draw_factors(5, 3, 1.0, "val")
    made = phantom.generate(factors=table, size=size, split="val")
    truth = made.masks[:, 0].copy()
    truth[4] = 0
    truth[:, 3:6, 3:6] = 2
    shifts = [[2 - j + i for j in range(3)] for i in range(3)]
    found = np.stack([np.stack([np.roll(truth, by, 2) for by in row]) for row in shifts])
    return SimpleNamespace(methods=METHODS, labels=LABELS, images=made.t2w, truth=truth, found=found)


def curves():
    def rows(at):
        return {n: {"value": at + 0.1 * j, "low": at, "high": at + 0.2} for j, n in enumerate(LABELS)}

    both = {name: rows(0.1 * i) for i, name in enumerate(METHODS)}
    return {"Dice of lesions": both, "lesion-wise F1": {name: rows(0.5) for name in METHODS}}


@pytest.fixture
def explorer():
    return explorers.FewLabelsExplorer(toy(), curves())


def test_the_numbers_are_those_of_the_masks(explorer):
    masks = toy()
    explorer.method.value, explorer.labels.value, explorer.first.value = 1, 0, 2
    lines = explorer.picture.text.splitlines()
    assert lines[0] == "U-Net, 1 labelled slice: Dice of lesions 0.10 (0.10 to 0.30), over five seeds"
    for i, line in enumerate(lines[1:], 2):
        true, found = masks.truth[i] == 1, masks.found[1, 0, i] == 1
        told = re.search(r"lesion (\d+) of (\d+) pixels found, (\d+) missed, (\d+) invented", line)
        if not true.any():
            assert f"slice {i}: lesion none there, {found.sum()} pixels invented" in line
            continue
        counted = (true & found).sum(), true.sum(), (true & ~found).sum(), (found & ~true).sum()
        assert tuple(map(int, told.groups())) == counted
    assert explorer.picture.captions[2] == "slice 4: no lesion"
    assert f"a lesion of {(masks.truth[2] == 1).sum()} pixels" in explorer.picture.captions[0]
    assert "above: the true masks" in explorer.children[2].value


def test_every_control_changes_the_picture(explorer):
    seen = {explorer.array.tobytes()}
    for control, value in ((explorer.method, 0), (explorer.labels, 2), (explorer.first, 1)):
        control.value = value
        seen.add(explorer.array.tobytes())
    explorer.measure.value = "lesion-wise F1"
    seen.add(explorer.array.tobytes())
    assert len(seen) == 5 and "lesion-wise F1 0.70" in explorer.picture.text


def test_errors_have_their_colours():
    truth, found = np.zeros((2, 4, 4), np.uint8)
    truth[0, :2], found[0, 1:3], truth[2, 0], found[2, 0], found[3, 3] = 1, 1, 2, 1, 2
    picture = view.found_picture(np.zeros((1, 4, 4), np.uint8), truth, found)
    expected = {
        (0, 0): "missed",
        (0, 1): "lesion",
        (0, 2): "invented",
        (2, 0): "mistaken",
        (3, 3): "invented",
    }
    for place, name in expected.items():
        assert np.abs(picture[place] - view.OPACITY * rgb_of(view.COLOURS[name])).max() <= 1
    assert picture[1, 1].sum() == 0
    right = view.true_picture(np.zeros((1, 4, 4), np.uint8), truth)
    assert np.abs(right[2, 0] - view.OPACITY * rgb_of(view.COLOURS["ventricles"])).max() <= 1
    assert len(set(view.COLOURS.values())) == 5


def test_the_cursor_stands_where_the_number_says():
    chart = view.learning_curves(curves()["Dice of lesions"], "Dice", 400, 300)
    places = [chart.place(np.log10(n), 0.5)[1] for n in LABELS]
    assert places == sorted(places) and places[1] - places[0] == pytest.approx(places[2] - places[1], abs=2)
    drawn = view.with_cursor(chart, 10, 0.5)
    row, column = chart.place(1.0, 0.5)
    assert (drawn[row, column] == view.HERE).all() and (
        drawn[:, places[0] - 20] == chart.picture[:, places[0] - 20]
    ).all()
    wide = view.fitted(chart, 500)
    assert wide.picture.shape[1] == 500 and abs(wide.place(1.0, 0.5)[1] - column) <= 1


def test_a_move_draws_no_figure_and_runs_no_network(explorer, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a move drew a matplotlib figure")

    monkeypatch.setattr(matplotlib.figure.Figure, "__init__", refuse)
    explorer.labels.value, explorer.first.value, explorer.method.value = 1, 1, 0
    explorer.measure.value = "lesion-wise F1"


def test_a_number_of_labels_without_a_curve_is_said(explorer):
    one = curves()
    del one["Dice of lesions"]["U-Net"][10]
    shown = explorers.FewLabelsExplorer(toy(), one)
    shown.method.value, shown.labels.value = 1, 1
    assert "U-Net, 10 labelled slices: Dice of lesions was not measured" in shown.picture.text


def test_the_static_twin_is_the_same_array_and_says_what_colours_mean(explorer):
    figure = explorer.figure()
    assert np.array_equal(figure.axes[0].images[0].get_array(), explorer.array)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["lesion, found", "ventricles, found", "missed", "invented", "taken for the other"]
    assert all(text in explorer.children[2].value for text in texts)


def test_what_does_not_fit_is_refused_in_one_line():
    masks = toy()
    masks.found = masks.found[:2]
    with pytest.raises(ValueError, match=r"expected \(3, 3, 5, 28, 28\)") as error:
        explorers.FewLabelsExplorer(masks, curves())
    assert "\n" not in str(error.value)
    lacking = curves()
    del lacking["lesion-wise F1"]["atlas"]
    with pytest.raises(ValueError, match="'atlas'"):
        explorers.FewLabelsExplorer(toy(), lacking)
    with pytest.raises(ValueError, match="there is no curve"):
        explorers.FewLabelsExplorer(toy(), {})
