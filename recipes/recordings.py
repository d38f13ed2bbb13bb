"""Record GANs that went well or wrong, for notebook 03: `make pretrained`. Small networks, PneumoniaMNIST.

    python recipes/recordings.py [RUN ...]      default: all of `FAULTS` and `FEW`, the healthy one first

Mode collapse and oscillation begin where the healthy run was after half of its epochs. Two things change: the
step sizes, and the generator's BatchNorm becomes a fixed map. Nothing then keeps the codes of a batch apart,
and all images move together (Radford et al. 2016 brought in BatchNorm against just that). The few images are
the first of the training split. The settings were chosen by looking at the frames.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from pretrain import SEED
from torch import nn

from medgen_course import datasets, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.transforms import to_unit
from medgen_course.metrics import classification
from medgen_course.metrics.memorisation import copy_check
from medgen_course.metrics.neighbours import neighbourhood
from medgen_course.models.diff_augment import diff_augment
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.training.checkpoints import RunFolder
from medgen_course.training.loop import fit
from medgen_course.training.recorder import Recorder, spaced_moments

FAULTS = {  # run -> title, objective, step sizes of generator and discriminator, epochs
    "healthy": ("a healthy run", "hinge", 4e-4, 4e-4, 24),
    "collapse": ("mode collapse", "hinge", 2e-3, 4e-4, 2),
    "winner": ("a discriminator that wins", "minimax", 1e-4, 2e-3, 6),
    "oscillation": ("an oscillation", "hinge", 2e-3, 4e-4, 3),
}
SLOW = 5e-5  # the step size of both players in the second half of the collapse, which is kept by it
FEW = {"few_plain": ("plain", None), "few_augmented": ("differentiable augmentation", diff_augment)}
IMAGES, FEW_BATCH, FEW_STEPS, FEW_RATES = 100, 32, 4000, (4e-4, 1e-3)
WIDTH, BATCH, SAMPLES = 24, 64, 8
HALF = RunFolder("build/recordings/healthy-half")  # the players of the healthy run after half of its epochs


class FixedNorm(nn.Module):
    """What a BatchNorm computes in evaluation mode, with its weights still to be trained."""

    def __init__(self, norm: nn.BatchNorm2d):
        super().__init__()
        scale = norm.weight.detach() / (norm.running_var + norm.eps).sqrt()
        self.scale = nn.Parameter(scale.view(-1, 1, 1).clone())
        self.shift = nn.Parameter((norm.bias.detach() - norm.running_mean * scale).view(-1, 1, 1).clone())

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to the same."""
        return h * self.scale + self.shift


def fix_norms(network: nn.Module) -> nn.Module:
    """Put a `FixedNorm` in the place of every BatchNorm."""
    for module in list(network.modules()):
        for name, part in list(module.named_children()):
            if isinstance(part, nn.BatchNorm2d):
                setattr(module, name, FixedNorm(part))
    return network


def players(data, spectral_norm: bool) -> tuple[Generator, Discriminator]:
    """Both networks with their first weights."""
    torch.manual_seed(SEED)
    generator = Generator(data.channels, data.size, width=WIDTH)
    return generator, Discriminator(data.channels, data.size, width=WIDTH, spectral_norm=spectral_norm)


