"""Train the translators that the course ships, and record the hallucination lab: `make pretrained`.

    python recipes/translation.py [TASK ...]      default: all of them

All choices were made on the validation split: batches of 4 (more updates in the same time), a discriminator
with instance normalisation, no identity loss on the phantom, where grey levels must be exchanged (notebook
04, section 4). pix2pix gets as many weights in its generator and as many seconds as the shipped CycleGAN; of
its snapshots the one with the best validation SSIM is kept. All but the last task run on one thread: the
same bits again, and two tasks side by side use two cores better than two threads do.
"""

import itertools
import sys
import time

import numpy as np
import torch
from pretrain import card

from medgen_course import datasets, pretrained
from medgen_course.batches.domains import PairedSampler, UnpairedSampler
from medgen_course.datasets.domains import Domains, from_dataset, phantom_domains
from medgen_course.files import write_csv, write_json
from medgen_course.metrics import classification
from medgen_course.metrics.reconstruction import bootstrap_interval
from medgen_course.metrics.translation import gap_closed, quality
from medgen_course.metrics.translation_eye import CLASSES, train_eye, translation_eye
from medgen_course.metrics.translators import baselines, class_change, evaluate_translators, known
from medgen_course.models.cyclegan import CycleGANAlgorithm
from medgen_course.models.cyclegan_networks import PatchDiscriminator, ResNetGenerator
from medgen_course.models.pix2pix import Pix2PixAlgorithm, UNetGenerator
from medgen_course.models.translators import Translators
from medgen_course.training.loop import fit

SEED, BATCH, RATE, SIZE = 0, 4, 1e-3, 32
MOMENTS = {"phantom": (100, 200, 400, 800, 1600, 3200, 7000), "pneumoniamnist": (100, 400, 1600, 6000)}
COUNTS = (8192, 512, 512)  # slices of the phantom
EYE = (12_288, 6)  # slices and epochs of the classifier
LAB = {"steps": 1500, "counts": (2048, 512, 512), "prevalences": (0.0, 0.5, 1.0), "seeds": (0, 1, 2)}


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
    short = _Cut(sampler, moments[-1])
    fit(algorithm, short, short.epochs, seed, "cpu", "float32", callback=snapshots, progress=False)
    return snapshots, time.perf_counter() - started


