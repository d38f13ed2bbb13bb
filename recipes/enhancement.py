"""Train what notebook 11 shows: `make pretrained`. Seeded, one thread; what is done is not done again.

    python recipes/enhancement.py [PART ...]      default: every part, in the order of `PARTS`

The U-Nets see the phantom's 4,096 training slices of 64 pixels, and each has as many updates as any other:
`EPOCHS` of its distance alone, and then `MORE` of the same, or with a judge, which SRGAN adds late too (Ledig
et al. 2017, section 3.2). What more training does is then not taken for the judge's doing. Of the weights
tried for `superres4`, with three seeds each, the one with the smallest mean Fréchet distance among those that
lose at most 2 dB on validation is shipped, and it is the one of every other task. All weights are recorded.
Parts wait in build/enhancement.
"""

import sys
import time
from functools import partial
from pathlib import Path

import torch
from pretrain import card

from medgen_course import datasets, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.tasks import degradation
from medgen_course.batches.transforms import to_unit
from medgen_course.datasets.domains import from_dataset
from medgen_course.files import write_csv
from medgen_course.metrics.enhancement import Eye, fate, place
from medgen_course.models.cyclegan_networks import PatchDiscriminator
from medgen_course.models.unet import EnhancerAlgorithm, UNet, restore
from medgen_course.models.vae import VAE, VAEAlgorithm
from medgen_course.training import fit
from medgen_course.training.checkpoints import load_tensors, save_tensors

SIZE, BATCH, SEED, RATE = 64, 16, 0, 3e-3
EPOCHS, MORE = 6, 4  # of the distance alone, and of going on from there, with a judge or without
SEEDS = (0, 1, 2)  # of the curve and of the ensemble
TASKS = {
    "denoise": ("denoise", 0.1),
    "superres2": ("superres", 2.0),
    "superres4": ("superres", 4.0),
    "mri": ("mri", 0.25),
    "inpaint": ("inpaint", 0.1),
}
WEIGHTS = (1e-3, 5e-3, 2e-2)
CURVE = "superres4"
JUDGED = ("denoise", "mri", "inpaint")  # also get a judge
LOSS = 2.0  # dB that the shipped weight may cost on validation; looking true costs 1.9 in the Gaussian world
VAE_SETTINGS = {"latent_dim": 48, "width": 12, "epochs": 12, "batch_size": 64, "learning_rate": 3e-3}
BUILD = Path("build/enhancement")


def learnt(
    task: str, data, seed: int = SEED, distance: str = "squared", weight: float = 0.0
) -> tuple[UNet, float]:
    """A network in half precision and its seconds: `EPOCHS` of the distance, `MORE` with the weight."""
    start, begun = trained(f"{task}_{distance}_{seed}", EPOCHS, RATE, task, data, seed, distance)
    name = f"{task}_{distance}_{seed}_{weight:g}"
    model, seconds = trained(name, MORE, RATE / 3, task, data, seed, distance, weight, start)
    return model, begun + seconds


def trained(
    name: str, epochs: int, rate: float, task: str, data, seed: int, distance: str,
    weight: float = 0.0, start: UNet | None = None,
) -> tuple[UNet, float]:  # fmt: skip
    """One part of it, or what an earlier go has left in build/."""
    path = BUILD / f"{name}.safetensors"
    torch.manual_seed(seed)
    model = UNet(data.channels, data.size)
    if path.is_file():
        kept, about = load_tensors(path)
        model.load_state_dict({key: value.float() for key, value in kept.items()})
        return model.eval(), float(about["seconds"])
    if start is not None:
        model.load_state_dict(start.state_dict())
    judge = PatchDiscriminator(2 * data.channels, data.size, width=8) if weight else None
    sampler, worse = Sampler(data.train, BATCH), degradation(*TASKS[task])
    algorithm = EnhancerAlgorithm(model, worse, distance, weight, judge, rate, epochs * len(sampler))
    started = time.process_time()
    fit(algorithm, sampler, epochs, seed, "cpu", "float32", progress=False)
    seconds, model = time.process_time() - started, pretrained.half(algorithm.average).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(path, {k: v.half() for k, v in model.state_dict().items()}, {"seconds": f"{seconds:.1f}"})
    print(f"{name}: {seconds:.0f} s", flush=True)
    return model, seconds


def measured(model: UNet, task: str, data, truth, eye: Eye, split: str) -> dict[str, float]:
    """Place on the plane and lesions, of val or test."""
    images = getattr(data, split).images
    worse = degradation(*TASKS[task])
    y = worse.measure(to_unit(torch.from_numpy(images)), torch.Generator().manual_seed(SEED))
    answer = partial(restore, model, worse)
    rows = place(answer(y), images, eye) | fate(answer, worse, getattr(truth, split).truth, SEED).rows()
    return {name: round(row["value"], 5) for name, row in rows.items()}


