"""A GAN on 546 images for long, with and without differentiable augmentation: a JSON that notebook 03 shows.

    python recipes/few.py

After every ten epochs, on images: how much surer D is of its training images than of new ones, and the
coverage of new images by samples. New images are the validation split; nothing else is chosen by it.
"""

import torch

from medgen_course import datasets, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.transforms import to_unit
from medgen_course.files import write_json
from medgen_course.metrics import classification, fidelity
from medgen_course.metrics.neighbours import neighbourhood
from medgen_course.models import samples
from medgen_course.models.diff_augment import diff_augment
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.training.loop import fit

NAME, IMAGES, EPOCHS, EVERY, SEED = "pneumoniamnist", 546, 600, 20, 0


def train(data, few, augment) -> dict[str, list[float]]:
    """One run: columns of what was measured after every `EVERY` epochs."""
    network = classification.feature_network(data)
    new = data.val.images
    held, held_features = to_unit(torch.from_numpy(new)), classification.embed(network, new)
    x = to_unit(torch.from_numpy(few.images))
    torch.manual_seed(SEED)
    networks = (make(data.channels, data.size, width=24) for make in (Generator, Discriminator))
    gan = GANAlgorithm(*networks, learning_rate=4e-4, ema=0.99, augment=augment)
    sampler, found = Sampler(few, 64), {"epoch": [], "gap": [], "coverage": [], "density": [], "frechet": []}

    def watch(step, logs):
        if step % (EVERY * len(sampler)):
            return
        with torch.no_grad():
            gap = gan.discriminator(x).mean() - gan.discriminator(held).mean()
        drawn = classification.embed(network, samples.generate(gan.average.eval(), len(new), SEED))
        near = neighbourhood(held_features, drawn)
        found["epoch"].append(step // len(sampler))
        found["gap"].append(float(gap))
        found["frechet"].append(fidelity.frechet(held_features, drawn))
        for name in ("coverage", "density"):
            found[name].append(near[name])
        print({name: round(column[-1], 3) for name, column in found.items()}, flush=True)

    fit(gan, sampler, EPOCHS, SEED, "cpu", "float32", callback=watch, progress=False)
    return found


def main() -> None:
    """Both runs."""
    data = datasets.load(NAME)
    few = data.train.first(IMAGES)
    runs = {"plain": train(data, few, None), "augmented": train(data, few, diff_augment)}
    about = {"recipe": "recipes/few.py", "dataset": NAME, "images": len(few), "epochs": EPOCHS, "seed": SEED}
    write_json(pretrained.few_path(), {**about, "runs": runs})


if __name__ == "__main__":
    main()
