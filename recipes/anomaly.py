"""Anomaly detectors of notebook 10, trained on normal images only, and the sweep over the length of the code.

    python recipes/anomaly.py [phantom | pneumoniamnist [models | sweep]]      default: all of both

The networks that are shipped have codes of 16 numbers, and one autoencoder of 64; nobody chose these lengths
by what they find. Autoencoders and VAEs of one kind of image have the same budget. Autoencoders of the
sweep have less, all the same; three seeds each. With `hidden`, 5 % of the training images are anomalous and
nobody says so: they take the place of normal ones, and the number of images stays. The ceiling is a U-Net
that is told where lesions are. What is trained is kept in build/anomaly, so that an interrupted run goes on.
About three quarters of an hour on one core.
"""

import csv
import sys
import time
from pathlib import Path

import numpy as np
import torch
from pretrain import SEED, card
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import nn

from medgen_course import datasets, phantom, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.datasets.anomalies import (
    FREE_WATER,
    RADII,
    Anomalies,
    Trial,
    from_dataset,
    normal_class,
    phantom_anomalies,
)
from medgen_course.datasets.domains import without_lesions
from medgen_course.files import write_csv
from medgen_course.metrics.anomaly import Detector, by_reconstruction, scores
from medgen_course.metrics.anomaly.detection import auroc
from medgen_course.metrics.anomaly.scores import vae_mean
from medgen_course.metrics.anomaly.shelf import both, counting, pixels, told
from medgen_course.models.algorithm import Algorithm
from medgen_course.models.autoencoder import Autoencoder, AutoencoderAlgorithm
from medgen_course.models.fanogan import FAnoGAN, FAnoGANAlgorithm
from medgen_course.models.layers import initialise
from medgen_course.models.segmenter import Segmenter, SegmenterAlgorithm
from medgen_course.models.vae import VAE, VAEAlgorithm
from medgen_course.training.checkpoints import load_tensors, save_tensors
from medgen_course.training.loop import fit

LATENTS = (1, 2, 4, 8, 16, 32, 64, 128)
SEEDS, HIDDEN, HIDDEN_AT = (0, 1, 2), 0.05, 16
BATCH, RATE, LATENT, BIG = 16, 3e-3, 16, 64
WIDTH = {64: 8, 28: 12}  # channels of the first stage, by the side of the images
ADAM = "Adam, 3e-3, cosine to 0"
EPOCHS = {
    "phantom": {"sweep": 12, "autoencoder": 32, "vae": 32},
    "pneumoniamnist": {"sweep": 20, "autoencoder": 40, "vae": 40, "encoder": 12},
}
TOLD = {"images": 8192, "epochs": 10, "width": 12}  # of the supervised U-Net
BUILD = Path("build/anomaly")


def kept(name: str, network: nn.Module, train) -> nn.Module:
    """A network as an earlier run left it, or trained now; in half precision's values, as it is shipped."""
    path = BUILD / f"{name}.safetensors"
    if path.is_file():
        network.load_state_dict(load_tensors(path)[0])
        return network.eval().requires_grad_(False)
    started = time.perf_counter()
    train()
    pretrained.half(network).eval().requires_grad_(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(path, {key: value.contiguous() for key, value in network.state_dict().items()})
    print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
    return network


def run(algorithm: Algorithm, images: np.ndarray, epochs: int, seed: int, decay: bool = False) -> None:
    """Fit; with `decay` the step size falls to zero along a cosine (other algorithms do that themselves)."""
    sampler = Sampler(datasets.Split(images, np.zeros(len(images), np.int64)), BATCH)
    callback = None
    if decay:
        (optimizer,) = algorithm.optimizers.values()
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(sampler))
        callback = lambda step, logs: schedule.step()  # noqa: E731
    fit(algorithm, sampler, epochs, seed, "cpu", "float32", callback=callback, progress=False)


