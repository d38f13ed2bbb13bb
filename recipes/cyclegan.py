"""Train the CycleGANs that the course ships: `make pretrained`.

    python recipes/cyclegan.py [DATASET ...]      default: both data sets

All choices were made on the validation split: batches of 4 (more updates in the same time), a discriminator
with instance normalisation, no identity loss on the phantom, where grey levels must be exchanged (notebook
04, section 4). One thread: the same bits again, and two recipes side by side use two cores better than two
threads do.
"""

import itertools
import sys
import time

import torch
from pretrain import card

from medgen_course import datasets, pretrained
from medgen_course.batches.domains import UnpairedSampler
from medgen_course.datasets.domains import Domains, from_dataset, phantom_domains
from medgen_course.metrics.translation_eye import translation_eye
from medgen_course.metrics.translators import baselines, class_change, evaluate_translators
from medgen_course.models.cyclegan import CycleGANAlgorithm
from medgen_course.models.cyclegan_networks import PatchDiscriminator, ResNetGenerator
from medgen_course.models.translators import Translators
from medgen_course.training import fit

SEED, BATCH, RATE, SIZE = 0, 4, 1e-3, 32
MOMENTS = {"phantom": (100, 200, 400, 1600, 7000), "pneumoniamnist": (100, 400, 1600, 6000)}
COUNTS = (8192, 512, 512)  # slices of the phantom


class Snapshots:
    """A callback of `fit` that keeps the averaged generators at some steps, in half precision."""

    def __init__(self, algorithm, moments: tuple[int, ...]):
        self.algorithm, self.moments, self.kept, self.started = algorithm, moments, {}, time.perf_counter()

    def __call__(self, step: int, logs) -> None:
        """Keep the networks, if this is a moment, and say how far it is."""
        if step in self.moments:
            pair = [network for name, network in self.algorithm.networks.items() if name.endswith("_ema")]
            self.kept[step] = [{k: v.half() for k, v in n.state_dict().items()} for n in pair]
            told = ", ".join(f"{name.removeprefix('loss/')} {float(v):.3f}" for name, v in logs.items())
            print(f"step {step}: {told} ({time.perf_counter() - self.started:.0f} s)", flush=True)


def cyclegan(domains: Domains, steps: int, identity: float, seed: int) -> CycleGANAlgorithm:
    """Networks and algorithm of every run here."""
    torch.manual_seed(seed)
    (a, b), size = domains.channels, domains.size
    return CycleGANAlgorithm(
        ResNetGenerator(a, b, size),
        ResNetGenerator(b, a, size),
        PatchDiscriminator(a, size),
        PatchDiscriminator(b, size),
        lambda_identity=identity,
        warmup_steps=200,
        learning_rate=RATE,
        decay_steps=steps,
    )


def run(algorithm, sampler, moments: tuple[int, ...], seed: int) -> tuple[Snapshots, float]:
    """Train up to the last moment; also the seconds it took."""
    snapshots = Snapshots(algorithm, moments)
    started = time.perf_counter()
    short = Cut(sampler, moments[-1])
    fit(algorithm, short, short.epochs, seed, "cpu", "float32", callback=snapshots, progress=False)
    return snapshots, time.perf_counter() - started


class Cut:
    """As many batches of a sampler as make so many steps, in epochs of one length."""

    def __init__(self, sampler, steps: int):
        self.sampler, self.epochs = sampler, -(-steps // len(sampler))
        self.length = -(-steps // self.epochs)

    def batches(self, world_size: int) -> int:
        """Batches in an epoch."""
        return self.length

    def epoch(self, *arguments):
        """Batches of one epoch; see `Sampler.epoch`."""
        return itertools.islice(self.sampler.epoch(*arguments), self.length)


def filled(network, weights: dict):
    """A network with weights from half precision, ready to be used."""
    network.load_state_dict({name: value.float() for name, value in weights.items()})
    return network.eval().requires_grad_(False)


def translators(domains: Domains, weights: list[dict]) -> Translators:
    """Both generators of a snapshot."""
    a, b = domains.channels
    there, again = ResNetGenerator(a, b, domains.size), ResNetGenerator(b, a, domains.size)
    return Translators(filled(there, weights[0]), filled(again, weights[1]))


def ship(name: str, data, networks: dict, recipe: dict, test: dict, model: str) -> None:
    """Store networks with their card."""
    about = card(data, next(iter(networks.values())), recipe, test)
    pretrained.save(data.name, model, networks, about, {})
    print(
        f"{name}: " + ", ".join(f"{key} {row['value']:.3f}" for key, row in test["val"].items()), flush=True
    )


def train(name: str) -> None:
    """The CycleGAN of one task."""
    data = datasets.load(name, size=SIZE if name == "phantom" else 28)
    domains = phantom_domains(SIZE, counts=COUNTS) if name == "phantom" else from_dataset(data)
    identity, moments = (0.0 if name == "phantom" else 5.0), MOMENTS[name]
    algorithm = cyclegan(domains, moments[-1], identity, SEED)
    snapshots, seconds = run(
        algorithm, UnpairedSampler(domains.train.a, domains.train.b, BATCH), moments, SEED
    )
    last, eye = translators(domains, snapshots.kept[moments[-1]]), translation_eye(data)
    test = {split: evaluate_translators(last, domains, eye, split) for split in ("val", "test")}
    if name == "phantom":
        test["baselines"] = {split: baselines(domains, split) for split in ("val", "test")}
    else:
        for split, rows in test.items():
            rows |= class_change(last, domains, eye, split=split)
    recipe = {
        "images": [len(domains.train.a), len(domains.train.b)],
        "steps": moments[-1],
        "moments": moments,
        "batch_size": BATCH,
        "lambda_cycle": 10.0,
        "lambda_identity": identity,
        "optimizer": "Adam (0.5, 0.999), 1e-3, falling to 0 in the second half",
        "seconds_on_one_thread": round(seconds),
        "domains": [domains.name_a, domains.name_b],
    }
    networks = {}
    for step, weights in snapshots.kept.items():
        pair = translators(domains, weights)
        networks |= {f"{step}/to_b": pair.to_b, f"{step}/to_a": pair.to_a}
    ship(name, data, networks, recipe, test, "cyclegan")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or MOMENTS:
        train(name)
