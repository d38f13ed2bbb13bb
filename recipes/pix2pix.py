"""Train pix2pix between the phantom's contrasts, both ways: `make pretrained`.

It gets as many weights in its generator and as many seconds as the shipped CycleGAN; of its snapshots the one
with the best validation SSIM is kept.
"""

import time

import torch
from cyclegan import COUNTS, SEED, SIZE, Cut, filled, ship
from torch import nn

from medgen_course import datasets, pretrained
from medgen_course.batches.domains import PairedSampler
from medgen_course.datasets.domains import Domains, phantom_domains
from medgen_course.metrics.translation import quality
from medgen_course.metrics.translation_eye import translation_eye
from medgen_course.metrics.translators import evaluate_translators, known
from medgen_course.models.cyclegan_networks import PatchDiscriminator
from medgen_course.models.pix2pix import Pix2PixAlgorithm, UNetGenerator
from medgen_course.models.translators import Translators
from medgen_course.training import fit

BATCH, RATE = 8, 2e-3


def learn_pairs(
    domains: Domains, to: str, budget: float, generator: nn.Module, judge: nn.Module, rate: float
) -> tuple[nn.Module, int]:
    """pix2pix in one direction for so many seconds; its best snapshot on validation, and after which step."""
    pairs = (domains.train.truth.a, domains.train.truth.b)
    source, target = pairs if to == "b" else pairs[::-1]
    algorithm = Pix2PixAlgorithm(generator, judge, learning_rate=rate)
    sampler, held = PairedSampler(source, target, BATCH), known(domains.val, to)
    best, kept, at, total, started = -1.0, {}, 0, 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < budget:
        if algorithm.steps and not total:  # the first steps tell how many there is time for
            algorithm.decay_steps = total = int(budget / spent * algorithm.steps)
        part = Cut(sampler, max(100, total // 20) if total else 50)
        fit(algorithm, part, 1, algorithm.steps, "cpu", "float32", progress=False)
        made = Translators(**{f"to_{to}": algorithm.average.eval()}).translate(held[0], to)
        ssim = float(quality(made, held[1])["ssim"].mean())
        print(f"pix2pix to {to}, step {algorithm.steps}: val SSIM {ssim:.4f} ({spent:.0f} s)", flush=True)
        if ssim > best:
            best, at = ssim, algorithm.steps
            kept = {name: value.half() for name, value in algorithm.average.state_dict().items()}
    return filled(algorithm.average, kept), at


def train() -> None:
    """pix2pix both ways, each as many seconds as the CycleGAN took."""
    data, domains = datasets.load("phantom", size=SIZE), phantom_domains(SIZE, counts=COUNTS)
    budget = pretrained.card("phantom", "cyclegan")["recipe"]["seconds_on_one_thread"]
    found = {}
    for to in ("b", "a"):
        torch.manual_seed(SEED)
        networks = UNetGenerator(1, 1, SIZE), PatchDiscriminator(2, SIZE)
        found[f"to_{to}"] = learn_pairs(domains, to, budget, *networks, RATE)
    chosen, steps = ({way: pair[i] for way, pair in found.items()} for i in (0, 1))
    pair, eye = Translators(**chosen), translation_eye(data)
    test = {split: evaluate_translators(pair, domains, eye, split) for split in ("val", "test")}
    recipe = {
        "images": len(domains.train.truth),
        "steps": steps,
        "chosen": "the snapshot with the best validation SSIM",
        "seconds_on_one_thread_each_way": budget,
        "batch_size": BATCH,
        "lambda_l1": 100.0,
        "optimizer": f"Adam (0.5, 0.999), {RATE:g}, falling to 0 in the second half",
        "domains": [domains.name_a, domains.name_b],
    }
    ship("pix2pix", data, chosen, recipe, test, "pix2pix")


if __name__ == "__main__":
    torch.set_num_threads(1)
    train()
