"""Draws three mistakes from a pool and writes the cells that contain them."""

import hashlib
import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from medgen_course.exercises.hunts import anomaly, cyclegan, few_labels, gan, growing, measure, trust, vae

_FILES = {
    "anomaly": anomaly,
    "cyclegan": cyclegan,
    "few_labels": few_labels,
    "gan": gan,
    "growing": growing,
    "measure": measure,
    "trust": trust,
    "vae": vae,
}
NAMES = tuple(_FILES)
PLANTED = 3


@dataclass(frozen=True)
class Pool:
    """All mistakes of one hunt.

    Args:
        name: which hunt.
        mistakes: key -> what the mistake does, a sentence for the teacher.
        own: the three keys that the notebook itself has.
        cells: chosen keys -> sources of the notebook's stub cells, each at most 15 lines.
        draws: every choice of three keys that may be planted together.
    """

    name: str
    mistakes: dict[str, str]
    own: tuple[str, ...]
    cells: Callable[[frozenset[str]], tuple[str, ...]]
    draws: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Hunt:
    """One hunt as a student gets it.

    Args:
        name: which hunt.
        mistakes: the three keys that are planted.
        cells: sources of the notebook's stub cells, which replace them one by one.
        key: key -> what the mistake does; for the teacher.
    """

    name: str
    mistakes: tuple[str, ...]
    cells: tuple[str, ...]
    key: dict[str, str]


def pool(name: str) -> Pool:
    """The mistakes of one hunt.

    Args:
        name: one of `NAMES`.
    Raises:
        ValueError: there is no such hunt; the message lists those that there are.
    """
    if name not in _FILES:
        raise ValueError(f"no bug hunt is called {name!r}; there are {', '.join(NAMES)}")
    file = _FILES[name]
    parts = getattr(file, "PARTS", None)  # where the check names the part, one mistake is planted in each
    draws = itertools.product(*parts) if parts else itertools.combinations(file.MISTAKES, PLANTED)
    return Pool(name, file.MISTAKES, file.OWN, file.cells, tuple(draws))


def plant(name: str, seed: int) -> Hunt:
    """Draw a hunt: the same seed gives the same hunt on every machine.

    Args:
        name: one of `NAMES`.
        seed: any integer, for a student `seed_of(student)`.
    Raises:
        ValueError: there is no such hunt.
    """
    return with_mistakes(name, random.Random(f"{name} {seed}").choice(pool(name).draws))


def with_mistakes(name: str, mistakes: Iterable[str]) -> Hunt:
    """The hunt with just these mistakes.

    Args:
        name: one of `NAMES`.
        mistakes: keys of `pool(name).mistakes`.
    Raises:
        ValueError: there is no such hunt, or it has no such mistake.
    """
    known, chosen = pool(name), tuple(mistakes)
    if unknown := set(chosen) - set(known.mistakes):
        raise ValueError(f"{name} has no mistakes {sorted(unknown)}; it has {', '.join(known.mistakes)}")
    return Hunt(name, chosen, known.cells(frozenset(chosen)), {key: known.mistakes[key] for key in chosen})


def repaired(name: str) -> tuple[str, ...]:
    """The cells without a mistake.

    Raises:
        ValueError: there is no such hunt.
    """
    return with_mistakes(name, ()).cells


def seed_of(student: str, salt: str = "") -> int:
    """A student's seed, the same on every machine.

    Args:
        student: a name or number, as the roster has it.
        salt: a word that you keep to yourself and change each term, so that nobody can work out who got what.
    Returns:
        An integer from 0 to 2**32 - 1.
    """
    return int(hashlib.sha256(f"{salt}\0{student}".encode()).hexdigest()[:8], 16)
