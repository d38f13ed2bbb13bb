"""Security and interpretability for notebook 13, recorded: `make pretrained`.

    python recipes/trust_explain.py [PART ...]      default: all, see PARTS; each writes its own table

Settings are chosen on val slices and images, figures are measured on test, once. Phantom: T1w, 28 pixels, the
shipped classifier of lesions and VAE; translation: 32 pixels, the shipped CycleGAN. PneumoniaMNIST: the
shipped classifier, VAE and CycleGAN. Explanations are scored on lesions that the classifier calls so. What is
trained here (networks with another start, with a shortcut, on poisoned labels) is not shipped. About eight
minutes on one core.
"""

import sys
import time

import numpy as np
import torch

from medgen_course import datasets, phantom, pretrained
from medgen_course.datasets.domains import phantom_domains
from medgen_course.files import write_csv
from medgen_course.metrics.anomaly.detection import auroc
from medgen_course.metrics.anomaly.scores import smooth
from medgen_course.metrics.classification import probabilities, train_classifier
from medgen_course.metrics.reconstruction import bootstrap_interval
from medgen_course.metrics.shares import share_interval
from medgen_course.metrics.trust import adversarial, explained, poison, shelf_explain
from medgen_course.metrics.trust.counterfactuals import path
from medgen_course.metrics.trust.edits import against_twin, of_path
from medgen_course.metrics.trust.shelf_explain import SETTINGS, Slices, lesion_slices, unit

SEED, PIXELS = 0, 28
CHOOSING, SCORED, CHECKED = 48, 128, 48  # slices: of val, of test, of the occlusion with new weights
EPSILONS = (0, 1, 2, 3, 4, 6, 8)
STEPS = 10  # of PGD
# of the network that is asked too, and of the one with a shortcut
SECOND = {
    "phantom": (8192, 3),
    "pneumoniamnist": (4708, 5),
}  # images, epochs
SHORTCUT = (4096, 4)
POISONED = {"mislabelled": (0.1, 0.2, 0.4), "trigger": (0.01, 0.03, 0.1)}
POISON_SEEDS, POISON_EPOCHS, SICK = (0, 1, 2), 3, 1


def rows(found: dict[str, dict], **about) -> list[dict]:
    """Rows of a table from figures by measure."""
    ends = ("value", "low", "high")
    return [about | {"measure": name} | {e: f"{row[e]:.5g}" for e in ends} for name, row in found.items()]


def write(dataset: str, table: str, made: list[dict]) -> None:
    """A table with all the columns that a row has."""
    columns = list(dict.fromkeys(name for row in made for name in row))
    write_csv(
        shelf_explain.table_path(dataset, table), [{c: row.get(c, "") for c in columns} for row in made]
    )


def recognised(split: str, count: int) -> Slices:
    """The first so many slices whose lesion the shipped classifier sees."""
    slices = lesion_slices(split, 2 * count)
    says = probabilities(pretrained.load_classifier("phantom"), slices.images).argmax(1)
    return slices.at(np.flatnonzero(says == 1)[:count])


def pointed(maps: np.ndarray, masks: np.ndarray) -> dict[str, dict]:
    """Pointing game and average precision with intervals."""
    return {
        "pointing": bootstrap_interval(explained.pointing(maps, masks)),
        "average_precision": bootstrap_interval(explained.precision(maps, masks)),
    }


def saliency() -> None:
    """Which explanation points at the lesion, with trained weights and with new ones; and at a shortcut."""
    model, data = pretrained.load_classifier("phantom"), datasets.load("phantom")
    reference = unit(data.train.images).mean(0, keepdim=True)
    ways, made, chosen = shelf_explain.variants(reference), [], {}
    val = recognised("val", CHOOSING)
    for method, each in ways.items():
        score, maps = {}, {}
        for setting, explain in each.items():
            plain = setting.removesuffix(", smoothed")  # comes first; smoothing it is the same, and free
            again = plain in maps
            maps[setting] = (
                smooth(maps[plain], shelf_explain.SMOOTH) if again else explain(model, unit(val.images), 1)
            )
            found = pointed(maps[setting], val.masks)
            about = {"split": "val", "method": method, "setting": setting, "depth": 0, "target": "lesion"}
            made += rows(found, **about, images=len(val), seed="")
            score[setting] = found["average_precision"]["value"]
        chosen[method] = max(score, key=score.get)
        print(method, score, flush=True)
    test = recognised("test", SCORED)
    x, usual = unit(test.images), {}
    for method, setting in chosen.items():
        usual[method] = ways[method][setting](model, x, 1)
        about = {"split": "test", "method": method, "setting": setting, "depth": 0, "target": "lesion"}
        made += rows(pointed(usual[method], test.masks), **about, images=len(x), seed="")
    for method, maps in explained.controls(x, SEED).items():
        about = {"split": "test", "method": method, "setting": "", "depth": 0, "target": "lesion"}
        made += rows(pointed(maps, test.masks), **about, images=len(x), seed=SEED)
    for depth in range(1, 5):
        other = explained.randomised(model, x, depth, SEED)
        for method, setting in chosen.items():
            n = CHECKED if method == "occlusion" else len(x)
            maps = ways[method][setting](other, x[:n], 1)
            found = pointed(maps, test.masks[:n])
            same = explained.rank_correlation(usual[method][:n], maps)
            found["rank_correlation"] = bootstrap_interval(same)
            about = {
                "split": "test",
                "method": method,
                "setting": setting,
                "depth": depth,
                "target": "lesion",
            }
            made += rows(found, **about, images=n, seed=SEED)
    made += planted(chosen, ways, test)
    write("phantom", "saliency", made)