def record(
    algorithm, split, batch: int, epochs: int, moments, judged, measure, about, target, half_way=lambda: None
) -> None:
    """Train, and write the recording; `half_way` is called after half of the epochs."""
    rates = {f"{who}_rate": adam.param_groups[0]["lr"] for who, adam in algorithm.optimizers.items()}
    about |= {**rates, "betas": (0.5, 0.999), "precision": "bfloat16"}
    about |= {"batch_size": batch, "images": len(split), "steps_per_epoch": len(split) // batch}
    recorder = Recorder(algorithm, judged.images, judged.labels, moments, about, SAMPLES, measure)
    sampler = Sampler(split, batch)

    def callback(step: int, logs: dict) -> None:
        recorder(step, logs)
        if step == epochs // 2 * len(sampler):
            half_way()

    fit(algorithm, sampler, epochs, SEED, "cpu", "bfloat16", callback=callback, progress=False)
    recording = recorder.recording()
    recording.save(target)
    end = ", ".join(f"{name} {values[-1]:.3f}" for name, values in recording.metrics.items())
    print(f"{about['title']}: {end}", flush=True)


def fault(data, run: str) -> None:
    """Record one of `FAULTS`."""
    title, objective, rate_g, rate_d, epochs = FAULTS[run]
    generator, discriminator = players(data, objective == "hinge")
    eye = classification.feature_network(data)
    later = run in ("collapse", "oscillation")
    if later:
        HALF.load_model({"generator": generator, "discriminator": discriminator})
        fix_norms(generator)
    algorithm = GANAlgorithm(generator, discriminator, objective, rate_g, rate_d)
    steps = epochs * (len(data.train) // BATCH)
    moments = np.linspace(1, steps, 40).round().astype(int).tolist() if later else spaced_moments(steps)
    real = classification.embed(eye, data.train.images[:1024])
    about = {"title": title, "dataset": data.name, "objective": objective,
             "begins": "half-way through the healthy run" if later else "with first weights"}  # fmt: skip

    def measure(images: np.ndarray) -> dict[str, float]:
        found = neighbourhood(real, classification.embed(eye, images))
        return {name: found[name] for name in ("density", "coverage")}

    def half_way() -> None:
        if run == "healthy":
            HALF.save_model(algorithm.networks)
        if run == "collapse":
            for optimizer in algorithm.optimizers.values():
                optimizer.param_groups[0]["lr"] = SLOW

    target, judged = pretrained.recording_path(data.name, run), data.val.first(256)
    record(algorithm, data.train, BATCH, epochs, moments, judged, measure, about, target, half_way)


def few(data, run: str) -> None:
    """Record one of `FEW`."""
    (title, augment), split = FEW[run], data.train.first(IMAGES)
    algorithm = GANAlgorithm(*players(data, False), "non_saturating", *FEW_RATES, augment=augment)
    epochs = FEW_STEPS // (IMAGES // FEW_BATCH)
    moments = np.linspace(1, epochs * (IMAGES // FEW_BATCH), 31).round().astype(int).tolist()
    about = {"title": title, "dataset": data.name, "objective": "non_saturating"}
    about["measured_on"] = len(data.val)
    measure = measure_few(data, split, algorithm.discriminator)
    target = pretrained.recording_path(data.name, run)
    record(algorithm, split, FEW_BATCH, epochs, moments, data.val, measure, about, target)


def measure_few(data, split, discriminator: Discriminator) -> Callable[[np.ndarray], dict[str, float]]:
    """Coverage and density of val, copies of the few images, and how much surer D is of these than of val."""
    eye, copies = classification.feature_network(data), copy_check(split.images, data.val.images)
    real = classification.embed(eye, data.val.images)
    seen, new = (to_unit(torch.from_numpy(images)) for images in (split.images, data.val.images))

    def measure(images: np.ndarray) -> dict[str, float]:
        found = neighbourhood(real, classification.embed(eye, images))
        with torch.no_grad():
            gap = float(discriminator(seen).mean() - discriminator(new).mean())
        kept = {name: found[name] for name in ("density", "coverage")}
        return {**kept, "memorisation": float(copies.copied(images).mean()), "gap": gap}

    return measure


if __name__ == "__main__":
    torch.set_num_threads(1)
    data = datasets.load("pneumoniamnist")
    for run in sys.argv[1:] or (*FAULTS, *FEW):
        started = time.perf_counter()
        (few if run in FEW else fault)(data, run)
        print(f"{run}: {time.perf_counter() - started:.0f} s", flush=True)
