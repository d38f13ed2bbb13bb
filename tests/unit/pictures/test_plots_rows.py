import numpy as np
import pytest
from matplotlib.collections import QuadMesh

from medgen_course.pictures import plots, render

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 1, 28, 28), dtype=np.uint8)


def test_rows_stand_one_below_the_other_with_names_and_headings_at_their_places():
    named = {"first": PICTURES[:3], "second\nrow": [PICTURES[4]]}
    figure = plots.rows(named, ["a", "b", "c"], "t", width=2.7)
    axes = figure.axes[0]
    sheet = axes.images[0].get_array()
    places = [(axes.get_yticks()[i], axes.get_xticks()[j]) for i, j in [(0, 0), (0, 2), (1, 0), (1, 2)]]
    found = [sheet[int(y), int(x), 0] for y, x in places]
    assert found == [PICTURES[0, 0, 14, 14], PICTURES[2, 0, 14, 14], PICTURES[4, 0, 14, 14], 255]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["first", "second\nrow"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["a", "b", "c"]
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_rows_mix_colour_and_grey():
    colour = np.zeros((3, 28, 28), np.uint8)
    colour[0] = 200
    sheet = plots.rows({"both": [colour, PICTURES[0] / 255]}, width=0.64).axes[0].images[0].get_array()
    assert sheet[5, 5].tolist() == [200, 0, 0]
    assert sheet[5, 32 + 5].tolist() == [PICTURES[0, 0, 5, 5]] * 3


@pytest.mark.parametrize(
    ("named", "headings", "said"),
    [
        ({}, (), "0 columns"),
        ({"a": []}, (), "0 columns"),
        ({"a": PICTURES[:2]}, ["one"], "2 columns and 1 headings"),
        ({"a": [PICTURES[0], PICTURES[0, :, :14]]}, (), r"several sizes, \(14, 28\), \(28, 28\)"),
    ],
)
def test_rows_that_cannot_be_drawn_are_explained(named, headings, said):
    with pytest.raises(ValueError, match=said):
        plots.rows(named, headings)


def test_a_row_of_maps_has_a_scale_with_both_ends():
    maps = [render.tint(np.full((28, 28), value), 0.3).transpose(2, 0, 1) for value in (0.0, 0.3)]
    figure = plots.rows({"maps": maps}, heat=(0.1, 0.4))
    assert [tick.get_text() for tick in figure.axes[1].get_xticklabels()] == ["0.1", "0.4, anomalous"]
    assert len(plots.rows({"maps": maps}).axes) == 1
    sheet = figure.axes[0].images[0].get_array()
    (mesh,) = (c for c in figure.axes[1].collections if isinstance(c, QuadMesh))
    figure._repr_png_()
    ends = np.rint(255 * mesh.get_facecolors()[[0, -1], :3]).astype(int)
    assert (ends == [sheet[10, 10], sheet[10, -10]]).all()


def test_large_pictures_do_not_make_a_wider_figure():
    large = np.zeros((6, 1, 224, 224), np.uint8)
    assert plots.rows({"a": large}, width=5).get_figwidth() < 5.5
    assert plots.rows({"a": PICTURES}, width=5).get_figwidth() > 4.4


def test_differences_come_with_a_scale_of_their_colours():
    changed = [render.difference(PICTURES[i], PICTURES[0], limit=0.3).transpose(2, 0, 1) for i in (1, 2)]
    figure = plots.rows({"change": changed}, title="t", limit=0.3)
    assert [tick.get_text() for tick in figure.axes[1].get_xticklabels()] == [
        "−0.3, darker", "0", "+0.3, brighter",
    ]  # fmt: skip
    [shades] = [drawn for drawn in figure.axes[1].collections if isinstance(drawn, QuadMesh)]
    white, black = np.full((1, 1, 1), 255, np.uint8), np.zeros((1, 1, 1), np.uint8)
    for a, b, value in ((white, black, 0.3), (black, white, -0.3), (white, white, 0.0)):
        drawn = render.difference(a, b, limit=0.3)[0, 0] / 255
        assert np.abs(np.array(shades.cmap(shades.norm(value))[:3]) - drawn).max() < 0.01
    assert len(plots.rows({"change": changed}).axes) == 1
