"""AnomalyExplorer: every control changes what it should, and says in numbers what the picture shows."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from medgen_course import explorers
from medgen_course.datasets.anomalies import phantom_anomalies
from medgen_course.explorers import anomaly_view as view
from medgen_course.metrics.anomaly import Detector, Scored, baselines

TASK = phantom_anomalies(28, counts=(64, 1, 1))


def detectors():
    gaussian, subspace = baselines.PixelGaussian.fit(TASK.train), baselines.Subspace.fit(TASK.train, 8)
    return {
        "Gaussian": Detector(gaussian.score).by_peak,
        "PCA": Detector(subspace.residual, subspace.rebuilt),
        "Mahalanobis": Detector(subspace.mahalanobis),
    }


@pytest.fixture
def explorer():
    return explorers.AnomalyExplorer(detectors(), TASK.val, size=28)


def score(explorer):
    return float(re.search(r"score (\S+),", explorer.picture.text).group(1))


def test_a_stronger_lesion_scores_higher_and_none_has_no_mask(explorer):
    explorer.radius.value, explorer.fraction.value = 12, 0.9
    strong, (image, mask, fits) = score(explorer), explorer.slice()
    assert fits and mask.any() and "outlined" in explorer.picture.captions[0]
    explorer.fraction.value = 0
    assert score(explorer) < strong and not explorer.slice()[1].any()
    assert "outlined" not in explorer.picture.captions[0]
    changed = image != explorer.slice()[0]
    assert changed.any() and changed[mask == 0].mean() < 0.05


def test_the_lesion_goes_where_the_sliders_say(explorer):
    places = []
    for x in (-30, 30):
        explorer.x.value = x
        places.append(np.nonzero(explorer.slice()[1][0, 0])[1].mean())
    assert places[0] < 14 < places[1]
    explorer.radius.value, explorer.x.value, explorer.y.value = 2, 50, 60
    assert not explorer.slice()[1].any() and "no brain tissue" in explorer.notice.value
    explorer.x.value, explorer.y.value = 30, 0
    assert explorer.notice.value == ""


def test_the_threshold_moves_the_counts_and_the_verdict(explorer):
    def counts():
        return list(map(int, re.findall(r"(\d+) (?:anomalous|missed|healthy f|left)", explorer.picture.text)))

    explorer.flagged.value = 0
    found, missed, false, alone = counts()
    assert false == 0 and found + missed == len(TASK.val.anomalous) and alone == len(TASK.val.healthy)
    explorer.flagged.value = 0.5
    assert counts()[0] >= found and counts()[2] == len(TASK.val.healthy) // 2
    threshold = float(re.search(r"threshold (\S+):", explorer.picture.text).group(1))
    assert ("not flagged" in explorer.picture.text) == (score(explorer) <= threshold)


def test_the_figure_says_what_its_colours_mean(explorer):
    figure = explorer.figure("a title")
    labels = [tick.get_text() for tick in figure.axes[1].get_xticklabels()]
    assert labels[0] == "map: 0" and f"{explorer.measured['Gaussian'].limit:.2g}" in labels[1]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "outline; this slice's score",
        "threshold",
    ]


def test_each_score_has_its_own_panels_and_charts(explorer):
    seen = set()
    for name, words in (
        ("Gaussian", ("rebuilds nothing", "full colour")),
        ("PCA", ("reconstruction", "full colour")),
        ("Mahalanobis", ("rebuilds nothing", "no map")),
    ):
        explorer.detector.value = name
        assert all(word in " ".join(explorer.picture.captions) for word in words)
        seen.add(explorer.array.tobytes())
    assert len(seen) == 3


def test_an_own_picture_is_scored_and_put_away(explorer):
    buffer = io.BytesIO()
    Image.fromarray(np.tile(np.arange(60, dtype=np.uint8) * 4, (50, 1))).save(buffer, "PNG")
    before = score(explorer)
    explorer.upload.receive(buffer.getvalue(), "mine.png")
    assert explorer.picture.captions[0] == "your picture" and score(explorer) != before
    assert explorer.put_away.layout.display is None and "your picture" in explorer.notice.value
    explorer.upload.receive(b"nothing", "broken.png")
    assert "cannot be read" in explorer.notice.value and explorer.picture.captions[0] == "your picture"
    explorer.put_away.click()
    assert score(explorer) == before
    explorer.upload.receive(buffer.getvalue(), "mine.png")
    explorer.radius.value = 5
    assert explorer.picture.captions[0].startswith("slice 0")


def test_the_static_twin_is_the_same_array(explorer):
    figure = explorer.figure("a slice")
    assert np.array_equal(figure.axes[0].images[0].get_array(), explorer.array)


@pytest.mark.parametrize("given", [({}, 28), (None, 32)])
def test_what_does_not_fit_is_refused_in_one_line(given):
    chosen, size = given
    with pytest.raises(ValueError, match="expected a detector or more") as error:
        explorers.AnomalyExplorer(detectors() if chosen is None else chosen, TASK.val, size=size)
    assert "\n" not in str(error.value)


def test_the_lines_of_the_charts_stand_where_the_numbers_say():
    healthy, sick = np.arange(50.0), np.arange(50.0) + 30
    chart = view.distributions(healthy, sick, 300, 200)
    low, high = (chart.place(value, 0)[1] for value in (10.0, 60.0))
    assert 0 < low < high < 300
    drawn = view.with_lines(chart, 60.0, 10.0)
    assert (drawn[100, high] == view.HERE).all() and (drawn != chart.picture).any(2)[:, low].any()
    roc = view.roc(healthy, sick, 300, 200)
    row, column = roc.place(0.0, 1.0)
    assert (view.with_point(roc, 0.0, 1.0)[row, column] == view.HERE).all()
    assert row < roc.place(1.0, 0.0)[0] and column < roc.place(1.0, 0.0)[1]


def test_one_image_is_scored_for_a_move():
    calls = []

    def counted(images):
        calls.append(len(images))
        return Scored(images.mean((1, 2, 3)) * 1.0, images[:, 0] / 255)

    explorer = explorers.AnomalyExplorer({"mean": Detector(counted)}, TASK.val, size=28)
    calls.clear()
    explorer.x.value, explorer.radius.value = 10, 5
    assert calls == [1, 1]
