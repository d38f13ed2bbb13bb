"""The VAE of the course beside pythae's, same network, same batches, one run: speed and what it buys.

pythae is installed into build/ for this script alone (its requirements would harm the environment).
"""

import importlib
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch
from timing import in_turn, machine, seconds

from medgen_course import datasets
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.transforms import to_unit
from medgen_course.metrics.likelihood import dequantise
from medgen_course.models.layers import ConvDecoder, ConvEncoder
from medgen_course.models.vae import VAE, VAEAlgorithm, gaussian_log_likelihood, kl_divergence
from medgen_course.training.loop import fit

LATENTS, BATCH, RATE = 16, 128, 3e-3


def install_pythae() -> None:
    """Fetch pythae without its requirements into build/pythae and make it importable."""
    target = Path(__file__).parent.parent / "build" / "pythae"
    if not (target / "pythae").is_dir():
        command = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), "pythae==0.1.2"]
        subprocess.run([sys.executable, *command], check=True)
    sys.path.append(str(target))


def ours(data, epochs: int, precision: str = "float32") -> VAE:
    torch.manual_seed(0)
    model = VAE(data.channels, data.size, LATENTS)
    fit(
        VAEAlgorithm(model, learning_rate=RATE),
        Sampler(data.train, BATCH),
        epochs,
        0,
        "cpu",
        precision,
        progress=False,
    )
    return model


def theirs(data, epochs: int, variance: float = 1.0):
    """pythae's beta-VAE and trainer around the same encoder and decoder.

    Its loss is half the squared error plus beta times the KL, so beta = sigma^2 makes it the ELBO at that
    sigma, up to a factor. It is given the sigma^2 that our model arrived at.
    """
    models, trainers = importlib.import_module("pythae.models"), importlib.import_module("pythae.trainers")
    architectures = importlib.import_module("pythae.models.nn")
    base = importlib.import_module("pythae.models.base.base_utils")
    logging.disable(logging.WARNING)

    class Encoder(architectures.BaseEncoder):
        def __init__(self):
            super().__init__()
            self.network = ConvEncoder(data.channels, data.size, 2 * LATENTS)

        def forward(self, x):
            mu, logvar = self.network(x).chunk(2, 1)
            return base.ModelOutput(embedding=mu, log_covariance=logvar)

    class Decoder(architectures.BaseDecoder):
        def __init__(self):
            super().__init__()
            self.network = ConvDecoder(LATENTS, data.channels, data.size)

        def forward(self, z):
            return base.ModelOutput(reconstruction=self.network(z).sigmoid())

    torch.manual_seed(0)
    shape = (data.channels, data.size, data.size)
    config = models.BetaVAEConfig(
        input_dim=shape, latent_dim=LATENTS, reconstruction_loss="mse", beta=variance
    )
    model = models.BetaVAE(config, Encoder(), Decoder())
    images = to_unit(torch.from_numpy(data.train.images))
    dataset = importlib.import_module("pythae.data.datasets").BaseDataset(images, torch.zeros(len(images)))
    with tempfile.TemporaryDirectory() as folder:
        settings = trainers.BaseTrainerConfig(
            output_dir=folder,
            num_epochs=epochs,
            per_device_train_batch_size=BATCH,
            learning_rate=RATE,
            no_cuda=True,
            train_dataloader_num_workers=0,
        )
        trainers.BaseTrainer(model, dataset, training_config=settings).train()
    return model.eval()


@torch.no_grad()
def validation_elbo(encode, decode, data) -> float:
    """ELBO with sigma^2 at its optimum on these very images, so that no side is judged by its own sigma."""
    torch.manual_seed(0)
    x = dequantise(torch.from_numpy(data.val.images))
    mu, logvar = encode(x)
    x_hat = decode(mu + (0.5 * logvar).exp() * torch.randn_like(mu))
    likelihood = gaussian_log_likelihood(x_hat, x, (x - x_hat).square().mean()).mean()
    return (likelihood - kl_divergence(mu, logvar)).item()


def speed(data) -> None:
    sides = {
        "ours": lambda: ours(data, 2),
        "bfloat16": lambda: ours(data, 2, "bfloat16"),
        "pythae": lambda: theirs(data, 2),
    }
    middle = in_turn(sides, rounds=3)
    images = 2 * len(data.train)
    for name, value in middle.items():
        print(f"{name}: {images / value:,.0f} images/s end to end, {torch.get_num_threads()} threads")
    ratio = middle["pythae"] / middle["ours"]
    print(f"ours / pythae in float32: {ratio:.2f} x the images per second (target 1.4)")
    print(f"bfloat16 / float32: {middle['ours'] / middle['bfloat16']:.2f} x")


def compiled(data) -> None:
    """torch.compile of the network, its compilation reported apart."""
    x, rates = to_unit(torch.from_numpy(data.train.images[:BATCH])), {}
    for name in ("plain", "compiled"):
        torch.manual_seed(0)
        model = VAE(data.channels, data.size, LATENTS).to(memory_format=torch.channels_last)
        algorithm = VAEAlgorithm(model)
        if name == "compiled":
            model.encoder, model.decoder = torch.compile(model.encoder), torch.compile(model.decoder)

        def step(algorithm=algorithm):
            algorithm.step({"x": x}, lambda loss: loss.backward())

        first = seconds(step)
        rates[name] = BATCH / statistics.median(seconds(step) for _ in range(30))
    print(f"torch.compile: {rates['compiled'] / rates['plain']:.2f} x, after {first:.0f} s of compiling")


def same_wall_clock(data) -> None:
    started = time.perf_counter()
    model = ours(data, 10)
    budget = time.perf_counter() - started
    print(f"ten epochs of the default VAE: {budget:.1f} s (target 40)")
    epochs = max(1, round(budget / (seconds(lambda: theirs(data, 2)) / 2)))
    started = time.perf_counter()
    other = theirs(data, epochs, model.variance.item())
    spent = time.perf_counter() - started
    mine = validation_elbo(model.encode, model.decode, data)

    def encode(x):
        output = other.encoder(x)
        return output["embedding"], output["log_covariance"]

    yours = validation_elbo(encode, lambda z: other.decoder(z)["reconstruction"], data)
    print(f"validation ELBO: ours {mine:.1f} nats in {budget:.1f} s, pythae {yours:.1f} in {spent:.1f} s")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")  # pythae is of 2023; its own warnings are not ours to mend
    os.environ["TQDM_DISABLE"] = "1"
    install_pythae()
    data = datasets.load("pneumoniamnist", fallback="phantom")
    print(f"images: {data.name}, {data.size} px; {machine()}")
    speed(data)
    same_wall_clock(data)
    compiled(data)
