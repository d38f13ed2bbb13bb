"""What varies too little in the slices of the GAN that notebook 05 ships?

    python recipes/growing_spread.py

Ridge regressions, one for each class, read the phantom's factors off slices that are shrunk to 32 pixels.
They are trained on the training slices; the strength is chosen there too. For each factor that they can read
on val: the spread of what they read in generated slices over that in val, how far its mean has moved in
spreads, and the largest distance of the two distributions (Kolmogorov and Smirnov). Then how far apart two
slices are, compared with real ones, at each side and in each stage of the features that measure; and the
figures of 512 slices as they are, and with the mean of each feature moved to where it belongs.
"""

import math

import numpy as np
import torch
from growing import COUNT, SIZE, load
from scipy.stats import ks_2samp
from sklearn.linear_model import RidgeCV
from torch.nn.functional import adaptive_avg_pool2d, pdist

from medgen_course import phantom, pretrained
from medgen_course.batches.transforms import to_unit
from medgen_course.metrics import classification, fidelity
from medgen_course.metrics.neighbours import neighbourhood
from medgen_course.models import samples

SIDE, SEED = 32, 0  # pixels that are read; of the noise
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)  # of the ridge
READ = 0.5  # share of a factor's variance that has to be read for it to be told


def pixels(images: np.ndarray, side: int = SIDE) -> torch.Tensor:
    """uint8 (N, 1, H, W) averaged down to (N, side * side) in [0, 1]."""
    return adaptive_avg_pool2d(to_unit(torch.from_numpy(images)), side).flatten(1)


def targets(factors: np.ndarray) -> dict[str, np.ndarray]:
    """Name to (N,); of a phase, which is circular, cosine and sine."""
    found = {}
    for name, column in phantom.COLUMN.items():
        if name.startswith("fold_phase"):
            turn = 2 * math.pi * factors[:, column]
            found |= {f"{name} cos": np.cos(turn), f"{name} sin": np.sin(turn)}
        elif np.ptp(factors[:, column]) > 0:
            found[name] = factors[:, column]
    return found


def tell_factors(train, val, made: np.ndarray) -> None:
    """A line for each factor that can be read; (images, factors) of one class, and generated images of it."""
    true = targets(val[1])
    reader = RidgeCV(STRENGTHS).fit(pixels(train[0]), np.stack(list(targets(train[1]).values()), 1))
    real, fake = reader.predict(pixels(val[0])), reader.predict(pixels(made))
    for name, truth, told, drawn in zip(true, true.values(), real.T, fake.T, strict=True):
        explained = 1 - np.mean((told - truth) ** 2) / truth.var()
        if explained > READ:
            moved, far = (drawn.mean() - told.mean()) / told.std(), ks_2samp(told, drawn).statistic
            print(f"  {name:20} R2 {explained:.2f}  spread {drawn.std() / told.std():.2f}  "
                  f"moved {moved:+.2f}  KS {far:.2f}")  # fmt: skip


def nearness(made: torch.Tensor, real: torch.Tensor) -> str:
    """Median distance of two of `made`, as a share of that of two of `real`."""
    return f"{float(pdist(made[:COUNT]).median() / pdist(real[:COUNT]).median()):.2f}"


def tell(data, generator) -> None:
    """All of it, of a generator that has grown."""
    labels = samples.draw_labels(np.bincount(data.train.labels), 4 * COUNT, SEED)
    made = samples.generate(generator.eval(), 4 * COUNT, SEED, labels)
    for label, name in enumerate(data.label_names):
        print(name)
        own = ((split.images[split.labels == label], split.extras["factors"][split.labels == label])
               for split in (data.train, data.val))  # fmt: skip
        tell_factors(*own, made[labels == label])
    sides = {side: nearness(pixels(made, side), pixels(data.val.images, side)) for side in (8, 16, 32, SIZE)}
    print("two slices apart, of real, by side:", sides)
    against = fidelity.reference(data, pretrained.load_classifier("phantom", "classifier_64"))
    real, fake = against.train, classification.embed(against.classifier, made)
    stages = zip(fake.split((16, 32, 64), 1), real.split((16, 32, 64), 1), strict=True)
    print("by stage of the features:", [nearness(*stage) for stage in stages])
    for name, features in {"as it is": fake, "means put right": fake - fake.mean(0) + real.mean(0)}.items():
        found = neighbourhood(real, features[:COUNT], fidelity.NEIGHBOURS, against.radii)
        print(name, {figure: round(value, 3) for figure, value in found.items()})


if __name__ == "__main__":
    torch.set_num_threads(1)
    tell(load("phantom"), pretrained.load_growing()[3.0])
