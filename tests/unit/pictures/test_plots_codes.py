import numpy as np

from medgen_course.pictures import plots_codes, render

CLOUDS = {"well": np.array([[0.0, 0.0], [2.0, 4.0]]), "ill": np.array([[1.0, 1.0]])}


def test_codes_are_told_apart_by_colour_and_legend():
    axes = plots_codes.codes(CLOUDS, "x", "y", "t").axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["well", "ill"]
    dots = axes.collections[0]
    places, colours = dots.get_offsets(), dots.get_facecolors()[:, :3]
    found = {tuple(at): tuple(colour) for at, colour in zip(places, colours, strict=True)}
    blue, orange = (tuple(render.rgb_of(render.PALETTE[i]) / 255) for i in (0, 1))
    assert found == {(0, 0): blue, (2, 4): blue, (1, 1): orange}


def test_the_map_decodes_the_square_of_the_codes_from_the_upper_left():
    asked = []

    def decode(places):
        asked.append(places)
        return np.broadcast_to(places[:, :1, None, None] / 4, (len(places), 1, 8, 8))

    figure = plots_codes.code_map(CLOUDS, decode, "t", side=3)
    places = asked[0]
    assert places.shape == (9, 2) and places.dtype == np.float32
    assert places[0, 0] == places[3, 0] < places[1, 0] < places[2, 0]  # left to right in each row
    assert places[0, 1] == places[1, 1] > places[3, 1] > places[6, 1]  # rows from the top down
    dots, pictures = figure.axes
    assert dots.get_xlim()[0] < places[:, 0].min() and places[:, 0].max() < dots.get_xlim()[1]
    sheet = pictures.images[0].get_array()
    assert sheet.shape[0] >= 3 * 90
    assert sheet[10, 10, 0] < sheet[10, -10, 0]
    assert figure.alternative_text().startswith("t. Codes.")
