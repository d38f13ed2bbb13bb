"""Growing against full size, from a table that was made up: means, ranges, who is ahead, and when."""

import numpy as np
import pytest

from medgen_course.course.tables import growing as tables_growing

SMALL, LARGE = (way for way in tables_growing.WAYS if way != "growing")
ROWS = [(-1, 0, 0, 0.45, 0.01)]
for seed in (0, 1):
    for at in (10, 20):
        ROWS += [(0, seed, at, at / 100 + seed / 100, 0.05), (2, seed, at, 0.0, 0.06)]
        ROWS += [(1, seed, at, at / 50 + seed / 100, 0.02 + 0.05 * seed)]
NAMES = ("way", "seed", "seconds", "coverage", "sliced_64")
TABLE = dict(zip(NAMES, np.array(ROWS, dtype=float).T, strict=True))
TABLE["weights"] = np.where(TABLE["way"] == 0, 276.0, 261.0)


def test_means_over_the_seeds_stand_at_their_seconds():
    seconds, means = tables_growing.over_time(TABLE, "coverage")
    assert seconds == {way: [10, 20] for way in tables_growing.WAYS}
    assert means["growing"] == pytest.approx([0.105, 0.205])


def test_ahead_says_a_tie_where_seeds_overlap():
    assert tables_growing.ahead(TABLE, "coverage") == SMALL  # 0.40 to 0.41 against 0.20 to 0.21
    assert tables_growing.ahead(TABLE, "sliced_64") == "a tie"
    lower = TABLE | {"sliced_64": np.where(TABLE["way"] == 0, 0.01, 0.04)}
    assert tables_growing.ahead(lower, "sliced_64") == "growing"
    copying = TABLE | {"memorisation": TABLE["coverage"]}
    assert tables_growing.ahead(copying, "memorisation") == "–"  # little of it is no merit


def test_the_table_has_ranges_real_images_and_the_budget():
    table = tables_growing.ends(TABLE, {"coverage": "coverage"})
    assert table.rows["coverage"] == [
        "0.205 (0.2 to 0.21)", "0.405 (0.4 to 0.41)", "0 (0 to 0)", "0.45", SMALL,
    ]  # fmt: skip
    assert all(
        words in table.note for words in ("2 seeds", "20 seconds", "growing 276; DCGAN, steps of 0.0002 261")
    )


def test_time_to_half_of_the_highest():
    found = tables_growing.time_to_half(TABLE)  # half of 0.41
    assert found == {"growing": [np.inf, 20.0], SMALL: [20.0, 10.0], LARGE: [np.inf, np.inf]}
    assert tables_growing.told(found) == f"growing: never, 20; {SMALL}: 20, 10; {LARGE}: never, never"


def test_ways_of_another_table_have_their_own_names():
    ways = {"small": 0, "large": 1}
    assert tables_growing.ahead(TABLE, "coverage", ways) == "large"
    table = tables_growing.ends(TABLE, {"coverage": "coverage"}, ways)
    assert table.columns == ["", "small", "large", "real, held out", "ahead"]
    assert "small 276; large 261" in table.note


def test_who_is_ahead_in_what():
    won = {"recall": "growing", "coverage": "a tie", "density": "growing"}
    assert tables_growing.by_winner(won) == "growing: recall, density; a tie: coverage"
    assert tables_growing.sliced_sides(TABLE | {"sliced_8": TABLE["sliced_64"]}) == [64, 8]
