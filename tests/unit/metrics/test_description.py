"""Descriptions: numbers of drawn heads, intervals that hold as often as they say, sentences and silence."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from medgen_course import phantom
from medgen_course.metrics import description, statements
from medgen_course.phantom import COLUMN


def drawn(split, seed, count=120, faint=0.3):
    """Slices, and maps as a segmenter might make them: lesions blurred and more or less sure of."""
    made = phantom.generate(count, 64, seed=seed, split=split)
    rng = np.random.default_rng(seed)
    noise = gaussian_filter(rng.standard_normal((count, 64, 64)), (0, 1.5, 1.5))
    sure = rng.uniform(faint, 1.4, (count, 1, 1))
    lesion = (gaussian_filter(made.masks[:, 0].astype(float), (0, 1, 1)) * sure + 0.3 * noise).clip(0, 1)
    row, column = np.mgrid[:64, :64]
    middle = (abs(column - 32) < 14) & (abs(row - 32) < 20)
    return made, np.stack([lesion, (made.t2w[:, 0] > 200) & middle], 1)


@pytest.fixture(scope="module")
def described():
    """Estimates and truth of slices to learn lines from, to set widths on, to try them on."""
    parts = [drawn("train", 1), drawn("val", 2, 200), drawn("val", 3, 200)]
    measured = [description.measure(made.t2w, maps) for made, maps in parts]
    truth = [description.true_numbers(made.factors) for made, _ in parts]
    lines = description.Lines.fit(measured[0], truth[0])
    return [lines(each) for each in measured], truth


def test_tilt_is_geometry():
    """No training: the main axis of heads follows their rotation, to either side."""
    for contrast in ("t1w", "t2w"):
        table = phantom.draw_factors(40, 3)
        made = phantom.generate(factors=table)
        found = description.head(getattr(made, contrast)).tilt
        off = np.abs(found - table[:, COLUMN["rotation"]])
        assert off.mean() < 1 and off.max() < 4
        assert np.corrcoef(found, table[:, COLUMN["rotation"]])[0, 1] > 0.99


def test_a_place_in_the_head_does_not_turn_with_it():
    table = phantom.draw_factors(60, 4, lesion_prevalence=1.0)
    made = phantom.generate(factors=table)
    outline = description.head(made.t2w)
    place = np.array([np.argwhere(mask[0]).mean(0) for mask in made.masks])
    x, y = description.in_head(place, 64, outline).T
    truth = description.true_numbers(table)
    assert np.abs(x - truth["x"]).max() < 6 and np.abs(y - truth["y"]).max() < 9
    assert (np.sign(x) == np.sign(truth["x"])).all()


def test_a_slice_without_a_region_has_no_place_and_a_low_score():
    made, maps = drawn("val", 5, 4)
    maps[0, 0], maps[1, 0, 20:24, 30:34] = 0, 1
    found = description.measure(made.t2w, maps)
    assert np.isnan(found["x"][0]) and np.isfinite(found["x"][1])
    assert found["score"][0] < -10 < 10 < found["score"][1]


@pytest.mark.parametrize(
    ("n", "level", "rank"), [(9, 0.9, 9), (19, 0.9, 18), (199, 0.5, 100), (9, 0.95, None)]
)
def test_the_half_width_is_a_rank(n, level, rank):
    residuals = np.random.default_rng(0).permutation(np.arange(1.0, n + 1)) * (-1) ** np.arange(n)
    width = description.half_width(np.append(residuals, np.nan), level)
    assert width == (np.inf if rank is None else rank)


def test_intervals_hold_as_often_as_they_say_whatever_the_errors_are_like():
    rng = np.random.default_rng(0)
    for draw in (rng.standard_normal, lambda n: rng.exponential(1, n) ** 3):
        held = [np.mean(np.abs(draw(200)) <= description.half_width(draw(30), 0.8)) for _ in range(300)]
        assert 0.8 <= np.mean(held) + 0.01 and np.mean(held) < 0.85


def test_p_values_are_uniform_or_larger_for_the_own_class():
    rng = np.random.default_rng(0)
    own = np.concatenate([description.p_values(*rng.random((2, 50)), above=True) for _ in range(100)])
    for level in (0.05, 0.1, 0.3):
        assert (own <= level).mean() <= level + 0.02
    assert description.p_values(np.arange(9.0), np.array([99.0, -99.0]), above=True).tolist() == [0.1, 1.0]
    assert description.p_values(np.arange(9.0), np.array([99.0, -99.0]), above=False).tolist() == [1.0, 0.1]


def test_estimates_are_near_and_their_intervals_hold(described):
    estimates, truth = described
    told = statements.Calibrated.on(estimates[1], truth[1], 0.9).tell(estimates[2])
    for name in description.NUMBERS:
        share = statements.covered(told[name], truth[2][name])
        assert share["low"] <= 0.95 and share["high"] >= 0.85
    wider = statements.Calibrated.on(estimates[1], truth[1], 0.98)
    narrow = statements.Calibrated.on(estimates[1], truth[1], 0.5)
    assert all(wider.widths[name] > narrow.widths[name] for name in description.NUMBERS)


def test_what_is_said_is_right_more_often_than_what_is_left_unsaid(described):
    estimates, truth = described
    told = statements.Calibrated.on(estimates[1], truth[1], 0.9).tell(estimates[2])
    right = statements.true_sides(truth[2])
    for name in ("tilt", "lesion"):
        counted = statements.judge(told[name], right[name])
        assert counted["spoken"]["value"] > 0.5 and counted["wrong"]["value"] < 0.1
        assert counted["wrong_if_forced"]["value"] > counted["all_forced"]["value"]
    nothing = statements.Told(np.zeros(2, int), np.zeros(2, int), *np.full((2, 2), np.nan))
    empty = statements.judge(nothing, np.array([1, 0]))
    assert empty["spoken"]["value"] == 0 and empty["wrong"]["value"] is empty["all_forced"]["value"] is None


def test_silence_where_the_interval_holds_both_sides():
    truth = {"tilt": np.zeros(20), "ventricles": np.zeros(20), "x": np.append(np.ones(10), [np.nan] * 10)}
    truth["y"] = truth["x"]
    off = np.linspace(-1, 1, 20)
    estimates = {name: value + off for name, value in truth.items()}
    estimates["score"] = np.append(np.arange(10) + 5.0, np.arange(10) - 5.0)
    made = statements.Calibrated.on(estimates, truth, 0.8)
    new = {"tilt": [5, -5, 0.1], "ventricles": [1, -1, 0.07], "x": [20, 3, np.nan], "y": [-20, -0.2, np.nan]}
    new = {name: np.array(values) for name, values in (new | {"score": [12.0, 11.0, 4.5]}).items()}
    told = made.tell(new)
    assert told["tilt"].said.tolist() == told["ventricles"].said.tolist() == [1, -1, 0]
    assert told["lesion"].said.tolist()[:2] == [1, 1] and told["x"].said.tolist() == [1, 1, 0]
    assert told["y"].said.tolist() == [-1, 0, 0]
    first, second = statements.sentences(told, new, 0)
    assert "turned counter-clockwise by 5° (4 to 6°)" in first and "larger than usual" in first
    assert second.startswith("There is a lesion; right (") and "back (" in second
    first, second = statements.sentences(told, new, 2)
    assert "Which way the head is turned cannot be told" in first and "large or small cannot be told" in first
    assert "There is a lesion; " not in second and "in front or back cannot" not in second
    assert "in front or back cannot be told" in statements.sentences(told, new, 1)[1]


def test_a_score_unlike_either_class_is_left_unsaid():
    made = statements.Calibrated(
        dict.fromkeys(description.NUMBERS, 1.0), np.arange(40.0), np.arange(40.0) + 100, 0.9
    )
    new = dict.fromkeys(description.NUMBERS, np.zeros(4)) | {"score": np.array([20.0, 120.0, 70.0, -50.0])}
    assert made.tell(new)["lesion"].said.tolist() == [-1, 1, 0, -1]
    both = statements.Calibrated(made.widths, np.arange(40.0), np.arange(40.0) + 2, 0.9).tell(new)
    assert both["lesion"].said[0] == 0


@pytest.mark.parametrize(
    "images", [np.zeros((2, 3, 8, 8), np.uint8), np.ones((2, 1, 8, 8)), np.zeros((1, 1, 8, 8), np.uint8)]
)
def test_what_is_no_head_is_refused(images):
    with pytest.raises(ValueError, match=r"grey images|no pixel brighter") as error:
        description.head(images)
    assert "\n" not in str(error.value)
