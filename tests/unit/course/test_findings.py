"""From figures to sentences: ties are called ties, tables hold what they are given, folds hide figures."""

import re

import pytest

from medgen_course.course import findings, reading
from medgen_course.pictures import plots


def row(low, high):
    return {"value": (low + high) / 2, "low": low, "high": high}


def test_intervals_that_touch_are_a_tie():
    assert findings.apart(row(0, 1), row(2, 3)) and findings.apart(row(2, 3), row(0, 1))
    assert not findings.apart(row(0, 1), row(1, 2)) and not findings.apart(row(0, 3), row(1, 2))
    assert findings.differ(row(1, 2)) and findings.differ(row(-2, -1)) and not findings.differ(row(-1, 2))


def test_a_gain_that_seeds_disagree_about_is_a_tie():
    assert findings.gain([3, 4], [1, 1]) == "+2.5 dB (+2.0 to +3.0 over 2 seeds)"
    assert findings.gain([3, 0], [1, 1], "points") == "a tie: +0.5 points (-1.0 to +2.0 over 2 seeds)"


def test_the_best_names_whom_it_does_not_beat_in_every_seed():
    values = {"x": [1, 2], "y": [5, 6], "z": [4, 7]}
    assert findings.best_of(values) == ("y", ["z"])  # means 5.5 both: the first one, and z is a tie
    assert findings.best_of({"x": [1, 2], "y": [5, 6]}) == ("y", [])


@pytest.mark.parametrize(("value", "letter"), [(0.1, "a"), (0.375, "b"), (0.7, "b"), (0.9, "c"), (-1, "a")])
def test_letters_of_ranges(value, letter):
    assert findings.step_letter(value, (0.375, 0.75)) == letter


@pytest.mark.parametrize(
    ("low", "high", "letter"),
    [(0.1, 0.3, "a"), (0.4, 0.7, "b"), (0.3, 0.4, "d"), (0.1, 0.9, "d"), (0.8, 1, "c")],
)
def test_an_interval_that_crosses_a_bound_has_a_letter_of_its_own(low, high, letter):
    assert findings.sure_letter(row(low, high), (0.375, 0.75)) == letter


def test_what_was_not_counted_is_a_dash():
    assert findings.say({"value": None, "low": None, "high": None}) == "–"


def test_figures_of_methods_as_a_table():
    made = findings.figures({"<one>": {"ssim": row(0.1, 0.3)}}, {"ssim": "SSIM"}, "a note", "Two & one")
    shown = made._repr_html_()
    assert made.rows == {"<one>": ["0.2 (0.1 to 0.3)"]}
    assert "&lt;one&gt;" in shown and "Two &amp; one" in shown and "a note" in shown
    assert repr(made).splitlines() == ["Two & one", " | SSIM", "<one> | 0.2 (0.1 to 0.3)", "a note"]


def test_a_fold_holds_its_figures_and_tables():
    figure = plots.lines([1, 2], {"y": [1, 2]}, "x", "y", "It rises")
    table = findings.Table(["", "value"], {"one": ["1"]})
    shown = reading.reveal("<b>a.</b>", shown=[figure, table]).data
    folded = shown[shown.index("<details") : shown.index("</details>")]
    assert re.search(r'<img alt="[^"]+" src="data:image/png;base64,[A-Za-z0-9+/=]{100,}">', folded)
    assert "<table>" in folded and "Show the answer" in folded
