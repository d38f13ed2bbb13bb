"""Figures of single lessons: panels of a recorded run, named panels of a translation."""

import numpy as np

from medgen_course.pictures import plots_gan, plots_translation


def test_runs_of_several_lengths_share_a_panel_for_each_curve():
    share, few = np.linspace(0, 1, 5), np.array([0.0, 1.0])
    runs = {"run 1, 50 steps": {"logit": (share, share), "variety": (share, 2 * share)},
            "run 2, 9 steps": {"logit": (few, np.array([0.0, -9.0])), "variety": (few, few)}}  # fmt: skip
    logit, variety = plots_gan.flight(runs, "t").axes
    assert [axes.get_title(loc="left") for axes in (logit, variety)] == ["logit", "variety"]
    assert (logit.get_yscale(), variety.get_yscale()) == ("symlog", "linear")
    assert [len(line.get_xdata()) for line in variety.lines] == [5, 2]
    names = [text.get_text() for text in logit.figure.legends[0].get_texts()]
    assert names == list(runs)


def test_panels_are_named_above_and_below_and_differences_have_a_scale():
    picture = np.zeros((40, 90, 3), np.uint8)
    figure = plots_translation.panels(picture, ["T1w", "T2w", "back"], ["", "minus source", "x"], 0.3, "t")
    axes, scale = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["T1w", "T2w", "back"]
    assert list(axes.get_xticks()) == [15, 45, 75]
    assert [text.get_text() for text in axes.texts] == ["", "minus source", "x"]
    assert scale.get_xticklabels()[0].get_text() == "−0.3, darker"
    assert figure.alt == "t. Above: T1w, T2w, back. Below: minus source, x, ±0.3."
    assert figure._repr_png_().startswith(b"\x89PNG")