class _Cut:
    """As many batches of a sampler as make so many steps, in epochs of one length."""

    def __init__(self, sampler, steps: int):
        self.sampler, self.epochs = sampler, -(-steps // len(sampler))
        self.length = -(-steps // self.epochs)

    def batches(self, world_size: int) -> int:
        return self.length

    def epoch(self, *arguments):
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


def unpaired(name: str) -> None:
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


def learn_pairs(domains: Domains, to: str, budget: float) -> tuple[UNetGenerator, int]:
    """pix2pix in one direction for so many seconds; its best snapshot on validation, and after which step."""
    pairs = (domains.train.truth.a, domains.train.truth.b)
    source, target = pairs if to == "b" else pairs[::-1]
    torch.manual_seed(SEED)
    generator, judge = UNetGenerator(1, 1, SIZE), PatchDiscriminator(2, SIZE)
    algorithm = Pix2PixAlgorithm(generator, judge, learning_rate=2e-3)
    sampler, held = PairedSampler(source, target, 8), known(domains.val, to)
    best, kept, at, total, started = -1.0, {}, 0, 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < budget:
        if algorithm.steps and not total:  # the first steps tell how many there is time for
            algorithm.decay_steps = total = int(budget / spent * algorithm.steps)
        part = _Cut(sampler, max(100, total // 20) if total else 50)
        fit(algorithm, part, 1, algorithm.steps, "cpu", "float32", progress=False)
        made = Translators(**{f"to_{to}": algorithm.average.eval()}).translate(held[0], to)
        ssim = float(quality(made, held[1])["ssim"].mean())
        print(f"pix2pix to {to}, step {algorithm.steps}: val SSIM {ssim:.4f} ({spent:.0f} s)", flush=True)
        if ssim > best:
            best, at = ssim, algorithm.steps
            kept = {name: value.half() for name, value in algorithm.average.state_dict().items()}
    return filled(UNetGenerator(1, 1, SIZE), kept), at


def paired() -> None:
    """pix2pix both ways, each as many seconds as the CycleGAN took."""
    data, domains = datasets.load("phantom", size=SIZE), phantom_domains(SIZE, counts=COUNTS)
    budget = pretrained.card("phantom", "cyclegan")["recipe"]["seconds_on_one_thread"]
    found = {f"to_{to}": learn_pairs(domains, to, budget) for to in ("b", "a")}
    chosen, steps = ({way: pair[i] for way, pair in found.items()} for i in (0, 1))
    pair, eye = Translators(**chosen), translation_eye(data)
    test = {split: evaluate_translators(pair, domains, eye, split) for split in ("val", "test")}
    recipe = {
        "images": len(domains.train.truth),
        "steps": steps,
        "chosen": "the snapshot with the best validation SSIM",
        "seconds_on_one_thread_each_way": budget,
        "batch_size": 8,
        "lambda_l1": 100.0,
        "optimizer": "Adam (0.5, 0.999), 2e-3, falling to 0 in the second half",
        "domains": [domains.name_a, domains.name_b],
    }
    ship("pix2pix", data, chosen, recipe, test, "pix2pix")


def three_minutes(budget: float = 180.0) -> None:
    """CycleGAN and pix2pix after three minutes on two cores each: how much of the gap is closed."""
    torch.set_num_threads(2)
    domains = phantom_domains(SIZE)
    sampler = UnpairedSampler(domains.train.a, domains.train.b, BATCH)
    _, spent = run(cyclegan(domains, 60, 0.0, SEED), sampler, (60,), SEED)
    steps = int(0.95 * budget / spent * 60)
    snapshots, seconds = run(cyclegan(domains, steps, 0.0, SEED), sampler, (steps,), SEED)
    made = {"cyclegan": translators(domains, snapshots.kept[steps])}
    there, back = (learn_pairs(domains, to, budget)[0] for to in ("b", "a"))
    made["pix2pix"] = Translators(there, back)
    result = {
        "cyclegan": {"seconds": round(seconds), "steps": steps},
        "pix2pix": {"seconds_each_way": budget},
    }
    floor = baselines(domains, "val")["lookup"]
    for to, way in (("b", "ab"), ("a", "ba")):
        ssim = {"lookup": floor[f"ssim_{way}"]["value"]}
        for name, pair in made.items():
            source, truth, _, _ = known(domains.val, to)
            ssim[name] = float(quality(pair.translate(source, to), truth)["ssim"].mean())
        share = gap_closed(ssim["cyclegan"], ssim["lookup"], ssim["pix2pix"])
        result[way] = {**ssim, "gap_closed": share}
        print(f"{way}: {share:.1%} of the gap closed in {seconds:.0f} s, {ssim}", flush=True)
    write_json(pretrained.path("phantom", "three_minutes").with_suffix(".json"), result)
    torch.set_num_threads(1)


def lab() -> None:
    """Lesions in half of domain A and in 0, 50 or 100 % of B: what becomes of them in held-out slices."""
    data, rows, networks = datasets.load("phantom", size=SIZE), [], {}
    eye = translation_eye(data)
    for seed, share in itertools.product(LAB["seeds"], LAB["prevalences"]):
        domains = phantom_domains(SIZE, 0.5, share, LAB["counts"], seed)
        algorithm = cyclegan(domains, LAB["steps"], 0.0, seed)
        sampler = UnpairedSampler(domains.train.a, domains.train.b, BATCH)
        snapshots, seconds = run(algorithm, sampler, (LAB["steps"],), seed)
        pair = translators(domains, snapshots.kept[LAB["steps"]])
        found = evaluate_translators(pair, domains, eye)
        rows.append({"prevalence_b": share, "seed": seed, "seconds": round(seconds)})
        rows[-1] |= {name: round(row["value"], 5) for name, row in found.items()}
        print(rows[-1], flush=True)
        if seed == LAB["seeds"][0]:
            networks |= {f"{share:g}/to_b": pair.to_b, f"{share:g}/to_a": pair.to_a}
    write_csv(pretrained.lab_path(), rows)
    recipe = {
        "images": LAB["counts"][0],
        "steps": LAB["steps"],
        "batch_size": BATCH,
        "prevalences_b": LAB["prevalences"],
        "seeds": LAB["seeds"],
        "domains": ["T1w", "T2w"],
    }
    about = card(data, networks["0/to_b"], recipe, {"table": pretrained.lab_path().name})
    pretrained.save("phantom", "lab", networks, about, {})


def eye() -> None:
    """The classifier whose features compare T1w and T2w slices."""
    data = datasets.load("phantom", size=SIZE)
    model = pretrained.half(train_eye(SIZE, *EYE))
    images = np.concatenate([data.train.images, data.train.extras["paired"]])
    model.standardise(classification.embed(model, images))
    both = np.concatenate([data.test.images, data.test.extras["paired"]])
    label = np.concatenate([data.test.labels, data.test.labels + 2])
    right = classification.probabilities(model, both).argmax(1) == label
    recipe = {"images": 2 * EYE[0], "epochs": EYE[1], "classes": CLASSES}
    about = card(data, model, recipe, {"accuracy": bootstrap_interval(right.astype(np.float64))})
    pretrained.save("phantom", "translation_eye", {"classifier": model}, about, {})
    print(f"translation eye: accuracy {right.mean():.3f}")


TASKS = {
    "eye": eye,
    "phantom": lambda: unpaired("phantom"),
    "pneumoniamnist": lambda: unpaired("pneumoniamnist"),
    "pix2pix": paired,
    "lab": lab,
    "three_minutes": three_minutes,
}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for task in sys.argv[1:] or TASKS:
        started = time.perf_counter()
        TASKS[task]()
        print(f"{task}: {time.perf_counter() - started:.0f} s")
