"""Tables of notebook 13's privacy: memory by data-set size, membership attacks, the price of privacy.

    python recipes/trust_privacy.py [memory | membership | privacy]      default: all three

Repeats within the training images, and those that stand in val too, are taken out first. Networks are small
and updates few, so that seeds could be several: figures compare with each other, not with larger networks.
Choices and figures are those of val; test is not read. Every finished model is kept in
build/trust_privacy, so that an interrupted run goes on. About half an hour on one core.
"""

import itertools
import math
import sys
import time
from collections.abc import Callable, Iterator
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
from medgen_course.metrics.membership import auc, null, tpr_at
from medgen_course.metrics.memorisation import copy_check
from medgen_course.metrics.neighbours import neighbourhood
from medgen_course.metrics.shadows import leave_one_out, lira, shadow_halves
from medgen_course.metrics.trust import attacks, canaries
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
UPDATES = {"membership": 1500, "vae": 1000, "gan": 1000}
SIZES, SEEDS = (50, 200, 800, None), (0, 1, 2)  # None: all that are left
SAMPLES = 2048  # that the attacker by distance asks for, and that a classifier learns from
ATTACKS = ("loss threshold", "distance to samples", "shadows", "shadows without the image", "control")
LEVELS = (  # images (None: all that are left), epsilon, length to which gradients are clipped
    *((None, epsilon, 30.0) for epsilon in (1.0, 3.0, 10.0, math.inf)),
    (None, math.inf, math.inf),
    *((800, epsilon, 30.0) for epsilon in (1.0, 10.0, math.inf)),
)
PRIVACY = {"batch": 128, "updates": 250, "delta": 1e-5}
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
    left = np.random.default_rng(0).permutation(left)
    return data, datasets.Split(data.train.images[left], data.train.labels[left])


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


def membership() -> None:
    """Attacks on VAEs that saw half of a pool each; the others are the shadows of each."""
    everyone, kinds = pool()
    plain, updates, rows, planted = kinds < 0, UPDATES["membership"], [], []
    saw = np.concatenate(
        [shadow_halves(int((kinds == k).sum()), SHADOWS, k + 1) for k in np.unique(kinds)], axis=1
    )

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
        inside, (within, outside) = saw[target], leave_one_out(losses, saw, target)
        each["shadows"] = lira(within, outside, losses[target])
        each["shadows without the image"] = lira(None, outside, losses[target])
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
        for name, band in null(scores).items():
            row |= {f"null_{kind}_{name}_{end}": band[end] for end in ("low", "high")}
    return row


def rounded(row: dict) -> dict:
    """Five digits of every number."""
    return {name: float(f"{value:.5g}") if isinstance(value, float) else value for name, value in row.items()}


def memory() -> None:
    """VAEs and GANs of few and of many images, equal updates."""
    data, real = clean()
    eye, val = feature_network(data), data.val
    seen, rows = embed(eye, val.images), []

    def shown(images: np.ndarray, train: np.ndarray) -> dict[str, float]:
        """Images that a model gives out, or the training images themselves, beside val."""
        check = copy_check(train, val.images)
        found = neighbourhood(seen, embed(eye, images))
        return {
            "shown": len(images),
            "coverage": found["coverage"],
            "density": found["density"],
            "memorisation": float(check.copied(images).mean()),
            "exact": float(check.exact(images).mean()),
        }

    for n, seed in itertools.product(SIZES, SEEDS):
        chosen = np.random.default_rng(seed).permutation(len(real))[: n or len(real)]
        images, labels = real.images[chosen], real.labels[chosen]
        few = slice(0, len(val))  # as many members as others at most

        def of_vae(images=images, labels=labels, seed=seed, few=few) -> dict:
            model = vae(images, labels, UPDATES["vae"], seed)
            drawn = draw_from_prior(model, len(val), seed)
            members, others = (attacks.by_elbo(model, x) for x in (images[few], val.images))
            far = [attacks.by_distance(draw_from_prior(model, SAMPLES, seed + 9), x)
                   for x in (images[few], val.images)]  # fmt: skip
            return {"drawn": drawn, "members": members, "others": others, "near": far[0], "far": far[1]}

        def of_gan(images=images, labels=labels, seed=seed, few=few) -> dict:
            made = gan(images, labels, UPDATES["gan"], seed)
            judge = lambda x, y: attacks.by_discriminator(made.discriminator, x, y)  # noqa: E731
            many = samples(made, labels, SAMPLES, seed + 9)
            return {
                "drawn": samples(made, labels, len(val), seed),
                "members": judge(images[few], labels[few]),
                "others": judge(val.images, val.labels),
                "near": attacks.by_distance(many, images[few]),
                "far": attacks.by_distance(many, val.images),
            }

        for model, make in (("vae", of_vae), ("gan", of_gan)):
            found = kept(f"memory-{model}-{n}-{seed}", make)
            row = {"model": model, "n": len(images), "seed": seed, "updates": UPDATES[model]}
            row |= shown(found["drawn"], images)
            row |= {"train": float(found["members"].mean()), "val": float(found["others"].mean())}
            row["gap"] = row["train"] - row["val"]
            row |= figures(found["members"], found["others"])
            near = figures(found["near"], found["far"])
            rows.append(row | {f"distance_{name}": near[name] for name in DISTANCE})
        copies = {"model": "training images", "n": len(images), "seed": seed, "updates": 0}
        rows.append(dict.fromkeys(rows[-1]) | copies | shown(images[few], images))
    write_csv(table_path("memory"), [rounded(row) for row in rows])


