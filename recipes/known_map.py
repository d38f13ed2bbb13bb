"""Record each loss of CycleGAN switched off once, where the map is known: `make pretrained`.

Notebook 04 trains the same networks live, with one seed. Nothing is tuned for any of the rows: same networks,
images, step size and updates; the ablations of one seed start from the same weights.
"""

import torch

from medgen_course import pretrained
from medgen_course.files import write_json
from medgen_course.metrics import psnr
from medgen_course.toys import known_map

STEPS, SEEDS = (128, 384), (0, 1, 2, 3, 4)
FIGURES = ("psnr_ab", "psnr_ba", "cycle", "change", "order")


def discs(steps: int, seed: int, name: str) -> dict:
    """One ablation on discs."""
    learnt = known_map.learn(steps, seed, **known_map.ABLATIONS[name])
    figures = {figure: round(getattr(learnt, figure), 4) for figure in FIGURES}
    return {"world": "discs", "steps": steps, "seed": seed, "losses": name, **figures}


def clouds(steps: int, seed: int) -> dict:
    """The whole objective but for the identity loss, on clouds; also how far another cloud is."""
    learnt = known_map.learn(steps, seed, known_map.clouds)
    figures = {figure: round(getattr(learnt, figure), 4) for figure in FIGURES}
    another = float(psnr(learnt.truth.roll(1, 0), learnt.truth).mean())
    name = "no identity loss"
    return {"world": "clouds", "steps": steps, "seed": seed, "losses": name, **figures, "another": another}


def record() -> None:
    """Every ablation, number of steps and seed; what is done is stored after each seed."""
    recipe = {
        "steps": STEPS,
        "seeds": SEEDS,
        "images": known_map.COUNT,
        "held_out": known_map.HELD_OUT,
        "batch_size": known_map.BATCH,
        "learning_rate": known_map.RATE,
        "losses": known_map.ABLATIONS,
    }
    runs = []
    for steps in STEPS:
        for seed in SEEDS:
            runs += [discs(steps, seed, name) for name in known_map.ABLATIONS]
            runs.append(clouds(steps, seed))
            print(steps, seed, [run["psnr_ab"] for run in runs[-6:]], flush=True)
            write_json(pretrained.known_map_path(), {"recipe": recipe, "runs": runs})


if __name__ == "__main__":
    torch.set_num_threads(1)
    record()
