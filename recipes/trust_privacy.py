"""Tables of notebook 13's privacy: memory by data-set size, attacks, what privacy costs and protects.

    python recipes/trust_privacy.py [memory | membership | privacy | protection]      default: all four

Repeats within the training images, and those that stand in val too, are taken out first. Networks are small
and updates few, so that seeds could be several: figures compare with each other, not with larger networks.
Choices and figures are those of val; test is not read. Every finished model is kept in
build/trust_privacy, so that an interrupted run goes on. About three quarters of an hour on one core.
"""

import itertools
import math
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch

from medgen_course import datasets
from medgen_course.batches.poisson import PoissonSampler
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.transforms import to_uint8
from medgen_course.files import write_csv
from medgen_course.metrics.classification import auc as classifier_auc
from medgen_course.metrics.classification import embed, feature_network, train_classifier
from medgen_course.metrics.membership import FPR, auc, null, tpr_at
from medgen_course.metrics.memorisation import copy_check
from medgen_course.metrics.neighbours import neighbourhood
from medgen_course.metrics.shadows import leave_one_out, lira, shadow_halves
from medgen_course.metrics.trust import attacks, bound, canaries
from medgen_course.metrics.trust.examination import some
from medgen_course.metrics.trust.privacy import table_path
from medgen_course.models.algorithm import Algorithm
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.models.layers import initialise
from medgen_course.models.private_vae import ConditionalVAE, PrivateVAEAlgorithm, noise_for, spent
from medgen_course.models.samples import draw_from_prior, draw_labels, generate
from medgen_course.models.vae import VAE, VAEAlgorithm
from medgen_course.training.loop import fit

BUILD = Path("build/trust_privacy")
LATENT, WIDTH, BATCH = 16, 8, 32
VAE_RATE, GAN_RATE, GAN_WIDTH = 3e-3, 4e-4, 12
POOL, PLANTED, SHADOWS = 800, 16, 8
UPDATES = {"membership": 1500, "vae": 1000, "gan": 800}
SIZES, SEEDS = (50, 200, 800, None), (0, 1, 2)  # None: all that are left
SAMPLES = 2048  # that the attacker by distance asks for; a classifier learns from half as many
ATTACKS = ("loss threshold", "distance to samples", "shadows", "shadows without the image", "control")
LEVELS = (  # images (None: all that are left), epsilon, length to which gradients are clipped
    *((None, epsilon, 30.0) for epsilon in (1.0, 3.0, 10.0, math.inf)),
    (None, math.inf, math.inf),
    (800, 1.0, 30.0),
    (800, math.inf, 30.0),
)
PRIVACY = {"batch": 128, "updates": 200, "delta": 1e-5}
PROTECTED = (  # epsilon, length to which gradients are clipped, updates
    *((epsilon, 30.0, 1000) for epsilon in (1.0, 3.0, 10.0, math.inf)),
    (math.inf, math.inf, 1000),
    (math.inf, math.inf, 60),  # stopped where val is as likely as at epsilon 10
)
PROTECTION = {"batch": 32, "delta": 1e-5}
DISTANCE = ("auc", "auc_low", "auc_high", "tpr", "null_others_auc_low", "null_others_auc_high")


class Updates:
    """So many batches in one epoch, whatever the number of images: they come round again, mixed anew."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, updates: int, batch: int = BATCH):
        self.sampler, self.updates = Sampler(datasets.Split(images, labels), batch), updates

    def batches(self, world_size: int) -> int:
        """All of them."""
        return self.updates

    def epoch(self, _: int, seed: int, *place) -> Iterator[dict]:
        """Batches, for `fit`."""
        rounds = (self.sampler.epoch(i, seed, *place) for i in itertools.count())
        return itertools.islice(itertools.chain.from_iterable(rounds), self.updates)


def trained(algorithm: Algorithm, images: np.ndarray, labels: np.ndarray, updates: int, seed: int) -> None:
    """Fit, on one core."""
    fit(algorithm, Updates(images, labels, updates), 1, seed, "cpu", "float32", progress=False)


def vae(images: np.ndarray, labels: np.ndarray, updates: int, seed: int) -> VAE:
    """A VAE at beta 1 with the optimal sigma."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = initialise(VAE(images.shape[1], images.shape[-1], LATENT, WIDTH))
    trained(VAEAlgorithm(model, learning_rate=VAE_RATE, decay_steps=updates), images, labels, updates, seed)
    return model.eval()


