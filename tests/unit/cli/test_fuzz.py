"""Forty cases of the fuzz; `python bench/fuzz.py --minutes 30 --seed 0` goes on with more."""

from itertools import islice

import pytest
from fuzzing import World, cases


@pytest.mark.filterwarnings("default")
def test_damage_is_told_in_one_line_or_makes_no_difference(tmp_path):
    world = World(tmp_path)
    try:
        wrong = {told: what for told, what in islice(cases(world, seed=0), 40) if what}
    finally:
        world.close()
    assert not wrong
