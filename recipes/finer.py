"""Carry the phantom's translators on from 32 to 64 pixels, and the lab's: `make pretrained`.

    python recipes/finer.py [cyclegan | pix2pix]      default: both

A network for 64 pixels that begins with nothing makes 11 images a second on one thread here, and ended
further from the truth than this in all that was tried. So the networks of 32 pixels stay as they are, and a
`LocalEnhancer` learns what is left: three convolutions at full size. All choices were made on validation:
with the step size or the discriminator's channels doubled, SSIM was lower after as many seconds.
"""

import copy
import sys

import torch
from cyclegan import BATCH, COUNTS, SEED, filled, run
from pix2pix import BATCH as PAIRS
from pix2pix import learn_pairs
from pretrain import card

from medgen_course import datasets, pretrained
from medgen_course.batches.domains import UnpairedSampler
from medgen_course.datasets.domains import Domains, phantom_domains
from medgen_course.metrics.translation_eye import phantom_eye
from medgen_course.metrics.translators import baselines, evaluate_translators
from medgen_course.models.cyclegan import CycleGANAlgorithm
from medgen_course.models.local_enhancer import LocalEnhancer
from medgen_course.models.translators import Translators
from medgen_course.runs.translation import judge

SIZE, RATE, PAIRED_RATE = 64, 5e-4, 1e-3
MOMENTS = (0, 100, 400, 1600, 4000)


def finer(
    coarse: Translators, domains: Domains, moments: tuple[int, ...], seed: int
) -> tuple[dict[int, Translators], float]:
    """Both generators at 64 pixels after some updates, without pairs; also the seconds it took."""
    torch.manual_seed(seed)
    to_b, to_a = (LocalEnhancer(copy.deepcopy(coarse[to])) for to in ("b", "a"))
    judges = (judge(1, generator) for generator in (to_a, to_b))
    algorithm = CycleGANAlgorithm(
        to_b, to_a, *judges, lambda_identity=0.0, learning_rate=RATE, decay_steps=moments[-1]
    )
    start = Translators(*(copy.deepcopy(network).eval() for network in (to_b, to_a)))
    sampler = UnpairedSampler(domains.train.a, domains.train.b, BATCH)
    snapshots, seconds = run(algorithm, sampler, moments, seed)
    made = {0: start} if 0 in moments else {}
    for step, weights in snapshots.kept.items():
        made[step] = Translators(
            *(filled(copy.deepcopy(n), w) for n, w in zip((to_b, to_a), weights, strict=True))
        )
    return made, seconds


def ship(model: str, networks: dict, recipe: dict, pair: Translators, domains: Domains) -> None:
    """Store what was learnt at full size alone, and measure it together with the coarse networks."""
    data, eye = datasets.load("phantom", size=SIZE), phantom_eye(SIZE)
    test = {split: evaluate_translators(pair, domains, eye, split) for split in ("val", "test")}
    if model == "cyclegan_64":
        test["baselines"] = {split: baselines(domains, split) for split in ("val", "test")}
    recipe |= {"images": COUNTS[0], "domains": [domains.name_a, domains.name_b]}
    about = card(data, pair[pair.directions[0]], recipe, test)
    pretrained.save("phantom", model, {name: network.fine for name, network in networks.items()}, about, {})
    print(f"{model}: " + ", ".join(f"{k} {row['value']:.3f}" for k, row in test["val"].items()), flush=True)


def cyclegan() -> None:
    """Both ways without pairs, on top of the shipped CycleGAN."""
    domains, coarse = phantom_domains(SIZE, counts=COUNTS), pretrained.load_translators("phantom")
    made, seconds = finer(coarse[max(coarse)], domains, MOMENTS, SEED)
    networks = {f"{step}/to_{to}": pair[to] for step, pair in made.items() for to in ("b", "a")}
    recipe = {
        "steps": MOMENTS[-1],
        "moments": MOMENTS,
        "batch_size": BATCH,
        "lambda_cycle": 10.0,
        "lambda_identity": 0.0,
        "optimizer": f"Adam (0.5, 0.999), {RATE:g}, falling to 0 in the second half",
        "seconds_on_one_thread": round(seconds),
    }
    ship("cyclegan_64", networks, recipe, made[MOMENTS[-1]], domains)


def pix2pix() -> None:
    """Each way from pairs, on top of the shipped pix2pix, in as many seconds as the CycleGAN took."""
    domains, coarse = phantom_domains(SIZE, counts=COUNTS), pretrained.load_pix2pix()
    budget, found = pretrained.card("phantom", "cyclegan_64")["recipe"]["seconds_on_one_thread"], {}
    for to in ("b", "a"):
        torch.manual_seed(SEED)
        generator = LocalEnhancer(coarse[to])
        found[f"to_{to}"] = learn_pairs(domains, to, budget, generator, judge(2, generator), PAIRED_RATE)
    networks, steps = ({way: pair[i] for way, pair in found.items()} for i in (0, 1))
    recipe = {
        "steps": steps,
        "chosen": "the snapshot with the best validation SSIM",
        "seconds_on_one_thread_each_way": budget,
        "batch_size": PAIRS,
        "lambda_l1": 100.0,
        "optimizer": f"Adam (0.5, 0.999), {PAIRED_RATE:g}, falling to 0 in the second half",
    }
    ship("pix2pix_64", networks, recipe, Translators(**networks), domains)


PARTS = {"cyclegan": cyclegan, "pix2pix": pix2pix}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
