"""Sentences of notebook 03: each comes out otherwise when the numbers do."""

import numpy as np
import pytest

from medgen_course.course.answers import gan as answers_gan
from medgen_course.training.recorder import Recording

ROW = {"value": 1.2, "low": 1.1, "high": 1.3, "best": 1.0}


def test_samples_stand_beside_real_images_in_three_groups():
    report = {"density": ROW, "recall": ROW | {"best": 1.5}, "frechet": ROW, "coverage": ROW | {"best": 1.2}}
    told = answers_gan.beside_real(report, {"frechet"})
    assert "worse than new real images in recall, frechet; better in density; a tie in coverage" in told


def test_slopes_speak_of_a_flat_loss_only_where_one_is():
    assert "999 times" in answers_gan.slopes(0.999, 0.001) and "next to nothing" in answers_gan.slopes(1, 0.1)
    assert "about as steep" in answers_gan.slopes(0.5, 0.5)


def test_a_higher_density_is_explained_in_part():
    moved = [{"density": 1.0, "recall": 0.95}, {"density": 1.4, "recall": 0.9}]
    told = answers_gan.density(ROW, 0.6, (0.44, 0.56), (1.5, 0.5), moved)
    assert "you get 1.10: that explains 50% of the difference" in told and "recall also falls" in told
    moved[1]["recall"] = 0.945
    told = answers_gan.density(ROW | {"best": 1.2}, 0.6, (0.44, 0.56), (1.5, 0.5), moved)
    assert "explains" not in told and "recall hardly changes" in told


def recording(gap: float, pull: float, grey: list[int], variety: float) -> Recording:
    samples = np.stack([np.full((8, 1, 28, 28), level, np.uint8) for level in grey])
    ends = {"variety": [0.0, variety], "density": [0.0, 0.5], "coverage": [0.0, 0.2]}
    curves = {"real": np.array([0, gap, gap, gap]), "fake": np.zeros(4), "grad/generator": np.full(4, pull)}
    moments, logits = np.array([1, 4]), np.zeros((2, 4), np.float32)
    metrics = {name: np.array(values) for name, values in ends.items()}
    return Recording({}, curves, moments, samples, logits, logits, metrics)


def test_runs_are_told_by_what_was_measured():
    made = {"run 1": (1, 1.0, [100, 100, 100, 101], 0.2), "run 2": (1, 1.0, [1, 1, 1, 1], 0.05),
            "run 3": (9, 0.01, [1, 1, 1, 1], 0.1), "run 4": (1, 1.0, [0, 0, 0, 90], 0.2)}  # fmt: skip
    looks = {title: answers_gan.measured(recording(*args)) for title, args in made.items()}
    what = {title: title.upper() for title in made}
    assert looks["run 3"]["parted"] == 1 and looks["run 1"]["parted"] == -1 and looks["run 1"]["steps"] == 4
    told = answers_gan.runs(looks, what)
    for words in ("samples are alike", "apart after 1 steps", "gradient dies", "together swings", "by hand"):
        assert words in told
    told = answers_gan.runs(dict.fromkeys(looks, looks["run 1"]) | {"run 1": looks["run 1"]}, what)
    for words in ("are not alike", "at no step", "still has a gradient", "is steady"):
        assert words in told


def test_a_run_turns_down_against_means_of_its_own_kind():
    told = answers_gan.turned({"plain": [0.2, 0.6, 0.1], "augmented": [0.2, 0.74, 0.7]})
    assert "plain turns down: 0.600 at its highest, 0.100 at the end (17%)" in told
    assert "augmented does not turn down" in told


@pytest.mark.parametrize(("value", "word"), [(20.0, "less than"), (40.0, "more than"), (30.0, "(a tie)")])
def test_a_switch_of_the_class_is_held_against_another_code(value, word):
    rows = [{"value": v, "low": v - 1, "high": v + 1} for v in (value, 30.0, 60.0)]
    assert word in answers_gan.switched(*rows)
