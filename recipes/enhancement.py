"""Train what notebook 11 shows: `make pretrained`. Seeded, one thread; what is done is not done again.

    python recipes/enhancement.py [PART ...]      default: every part, in the order of `PARTS`

The U-Nets see the phantom's 4,096 training slices of 64 pixels. The adversarial ones go on from the one that
learnt with the squared error, as SRGAN does (Ledig et al. 2017, section 3.2); so does one without a judge,
for as many updates, so that more training alone is not taken for the judge's doing. Of the weights tried for
`superres4`, the one with the smallest Fréchet distance among those that lose at most 1 dB on validation is
shipped, and it is the one of every other task. All weights are recorded. Parts wait in build/enhancement.
"""

import sys
import time
from pathlib import Path

import torch
from pretrain import card

from medgen_course import datasets, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.tasks import degradation
from medgen_course.batches.transforms import to_unit
from medgen_course.datasets.domains import from_dataset
from medgen_course.files import write_csv
from medgen_course.metrics.enhancement import Eye, lesion_rows, place
from medgen_course.models.cyclegan_networks import PatchDiscriminator
from medgen_course.models.unet import EnhancerAlgorithm, UNet, restore
from medgen_course.models.vae import VAE, VAEAlgorithm
from medgen_course.training import fit
from medgen_course.training.checkpoints import load_tensors, save_tensors

SIZE, BATCH, SEED, RATE = 64, 16, 0, 3e-3
EPOCHS, MORE = 1, 1  # of the distance alone, and of going on from there
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
LOSS = 1.0  # dB that the shipped weight may cost on validation
VAE_SETTINGS = {"latent_dim": 48, "width": 12, "epochs": 12, "batch_size": 64, "learning_rate": 3e-3}
BUILD = Path("build/enhancement")


def learnt(name: str, task: str, data, start=None, **settings) -> tuple[UNet, float]:
    """A network, trained or taken from an earlier go, in half precision, and its seconds."""
    seed, path = settings.pop("seed", SEED), BUILD / f"{name}.safetensors"
    torch.manual_seed(seed)
    model = UNet(data.channels, data.size)
    if path.is_file():
        kept, about = load_tensors(path)
        model.load_state_dict({key: value.float() for key, value in kept.items()})
        return model.eval(), float(about["seconds"])
    if start is not None:
        model.load_state_dict(start.state_dict())
    if settings.get("lambda_adversarial"):
        settings["discriminator"] = PatchDiscriminator(2 * data.channels, data.size, width=8)
    sampler, epochs = Sampler(data.train, BATCH), MORE if start is not None else EPOCHS
    rate = RATE / 3 if start is not None else RATE
    algorithm = EnhancerAlgorithm(
        model, degradation(*TASKS[task]), learning_rate=rate, decay_steps=epochs * len(sampler), **settings
    )
    started = time.process_time()
    fit(algorithm, sampler, epochs, seed, "cpu", "float32", progress=False)
    seconds, model = time.process_time() - started, pretrained.half(algorithm.average).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(path, {k: v.half() for k, v in model.state_dict().items()}, {"seconds": f"{seconds:.1f}"})
    print(f"{name}: {seconds:.0f} s", flush=True)
    return model, seconds


def measured(model: UNet, task: str, data, truth, eye: Eye, split: str) -> dict:
    """Place on the plane and lesions, of val or test."""
    images = getattr(data, split).images
    worse = degradation(*TASKS[task])
    y = worse.measure(to_unit(torch.from_numpy(images)), torch.Generator().manual_seed(SEED))
    made = restore(model, worse, y)
    return place(made, images, eye) | lesion_rows(made, getattr(truth, split).truth)


def curve_row(weight: float, found: dict, split: str) -> dict:
    """A point of the curve, for the table."""
    row = {"split": split, "lambda": weight}
    for name in ("psnr", "ssim", "frechet", "kernel", "erased", "invented"):
        for end in ("value", "low", "high"):
            row[name if end == "value" else f"{name}_{end}"] = round(found[name][end], 5)
    return row


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


def start_of(task: str, data) -> UNet:
    """The network of a task that learnt with the squared error."""
    return learnt(f"{task}_squared", task, data)[0]


def squared() -> None:
    """One network for each task."""
    data = datasets.load("phantom", size=SIZE)
    for task in TASKS:
        start_of(task, data)


def ensemble() -> None:
    """Two more seeds, and the absolute error."""
    data = datasets.load("phantom", size=SIZE)
    for seed in (1, 2):
        learnt(f"{CURVE}_squared, seed {seed}", CURVE, data, seed=seed)
    learnt(f"{CURVE}_absolute", CURVE, data, distance="absolute")


def judged(task: str, weight: float, data) -> tuple[UNet, float]:
    """One that goes on from the squared error with a judge, or without where the weight is 0."""
    name = f"{task}_{weight:g}"
    return learnt(name, task, data, start=start_of(task, data), lambda_adversarial=weight)


def curve() -> None:
    """The table over adversarial weights."""
    data = datasets.load("phantom", size=SIZE)
    truth, eye, rows = from_dataset(data), Eye(data), []
    points = {weight: judged(CURVE, weight, data)[0] for weight in (0.0, *WEIGHTS)}
    for split in ("val", "test"):
        for weight, model in points.items():
            rows.append(curve_row(weight, measured(model, CURVE, data, truth, eye, split), split))
    write_csv(pretrained.enhancement_curve_path(), rows)


def judges() -> None:
    """A judge in the other tasks, with the weight that was chosen."""
    data, chosen = datasets.load("phantom", size=SIZE), choose(pretrained.load_enhancement_curve("val"))
    print(f"adversarial weight {chosen:g}", flush=True)
    for task in JUDGED:
        judged(task, chosen, data)


def ship() -> None:
    """Collect what is shipped, measure it on the test split, and write the card."""
    data, chosen = datasets.load("phantom", size=SIZE), choose(pretrained.load_enhancement_curve("val"))
    truth, eye, figures = from_dataset(data), Eye(data), {}
    shipped = {f"{task}/squared": learnt(f"{task}_squared", task, data) for task in TASKS}
    for how in ("squared, seed 1", "squared, seed 2", "absolute"):
        shipped[f"{CURVE}/{how}"] = learnt(f"{CURVE}_{how}", CURVE, data)
    for task in (CURVE, *JUDGED):
        shipped[f"{task}/adversarial"] = judged(task, chosen, data)
    for name, (model, _) in shipped.items():
        found = measured(model, name.partition("/")[0], data, truth, eye, "test")
        figures[name] = {key: round(row["value"], 5) for key, row in found.items()}
        print(name, figures[name], flush=True)
    recipe = {
        "images": len(data.train),
        "tasks": TASKS,
        "epochs": EPOCHS,
        "epochs_more": MORE,
        "batch_size": BATCH,
        "optimizer": f"Adam, {RATE:g} (going on: a third), cosine to 0",
        "lambda_adversarial": chosen,
        "chosen": f"smallest Fréchet distance on validation among weights that lose at most {LOSS:g} dB",
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
