"""Train what notebook 11 shows: `make pretrained`. Seeded, one thread; what is done is not done again.

    python recipes/enhancement.py [PART ...]      default: networks prior

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
EPOCHS, MORE = 2, 1  # of the distance alone, and of going on from there
TASKS = {
    "denoise": ("denoise", 0.1),
    "superres2": ("superres", 2.0),
    "superres4": ("superres", 4.0),
    "mri": ("mri", 0.25),
    "inpaint": ("inpaint", 0.1),
}
WEIGHTS = (1e-3, 3e-3, 1e-2, 3e-2)
CURVE = "superres4"
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
    started = time.perf_counter()
    fit(algorithm, sampler, epochs, seed, "cpu", "float32", progress=False)
    seconds, model = time.perf_counter() - started, pretrained.half(algorithm.average).eval()
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
    started = time.perf_counter()
    fit(algorithm, sampler, chosen["epochs"], SEED, "cpu", "float32", progress=False)
    recipe = {"images": len(data.train), "seconds_on_one_thread": round(time.perf_counter() - started)}
    about = card(data, pretrained.half(model), recipe | chosen, {})
    pretrained.save(data.name, "enhancement_prior", {"vae": model}, about, {})


def train() -> None:
    """Every U-Net, the curve, and the card."""
    data = datasets.load("phantom", size=SIZE)
    truth, eye, networks, seconds = from_dataset(data), Eye(data), {}, {}

    def add(name: str, task: str, **settings) -> UNet:
        networks[name], seconds[name] = learnt(name.replace("/", "_"), task, data, **settings)
        return networks[name]

    for task in TASKS:
        add(f"{task}/squared", task)
    for seed in (1, 2):
        add(f"{CURVE}/squared, seed {seed}", CURVE, seed=seed)
    add(f"{CURVE}/absolute", CURVE, distance="absolute")
    points = {}
    for weight in (0.0, *WEIGHTS):
        name = f"{CURVE}/{weight:g}"
        points[weight] = add(name, CURVE, start=networks[f"{CURVE}/squared"], lambda_adversarial=weight)
    curve = {weight: measured(model, CURVE, data, truth, eye, "val") for weight, model in points.items()}
    chosen = choose(curve)
    print(f"adversarial weight {chosen:g}", flush=True)
    rows = [curve_row(weight, found, "val") for weight, found in curve.items()]
    rows += [
        curve_row(weight, measured(model, CURVE, data, truth, eye, "test"), "test")
        for weight, model in points.items()
    ]
    write_csv(pretrained.enhancement_curve_path(), rows)
    for task in ("denoise", "mri", "inpaint"):
        start = networks[f"{task}/squared"]
        add(f"{task}/adversarial", task, start=start, lambda_adversarial=chosen)
    networks[f"{CURVE}/adversarial"] = networks[f"{CURVE}/{chosen:g}"]
    shipped = {name: model for name, model in networks.items() if name.partition("/")[2] not in
               {f"{weight:g}" for weight in points}}  # fmt: skip
    figures = {}
    for name, model in shipped.items():
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
        "seconds_on_one_thread": {name: round(value) for name, value in seconds.items()},
    }
    about = card(data, shipped[f"{CURVE}/squared"], recipe, figures)
    pretrained.save(data.name, "enhancers", shipped, about, {})


PARTS = {"networks": train, "prior": prior}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
