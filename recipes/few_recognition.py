"""What few labels suffice for: test AUC by the number of labelled images, and the ledger of synthetic data.

    python recipes/few_recognition.py [DATASET ...]         default: both
    python recipes/few_recognition.py choose [DATASET ...]  what other settings give on validation images
    python recipes/few_recognition.py ship [DATASET ...]    M2 and the honest generator of 100 labels, seed 0
    python recipes/few_recognition.py take [DATASET ...]    the shelf's rows into build/few, to add others

Every training is a small classifier with as many updates as any other, on batches in which both classes are
equally frequent; M2 holds the same classifier, and has images without labels beside. What five times the
updates do for M2, and for the classifier from scratch, stands in rows of their own. Labelled images are
drawn class by class, nested in n, five seeds. Where drawn, resampled or noisy images stand beside real ones,
half of each batch is theirs. Training images that repeat, or stand in val or test, are left out.

The honest generator learns from the same few labels as the classifier. The cheat is the same generator with
the same updates that learnt from every label, so that its samples carry labels that one claims not to have.
The shipped one is the course's own GAN, a cheat too, larger and with some sixty times the updates. It and the
VAE of the linear probe learnt from the whole training split, repeats included (of the phantom, from 20,480
slices). The honest generator's updates, and what M2 spends beside its classifier, come on top of the table's.

Settings are first guesses that validation images did not contradict (100 labels, seed 10, which no table
shows); nobody searched further, and `choose` writes what some others give. Whoever does choose on that
split uses more labels than most rows have: with ten labels one cannot (Oliver et al. 2018). The test split is
read once, in the rows. About 20 minutes on one core; what is done is kept in build/few, so that a
run goes on. Where no training has changed, `take` and then a run train only what the shelf's tables lack.
"""

import csv
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from pretrain import card
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from medgen_course import datasets, pretrained
from medgen_course.batches.drawn import DrawnSampler, even_weights
from medgen_course.batches.transforms import augment, gaussian_noise, to_uint8, to_unit
from medgen_course.datasets import Split
from medgen_course.datasets.few import distinct, draw_labelled, subset
from medgen_course.files import write_csv
from medgen_course.metrics.classification import probabilities
from medgen_course.metrics.few_labels.semi_vae import evaluate_semi_vae
from medgen_course.models.algorithm import Algorithm
from medgen_course.models.classifier import Classifier, ClassifierAlgorithm
from medgen_course.models.diff_augment import diff_augment
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.models.samples import generate
from medgen_course.models.semi_vae import SemiVAE, SemiVAEAlgorithm
from medgen_course.training.checkpoints import load_tensors, save_tensors
from medgen_course.training.loop import fit

ALL, SHIPPED = 10**6, 100  # every label there is; labels of what is shipped
LABELS = {"pneumoniamnist": (10, 30, 100, 300, 1000, ALL), "phantom": (100, 1000, ALL)}
BESIDE = {"pneumoniamnist": (100, 10), "phantom": (1000,)}  # labels where nulls and cheats stand, too
UPDATES = {"pneumoniamnist": 120, "phantom": 200}  # the phantom's lesions are learnt later
LONGER, LONG = 5, {"pneumoniamnist": (10, 100, 1000), "phantom": ()}  # times the updates, at so many labels
SEEDS, CHOOSING = range(5), (10, 11)
BATCH, WIDTH, RATE = 32, 8, 5e-3
DRAWN = 1000  # synthetic, resampled or noisy images
NOISE = 0.05  # of the second null, standard deviation in grey levels of [0, 1]
ALPHA = 10.0  # of M2
GAN = {"updates": 200, "width": 12, "rate": 2e-3, "ema": 0.98}
TRIED = {"alpha": (1.0, 10.0, 100.0), "rate": (2e-3, 5e-3), "noise": (0.05, 0.1)}
BUILD = Path("build/few")
RECOGNITION = {
    "scratch": "scratch", "augmented": "augmented", "probe": "probe", "m2": "m2",
    "scratch_longer": "scratch_longer", "m2_longer": "m2_longer",
    "both_honest": "gan_honest", "both_cheat": "gan_cheat", "both_shipped": "gan_shipped",
}  # fmt: skip
LEDGER = {"scratch": "real", "resampled": "resampled", "noisy": "noisy"} | {
    f"{what}_{who}": f"{what}_{who}"
    for what in ("synthetic", "both")
    for who in ("honest", "cheat", "shipped")
}


