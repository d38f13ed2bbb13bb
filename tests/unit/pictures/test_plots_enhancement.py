"""The plane: every method where its figures are, the curve in its order, all of it told in words."""

import pytest

from medgen_course.pictures.plots_enhancement import plane


def rows(psnr, frechet):
    return {name: {"value": v, "low": 0.9 * v, "high": 1.2 * v} for name, v in
            {"psnr": psnr, "frechet": frechet}.items()}  # fmt: skip


def test_points_and_curve_stand_where_their_figures_are():
    curve = {"λ 0": rows(20.0, 300.0), "λ 1": rows(18.0, 90.0)}
    figure = plane({"U-Net": rows(20.0, 300.0), "bicubic": rows(15.0, 900.0)}, curve, "a title", best=5.0)
    axes = figure.axes[0]
    drawn = [
        tuple(map(float, line.get_xydata()[0])) for line in axes.get_lines() if len(line.get_xydata()) == 1
    ]
    assert {(20.0, 300.0), (15.0, 900.0), (18.0, 90.0)} <= set(drawn)
    line = next(x for x in axes.get_lines() if len(x.get_xydata()) == 2 and x.get_color() == "black")
    assert line.get_xydata().tolist() == [[20.0, 300.0], [18.0, 90.0]]
    assert [text.get_text() for text in axes.texts] == ["λ 0", "λ 1"]
    assert axes.get_yscale() == "log" and "U-Net 20.0 dB, 300" in figure.alt
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["true images", "U-Net", "bicubic"]


@pytest.mark.filterwarnings("error")
def test_a_curve_by_itself_has_no_legend_and_no_warning():
    figure = plane({}, {"λ 0": rows(20.0, 300.0), "λ 1": rows(18.0, 90.0)}, "a curve")
    figure._repr_png_()
    assert not figure.legends and "λ 1 18.0 dB, 90" in figure.alt
