"""Record the hallucination lab of notebook 04: `make pretrained`.

Each translator is trained at 32 pixels and carried on at 64 (`recipes/finer.py`), on slices of the same
anatomies, and measured at 64.

    python recipes/lab.py [SEED ...]      default: all, then the table; what is in build/lab is taken as it is
"""

import itertools
import json
import sys
from pathlib import Path

import torch
from cyclegan import BATCH, SIZE, cyclegan, filled, run, translators
from finer import SIZE as FULL
from finer import finer
from pretrain import card

from medgen_course import datasets, pretrained
from medgen_course.batches.domains import UnpairedSampler
from medgen_course.datasets.domains import Domains, phantom_domains
from medgen_course.files import write_csv, write_json
from medgen_course.metrics.translation_eye import phantom_eye
from medgen_course.metrics.translators import evaluate_translators
from medgen_course.models.classifier import Classifier
from medgen_course.models.cyclegan_networks import ResNetGenerator
from medgen_course.models.local_enhancer import LocalEnhancer
from medgen_course.models.translators import Translators
from medgen_course.training.checkpoints import load_tensors, save_tensors

LAB = {
    "steps": 1500,
    "steps_64": 1000,
    "counts": (2048, 512, 512),
    "prevalences": (0.0, 0.5, 1.0),
    "seeds": (0, 1, 2),
}
BUILD = Path("build/lab")


def measured(pair: Translators, domains: Domains, eye: Classifier) -> dict[str, float]:
    """A network's figures on test slices; notebook 04 counts inventions itself, by a calibrated rule."""
    found = evaluate_translators(pair, domains, eye, "test")
    return {name: round(row["value"], 5) for name, row in found.items() if not name.startswith("invented")}


def one(share: float, seed: int) -> tuple[dict[str, float], Translators]:
    """One translator, its figures and its networks; from `BUILD`, if it was trained before."""
    place = BUILD / f"{share:g}-{seed}-{LAB['steps']}-{LAB['steps_64']}.json"
    if place.is_file():
        tensors, _ = load_tensors(place.with_suffix(".safetensors"))
        made = Translators(*(LocalEnhancer(ResNetGenerator(1, 1, SIZE)) for _ in "ba"))
        for to in made.directions:
            own = {k.removeprefix(f"{to}/"): v for k, v in tensors.items() if k.startswith(f"{to}/")}
            filled(made[to], own)
        return json.loads(place.read_text()), made
    small, domains = (phantom_domains(size, 0.5, share, LAB["counts"], seed) for size in (SIZE, FULL))
    algorithm = cyclegan(small, LAB["steps"], 0.0, seed)
    sampler = UnpairedSampler(small.train.a, small.train.b, BATCH)
    snapshots, seconds = run(algorithm, sampler, (LAB["steps"],), seed)
    coarse = translators(small, snapshots.kept[LAB["steps"]])
    moments, more = finer(coarse, domains, (LAB["steps_64"],), seed)
    pair = moments[LAB["steps_64"]]
    row = {"prevalence_b": share, "seed": seed, "seconds": round(seconds), "seconds_64": round(more)}
    row |= measured(pair, domains, phantom_eye(FULL))
    print(row, flush=True)
    tensors = {f"{to}/{k}": v.half() for to in pair.directions for k, v in pair[to].state_dict().items()}
    BUILD.mkdir(parents=True, exist_ok=True)
    save_tensors(place.with_suffix(".safetensors"), tensors)
    write_json(place, row)
    return row, pair


def lab(seeds: tuple[int, ...]) -> None:
    """Lesions in half of domain A and in 0, 50 or 100 % of B: what becomes of them in held-out slices."""
    rows, networks = [], {}
    for seed, share in itertools.product(seeds, LAB["prevalences"]):
        row, pair = one(share, seed)
        rows.append(row)
        if seed == LAB["seeds"][0]:
            networks |= {f"{share:g}/to_b": pair.to_b, f"{share:g}/to_a": pair.to_a}
    if seeds != LAB["seeds"]:
        return
    write_csv(pretrained.lab_path(), rows)
    recipe = {
        "images": LAB["counts"][0],
        "steps": LAB["steps"],
        "steps_64": LAB["steps_64"],
        "batch_size": BATCH,
        "prevalences_b": LAB["prevalences"],
        "seeds": LAB["seeds"],
        "domains": ["T1w", "T2w"],
    }
    about = card(
        datasets.load("phantom", size=FULL), networks["0/to_b"], recipe, {"table": pretrained.lab_path().name}
    )
    pretrained.save("phantom", "lab", networks, about, {})


if __name__ == "__main__":
    torch.set_num_threads(1)
    lab(tuple(map(int, sys.argv[1:])) or LAB["seeds"])
