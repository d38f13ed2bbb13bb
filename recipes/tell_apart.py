"""Can a new classifier tell real T2w slices from translated ones? Notebook 04, exercise 6: `make pretrained`.

The notebook asks it with few slices and epochs; here it has more of both, and several seeds.
"""

import time

import numpy as np
import torch

from medgen_course import pretrained
from medgen_course.batches.transforms import to_uint8
from medgen_course.datasets.domains import phantom_domains
from medgen_course.files import write_json
from medgen_course.metrics.classification import train_classifier
from medgen_course.metrics.translators import domain_auc

SLICES, HELD_OUT, EPOCHS, SEEDS = 2048, 512, 20, (0, 1, 2)


def main() -> None:
    """Train one classifier for each translator and seed, and measure it on validation slices."""
    domains, runs = phantom_domains(32, counts=(SLICES, HELD_OUT, 8)), []
    shipped = pretrained.load_translators("phantom")
    pairs = {"CycleGAN": shipped[max(shipped)], "pix2pix": pretrained.load_pix2pix()}
    for seed in SEEDS:
        for name, pair in pairs.items():
            started = time.perf_counter()
            made, held_out = (
                to_uint8(pair.translate(part.a, "b")).numpy() for part in (domains.train, domains.val)
            )
            images = np.concatenate([domains.train.b, made])
            labels = np.repeat([0, 1], [len(domains.train.b), len(made)])
            judge = train_classifier(images, labels, 2, EPOCHS, seed)
            auc = domain_auc(judge, domains.val.b, held_out)["value"]
            runs.append({"translator": name, "seed": seed, "auc": round(auc, 4)})
            print(runs[-1], f"{time.perf_counter() - started:.0f} s", flush=True)
    recipe = {"slices_of_each": SLICES, "held_out": HELD_OUT, "epochs": EPOCHS, "seeds": SEEDS}
    write_json(pretrained.tell_apart_path(), {"recipe": recipe, "runs": runs})


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
