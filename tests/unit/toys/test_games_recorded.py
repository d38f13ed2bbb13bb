"""The games that notebook 03 shows: every line of both tables, five seeds, equal updates of the generator."""

from collections import Counter

from medgen_course import pretrained
from medgen_course.models.gan_objectives import OBJECTIVES
from medgen_course.toys.settings import PUBLISHED, SAME


def test_every_game_was_played_with_the_same_budget():
    rows = pretrained.load_games()
    wanted = {("same", name, SAME.told()) for name in OBJECTIVES}
    wanted |= {("published", name, one.told()) for name, several in PUBLISHED.items() for one in several}
    lines = Counter((row["table"], row["objective"], row["settings"]) for row in rows)
    assert set(lines) == wanted and set(lines.values()) == {5}
    assert len({(row["generator_updates"], row["batch_size"]) for row in rows}) == 1
    for row in rows:
        one = next((s for s in PUBLISHED.get(row["objective"], ()) if s.told() == row["settings"]), SAME)
        steps = one.discriminator_steps or OBJECTIVES[row["objective"]].discriminator_steps
        assert row["discriminator_updates"] == steps * row["generator_updates"]


def test_what_notebook_03_says_of_the_games_holds():
    """Minimax finds all modes, the non-saturating game in two seeds; five steps of D help hinge alone."""
    found = {}
    for row in pretrained.load_games():
        found.setdefault((row["table"], row["objective"]), []).append(row["modes"])
    assert min(found["same", "minimax"]) == 8 and sorted(found["same", "non_saturating"]) == [0, 0, 0, 8, 8]
    assert max(found["published", "non_saturating"]) < 8 == min(found["published", "hinge"])
