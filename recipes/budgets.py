"""What the budget alone explains: a VAE and a GAN on the same images for the same epochs, without labels.

    python recipes/budgets.py

Three seeds each, measured on validation images; notebook 03 shows them beside the shipped models. Rows that
are there already are not trained again.
"""

import torch

from medgen_course import datasets, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.files import write_json
from medgen_course.metrics import classification, fidelity
from medgen_course.models import samples
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.models.vae import VAE, VAEAlgorithm
from medgen_course.training.checkpoints import read_json
from medgen_course.training.loop import fit

NAME, EPOCHS, SEEDS = "pneumoniamnist", 16, (0, 1, 2)


def vae_samples(data, seed: int, n: int):
    """Images of a VAE at beta 1, as notebook 02 trains it."""
    torch.manual_seed(seed)
    model, sampler = VAE(data.channels, data.size, 16), Sampler(data.train, 128)
    algorithm = VAEAlgorithm(model, 1.0, decay_steps=EPOCHS * len(sampler))
    fit(algorithm, sampler, EPOCHS, seed, "cpu", "float32", progress=False)
    return samples.draw_from_prior(model.eval(), n, seed)


def gan_samples(data, seed: int, n: int):
    """Images of the GAN that notebook 03 trains live, for as many epochs as the VAE."""
    torch.manual_seed(seed)
    networks = Generator(data.channels, data.size), Discriminator(data.channels, data.size)
    algorithm = GANAlgorithm(*networks, "non_saturating", learning_rate=4e-4, ema=0.99)
    fit(algorithm, Sampler(data.train, 64), EPOCHS, seed, "cpu", "float32", progress=False)
    return samples.generate(algorithm.average.eval(), n, seed)


def main() -> None:
    """Train and measure what is missing, and write after each model."""
    data, target = datasets.load(NAME), pretrained.budgets_path()
    rows = read_json(target)["rows"] if target.is_file() else []
    against = fidelity.reference(data, classification.feature_network(data))
    n = len(data.val)
    for seed in SEEDS:
        for model, draw in (("VAE", vae_samples), ("GAN", gan_samples)):
            if any((row["model"], row["seed"]) == (model, seed) for row in rows):
                continue
            measured = against.measure(draw(data, seed, n))
            budget = {"model": model, "seed": seed, "epochs": EPOCHS, "labels": False, "images": n}
            rows.append(budget | measured)
            write_json(target, {"recipe": "recipes/budgets.py", "dataset": NAME, "rows": rows})
            print(rows[-1], flush=True)


if __name__ == "__main__":
    main()