def gan(images: np.ndarray, labels: np.ndarray, updates: int, seed: int) -> GANAlgorithm:
    """A class-conditional GAN, hinge-free and without augmentation: the game of notebook 03."""
    classes = int(labels.max()) + 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        players = (
            Generator(images.shape[1], images.shape[-1], LATENT, classes, GAN_WIDTH),
            Discriminator(images.shape[1], images.shape[-1], classes, GAN_WIDTH),
        )
    algorithm = GANAlgorithm(*players, learning_rate=GAN_RATE)
    trained(algorithm, images, labels, updates, seed)
    return algorithm


def samples(algorithm: GANAlgorithm, labels: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Images of the averaged generator, classes as often as in training."""
    return generate(algorithm.average, n, seed, draw_labels(np.bincount(labels, minlength=2), n, seed))


def clean() -> tuple[datasets.Dataset, datasets.Split]:
    """PneumoniaMNIST, and its training images without repeats and without those of val, in a fixed mix."""
    data = datasets.load("pneumoniamnist")
    left = attacks.distinct(data.train.images, data.val.images, data.test.images)
    return data, some(data.train, np.random.default_rng(0).permutation(left))


def kept(name: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Scores as an earlier run left them, or made now."""
    path = BUILD / f"{name}.npz"
    if not path.is_file():
        started = time.process_time()
        made = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path.with_suffix(".partial.npz"), **made, cpu_s=time.process_time() - started)
        path.with_suffix(".partial.npz").rename(path)
        print(f"{name}: {time.process_time() - started:.0f} s", flush=True)
    with np.load(path) as found:
        return dict(found)


def pool() -> tuple[datasets.Split, np.ndarray]:
    """Images and canaries that half of the shadow models see; the kind of each, -1 is an ordinary image."""
    _, real = clean()
    kinds = np.repeat([-1, *range(len(canaries.KINDS))], [POOL, *[PLANTED] * len(canaries.KINDS)])
    images, labels = real.images[: len(kinds)].copy(), real.labels[: len(kinds)]
    for i, kind in enumerate(canaries.KINDS):
        images[kinds == i] = canaries.make(kind, images[kinds == i])
    return datasets.Split(images, labels), kinds


def halves(kinds: np.ndarray) -> np.ndarray:
    """Who is in the half of the pool that each model sees, bool (SHADOWS, N): half of each kind."""
    parts = [shadow_halves(int((kinds == kind).sum()), SHADOWS, kind + 1) for kind in np.unique(kinds)]
    return np.concatenate(parts, axis=1)


def by_shadows(losses: np.ndarray, saw: np.ndarray, target: int, kinds: np.ndarray) -> dict[str, np.ndarray]:
    """LiRA's scores of one model, all others are its shadows; also without those that saw the image."""
    (within, outside), made = leave_one_out(losses, saw, target), {}
    for name, shadows in (("shadows", within), ("shadows without the image", None)):
        made[name] = np.empty(len(kinds))
        for kind in np.unique(kinds):  # one spread for all images of a kind: that of canaries is wider
            own = kinds == kind
            seen = None if shadows is None else shadows[:, own]
            made[name][own] = lira(seen, outside[:, own], losses[target, own])
    return made


def membership() -> None:
    """Attacks on VAEs that saw half of a pool each; the others are the shadows of each."""
    everyone, kinds = pool()
    saw, plain, updates, rows, planted = halves(kinds), kinds < 0, UPDATES["membership"], [], []

    def scores(target: int) -> dict[str, np.ndarray]:
        model = vae(everyone.images[saw[target]], everyone.labels[saw[target]], updates, target)
        drawn = draw_from_prior(model, SAMPLES, target)
        return {
            "loss threshold": attacks.by_elbo(model, everyone.images),
            "distance to samples": attacks.by_distance(drawn, everyone.images),
        }

    found = [kept(f"membership-{i}", lambda i=i: scores(i)) for i in range(SHADOWS)]
    losses = -np.stack([each["loss threshold"] for each in found])
    for target, each in enumerate(found):
        inside = saw[target]
        each |= by_shadows(losses, saw, target, kinds)
        each["control"] = attacks.by_simplicity(everyone.images)
        for attack in ATTACKS:
            values = each[attack]
            about = {"attack": attack, "seed": target, "updates": updates}
            rows.append(about | figures(values[plain & inside], values[plain & ~inside]))
            threshold = rows[-1]["threshold"]
            for i, kind in enumerate(canaries.KINDS):
                planted.append(about | told(values, kinds == i, inside, threshold, kind))
    first = [
        {"image": i, "member": int(saw[0, i]), "canary": ("ordinary", *canaries.KINDS)[kinds[i] + 1]}
        | {attack: float(found[0][attack][i]) for attack in ATTACKS}
        for i in range(len(kinds))
    ]
    for table, lines in (("membership", rows), ("canaries", planted), ("membership_scores", first)):
        write_csv(table_path(table), [rounded(line) for line in lines])


