import io
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from PIL import Image

from medgen_course.pictures import plots, render

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 1, 28, 28), dtype=np.uint8)


def figures():
    log = SimpleNamespace(columns={"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.5], "seconds": [1.0, 1.0, 1.0]})
    return {
        "show": plots.show(PICTURES[0, 0], "a title\nin two lines"),
        "images": plots.images(PICTURES, [f"n {i}" for i in range(5)], columns=3),
        "history": plots.history(log),
        "lines": plots.lines([1, 10], {"a": [1, 2], "b": [2, 1]}, "x", "y", bands={"a": ([0, 1], [2, 3])}),
        "places": plots.lines({"a": [1, 2], "b": [3, 9]}, {"a": [1, 2], "b": [2, 1]}, "x", "y", log_x=True),
        "dots": plots.dots({"p": {"value": 1, "low": 0.5, "high": 2}}, "dB"),
        "bars": plots.bars(["p", "q"], {"train": [1, 2], "test": [3, 4]}, "images"),
    }


def test_every_figure_becomes_a_small_png_that_pyplot_never_hears_of():
    before = pyplot.get_fignums()
    for name, figure in figures().items():
        png = figure._repr_png_()
        assert png.startswith(b"\x89PNG"), name
        assert len(png) < 60_000, name
    assert pyplot.get_fignums() == before


def test_pictures_are_not_smoothed_and_not_rescaled():
    for picture in (PICTURES[0, 0], render.grid(PICTURES)):
        drawn = plots.show(picture).axes[0].images[0]
        assert np.array_equal(drawn.get_array(), picture)
        assert drawn.get_interpolation() == "nearest"
    dark = plots.show(np.full((4, 4), 50, np.uint8)).axes[0].images[0]
    assert dark.get_clim() == (0, 255)
    assert dark.get_cmap().name == "gray"


def test_history_draws_the_losses_only():
    log = SimpleNamespace(
        columns={"epoch": [1, 2], "loss/generator": [2, 1], "loss/discriminator": [1, 2], "seconds": [9, 9]}
    )
    axes = plots.history(log).axes[0]
    assert [line.get_label() for line in axes.lines] == ["loss/generator", "loss/discriminator"]
    assert axes.lines[0].get_ydata().tolist() == [2, 1]
    assert axes.get_xlabel() == "epoch"
    with pytest.raises(ValueError, match="found columns epoch"):
        plots.history(SimpleNamespace(columns={"epoch": [1]}))


def test_lines_carry_labels_bands_and_ticks_at_their_values():
    axes = plots.lines([2, 4, 32], {"a": [1, 2, 3]}, "size", "dB", "t", bands={"a": ([0, 1, 2], [2, 3, 4])},
                       log_x=True).axes[0]  # fmt: skip
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == ("size", "dB", "t")
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["2", "4", "32"]
    assert len(axes.collections) == 1


def test_few_positions_are_the_ticks():
    axes = plots.lines([0, 50, 100], {"a": [1, 2, 3]}, "%", "%").axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "50", "100"]


def test_bars_stand_side_by_side():
    axes = plots.bars(["p", "q"], {"train": [1, 2], "test": [3, 4]}, "images").axes[0]
    assert [bar.get_height() for bar in axes.patches] == [1, 2, 3, 4]
    assert axes.patches[0].get_x() < axes.patches[2].get_x() < axes.patches[1].get_x()


def test_images_wants_a_title_each():
    with pytest.raises(ValueError, match="5 images and 2 titles"):
        plots.images(PICTURES, ["a", "b"])


def test_use_style_reaches_the_readers_own_figures():
    with matplotlib.rc_context():
        plots.use_style()
        assert matplotlib.rcParams["image.interpolation"] == "nearest"
        assert matplotlib.rcParams["axes.prop_cycle"].by_key()["color"] == list(plots.PALETTE)


def test_figures_are_stored_in_few_bytes_without_visible_loss():
    def stored(figure):
        return Image.open(io.BytesIO(figure._repr_png_()))

    grey = stored(plots.show(PICTURES[0, 0], "a title"))
    assert grey.mode == "L"
    colour = stored(plots.show(render.overlay(PICTURES[0], PICTURES[0] > 128)))
    assert colour.mode == "RGB"
    curves = plots.lines([1, 2], {"a": [1, 2], "b": [2, 1]}, "x", "y")
    found = np.asarray(stored(curves).convert("RGB")).astype(int)
    assert np.abs(found - np.asarray(curves.canvas.buffer_rgba())[..., :3]).mean() < 0.1
    for colour in render.PALETTE[:2]:
        assert (found == render.rgb_of(colour)).all(-1).sum() > 50


def test_long_titles_and_names_are_broken_or_turned_instead_of_cut():
    title = "a finding that needs more words than fit above two bars"
    axes = plots.bars(["p", "q"], {"train": [1, 4708]}, "images", title).axes[0]
    assert axes.get_title(loc="left").replace("\n", " ") == title and "\n" in axes.get_title(loc="left")
    assert [text.get_text() for text in axes.texts] == ["1", "4,708"]
    assert [tick.get_rotation() for tick in axes.get_xticklabels()] == [0, 0]
    long = plots.bars([f"a long name {i}" for i in range(6)], {"train": range(6)}, "images").axes[0]
    assert {tick.get_rotation() for tick in long.get_xticklabels()} == {30}


def test_dots_stand_at_their_values_between_the_ends_of_their_intervals():
    rows = {"p": {"value": 1.0, "low": 0.5, "high": 2.0}, "q": {"value": 3.0, "low": 2.5, "high": 4.0}}
    axes = plots.dots(rows, "dB").axes[0]
    drawn = [tuple(line.get_ydata()) for line in axes.lines]
    assert drawn == [(0.5, 2.0), (1.0,), (2.5, 4.0), (3.0,)]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["p", "q"]


def test_a_picture_with_a_difference_may_have_a_scale_of_its_colours():
    figure = plots.show(PICTURES[0, 0], "changed", limit=0.3)
    ticks = [tick.get_text() for tick in figure.axes[1].get_xticklabels()]
    assert ticks == ["−0.3, darker", "0", "+0.3, brighter"]
    assert len(plots.show(PICTURES[0, 0], "changed").axes) == 1