def steps(images: np.ndarray, epochs: int) -> int:
    """Updates of a run, for the schedules that must know it."""
    return epochs * (len(images) // BATCH)


def autoencoder(name: str, images: np.ndarray, latent_dim: int, seed: int, epochs: int) -> Autoencoder:
    """One of the sweep."""
    torch.manual_seed(seed)
    model = initialise(Autoencoder(images.shape[1], images.shape[-1], latent_dim, WIDTH[images.shape[-1]]))
    algorithm = AutoencoderAlgorithm(model.to(memory_format=torch.channels_last), RATE)
    return kept(name, model, lambda: run(algorithm, images, epochs, seed, decay=True))


def vae(name: str, images: np.ndarray, epochs: int) -> VAE:
    """A VAE at beta 1 with the optimal sigma."""
    torch.manual_seed(SEED)
    model = initialise(VAE(images.shape[1], images.shape[-1], LATENT, WIDTH[images.shape[-1]]))
    algorithm = VAEAlgorithm(model, decay_steps=steps(images, epochs), learning_rate=RATE)
    return kept(name, model, lambda: run(algorithm, images, epochs, SEED))


def contaminated(task: Anomalies, data: datasets.Dataset | None) -> np.ndarray:
    """The training images with 5 % hidden anomalies among them."""
    if data is None:
        return phantom_anomalies(counts=(len(task.train), 1, 1), hidden=HIDDEN).train
    sick = data.train.images[data.train.labels != normal_class(data)]
    count = round(HIDDEN * len(task.train))
    chosen = np.random.default_rng(SEED).permutation(len(sick))[:count]
    return np.concatenate([sick[chosen], task.train[count:]])


def row_of(model: Autoencoder, task: Anomalies, **about) -> dict:
    """One line of the sweep: AUROC of the mean error and of its highest percent, on val and test."""
    row = dict(about)
    for name in ("val", "test"):
        trial = getattr(task, name)
        pair = tuple(scores.reconstruction_error(model, x) for x in (trial.healthy, trial.anomalous))
        truth = np.repeat([0, 1], [len(trial.healthy), len(trial.anomalous)])
        for how in ("mean", "peak"):
            row[f"{name}_{how}"] = round(roc_auc_score(truth, np.concatenate(counting(pair, how))), 5)
        if trial.grid is not None:
            maps, masks = both(pair, trial.grid.masks)
            row[f"{name}_pixel_ap"] = round(average_precision_score(masks.ravel(), maps.ravel()), 5)
    return row


def sweep(folder: str) -> None:
    """Every length and seed, and the hidden anomalies; the CSV grows by one line each."""
    data = datasets.load(folder) if folder != "phantom" else None
    task, path = from_dataset(data) if data else phantom_anomalies(), BUILD / f"{folder}.csv"
    done = {}
    if path.is_file():
        with open(path, encoding="utf-8", newline="") as file:
            done = {(r["latent_dim"], r["seed"], r["hidden"]): r for r in csv.DictReader(file)}
    spoilt = contaminated(task, data)
    plan = [(k, seed, 0.0) for seed in SEEDS for k in LATENTS]
    plan += [(HIDDEN_AT, seed, HIDDEN) for seed in SEEDS]
    for k, seed, hidden in plan:
        key = tuple(map(str, (k, seed, hidden)))
        if key in done:
            continue
        name = f"{folder}-sweep-{k}-{seed}" + ("-hidden" if hidden else "")
        images = spoilt if hidden else task.train
        model = autoencoder(name, images, k, seed, EPOCHS[folder]["sweep"])
        about = {"latent_dim": k, "seed": seed, "hidden": hidden}
        updates = steps(images, EPOCHS[folder]["sweep"])
        done[key] = row_of(model, task, **about, updates=updates)
        print(done[key], flush=True)
        write_csv(path, list(done.values()))
    wanted = [tuple(map(str, key)) for key in plan]
    write_csv(pretrained.anomaly_sweep_path(folder), [done[key] for key in wanted])


def ceiling(name: str, contrast: str, size: int = 64) -> Segmenter:
    """A U-Net that is told where lesions are, of sizes and contrasts as on the grid; half of the slices have
    one."""
    factors = phantom.draw_factors(TOLD["images"], SEED + 1, 1.0, "train")
    rng = np.random.default_rng(SEED)
    for factor, values in (("lesion_radius", RADII), ("lesion_contrast", FREE_WATER)):
        factors[:, phantom.COLUMN[factor]] = rng.uniform(min(values), max(values), len(factors))
    factors[::2] = without_lesions(factors[::2])
    made = phantom.generate(factors=factors, size=size, seed=SEED + 1, split="train")
    pairs = np.concatenate([getattr(made, contrast), 255 * made.masks], 1)
    torch.manual_seed(SEED)
    model = Segmenter(1, size, width=TOLD["width"])
    algorithm = SegmenterAlgorithm(model, decay_steps=steps(pairs, TOLD["epochs"]))
    return kept(name, model, lambda: run(algorithm, pairs, TOLD["epochs"], SEED))


def test_figures(detector: Detector, trial: Trial) -> dict[str, dict]:
    """AUROC on test by mean and by peak, and pixel average precision where masks are known."""
    pair = detector.score(trial.healthy), detector.score(trial.anomalous)
    twins = trial.grid is not None
    found = {f"auroc_{how}": auroc(*counting(pair, how), twins=twins) for how in ("mean", "peak")}
    if twins:
        found["pixel_average_precision"] = pixels({"": pair}, trial.grid.masks)[""].row
    return {name: {end: round(value, 4) for end, value in row.items()} for name, row in found.items()}


def save(
    folder: str, name: str, data: datasets.Dataset, network: nn.Module, recipe: dict, figures: dict
) -> None:
    """Ship a network, its card beside it."""
    weights = sum(p.numel() for p in network.parameters())
    about = {"batch_size": BATCH, "normal_images_only": True, **recipe, "parameters": weights}
    about["updates"] = about["epochs"] * (about["images"] // BATCH)
    pretrained.save(folder, name, {"network": network}, card(data, network, about, figures), {})


def phantom_models() -> None:
    """T2w: VAE, two autoencoders, ceiling. T1w: VAE."""
    data, epochs = datasets.load("phantom", size=64), EPOCHS["phantom"]
    tasks = {contrast: phantom_anomalies(contrast=contrast, seed=SEED) for contrast in ("t2w", "t1w")}
    task = tasks["t2w"]
    recipe = {"images": len(task.train), "optimizer": ADAM, "contrast": "t2w"}
    for name, k in (("anomaly_small", LATENT), ("anomaly_big", BIG)):
        model = autoencoder(f"phantom-t2w-{k}", task.train, k, SEED, epochs["autoencoder"])
        figures = test_figures(by_reconstruction(model), task.test)
        save("phantom", name, data, model, recipe | {"epochs": epochs["autoencoder"]}, figures)
    for contrast, each in tasks.items():
        model = vae(f"phantom-{contrast}-vae", each.train, epochs["vae"])
        about = {"contrast": contrast, "epochs": epochs["vae"], "beta": 1.0}
        figures = test_figures(by_reconstruction(vae_mean(model)), each.test)
        save("phantom", f"anomaly_vae_{contrast}", data, model, recipe | about, figures)
    model = ceiling("phantom-t2w-unet", "t2w")
    (detector,) = told(model).values()
    about = {"normal_images_only": False, "optimizer": "Adam, 2e-3, cosine to 0"}
    about |= {"images": TOLD["images"], "epochs": TOLD["epochs"]}
    save("phantom", "anomaly_ceiling", data, model, recipe | about, test_figures(detector, task.test))


def film_models() -> None:
    """PneumoniaMNIST, normal class: VAE, autoencoder, an encoder for the shipped GAN."""
    folder = "pneumoniamnist"
    data, epochs = datasets.load(folder), EPOCHS[folder]
    task, normal = from_dataset(data), normal_class(data)
    recipe = {"images": len(task.train), "normal": task.normal, "optimizer": ADAM}
    model = vae(f"{folder}-vae", task.train, epochs["vae"])
    figures = test_figures(by_reconstruction(vae_mean(model)), task.test)
    save(folder, "anomaly_vae", data, model, recipe | {"epochs": epochs["vae"], "beta": 1.0}, figures)
    model = autoencoder(f"{folder}-{LATENT}", task.train, LATENT, SEED, epochs["autoencoder"])
    figures = test_figures(by_reconstruction(model), task.test)
    save(folder, "anomaly_small", data, model, recipe | {"epochs": epochs["autoencoder"]}, figures)
    torch.manual_seed(SEED)
    twin = FAnoGAN(*pretrained.load_gan(folder), normal, WIDTH[data.size])
    algorithm = FAnoGANAlgorithm(twin, decay_steps=steps(task.train, epochs["encoder"]))
    kept(f"{folder}-encoder", twin.encoder, lambda: run(algorithm, task.train, epochs["encoder"], SEED))
    figures = test_figures(Detector(lambda images: scores.fanogan(twin.eval(), images)), task.test)
    shape = {name: twin.config[name] for name in ("channels", "size", "label", "width")}
    twin.encoder.config = {"kind": "fanogan_encoder", **shape}
    about = {"epochs": epochs["encoder"], "optimizer": "Adam, 1e-3, cosine to 0"}
    save(folder, "anomaly_encoder", data, twin.encoder, recipe | about, figures)


MODELS = {"phantom": phantom_models, "pneumoniamnist": film_models}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:2] or MODELS:
        if sys.argv[2:] != ["sweep"]:
            MODELS[name]()
        if sys.argv[2:] != ["models"]:
            sweep(name)
