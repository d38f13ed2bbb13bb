"""Train every model that the course ships: `make pretrained`. Seeded; choices on validation, figures on test.

    python recipes/pretrain.py [DATASET [MODEL]]      default: every model of both data sets

The phantom is trained on 20,480 images, because it costs nothing to make more. The step size is 3e-3 with a
cosine to zero, and the phantom's VAEs take small batches: with a third of the step size, or with half as many
steps, the small betas are unfinished, and beta 3 overtakes beta 1 in ELBO, on training images too.

Every point of the beta sweep has the same network and the same budget. The network conditioned on beta gets
about three times the epochs of one point, less than half of what the seven points take together. Notebook 02
compares it with them, so it is also trained with the epochs of one point, and both curves are recorded.
"""

import sys
import time

import numpy as np
import torch
from torch import Tensor

from medgen_course import datasets, metrics, phantom, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.transforms import to_unit
from medgen_course.files import write_csv
from medgen_course.metrics.likelihood import evaluate_vae, rate_distortion
from medgen_course.models.autoencoder import Autoencoder, AutoencoderAlgorithm
from medgen_course.models.multirate import ConditionedVAE, ConditionedVAEAlgorithm
from medgen_course.models.vae import VAE, VAEAlgorithm
from medgen_course.pretrained import BETAS
from medgen_course.training.loop import fit

ATTRIBUTION = {
    "pneumoniamnist": (
        "PneumoniaMNIST of MedMNIST v2 (Yang et al., Scientific Data 10, 41, 2023), CC BY 4.0, from the "
        "chest X-rays of Kermany et al., Cell 172, 1122-1131, 2018"
    ),
    "phantom": "the course's own MR brain phantom, made by code",
}
LATENTS, SEED = 16, 0
BUDGETS = {  # data set -> model -> epochs, batch size
    "pneumoniamnist": {"autoencoder": (16, 128), "vae": (16, 128), "conditioned_vae": (48, 128)},
    "phantom": {"autoencoder": (4, 128), "vae": (5, 64), "conditioned_vae": (12, 64)},
}


def card(data, model, recipe: dict, test: dict) -> dict:
    """What stands beside the weights."""
    settings = {key: value for key, value in model.config.items() if key != "kind"}
    return {
        "model": settings,
        "kind": model.config["kind"],
        "data": {"name": data.name, "licence": data.licence, "attribution": ATTRIBUTION[data.name]},
        "recipe": {"seed": SEED, **recipe},
        "test": test,
        "use": "teaching; not for diagnosis",
    }


def training_split(data) -> datasets.Split:
    """The images to learn from: the training split, or many more where code can make them."""
    if data.name != "phantom":
        return data.train
    made = phantom.generate(20_480, data.size, SEED, "train")
    return datasets.Split(made.t1w, made.labels)


def images(split) -> Tensor:
    """uint8 (N, C, H, W)."""
    return torch.from_numpy(split.images)


@torch.no_grad()
def codes(models: dict, data) -> dict[str, Tensor]:
    """mu and logvar of the validation split at every beta, and the labels."""
    x = to_unit(images(data.val))
    stored = {"val/labels": torch.from_numpy(data.val.labels).to(torch.uint8)}
    for beta, model in models.items():
        mu, logvar = model.encode(x)
        stored |= {f"val/mu/{beta:g}": mu.half(), f"val/logvar/{beta:g}": logvar.half()}
    return stored


def train_autoencoder(data, train) -> None:
    """The autoencoder of notebook 01."""
    torch.manual_seed(SEED)
    model = Autoencoder(data.channels, data.size, LATENTS)
    epochs, batch = BUDGETS[data.name]["autoencoder"]
    fit(AutoencoderAlgorithm(model), Sampler(train, batch), epochs, SEED)
    x = to_unit(images(data.test))
    with torch.no_grad():
        x_hat = pretrained.half(model)(x)
    test = {name: metrics.bootstrap_interval(getattr(metrics, name)(x_hat, x)) for name in ("psnr", "ssim")}
    recipe = {"images": len(train), "epochs": epochs, "batch_size": batch, "optimizer": "Adam, 1e-3"}
    about = card(data, model, recipe, test)
    pretrained.save(data.name, "autoencoder", {"autoencoder": model}, about, {})


