"""TrustExplorer: the slider walks, maps and paths are computed once, numbers say what is shown."""

import re

import numpy as np
import pytest
import torch

from medgen_course import explorers
from medgen_course.batches.transforms import to_unit
from medgen_course.explorers import trust_view as view
from medgen_course.metrics.trust.counterfactuals import Path
from medgen_course.pictures.render_translation import LESION

SIDE, COUNT, STEPS = 20, 3, view.STEPS


def lesions():
    """Grey images with a bright square that makes class 1, the same without it, and where it is."""
    rng = np.random.default_rng(0)
    twins = rng.integers(60, 90, (COUNT, 1, SIDE, SIDE)).astype(np.uint8)
    images, masks = twins.copy(), np.zeros_like(twins)
    for i in range(COUNT):
        images[i, 0, 4 : 8 + i, 5:9], masks[i, 0, 4 : 8 + i, 5:9] = 200, 1
    return images, twins, masks


def classifier(x):
    """Log odds of class 1: more than 20 bright pixels are none, fewer than 8 are too few."""
    odds = (x > 0.6).float().sum((1, 2, 3)) - 8
    return torch.stack([torch.zeros_like(odds), odds], 1)


def fading(towards, calls):
    """A way that fades to other images, and notes how often it is walked."""

    def walk(image):
        calls.append(len(image))
        x = to_unit(torch.from_numpy(np.ascontiguousarray(image)))
        end = to_unit(torch.from_numpy(towards(image)))
        images = torch.stack([x + share * (end - x) for share in torch.linspace(0, 1, STEPS)])
        odds = classifier(images.flatten(0, 1)).softmax(1)[:, 1]
        return Path(images, odds.unflatten(0, (STEPS, 1)), torch.tensor([0]))

    return walk


def subject(known=True):
    images, twins, masks = lesions()
    calls = {"heal": [], "dark": [], "maps": []}

    def healed(image):
        return twins[[np.array_equal(image[0], other) for other in images].index(True)][None]

    def bright(image):
        calls["maps"].append(len(image))
        return image[0, 0] / 255 - 0.3

    walks = {"heal": fading(healed, calls["heal"]), "dark": fading(np.zeros_like, calls["dark"])}
    made = explorers.Subject(
        ("healthy", "lesion"), images, np.ones(COUNT, int), walks, {"brightness": bright},
        twins if known else None, masks if known else None,
    )  # fmt: skip
    return made, calls


@pytest.fixture
def explorer():
    return explorers.TrustExplorer(subject()[0])


def numbers(explorer):
    return [float(n) for n in re.findall(r"-?\d+\.\d+", explorer.picture.text)]


def test_the_slider_walks_from_the_image_to_its_twin(explorer):
    first, now, last, size, before, after = numbers(explorer)[:6]
    assert first == now > 0.9 and last < 0.1 and size == 0.0 and before == after > 0
    start = explorer.array.copy()
    explorer.place.value = 1.0
    first, now, last, size, before, end = numbers(explorer)
    assert now == last and size > 0 and before > 0 and end == 0.0
    assert "100% of it inside the outline" in explorer.picture.text
    assert (explorer.array != start).any()
    explorer.place.value = 0.5
    assert 0 < numbers(explorer)[-1] < before


def test_a_change_of_everything_lies_mostly_outside(explorer):
    explorer.walk.value, explorer.place.value = "dark", 1.0
    share = int(re.search(r"(\d+)% of it inside", explorer.picture.text)[1])
    assert share < 20 and numbers(explorer)[-1] > numbers(explorer)[-2]


def test_another_image_begins_at_its_start(explorer):
    explorer.place.value = 0.6
    before = explorer.array.copy()
    explorer.index.value = 1
    assert explorer.place.value == 0 and (explorer.array != before).any()
    assert explorer.picture.captions[0] == "image 1, lesion outlined"


def test_paths_and_maps_are_computed_once(explorer):
    made, calls = subject()
    explorer = explorers.TrustExplorer(made)
    for place in (0.2, 0.4, 1.0):
        explorer.place.value = place
    explorer.walk.value = "dark"
    explorer.index.value = 2
    explorer.index.value = 0
    explorer.walk.value = "heal"
    assert calls == {"heal": [1], "dark": [1, 1], "maps": [1, 1]}


def test_where_the_truth_is_unknown_nothing_is_outlined_or_claimed():
    explorer = explorers.TrustExplorer(subject(known=False)[0])
    explorer.place.value = 1.0
    assert "outline" not in explorer.picture.text and "twin" not in explorer.picture.text
    assert explorer.picture.captions[0] == "image 0, true class: lesion"
    assert explorer.picture.captions[3] == "no twin known"
    upper = explorer.array[: 200 // SIDE * SIDE]
    assert not (upper == LESION).all(2).any()


def test_other_images_bring_their_own_ways():
    few, _ = subject(known=False)
    ways = {"dark": few.walks["dark"]}
    few = explorers.Subject(few.classes, few.images[:1], few.labels[:1], ways, few.explain)
    explorer = explorers.TrustExplorer({"known": subject()[0], "unknown": few})
    explorer.index.value, explorer.place.value = 2, 0.5
    explorer.subject.value = "unknown"
    assert (explorer.index.value, explorer.index.max, explorer.place.value) == (0, 0, 0)
    assert list(explorer.walk.options) == ["dark"] and explorer.picture.captions[3] == "no twin known"
    explorer.subject.value = "known"
    assert list(explorer.walk.options) == ["heal", "dark"] and explorer.index.max == COUNT - 1


def test_the_cursor_stands_on_the_curve():
    chart = view.frame(200, ("healthy", "lesion"))
    probability = np.linspace(1, 0, 11)
    for place in (0.0, 0.5, 1.0):
        drawn = view.curve(chart, probability, place)
        row, column = chart.place(place, 1 - place)
        assert (drawn[row, min(column, 199)] == view.CURSOR).all()
    assert chart.place(0, 1)[0] < chart.place(0, 0)[0]


def test_the_static_twin_is_the_same_array(explorer):
    explorer.place.value = 0.5
    figure = explorer.figure("a title")
    assert np.array_equal(figure.axes[0].images[0].get_array(), explorer.array)
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == list(explorer.picture.captions)
    assert "outline" in figure.legends[0].get_texts()[0].get_text()


def test_what_does_not_fit_is_refused_in_one_line():
    made, _ = subject()
    with pytest.raises(ValueError, match="0 subjects"):
        explorers.TrustExplorer({})
    names = ("classes", "images", "labels", "walks", "explain", "twins", "masks")
    given = {name: getattr(made, name) for name in names}
    for change in ({"walks": {}}, {"explain": {}}, {"labels": np.ones(2, int)}, {"masks": made.masks[:1]}):
        with pytest.raises(ValueError, match="expected") as error:
            explorers.Subject(**(given | change))
        assert "\n" not in str(error.value)
