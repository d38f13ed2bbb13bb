"""Bug hunts drawn from a seed: for each a pool of real mistakes, of which three are planted.

The check of a hunt (`check_gan_bug_hunt` and so on) knows its whole pool. What stands in a notebook is one
draw of the pool; `medgen release --seed-by-student` writes another one for each student.
"""

from medgen_course.exercises.hunts.draw import NAMES, Hunt, plant, pool, repaired, seed_of, with_mistakes

__all__ = ["NAMES", "Hunt", "plant", "pool", "repaired", "seed_of", "with_mistakes"]
