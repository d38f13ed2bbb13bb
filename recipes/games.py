"""Every game on eight Gaussians, five seeds, equal settings and published ones: a JSON for notebook 03.

    python recipes/games.py [HOW_MANY]

Each row names its budget. Games that are there already are not played again: it can be stopped at any time.
"""

import sys
import time

import torch

from medgen_course import pretrained
from medgen_course.files import write_json
from medgen_course.models.gan_objectives import OBJECTIVES
from medgen_course.toys import mixture
from medgen_course.toys.settings import PUBLISHED, SAME, Settings
from medgen_course.toys.side_by_side import play_several
from medgen_course.training.checkpoints import read_json

SEEDS, UPDATES, BATCH = range(5), 1000, 64


def plan() -> list[tuple[str, str, Settings]]:
    """(table, game, settings) of every line of the two tables."""
    same = [("same", name, SAME) for name in OBJECTIVES]
    return same + [("published", name, one) for name, several in PUBLISHED.items() for one in several]


def play(table: str, objective: str, settings: Settings) -> list[dict]:
    """A row for each seed, with what it cost."""
    started = time.process_time()
    steps = settings.discriminator_steps or OBJECTIVES[objective].discriminator_steps
    rows = []
    for seed, points in zip(SEEDS, play_several(objective, SEEDS, UPDATES, settings, BATCH), strict=True):
        modes, near = mixture.modes_found(points)
        rows.append({
            "table": table, "objective": objective, "settings": settings.told(), "source": settings.source,
            "seed": seed, "batch_size": BATCH, "generator_updates": UPDATES,
            "discriminator_updates": UPDATES * steps, "modes": modes, "near": round(near, 4),
        })  # fmt: skip
    print(table, objective, settings.told(), [(row["modes"], row["near"]) for row in rows],
          f"{time.process_time() - started:.0f} s", flush=True)  # fmt: skip
    return rows


def main() -> None:
    """Play what is missing, and write after each game; an argument says how many at most."""
    target = pretrained.games_path()
    rows = read_json(target)["rows"] if target.is_file() else []
    done = {(row["table"], row["objective"], row["settings"]) for row in rows}
    missing = [one for one in plan() if (one[0], one[1], one[2].told()) not in done]
    for table, objective, settings in missing[: int(sys.argv[1]) if sys.argv[1:] else None]:
        rows += play(table, objective, settings)
        write_json(target, {"recipe": "recipes/games.py", "rows": rows})


if __name__ == "__main__":
    torch.set_num_threads(1)  # so small a network gains nothing from a second one
    main()
