"""Record the hallucination lab of notebook 04: `make pretrained`."""

import itertools

import torch
from cyclegan import BATCH, SIZE, cyclegan, run, translators
from pretrain import card

from medgen_course import datasets, pretrained
from medgen_course.batches.domains import UnpairedSampler
from medgen_course.datasets.domains import Domains, phantom_domains
from medgen_course.files import write_csv
from medgen_course.metrics.translation_eye import translation_eye
from medgen_course.metrics.translators import evaluate_translators
from medgen_course.models.classifier import Classifier
from medgen_course.models.translators import Translators

LAB = {"steps": 1500, "counts": (2048, 512, 512), "prevalences": (0.0, 0.5, 1.0), "seeds": (0, 1, 2)}


def measured(pair: Translators, domains: Domains, eye: Classifier) -> dict[str, float]:
    """A network's figures on both splits, such as `val_erased_ab` and `test_erased_ab`."""
    return {
        f"{split}_{name}": round(row["value"], 5)
        for split in ("val", "test")
        for name, row in evaluate_translators(pair, domains, eye, split).items()
    }


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
        rows.append({"prevalence_b": share, "seed": seed, "seconds": round(seconds)})
        rows[-1] |= measured(pair, domains, eye)
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


if __name__ == "__main__":
    torch.set_num_threads(1)
    lab()