def choose(curve: dict[float, dict]) -> float:
    """The weight that is shipped, by validation."""
    limit = curve[0.0]["psnr"]["value"] - LOSS
    fair = [weight for weight in WEIGHTS if curve[weight]["psnr"]["value"] >= limit]
    return min(fair or WEIGHTS[:1], key=lambda weight: curve[weight]["frechet"]["value"])


def prior() -> None:
    """A VAE for the search in a latent space."""
    data = datasets.load("phantom", size=SIZE)
    torch.manual_seed(SEED)
    chosen = dict(VAE_SETTINGS)
    model = VAE(data.channels, data.size, chosen["latent_dim"], width=chosen["width"])
    sampler = Sampler(data.train, chosen["batch_size"])
    steps = chosen["epochs"] * len(sampler)
    algorithm = VAEAlgorithm(model, learning_rate=chosen["learning_rate"], decay_steps=steps)
    fit(algorithm, sampler, chosen["epochs"], SEED, "cpu", "float32", progress=False)
    about = card(data, pretrained.half(model), {"images": len(data.train)} | chosen, {})
    pretrained.save(data.name, "enhancement_prior", {"vae": model}, about, {})


def squared() -> None:
    """One network for each task."""
    data = datasets.load("phantom", size=SIZE)
    for task in TASKS:
        learnt(task, data)


def ensemble() -> None:
    """Two more seeds, and the absolute error."""
    data = datasets.load("phantom", size=SIZE)
    for seed in SEEDS[1:]:
        learnt(CURVE, data, seed)
    learnt(CURVE, data, distance="absolute")


def curve() -> None:
    """The table over adversarial weights and seeds."""
    data = datasets.load("phantom", size=SIZE)
    truth, eye, rows = from_dataset(data), Eye(data), []
    for seed in SEEDS:
        for weight in (0.0, *WEIGHTS):
            model, _ = learnt(CURVE, data, seed, weight=weight)
            for split in ("val", "test"):
                point = {"split": split, "lambda": weight, "seed": seed}
                rows.append(point | measured(model, CURVE, data, truth, eye, split))
    write_csv(pretrained.enhancement_curve_path(), rows)


def judges() -> None:
    """A judge in the other tasks, with the weight that was chosen."""
    data, chosen = datasets.load("phantom", size=SIZE), choose(pretrained.load_enhancement_curve("val"))
    print(f"adversarial weight {chosen:g}", flush=True)
    for task in JUDGED:
        learnt(task, data, weight=chosen)


def ship() -> None:
    """Collect what is shipped, measure it on the test split, and write the card."""
    data, chosen = datasets.load("phantom", size=SIZE), choose(pretrained.load_enhancement_curve("val"))
    truth, eye, figures = from_dataset(data), Eye(data), {}
    shipped = {f"{task}/squared": learnt(task, data) for task in TASKS}
    for seed in SEEDS[1:]:
        shipped[f"{CURVE}/squared, seed {seed}"] = learnt(CURVE, data, seed)
    shipped[f"{CURVE}/absolute"] = learnt(CURVE, data, distance="absolute")
    for task in (CURVE, *JUDGED):
        shipped[f"{task}/adversarial"] = learnt(task, data, weight=chosen)
    for name, (model, _) in shipped.items():
        figures[name] = measured(model, name.partition("/")[0], data, truth, eye, "test")
        print(name, figures[name], flush=True)
    recipe = {
        "images": len(data.train),
        "tasks": TASKS,
        "epochs": EPOCHS,
        "epochs_more": MORE,
        "curve_seeds": SEEDS,
        "batch_size": BATCH,
        "optimizer": f"Adam, {RATE:g} (going on: a third), cosine to 0",
        "lambda_adversarial": chosen,
        "limit_db": LOSS,
        "chosen": "smallest mean Fréchet distance of three seeds on validation among weights that lose at "
        f"most {LOSS:g} dB",
        "features": eye.about,
        "cpu_seconds": {name: round(seconds) for name, (_, seconds) in shipped.items()},
    }
    networks = {name: model for name, (model, _) in shipped.items()}
    about = card(data, networks[f"{CURVE}/squared"], recipe, figures)
    pretrained.save(data.name, "enhancers", networks, about, {})


PARTS = {
    "squared": squared,
    "ensemble": ensemble,
    "curve": curve,
    "judges": judges,
    "ship": ship,
    "prior": prior,
}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