def conditional_samples(model: ConditionalVAE, labels: np.ndarray, seed: int) -> np.ndarray:
    """Decoded means of codes from the prior, uint8, of the classes asked for."""
    with torch.inference_mode():
        z = torch.randn(len(labels), model.latent_dim, generator=torch.Generator().manual_seed(seed))
        y = model.one_hot(torch.as_tensor(labels))
        return torch.cat(
            [to_uint8(model.decode(*p)) for p in zip(z.split(256), y.split(256), strict=True)]
        ).numpy()


def privacy() -> None:
    """One class-conditional VAE for each epsilon, equal updates; canaries among its images."""
    data, real = clean()
    eye, val = feature_network(data), data.val
    seen, rows = embed(eye, val.images), []
    kinds = np.repeat(range(len(canaries.KINDS)), 2 * PLANTED)
    odd = real.images[: len(kinds)].copy()  # their originals are left out
    for i, kind in enumerate(canaries.KINDS):
        odd[kinds == i] = canaries.make(kind, odd[kinds == i])
    inside = np.arange(len(kinds)) % 2 == 0
    ordinary = datasets.Split(real.images[len(kinds) :], real.labels[len(kinds) :])
    for (n, epsilon, clip), seed in itertools.product(LEVELS, SEEDS):
        split = datasets.Split(
            np.concatenate([odd[inside], ordinary.images[:n]]),
            np.concatenate([real.labels[: len(kinds)][inside], ordinary.labels[:n]]),
        )
        sampler = PoissonSampler(split, PRIVACY["batch"], PRIVACY["updates"])
        noise = noise_for(epsilon, sampler.rate, PRIVACY["updates"], PRIVACY["delta"])

        def made(split=split, sampler=sampler, noise=noise, clip=clip, seed=seed) -> dict:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                model = initialise(ConditionalVAE(data.channels, data.size, 2, LATENT, WIDTH))
            algorithm = PrivateVAEAlgorithm(model, clip, noise, PRIVACY["batch"], VAE_RATE)
            fit(algorithm, sampler, 1, seed, "cpu", "float32", progress=False)
            few = slice(int(inside.sum()), int(inside.sum()) + len(val))
            both = np.arange(SAMPLES) % 2  # the share of the classes is not asked of the images
            drawn = conditional_samples(model, both, seed)
            learnt = train_classifier(drawn, both, 2, 5, seed)
            mixed = conditional_samples(model, draw_labels([1, 1], len(val), seed), seed + 1)
            return {
                "members": attacks.by_conditional_elbo(model, split.images[few], split.labels[few]),
                "others": attacks.by_conditional_elbo(model, val.images, val.labels),
                "canaries": attacks.by_conditional_elbo(model, odd, real.labels[: len(odd)]),
                "classifier_auc": np.array(classifier_auc(learnt, val)),
                "drawn": mixed,
            }

        found = kept(f"privacy-{n}-{epsilon:g}-{clip:g}-{seed}", made)
        got = neighbourhood(seen, embed(eye, found["drawn"]))
        row = {
            "epsilon": epsilon,
            "delta": PRIVACY["delta"],
            "clip": clip,
            "noise": noise,
            "spent": spent(noise, sampler.rate, PRIVACY["updates"], PRIVACY["delta"]),
            "seed": seed,
            "n": len(split),
            "batch": PRIVACY["batch"],
            "updates": PRIVACY["updates"],
            "elbo_train": float(found["members"].mean()),
            "elbo_val": float(found["others"].mean()),
            "coverage": got["coverage"],
            "density": got["density"],
            "classifier_auc": float(found["classifier_auc"]),
        }
        row |= figures(found["members"], found["others"])
        for i, kind in enumerate(canaries.KINDS):
            own = found["canaries"][kinds == i]
            row[f"canary_{kind}_auc"] = auc(own[inside[kinds == i]], own[~inside[kinds == i]])["value"]
        rows.append(row)
        write_csv(table_path("privacy"), [rounded(row) for row in rows])


PARTS = {"membership": membership, "privacy": privacy, "memory": memory}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
