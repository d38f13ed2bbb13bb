"""Sentences of notebook 04: each comes out otherwise when the numbers do."""

import numpy as np
import pytest

from medgen_course.course.answers import cyclegan as answers


def row(value, spread=0.01):
    return {"value": value, "low": value - spread, "high": value + spread}


@pytest.mark.parametrize(
    ("without", "words"),
    [([30, 31], "pulls the wrong way"), ([10, 11], "still it helped"), ([19, 22], "no difference beyond")],
)
def test_what_the_identity_loss_did_is_read_off_the_seeds(without, words):
    told = answers.ablations("all three", [], "all three", (1, 2), {"the identity loss": ([20, 21], without)})
    assert words in told and "before the other three in every seed" in told
    assert "a tie with x" in answers.ablations("y", ["x"], "y", (1, 2), {"the identity loss": ([1], [2])})


@pytest.mark.parametrize(
    ("like", "words"), [(0.7, "bright stayed bright"), (-0.9, "bright became dark"), (0.0, "neither")]
)
def test_the_map_that_clouds_found_has_a_name(like, words):
    one = np.array([12.0, 35.0])
    assert words in answers.clouds(one, one, one / 1000, 1, like)


def test_a_message_is_held_against_maps_without_a_cycle_loss():
    sigmas, honest = (0.0, 0.02, 0.04), [0.0, 0.0, 0.0]
    echo = {"CycleGAN": [0.8, 0.6, 0.2], "pix2pix": [0.6, 0.4, 0.2], "from the true T2w": honest}
    told = answers.message(echo, sigmas, (0.02, 0.02))
    assert "75% of it comes back without any cycle loss" in told and "leaves 0.60" in told
    assert "half of it is left at σ 0.030, 1.5 times its strength" in told
    echo |= {"pix2pix": [0.2, 0.1, 0.1], "CycleGAN": [0.8, 0.8, 0.7]}
    told = answers.message(echo, sigmas, (0.02, 0.02))
    assert "only 25%" in told and "no σ tried covers half of it" in told


def test_what_comes_back_around_a_lesion_is_held_against_habit():
    around = {"0 %": row(0.23), "100 %": row(0.17), "true": row(0.03), "difference": row(0.06)}
    told = answers.back_again(row(0.6), row(0.9), row(0.63), (row(0.4), row(0.84), 82), around)
    for words in ("more than T2w held", "closes around them too", "%), stands out from that habit"):
        assert words in told
    around["difference"] = row(0.0)
    told = answers.back_again(row(0.6), row(0.6), row(0.6), (row(0.4), row(0.3), 82), around)
    for words in ("a tie", "most of them stay lost", "does not stand out from that habit"):
        assert words in told


def test_frame_and_inside_of_a_film():
    told = answers.whose("b", row(0.98), row(0.98), row(1.3), 0.14)
    for words in ("speaks for the lungs", "changes nothing beyond", "more than one inside", "14% of the"):
        assert words in told
    told = answers.whose("a", row(0.1), row(0.98), row(0.5), 0.14)
    for words in ("hardly lung", "lowers it", "less than one inside"):
        assert words in told


def test_shifts_are_explained_only_where_one_pixel_changes_more():
    assert "every second pixel" in answers.shifts(row(0.2), row(0.1), 1e-8)
    assert answers.shifts(row(0.1), row(0.2), 0.1) == answers.shifts(row(0.1), row(0.1), 0.1) == ""


def test_two_measures_may_have_two_winners():
    psnr = {"CycleGAN": row(27), "pix2pix": row(31)}
    assert "pix2pix wins both" in answers.two_measures(psnr, {"CycleGAN": 1.3, "pix2pix": 0.2})
    assert "CycleGAN the Fréchet distance" in answers.two_measures(psnr, {"CycleGAN": 0.1, "pix2pix": 0.2})


def test_who_is_found_out_is_counted_seed_by_seed():
    told = answers.found_out({"CycleGAN": [0.51, 0.56], "pix2pix": [0.7, 1.0]}, 0.035)
    assert "beyond chance in 1 of 2 seeds" in told and "0.85 (0.7 to 1), beyond chance in 2 of 2" in told