def train_vaes(data, train) -> None:
    """One VAE for each beta."""
    epochs, batch = BUDGETS[data.name]["vae"]
    models, sampler = {}, Sampler(train, batch)
    for beta in BETAS:
        print(f"{data.name}: VAE at beta {beta:g}", flush=True)
        torch.manual_seed(SEED)
        model = VAE(data.channels, data.size, LATENTS)
        algorithm = VAEAlgorithm(model, beta, decay_steps=epochs * len(sampler))
        fit(algorithm, sampler, epochs, SEED)
        models[beta] = pretrained.half(model).eval()
    best = max(BETAS, key=lambda b: evaluate_vae(models[b], images(data.val), 0)["elbo"]["value"])
    print(f"{data.name}: highest validation ELBO at beta {best:g}")
    if best != 1:
        raise SystemExit(
            "beta 1 should have the highest ELBO: train longer before these weights are shipped."
        )
    test = {f"{beta:g}": evaluate_vae(model, images(data.test), 0) for beta, model in models.items()}
    recipe = {
        "images": len(train),
        "epochs": epochs,
        "batch_size": batch,
        "betas": BETAS,
        "optimizer": "Adam, 3e-3, cosine to 0",
        "highest_validation_elbo_at": best,
    }
    networks = {f"beta={beta:g}": model for beta, model in models.items()}
    about = card(data, model, recipe, test)
    pretrained.save(data.name, "vae", networks, about, codes(models, data))


def conditioned_vae(data, train, epochs: int) -> ConditionedVAE:
    """One VAE for every beta after so many epochs."""
    torch.manual_seed(SEED)
    _, batch = BUDGETS[data.name]["conditioned_vae"]
    model, sampler = ConditionedVAE(data.channels, data.size, LATENTS), Sampler(train, batch)
    fit(ConditionedVAEAlgorithm(model, decay_steps=epochs * len(sampler)), sampler, epochs, SEED)
    return pretrained.half(model)


def record_budgets(data, models: dict[int, ConditionedVAE]) -> None:
    """Rate and distortion on validation along log beta, of the one network by its epochs, as a CSV."""
    rows = []
    for epochs, model in models.items():
        for beta in np.geomspace(BETAS[0], BETAS[-1], 21):
            point = rate_distortion(model.at(float(beta)), images(data.val), draws=2)
            kept = {name: f"{point[name]:.6g}" for name in ("rate", "rmse", "elbo")}
            rows.append({"epochs": epochs, "beta": f"{beta:.6g}", **kept})
    write_csv(pretrained.one_network_path(data.name), rows)


def train_budgets(data, train) -> None:
    """The one VAE with the epochs of a separate one, beside the shipped one."""
    epochs, shipped = (BUDGETS[data.name][name][0] for name in ("vae", "conditioned_vae"))
    short = conditioned_vae(data, train, epochs)
    record_budgets(data, {epochs: short, shipped: pretrained.load_conditioned(data.name)})


def train_conditioned(data, train) -> None:
    """One VAE for every beta."""
    print(f"{data.name}: one VAE for every beta", flush=True)
    epochs, batch = BUDGETS[data.name]["conditioned_vae"]
    model = conditioned_vae(data, train, epochs)
    models = {beta: model.at(beta).eval() for beta in BETAS}
    test = {f"{beta:g}": evaluate_vae(m, images(data.test), 0) for beta, m in models.items()}
    recipe = {"images": len(train), "epochs": epochs, "batch_size": batch}
    about = card(data, model, {**recipe, "optimizer": "Adam, 3e-3, cosine to 0"}, test)
    pretrained.save(data.name, "conditioned_vae", {"conditioned_vae": model}, about, codes(models, data))


MODELS = {"autoencoder": train_autoencoder, "vae": train_vaes, "conditioned_vae": train_conditioned,
          "budgets": train_budgets}  # fmt: skip


if __name__ == "__main__":
    for name in sys.argv[1:2] or ATTRIBUTION:
        data, started = datasets.load(name), time.perf_counter()
        for model in sys.argv[2:] or MODELS:
            MODELS[model](data, training_split(data))
        print(f"{name}: {time.perf_counter() - started:.0f} s")