class Task:
    """One data set with its repeats taken out, and what is learnt from some of its labels."""

    def __init__(self, name: str):
        self.data, self.name = distinct(datasets.load(name)), name
        self.vae = pretrained.load_vaes(name)[1.0]
        self.shipped, self.updates = pretrained.load_gan(name)[0], UPDATES[name]

    def real(self, n: int, seed: int) -> Split:
        """The labelled images."""
        return subset(self.data.train, draw_labelled(self.data.train.labels, n, seed))

    def classifier(
        self, seed: int, parts: list[Split], transform=None, rate: float = RATE, longer: int = 1
    ) -> Classifier:
        """Trained on the parts, each as often as the others, both classes equally often."""
        torch.manual_seed(seed)
        model = Classifier(self.data.channels, self.data.size, len(self.data.label_names), WIDTH)
        images, labels = (np.concatenate([getattr(p, what) for p in parts]) for what in ("images", "labels"))
        part = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
        weights = even_weights(labels, part)
        updates = longer * self.updates
        sampler = DrawnSampler(images, labels, updates, BATCH, weights, transform=transform)
        return run(ClassifierAlgorithm(model, rate, updates), sampler, seed).networks["classifier"]

    def m2(self, n: int, seed: int, alpha: float = ALPHA, longer: int = 1) -> SemiVAE:
        """The same classifier inside M2, all other training images without labels."""
        chosen, train = draw_labelled(self.data.train.labels, n, seed), self.data.train
        rest = np.delete(train.images, chosen, axis=0)
        torch.manual_seed(seed)
        model = SemiVAE(
            self.data.channels, self.data.size, len(self.data.label_names), classifier_width=WIDTH
        )
        known, rest = subset(train, chosen), rest if len(rest) else None
        updates = longer * self.updates
        sampler = DrawnSampler(known.images, known.labels, updates, BATCH, unlabelled=rest)
        return run(SemiVAEAlgorithm(model, alpha, RATE, updates), sampler, seed).networks["semi_vae"]

    def honest(self, n: int, seed: int) -> Generator:
        """A small conditional GAN of some labelled images, augmented; kept in build/few."""
        torch.manual_seed(seed)
        shape = self.data.channels, self.data.size
        model = Generator(*shape, num_classes=len(self.data.label_names), width=GAN["width"])
        path = BUILD / f"gan-{self.name}-{n}-{seed}.safetensors"
        if path.is_file():
            model.load_state_dict(load_tensors(path)[0])
            return model.eval()
        judge = Discriminator(*shape, len(self.data.label_names), GAN["width"], spectral_norm=True)
        algorithm = GANAlgorithm(
            model, judge, "hinge", GAN["rate"], 2 * GAN["rate"], ema=GAN["ema"], augment=diff_augment
        )
        split = self.real(n, seed)
        run(algorithm, DrawnSampler(split.images, split.labels, GAN["updates"], BATCH), seed)
        made = pretrained.half(algorithm.average).eval()
        save_tensors(path, {key: value.contiguous() for key, value in made.state_dict().items()})
        return made

    def drawn(self, generator: Generator, seed: int) -> Split:
        """As many images of each class out of a generator."""
        labels = np.arange(DRAWN) % len(self.data.label_names)
        return Split(generate(generator, DRAWN, 100 + seed, labels), labels)

    def again(self, split: Split, seed: int) -> Split:
        """The first null: real images, resampled with replacement, as many of each class."""
        rng, classes = np.random.default_rng(seed), np.unique(split.labels)
        each = [rng.choice(np.flatnonzero(split.labels == c), DRAWN // len(classes)) for c in classes]
        return subset(split, np.concatenate(each))

    def noisy(self, split: Split, seed: int, sigma: float = NOISE) -> Split:
        """The second null: the same with Gaussian noise."""
        made, draws = self.again(split, seed), torch.Generator().manual_seed(seed)
        x = gaussian_noise(to_unit(torch.from_numpy(made.images)), sigma, draws)
        return Split(to_uint8(x).numpy(), made.labels)

    def probe(self, n: int, seed: int) -> dict[str, np.ndarray]:
        """Logistic regression on the codes of a VAE that saw the training images, and no label."""
        split = self.real(n, seed)
        learnt = LogisticRegression(class_weight="balanced", max_iter=1000)
        learnt.fit(codes(self.vae, split.images), split.labels)
        parts = {"val": self.data.val, "test": self.data.test}
        return {
            name: learnt.predict_proba(codes(self.vae, part.images))[:, 1] for name, part in parts.items()
        }

    def judged(self, method: str, n: int, seed: int) -> dict[str, np.ndarray]:
        """Probabilities of class 1 on val and test after one training."""
        if method == "probe":
            return self.probe(n, seed)
        if method.startswith("m2"):
            return self.told(self.m2(n, seed, longer=times(method)))
        split = self.real(n, seed)
        if method.endswith("honest"):
            more = self.drawn(self.honest(n, seed), seed)
        elif method.endswith("cheat"):
            more = self.drawn(self.honest(ALL, seed), seed)
        elif method.endswith("shipped"):
            more = self.drawn(self.shipped, seed)
        elif method in ("resampled", "noisy"):
            more = (self.again if method == "resampled" else self.noisy)(split, seed)
        else:
            change = augment if method == "augmented" else None
            return self.told(self.classifier(seed, [split], change, longer=times(method)))
        return self.told(self.classifier(seed, [more] if method.startswith("synthetic") else [split, more]))

    def told(self, model: Classifier | SemiVAE) -> dict[str, np.ndarray]:
        """The same of a network."""
        parts = {"val": self.data.val, "test": self.data.test}
        return {name: probabilities(model, part.images)[:, 1] for name, part in parts.items()}


def times(method: str) -> int:
    """How many times the updates a method has."""
    return LONGER if method.endswith("longer") else 1


def run(algorithm: Algorithm, sampler: DrawnSampler, seed: int) -> Algorithm:
    """One epoch of so many updates."""
    fit(algorithm, sampler, 1, seed, "cpu", "float32", progress=False)
    return algorithm


@torch.inference_mode()
def codes(vae, images: np.ndarray) -> np.ndarray:
    """Posterior means (N, latent_dim), each about as large as the prior has it."""
    parts = torch.from_numpy(images).split(512)
    return torch.cat([vae.encode(to_unit(part))[0] for part in parts]).numpy()


def row_of(task: Task, method: str, n: int, seed: int) -> dict[str, str | int | float]:
    """One training, judged on val and, once, on test."""
    started = time.process_time()
    found, data = task.judged(method, n, seed), task.data
    right = {c: (found["test"] >= 0.5)[data.test.labels == c] == bool(c) for c in (0, 1)}
    beside = DRAWN if method in LEDGER and method != "scratch" else 0
    return {
        "method": method,
        "labels": min(n, len(data.train)),
        "seed": seed,
        "updates": 0 if method == "probe" else times(method) * task.updates,
        "drawn": beside,
        "val_auc": round(roc_auc_score(data.val.labels, found["val"]), 5),
        "test_auc": round(roc_auc_score(data.test.labels, found["test"]), 5),
        "recall_0": round(float(right[0].mean()), 5),
        "recall_1": round(float(right[1].mean()), 5),
        "cpu_s": round(time.process_time() - started, 1),
    }


def jobs(name: str) -> Iterator[tuple[str, int, int]]:
    """All trainings of a data set, those that everything is compared with first."""
    for methods, numbers in (
        (("scratch", "probe", "augmented", "both_honest"), LABELS[name]),
        (("synthetic_honest", "resampled", "both_cheat", "both_shipped", "noisy"), BESIDE[name]),
        (("synthetic_cheat", "synthetic_shipped"), (ALL,)),
        (("m2",), [n for n in LABELS[name] if n != ALL]),
        (("scratch_longer", "m2_longer"), LONG[name]),
    ):
        for n in numbers:
            for method in methods:
                for seed in SEEDS:
                    yield method, n, seed


def sweep(name: str) -> None:
    """Every training, the table growing by a row each; then both tables of the shelf."""
    task, before, done = Task(name), kept(name), {}
    for method, n, seed in jobs(name):
        key = (method, min(n, len(task.data.train)), seed)
        done[key] = before.get(key) or row_of(task, method, n, seed)
        if key not in before:
            write_csv(BUILD / f"{name}.csv", list((done | before).values()))
            print(name, done[key], flush=True)
    write_csv(BUILD / f"{name}.csv", list(done.values()))
    tables(name)
    print(f"{name}: {sum(float(row['cpu_s']) for row in done.values()):.0f} CPU seconds")


def kept(name: str) -> dict[tuple[str, int, int], dict]:
    """The rows of an earlier run by method, labels and seed."""
    path = BUILD / f"{name}.csv"
    return read(path, {method: method for method in RECOGNITION | LEDGER}) if path.is_file() else {}


def read(path: Path, names: dict[str, str]) -> dict[tuple[str, int, int], dict]:
    """The rows of a table by method, labels and seed; `names`: method here -> method there."""
    here = {there: method for method, there in names.items()}
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row | {"method": here[row["method"]]} for row in csv.DictReader(file)]
    return {(row["method"], int(row["labels"]), int(row["seed"])): row for row in rows}


def shelved(name: str) -> dict[Path, dict[str, str]]:
    """Where both tables rest, and what methods are called in them."""
    return {pretrained.few_recognition_path(name): RECOGNITION, pretrained.ledger_path(name): LEDGER}


def take(name: str) -> None:
    """The rows of the shelf's tables, as if this machine had just trained them."""
    done = kept(name)
    for path, names in shelved(name).items():
        done = read(path, names) | done
    write_csv(BUILD / f"{name}.csv", list(done.values()))
    print(f"{name}: {len(done)} rows in {BUILD}")


def tables(name: str) -> None:
    """Both tables of the shelf, of what has been done with every seed."""
    done = kept(name)
    whole = {key[:2] for key in done if all((*key[:2], seed) in done for seed in SEEDS)}
    for target, names in shelved(name).items():
        rows = [row for key, row in done.items() if key[0] in names and key[:2] in whole]
        if {row["method"] for row in rows} <= {"scratch"}:
            continue  # nothing stands beside the real images yet
        write_csv(target, [row | {"method": names[row["method"]]} for row in rows])


def choose(name: str) -> None:
    """Validation AUC with 100 labels of what was tried, seeds that no table shows."""
    task, rows = Task(name), []
    for setting, values in TRIED.items():
        for value in values:
            for seed in CHOOSING:
                split = task.real(100, seed)
                if setting == "alpha":
                    model = task.m2(100, seed, value)
                elif setting == "rate":
                    model = task.classifier(seed, [split], rate=value)
                else:
                    model = task.classifier(seed, [split, task.noisy(split, seed, value)])
                found = roc_auc_score(task.data.val.labels, probabilities(model, task.data.val.images)[:, 1])
                rows.append({"setting": setting, "value": value, "seed": seed, "val_auc": round(found, 5)})
                print(name, rows[-1], flush=True)
    write_csv(pretrained.shelf() / name / "few_choices.csv", rows)


def ship(name: str) -> None:
    """M2 and the honest generator with 100 labels and seed 0, with their cards."""
    task = Task(name)
    model, generator = pretrained.half(task.m2(SHIPPED, 0)), task.honest(SHIPPED, 0)
    recipe = {
        "labelled": SHIPPED,
        "images": len(task.data.train),
        "batch_size": BATCH,
        "repeats_left_out": True,
    }
    updates = {"updates": task.updates, "alpha": ALPHA, "optimizer": f"AdamW, {RATE:g}, cosine to 0"}
    about = card(task.data, model, recipe | updates, evaluate_semi_vae(model, task.data.test))
    pretrained.save(name, "semi_vae", {"semi_vae": model}, about, {})
    updates = {"images": SHIPPED, "updates": GAN["updates"], "average": GAN["ema"]}
    rates = f"Adam (0.5, 0.999), {GAN['rate']:g} for the generator, {2 * GAN['rate']:g} for the discriminator"
    how = {"objective": "hinge, spectral normalisation, differentiable augmentation", "optimizer": rates}
    pretrained.save(
        name, "few_gan", {"generator": generator}, card(task.data, generator, recipe | updates | how, {}), {}
    )
    print(name, {figure: row["value"] for figure, row in about["test"].items()})


VERBS = {"choose": choose, "ship": ship, "take": take, "tables": tables}


if __name__ == "__main__":
    torch.set_num_threads(1)
    verb, names = VERBS.get(sys.argv[1] if sys.argv[1:] else ""), sys.argv[1:]
    for name in (names[1:] if verb else names) or LABELS:
        (verb or sweep)(name)
        if not names:
            ship(name)
