"""What notebooks 02 and 03 show with one training each, repeated with several seeds: a JSON for both.

    python recipes/seeds.py [HOW_MANY]

Generators: a VAE, an autoencoder and a GAN with equal images, epochs and batches, none of them told the
classes; the first two also with a mixture of Gaussians fitted to their codes (Ghosh et al. 2020). Cures: what
became of a collapsing VAE. Trainings that are there already are not repeated: it can be stopped at any time.
"""

import sys
import time

import torch
from pretrain import images

from medgen_course import datasets, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.transforms import to_uint8, to_unit
from medgen_course.files import write_json
from medgen_course.metrics import classification, fidelity, likelihood
from medgen_course.models import samples
from medgen_course.models.autoencoder import Autoencoder, AutoencoderAlgorithm
from medgen_course.models.code_prior import fit_prior
from medgen_course.models.diff_augment import diff_augment
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.models.vae import VAE, VAEAlgorithm
from medgen_course.training.checkpoints import read_json
from medgen_course.training.loop import fit

SEEDS, LATENTS, BATCH = (0, 1, 2), 16, 64
EPOCHS = 6  # of each generator
COMPONENTS = 20  # of the mixture, as notebook 02 chooses on val
CURES = {"images": 2048, "epochs": 4}  # of each cure, as in notebook 02


def train(algorithm, split, epochs: int, seed: int, callback=None, precision: str = "float32") -> int:
    """Fit; the number of trained weights."""
    fit(algorithm, Sampler(split, BATCH), epochs, seed, "cpu", precision, callback=callback, progress=False)
    played = (net for name, net in algorithm.networks.items() if name != "generator_ema")
    return sum(weights.numel() for net in played for weights in net.parameters())


@torch.no_grad()
def decoded(model, codes: torch.Tensor):
    """Images uint8 of codes (N, latent_dim)."""
    return to_uint8(model.decode(codes)).numpy()


def of_vae(data, seed: int) -> tuple[int, dict]:
    """Weights trained, and images drawn in two ways."""
    steps, count, x = EPOCHS * (len(data.train) // BATCH), len(data.val), to_unit(images(data.train))
    model = VAE(data.channels, data.size, LATENTS)
    weights = train(VAEAlgorithm(model, 1.0, decay_steps=steps), data.train, EPOCHS, seed)
    with torch.no_grad():
        mu, logvar = model.encode(x)
    prior = fit_prior(mu + torch.randn_like(mu) * (0.5 * logvar).exp(), COMPONENTS, seed)
    drawn = {"VAE, N(0, I)": torch.randn(count, LATENTS), "VAE, mixture": prior.sample((count,))}
    return weights, {name: decoded(model, codes) for name, codes in drawn.items()}


def of_autoencoder(data, seed: int) -> tuple[int, dict]:
    """The same of the autoencoder, which has no prior but the fitted one."""
    steps, count, x = EPOCHS * (len(data.train) // BATCH), len(data.val), to_unit(images(data.train))
    model = Autoencoder(data.channels, data.size, LATENTS)
    algorithm = AutoencoderAlgorithm(model, 3e-3)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(algorithm.optimizers["autoencoder"], steps)
    weights = train(algorithm, data.train, EPOCHS, seed, lambda step, logs: decay.step())
    with torch.no_grad():
        prior = fit_prior(model.encode(x), COMPONENTS, seed)
    return weights, {"autoencoder, mixture": decoded(model, prior.sample((count,)))}


def of_gan(data, seed: int) -> tuple[int, dict]:
    """The same of a GAN with the settings of the shipped one, but without classes."""
    players = Generator(data.channels, data.size), Discriminator(data.channels, data.size, spectral_norm=True)
    algorithm = GANAlgorithm(*players, "hinge", 2e-4, 4e-4, augment=diff_augment)
    weights = train(algorithm, data.train, EPOCHS, seed, precision="bfloat16")
    return weights, {"GAN": samples.generate(algorithm.average.eval(), len(data.val), seed)}


def generators(data, seed: int, kind: str, against: fidelity.Reference) -> list[dict]:
    """A row for each way to draw images."""
    torch.manual_seed(seed)
    weights, drawn = {"VAE": of_vae, "autoencoder": of_autoencoder, "GAN": of_gan}[kind](data, seed)
    about = {"of": kind, "seed": seed, "images": len(data.train), "epochs": EPOCHS, "batch_size": BATCH}
    return [{**about, "weights": weights, "model": name, "n": len(made), **against.measure(made)}
            for name, made in drawn.items()]  # fmt: skip


def cures(data, seed: int) -> list[dict]:
    """Rate and RMSE on val after the four trainings of notebook 02's section on collapse."""
    few, rows, networks = data.train.first(CURES["images"]), [], {}
    half = CURES["epochs"] * (len(few) // BATCH) // 2
    plan = {"β = 300": {"beta": 300}, "warm-up to 300": {"beta": 300, "warmup_steps": half},
            "free bits, 300": {"beta": 300, "free_bits": 0.5}, "then β = 1": {"beta": 1}}  # fmt: skip
    for name, options in plan.items():
        torch.manual_seed(seed)
        model = networks["β = 300"] if name == "then β = 1" else VAE(data.channels, data.size, LATENTS)
        networks[name] = model
        train(VAEAlgorithm(model, **options, learning_rate=3e-3), few, CURES["epochs"], seed)
        point = likelihood.rate_distortion(model, torch.from_numpy(data.val.images), draws=1)
        rows.append({"training": name, "seed": seed, **CURES, "rate": point["rate"], "rmse": point["rmse"]})
    return rows


def main() -> None:
    """Train what is missing, and write after each; an argument says how many trainings at most."""
    data, target = datasets.load("pneumoniamnist"), pretrained.seeds_path()
    found = read_json(target) if target.is_file() else {"generators": [], "cures": []}
    found["recipe"] = "recipes/seeds.py"
    against = fidelity.reference(data, classification.feature_network(data))
    done = {(row.get("of", "cures"), row["seed"]) for row in found["generators"] + found["cures"]}
    plan = [(kind, seed) for seed in SEEDS for kind in ("cures", "VAE", "autoencoder", "GAN")]
    for kind, seed in [one for one in plan if one not in done][: int(sys.argv[1]) if sys.argv[1:] else None]:
        started = time.perf_counter()
        if kind == "cures":
            found["cures"] += cures(data, seed)
        else:
            found["generators"] += generators(data, seed, kind, against)
        write_json(target, found)
        print(f"{kind}, seed {seed}: {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
