"""Tables of what was measured: `make report`. Each function measures, prints a table and stores it as CSV.

python recipes/report.py [TABLE ...]      default: every table
"""

import csv
import io
import sys
import time

import torch

from medgen_course import mixture, pretrained
from medgen_course.checkpoints import write_text
from medgen_course.models.gan_objectives import OBJECTIVES

SEEDS, EPOCHS = range(5), 6


def game() -> None:
    """Every objective on eight Gaussians, five seeds: modes found, share of points near one, seconds."""
    rows = []
    for objective in OBJECTIVES:
        for seed in SEEDS:
            started = time.perf_counter()
            _, seen = mixture.play(objective, seed, EPOCHS)
            modes, near = mixture.modes_found(seen[-1])
            seconds = time.perf_counter() - started
            rows.append({"objective": objective, "seed": seed, "modes": modes, "near": round(near, 4)})
            print(
                f"{objective:15} seed {seed}: {modes} modes, {near:.0%} near one, {seconds:.1f} s", flush=True
            )
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(pretrained.mixture_path(), text.getvalue())


TABLES = {"game": game}


if __name__ == "__main__":
    torch.set_num_threads(1)  # so small a network gains nothing from a second one
    for name in sys.argv[1:] or TABLES:
        TABLES[name]()