def planted(chosen: dict[str, str], ways: dict, test: Slices) -> list[dict]:
    """A classifier that was taught a shortcut: what it has learnt, and which explanation says so."""
    count, epochs = SHORTCUT
    drawn = phantom.generate(count, PIXELS, SEED, "train")
    split = poison.shortcut(datasets.Split(drawn.t1w, drawn.labels), SICK)
    model = train_classifier(split.images, split.labels, 2, epochs, SEED)
    made, budget = [], {"seed": SEED, "updates": epochs * (count // 128)}
    honest, stamped = test.images, poison.stamped(test.images)
    truth = np.repeat([0, 1], len(test))
    exams = {
        "square with the lesion": np.concatenate([test.twins, stamped]),
        "no square": np.concatenate([test.twins, honest]),
        "square without the lesion": np.concatenate([poison.stamped(test.twins), honest]),
    }
    for name, images in exams.items():
        found = probabilities(model, images)[:, 1]
        area = auroc(found[truth == 0], found[truth == 1], twins=True)
        about = {"split": "test", "method": "classifier with a shortcut", "setting": name, "depth": 0}
        made += rows({"auroc": area}, **about, target="", images=len(images), **budget)
    x = unit(stamped[:CHECKED])
    masks = {"square": poison.square_mask(stamped[:CHECKED]), "lesion": test.masks[:CHECKED]}
    for method, setting in chosen.items():
        maps = ways[method][setting](model, x, 1)
        for target, mask in masks.items():
            about = {"split": "test", "method": method, "setting": "with a shortcut", "depth": ""}
            made += rows(pointed(maps, mask), **about, target=target, images=len(x), **budget)
    return made


def first_that_turns(model, ways: dict, x: torch.Tensor) -> tuple[dict[str, float], list[dict]]:
    """For each way the first setting that turns half of the val images, else the one that turns most."""
    chosen, made = {}, []
    for name, way in ways.items():
        shares = {}
        for setting in SETTINGS[name]:
            found = of_path(path(model, way(setting), x, 2))
            about = {"split": "val", "way": name, "setting": setting}
            made += rows(found, **about, images=len(x), seed="")
            shares[setting] = found["flipped"]["value"]
        enough = [setting for setting, share in shares.items() if share >= 0.5]
        chosen[name] = enough[0] if enough else max(shares, key=shares.get)
        print(name, shares, flush=True)
    return chosen, made


def counterfactuals(dataset: str) -> None:
    """What is changed to turn the answer, and on the phantom whether that is the lesion and nothing else."""
    data, model = datasets.load(dataset), pretrained.load_classifier(dataset)
    known = shelf_explain.parts(data)
    ways = shelf_explain.generative_ways(known.model, model, known.vector, known.reference)
    if dataset == "phantom":
        val, test = recognised("val", CHOOSING), recognised("test", SCORED)
        seen, x = unit(val.images), unit(test.images)
        count, epochs = SECOND[dataset]
        drawn = phantom.generate(count, PIXELS, SEED + 1, "train")
        learnt = datasets.Split(drawn.t1w, drawn.labels)
    else:
        seen, x = unit(data.val.images[: 2 * CHOOSING]), unit(data.test.images[: 2 * SCORED])
        learnt, epochs = data.train, SECOND[dataset][1]
    second = train_classifier(learnt.images, learnt.labels, 2, epochs, SEED + 1)
    chosen, made = first_that_turns(model, ways, seen)
    tried = {name: (setting, ways[name](setting)) for name, setting in chosen.items()}
    if pretrained.fits(data, "cyclegan"):
        last = list(pretrained.load_translators(dataset).values())[-1]
        tried["CycleGAN"] = "", shelf_explain.ways_of.by_translation(last)
    controls = shelf_explain.control_ways(known.model, model, known.means)
    tried |= {name: ("", way) for name, way in controls.items()}
    ends = {name: (setting, path(model, way, x, 2)) for name, (setting, way) in tried.items()}
    for name, (setting, walked) in ends.items():
        found = of_path(walked, second)
        if dataset == "phantom":
            found |= against_twin(walked.end, x, unit(test.twins), test.masks)
        made += rows(found, split="test", way=name, setting=setting, images=len(x), seed="")
    if dataset == "phantom":  # the ends of the scale
        for name, end in (("nothing", x), ("healthy twin", unit(test.twins))):
            found = against_twin(end, x, unit(test.twins), test.masks)
            made += rows(found, split="test", way=name, setting="", images=len(x), seed="")
    write(dataset, "counterfactuals", made)


def attacks(dataset: str, count: int) -> list[dict]:
    """The shipped classifier over epsilon, and whether the VAE notices."""
    data, model = datasets.load(dataset), pretrained.load_classifier(dataset)
    vae = pretrained.load_vaes(dataset)[shelf_explain.BETA]
    images, labels = data.test.images[:count], data.test.labels[:count]
    tried = adversarial.kept(adversarial.against_classifier(model, images, labels, STEPS, SEED))
    made = []
    for row in adversarial.robustness(model, tried, labels, EPSILONS):
        found = {name: row[name] for name in ("accuracy", "auc")}
        about = {name: row[name] for name in ("attack", "epsilon", "images")}
        made += rows(found, split="test", target="classifier", **about, steps=STEPS, seed=SEED)
    for row in adversarial.noticed(vae, tried, images, EPSILONS):
        about = {name: row[name] for name in ("attack", "epsilon", "images")}
        made += rows({"auroc": row["auroc"]}, split="test", target="elbo", **about, steps=STEPS, seed=SEED)
    return made


def against_phantom() -> None:
    """The classifier and the likelihood of T1w slices, and the translator to T2w."""
    made = attacks("phantom", 512)
    truth = phantom_domains(32, counts=(2, 2, 256)).test.truth
    truth = truth.at(np.flatnonzero(truth.masks.any((1, 2, 3)))[:96])
    translator = list(pretrained.load_translators("phantom").values())[-1]["b"]
    tried = adversarial.against_translator(translator, truth, STEPS, SEED)
    for row in adversarial.erasure(translator, tried, truth, EPSILONS):
        about = {name: row[name] for name in ("attack", "epsilon", "images")}
        found = {"erased": row["erased"]}
        made += rows(found, split="test", target="translator", **about, steps=STEPS, seed=SEED)
    write("phantom", "adversarial", made)


def poisoned() -> None:
    """PneumoniaMNIST with a share of the pneumonia images mislabelled, or stamped and mislabelled."""
    data, made = datasets.load("pneumoniamnist"), []
    images, labels = data.test.images, data.test.labels
    sick = images[labels == SICK]
    plan = [("none", 0.0)] + [(kind, share) for kind, shares in POISONED.items() for share in shares]
    ways = {"mislabelled": poison.mislabelled, "trigger": poison.triggered, "none": poison.mislabelled}
    for kind, share in plan:
        for seed in POISON_SEEDS:
            split = ways[kind](data.train, SICK, share, seed)
            model = train_classifier(split.images, split.labels, 2, POISON_EPOCHS, seed)
            found = probabilities(model, images)
            area = auroc(found[labels == 0, 1], found[labels == 1, 1])
            missed = {
                name: share_interval(probabilities(model, x).argmax(1) != SICK)
                for name, x in (("missed", sick), ("missed_with_square", poison.stamped(sick)))
            }
            figures = {"accuracy": share_interval(found.argmax(1) == labels), "auc": area} | missed
            about = {"split": "test", "poison": kind, "share": share, "seed": seed}
            updates = POISON_EPOCHS * (len(split) // 128)
            made += rows(figures, **about, images=len(images), updates=updates)
            print(
                kind, share, seed, {name: round(row["value"], 3) for name, row in figures.items()}, flush=True
            )
    write("pneumoniamnist", "poison", made)


PARTS = {
    "saliency": saliency,
    "counterfactuals-phantom": lambda: counterfactuals("phantom"),
    "counterfactuals-pneumoniamnist": lambda: counterfactuals("pneumoniamnist"),
    "adversarial-phantom": against_phantom,
    "adversarial-pneumoniamnist": lambda: write(
        "pneumoniamnist", "adversarial", attacks("pneumoniamnist", 624)
    ),
    "poison": poisoned,
}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for part in sys.argv[1:] or PARTS:
        started = time.process_time()
        PARTS[part]()
        print(f"{part}: {time.process_time() - started:.0f} s of one core", flush=True)
