"""Hunts from a seed: each mistake is caught, each repair confirmed, and a class gets many."""

import ast
import itertools
import math

import nbformat
import numpy as np
import pytest
import torch
from test_exercises import verdict_of

from medgen_course import exercises, home
from medgen_course.exercises import hunts
from medgen_course.models import vae
from medgen_course.models.gan_objectives import squared_discriminator, squared_generator
from medgen_course.models.progressive_networks import double

CHECKS = {
    "anomaly": (exercises.check_anomaly_bug_hunt, "my_detector", "10_anomaly"),
    "cyclegan": (exercises.check_cyclegan_bug_hunt, "my_step", "04_cyclegan"),
    "few_labels": (exercises.check_few_labels_bug_hunt, "my_study", "12_few_labels"),
    "gan": (exercises.check_gan_bug_hunt, "my_step", "03_gan"),
    "growing": (exercises.check_growing_bug_hunt, "MyGrowing", "05_growing"),
    "measure": (exercises.check_measure_bug_hunt, "my_measure", "11_enhancement"),
    "trust": (exercises.check_trust_bug_hunt, "MyAudit", "13_trust"),
    "vae": (exercises.check_bug_hunt, "MyVAE", "02_vae"),
}
SUBSETS = [
    (name, kept)
    for name in hunts.NAMES
    for kept in sorted(
        {
            part
            for draw in hunts.pool(name).draws
            for count in range(4)
            for part in itertools.combinations(draw, count)
        }
    )
]


def verdict(name, cells, capsys):
    """What the check says to these cells, run as a notebook runs them."""
    given = {"exercises": type("Quiet", (), {"__getattr__": lambda self, _: lambda fn: fn})()}
    given |= {"avg_pool2d": torch.nn.functional.avg_pool2d, "double": double}
    given |= {"math": math, "np": np, "torch": torch, "vae": vae}
    given |= {"squared_discriminator": squared_discriminator, "squared_generator": squared_generator}
    for cell in cells:
        exec(compile(cell, "cell", "exec"), given)
    check, function, _ = CHECKS[name]
    return verdict_of(check, given[function], capsys)


@pytest.mark.parametrize(("name", "left"), SUBSETS)
def test_every_mistake_is_caught_and_every_repair_confirmed(name, left, capsys):
    """All draws, and all that is left of them on the way to the repair."""
    found = verdict(name, hunts.with_mistakes(name, left).cells, capsys)
    assert found.right == (not left)
    assert found.status == ("not yet right" if left else "right")
    assert found.message.count("\n- ") == len(left), found.message
    done = f"{3 - len(left)} of 3 repairs hold" if name == "vae" else f"{len(left)} of 3 mistakes remain"
    assert not left or found.message.startswith(done)


@pytest.mark.parametrize("name", hunts.NAMES)
def test_a_hint_belongs_to_its_mistake(name, capsys):
    """No two mistakes are told by the same words, and no hint quotes a line of the code."""
    hints = {}
    for key in hunts.pool(name).mistakes:
        cells = hunts.with_mistakes(name, [key]).cells
        hints[key] = verdict(name, cells, capsys).message.split("\n- ")[1]
        lines = {line.strip() for cell in cells for line in cell.splitlines()}
        assert not any(len(line) > 20 and line in hints[key] for line in lines)
    assert len({hint[:40] for hint in hints.values()}) >= len(hints) - 1  # one text has two numbers
    assert len(set(hints.values())) == len(hints)


@pytest.mark.parametrize("name", hunts.NAMES)
def test_a_class_of_sixty_gets_many_hunts(name):
    pool = hunts.pool(name)
    assert len(pool.mistakes) >= 6 and len(pool.draws) >= 20
    numbered = [hunts.plant(name, seed) for seed in range(60)]
    roster = [hunts.plant(name, hunts.seed_of(f"student{i:02}", "autumn")) for i in range(60)]
    for drawn in (numbered, roster):
        assert len({hunt.cells for hunt in drawn}) >= 15
        assert all(len(set(hunt.mistakes)) == 3 == len(hunt.key) for hunt in drawn)
    assert numbered[7] == hunts.plant(name, 7)


@pytest.mark.parametrize("name", hunts.NAMES)
def test_every_hunt_fits_a_notebook(name):
    for draw in [*hunts.pool(name).draws, ()]:
        for cell in hunts.with_mistakes(name, draw).cells:
            ast.parse(cell)
            lines = cell.splitlines()
            assert len(lines) <= 15 and max(map(len, lines)) <= 110, cell


@pytest.mark.parametrize("name", hunts.NAMES)
def test_the_notebook_shows_one_draw_of_the_pool(name):
    path = home.shipped("notebooks") / f"{CHECKS[name][2]}.ipynb"
    sources = [cell.source for cell in nbformat.read(path, as_version=4).cells]
    pool = hunts.pool(name)
    assert pool.own in pool.draws
    assert all(cell in sources for cell in hunts.with_mistakes(name, pool.own).cells)


def test_seeds_are_the_same_everywhere_and_depend_on_the_salt():
    assert hunts.seed_of("ada") == 602806853
    assert hunts.seed_of("ada", "spring") != hunts.seed_of("ada")


def test_unknown_names_are_explained():
    with pytest.raises(ValueError, match="'gam'; there are anomaly, cyclegan"):
        hunts.plant("gam", 0)
    with pytest.raises(ValueError, match=r"no mistakes \['x'\]; it has range"):
        hunts.with_mistakes("gan", ["x"])