def told(values: np.ndarray, own: np.ndarray, inside: np.ndarray, threshold: float, kind: str) -> dict:
    """Canaries of a kind that are accused, where they were planted and where they were not."""
    hit = values > threshold
    return {
        "canary": kind,
        "planted": int((own & inside).sum()),
        "planted_found": int((own & inside & hit).sum()),
        "absent": int((own & ~inside).sum()),
        "absent_found": int((own & ~inside & hit).sum()),
    }


def figures(members: np.ndarray, others: np.ndarray) -> dict[str, float]:
    """An attack beside its nulls, as columns."""
    row = {"members": len(members), "others": len(others)}
    for name, found in (("auc", auc(members, others)), ("tpr", tpr_at(members, others))):
        row |= {name: found["value"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
    row |= {"fpr": found["fpr"], "threshold": found["threshold"]}
    for kind, scores in (("members", members), ("others", others)):
        bands = null(scores)
        for name, end in itertools.product(("auc", "tpr"), ("low", "high")):
            row[f"null_{kind}_{name}_{end}"] = bands[name][end] if name in bands else None
    return row


def rounded(row: dict) -> dict:
    """Five digits of every number."""
    return {name: float(f"{value:.5g}") if isinstance(value, float) else value for name, value in row.items()}


def memory_of_vae(own: datasets.Split, val: datasets.Split, seed: int) -> dict[str, np.ndarray]:
    """Samples of a VAE, and what two attacks say of as many members as there are others."""
    model, few = vae(own.images, own.labels, UPDATES["vae"], seed), own.images[: len(val)]
    many = draw_from_prior(model, SAMPLES, seed + 9)
    return {
        "drawn": draw_from_prior(model, len(val), seed),
        "members": attacks.by_elbo(model, few),
        "others": attacks.by_elbo(model, val.images),
        "near": attacks.by_distance(many, few),
        "far": attacks.by_distance(many, val.images),
    }


def memory_of_gan(own: datasets.Split, val: datasets.Split, seed: int) -> dict[str, np.ndarray]:
    """The same of a GAN."""
    made, few = gan(own.images, own.labels, UPDATES["gan"], seed), own.first(len(val))
    many = samples(made, own.labels, SAMPLES, seed + 9)
    return {
        "drawn": samples(made, own.labels, len(val), seed),
        "members": attacks.by_discriminator(made.discriminator, few.images, few.labels),
        "others": attacks.by_discriminator(made.discriminator, val.images, val.labels),
        "near": attacks.by_distance(many, few.images),
        "far": attacks.by_distance(many, val.images),
    }


def memory() -> None:
    """VAEs and GANs of few and of many images, equal updates; the table grows by one line each."""
    data, real = clean()
    eye, val, rows = feature_network(data), data.val, []
    seen = embed(eye, val.images)
    for model, seed, n in itertools.product(("training images", "vae", "gan"), SEEDS, SIZES):
        own = some(real, np.random.default_rng(seed).permutation(len(real))[: n or len(real)])
        row = {"model": model, "n": len(own), "seed": seed, "updates": UPDATES.get(model, 0)}
        if model == "training images":  # what a model would score that hands out what it has learnt from
            found = {"drawn": own.images[: len(val)]}
        else:
            make = {"vae": memory_of_vae, "gan": memory_of_gan}[model]
            found = kept(
                f"memory-{model}-{n}-{seed}", lambda make=make, own=own, seed=seed: make(own, val, seed)
            )
        drawn, check = found["drawn"], copy_check(own.images, val.images)
        near = neighbourhood(seen, embed(eye, drawn))
        row |= {"shown": len(drawn), "coverage": near["coverage"], "density": near["density"]}
        row |= {"memorisation": float(check.copied(drawn).mean()), "exact": float(check.exact(drawn).mean())}
        if model != "training images":
            train, held_out = float(found["members"].mean()), float(found["others"].mean())
            row |= {"train": train, "val": held_out, "gap": train - held_out}
            row |= figures(found["members"], found["others"])
            distance = figures(found["near"], found["far"])
            row |= {f"distance_{name}": distance[name] for name in DISTANCE}
        rows.append(row)
        columns = dict.fromkeys(key for line in rows for key in line)
        write_csv(table_path("memory"), [columns | rounded(line) for line in rows])


def conditional_samples(model: ConditionalVAE, labels: np.ndarray, seed: int) -> np.ndarray:
    """Decoded means of codes from the prior, uint8, of the classes asked for."""
    with torch.inference_mode():
        z = torch.randn(len(labels), model.latent_dim, generator=torch.Generator().manual_seed(seed))
        y = model.one_hot(torch.as_tensor(labels))
        return torch.cat(
            [to_uint8(model.decode(*p)) for p in zip(z.split(256), y.split(256), strict=True)]
        ).numpy()


def private_vae(sampler: PoissonSampler, clip: float, noise: float, seed: int) -> ConditionalVAE:
    """A class-conditional VAE by DP-SGD."""
    data = datasets.load("pneumoniamnist")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = initialise(ConditionalVAE(data.channels, data.size, 2, LATENT, WIDTH))
    algorithm = PrivateVAEAlgorithm(model, clip, noise, sampler.expected, VAE_RATE)
    fit(algorithm, sampler, 1, seed, "cpu", "float32", progress=False)
    return model.eval()


def private_scores(
    sampler: PoissonSampler, split: datasets.Split, clip: float, noise: float, seed: int, odd: datasets.Split
) -> dict[str, np.ndarray]:
    """Train with differential privacy; samples, attacks, and a classifier that has seen samples alone."""
    val, planted = datasets.load("pneumoniamnist").val, len(odd) // 2
    ordinary = slice(planted, planted + len(val))
    model = private_vae(sampler, clip, noise, seed)
    both = np.arange(SAMPLES // 2) % 2  # the share of the classes is not asked of the images
    learnt = train_classifier(conditional_samples(model, both, seed), both, 2, 5, seed)
    mixed = conditional_samples(model, draw_labels([1, 1], len(val), seed), seed + 1)
    judge = attacks.by_conditional_elbo
    return {
        "members": judge(model, split.images[ordinary], split.labels[ordinary]),
        "others": judge(model, val.images, val.labels),
        "canaries": judge(model, odd.images, odd.labels),
        "classifier_auc": np.array(classifier_auc(learnt, val)),
        "drawn": mixed,
    }


def privacy() -> None:
    """One class-conditional VAE for each epsilon, equal updates; canaries among its images."""
    data, real = clean()
    eye, rows = feature_network(data), []
    seen, updates, delta = embed(eye, data.val.images), PRIVACY["updates"], PRIVACY["delta"]
    kinds = np.repeat(range(len(canaries.KINDS)), 2 * PLANTED)
    odd, inside = some(real, np.arange(len(kinds))), np.arange(len(kinds)) % 2 == 0
    for i, kind in enumerate(canaries.KINDS):
        odd.images[kinds == i] = canaries.make(kind, odd.images[kinds == i])
    for seed, (n, epsilon, clip) in itertools.product(SEEDS, LEVELS):
        ordinary = slice(len(kinds), None if n is None else len(kinds) + n)
        split = datasets.Split(
            np.concatenate([odd.images[inside], real.images[ordinary]]),
            np.concatenate([odd.labels[inside], real.labels[ordinary]]),
        )
        sampler = PoissonSampler(split, PRIVACY["batch"], updates)
        noise = noise_for(epsilon, sampler.rate, updates, delta)
        given = (sampler, split, clip, noise, seed, odd)
        found = kept(f"privacy-{n}-{epsilon:g}-{clip:g}-{seed}", lambda given=given: private_scores(*given))
        got, train, val = neighbourhood(seen, embed(eye, found["drawn"])), found["members"], found["others"]
        row = {"epsilon": epsilon, "delta": delta, "clip": clip, "noise": noise, "seed": seed}
        row |= {"spent": spent(noise, sampler.rate, updates, delta), "n": len(split)}
        row |= {"batch": PRIVACY["batch"], "updates": updates}
        row |= {"elbo_train": float(train.mean()), "elbo_val": float(val.mean())}
        row |= {"coverage": got["coverage"], "density": got["density"]}
        row |= {"classifier_auc": float(found["classifier_auc"])} | figures(train, val)
        for i, kind in enumerate(canaries.KINDS):
            own = found["canaries"][kinds == i]
            there = inside[kinds == i]
            row[f"canary_{kind}_auc"] = auc(own[there], own[~there])["value"]
        rows.append(row)
        write_csv(table_path("privacy"), [rounded(row) for row in rows])


def protected_scores(
    everyone: datasets.Split, sampler: PoissonSampler, clip: float, noise: float, seed: int
) -> dict[str, np.ndarray]:
    """Train with differential privacy on half of the pool; ELBO of the whole pool and of val, samples."""
    val, model = datasets.load("pneumoniamnist").val, private_vae(sampler, clip, noise, seed)
    return {
        "loss threshold": attacks.by_conditional_elbo(model, everyone.images, everyone.labels),
        "val": attacks.by_conditional_elbo(model, val.images, val.labels),
        "drawn": conditional_samples(model, draw_labels([1, 1], len(val), seed), seed + 1),
    }


def attacked(values: np.ndarray, inside: np.ndarray, kinds: np.ndarray, allow: Callable) -> dict:
    """An attack on one model: ordinary images beside what is allowed, canaries."""
    members, others = values[(kinds < 0) & inside], values[(kinds < 0) & ~inside]
    row = figures(members, others)
    row |= {"fpr_high": tpr_at(members, others)["fpr_high"], "canaries": PLANTED // 2}
    row |= {"allowed": allow(FPR), "allowed_at_fpr_high": allow(row["fpr_high"])}
    for i, kind in enumerate(canaries.KINDS):
        counted = told(values, kinds == i, inside, row["threshold"], kind)
        row |= {f"{kind}_{side}": counted[f"{side}_found"] for side in ("planted", "absent")}
    return row


def protection() -> None:
    """The strong attack where models leak without privacy: eight at each level, as in `membership`."""
    everyone, kinds = pool()
    data, saw, rows = datasets.load("pneumoniamnist"), halves(kinds), []
    eye, batch, delta = feature_network(data), PROTECTION["batch"], PROTECTION["delta"]
    near = embed(eye, data.val.images)
    for epsilon, clip, updates in PROTECTED:
        samplers = [PoissonSampler(some(everyone, np.flatnonzero(own)), batch, updates) for own in saw]
        rate = samplers[0].rate
        noise = noise_for(epsilon, rate, updates, delta)
        found = [
            kept(
                f"protection-{epsilon:g}-{clip:g}-{updates}-{target}",
                lambda given=(sampler, clip, noise, target): protected_scores(everyone, *given),
            )
            for target, sampler in enumerate(samplers)
        ]
        allow = cache(lambda fpr, given=(noise, rate, updates): bound.most_of_training(fpr, *given))
        losses = -np.stack([each["loss threshold"] for each in found])
        about = {"epsilon": epsilon, "delta": delta, "clip": clip, "noise": noise}
        about |= {"spent": spent(noise, rate, updates, delta), "batch": batch, "updates": updates}
        for target, each in enumerate(found):
            plain, drawn = kinds < 0, embed(eye, each["drawn"])
            row = about | {"n": int(saw[target].sum()), "seed": target, "elbo_val": float(each["val"].mean())}
            row["elbo_train"] = float(each["loss threshold"][plain & saw[target]].mean())
            row["coverage"] = neighbourhood(near, drawn)["coverage"]
            each |= by_shadows(losses, saw, target, kinds)
            for attack in ("loss threshold", "shadows"):
                score = attacked(each[attack], saw[target], kinds, allow)
                rows.append(row | {"attack": attack} | score)
        write_csv(table_path("protection"), [rounded(row) for row in rows])


PARTS = {"membership": membership, "privacy": privacy, "protection": protection, "memory": memory}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
