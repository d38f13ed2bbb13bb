"""Every game on eight Gaussians, five seeds, equal settings and published ones: a JSON for notebook 03.

    python recipes/games.py

Each row names its budget. Rows that are there already are not played again, so it can be stopped at any time.
"""

import time

import torch

from medgen_course import pretrained
from medgen_course.files import write_json
from medgen_course.models.gan_objectives import OBJECTIVES
from medgen_course.toys import mixture
from medgen_course.toys.settings import PUBLISHED, SAME, Settings
from medgen_course.training.checkpoints import read_json

SEEDS, UPDATES = range(5), 2000


def plan() -> list[tuple[str, str, Settings]]:
    """(table, game, settings) of every row of the two tables."""
    same = [("same", name, SAME) for name in OBJECTIVES]
    return same + [("published", name, one) for name, several in PUBLISHED.items() for one in several]


def row(table: str, objective: str, settings: Settings, seed: int) -> dict:
    """One game, with what it cost."""
    started = time.process_time()
    algorithm, seen = mixture.play(objective, seed, UPDATES, settings=settings)
    modes, near = mixture.modes_found(seen[-1])
    return {
        "table": table, "objective": objective, "settings": settings.told(), "source": settings.source,
        "seed": seed, "generator_updates": UPDATES, "discriminator_updates": UPDATES * algorithm.every,
        "modes": modes, "near": round(near, 4), "cpu_seconds": round(time.process_time() - started, 1),
    }  # fmt: skip


def main() -> None:
    """Play what is missing, and write after each game."""
    target = pretrained.games_path()
    rows = read_json(target)["rows"] if target.is_file() else []
    done = {(r["table"], r["objective"], r["settings"], r["seed"]) for r in rows}
    for seed in SEEDS:
        for table, objective, settings in plan():
            if (table, objective, settings.told(), seed) not in done:
                rows.append(row(table, objective, settings, seed))
                write_json(target, {"recipe": "recipes/games.py", "rows": rows})
                print(rows[-1], flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)  # so small a network gains nothing from a second one
    main()
