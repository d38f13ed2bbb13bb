import numpy as np

from medgen_course.pictures import plots_points


def test_each_cloud_is_drawn_where_its_points_are_and_named_in_the_plot():
    clouds = {"codes": np.array([[0.0, 1.0], [2.0, 3.0]]), "prior": np.array([[5.0, 5.0]])}
    figure = plots_points.scatter(clouds, "z[0]", "z[1]", "Two clouds")
    [axes] = figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["codes", "prior"]
    assert [drawn.get_offsets().tolist() for drawn in axes.collections] == [[[0, 1], [2, 3]], [[5, 5]]]
    assert axes.get_xlabel() == "z[0]" and axes.get_title(loc="left") == "Two clouds"
    assert "codes, prior" in figure.alternative_text()
