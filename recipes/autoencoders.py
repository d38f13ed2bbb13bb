"""The autoencoders that notebook 01 compares: one for each length of the code, and a denoiser.

    python recipes/autoencoders.py [DATASET [LATENT_DIM or denoiser ...]]      default: all of both data sets

Every network has the same budget. For the longest code the card says what half of it reaches: where doubling
the epochs hardly moves the validation error, the curve over lengths is about the code and not about patience.
On PneumoniaMNIST 24 epochs brought 64 numbers to 31.30 dB on val, 48 to 31.55 and 96 to 31.36: it is done,
though the loss on train goes on falling (0.50 after 48 epochs, 0.43 after 96).
What is trained is kept in build/, so that an interrupted run goes on; the file is written when all are there.
"""

import sys
import time
from pathlib import Path

import torch
from pretrain import SEED, card, images

from medgen_course import datasets, metrics, pretrained
from medgen_course.batches import transforms
from medgen_course.batches.sampling import Sampler
from medgen_course.models.autoencoder import Autoencoder, AutoencoderAlgorithm
from medgen_course.training.checkpoints import load_tensors, save_tensors
from medgen_course.training.loop import fit

LATENT_DIMS, DENOISER, NOISE = (2, 4, 8, 16, 32, 64), "denoiser", 0.2
EPOCHS, BATCH, LEARNING_RATE = 48, 32, 3e-3
HALVED = (64,)  # also trained with half the epochs
BUILD = Path("build/autoencoders")


def network(data, what: int | str) -> Autoencoder:
    """A network with its first weights: a length of the code, or the denoiser, which has the longest."""
    torch.manual_seed(SEED)
    made = Autoencoder(data.channels, data.size, LATENT_DIMS[-1] if what == DENOISER else what)
    return made.to(memory_format=torch.channels_last)


def noisy(x: torch.Tensor) -> torch.Tensor:
    """What the denoiser sees."""
    return transforms.gaussian_noise(x, NOISE)


def psnr(model: Autoencoder, x: torch.Tensor, what: int | str) -> dict[str, float]:
    """Mean PSNR in dB with its interval, of images rebuilt or denoised."""
    seen = x if what != DENOISER else transforms.gaussian_noise(x, NOISE, torch.Generator().manual_seed(SEED))
    with torch.inference_mode():
        x_hat = torch.cat([model(part) for part in seen.split(512)])
    return metrics.bootstrap_interval(metrics.psnr(x_hat, x))


def trained(data, what: int | str, epochs: int) -> Autoencoder:
    """Train for so many epochs with a cosine to zero, or take what an earlier run left."""
    model, kept = network(data, what), BUILD / data.name / f"{what}-{epochs}.safetensors"
    if kept.is_file():
        model.load_state_dict(load_tensors(kept)[0])
        return model.eval()
    algorithm = AutoencoderAlgorithm(model, LEARNING_RATE, corrupt=noisy if what == DENOISER else None)
    sampler, started = Sampler(data.train, BATCH), time.perf_counter()
    optimizer = algorithm.optimizers["autoencoder"]
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(sampler))
    log = fit(algorithm, sampler, epochs, SEED, callback=lambda step, logs: decay.step(), progress=False)
    pretrained.half(model).eval()
    kept.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(kept, {name: value.contiguous() for name, value in model.state_dict().items()})
    reached = psnr(model, transforms.to_unit(images(data.val)), what)["value"]
    print(f"{data.name} {what}: {log}, {reached:.2f} dB on val, {time.perf_counter() - started:.0f} s",
          flush=True)  # fmt: skip
    return model


def store(data) -> None:
    """Write the file and the card from what was trained."""
    x_val, x_test = (transforms.to_unit(images(split)) for split in (data.val, data.test))
    networks, val, half, test = {}, {}, {}, {}
    for what in (*LATENT_DIMS, DENOISER):
        model, name = trained(data, what, EPOCHS), str(what)
        networks[name] = model
        val[name], test[name] = psnr(model, x_val, what), psnr(model, x_test, what)
        if what in HALVED:
            half[name] = psnr(trained(data, what, EPOCHS // 2), x_val, what)
    recipe = {
        "images": len(data.train),
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "optimizer": f"Adam, {LEARNING_RATE:g}, cosine to 0",
        "latent_dims": LATENT_DIMS,
        "denoiser": {"latent_dim": LATENT_DIMS[-1], "sigma": NOISE},
        "validation_psnr": val,
        "validation_psnr_after_half_the_epochs": half,
    }
    about = card(data, networks[str(LATENT_DIMS[0])], recipe, {"psnr": test})
    about["model"].pop("latent_dim")
    pretrained.save(data.name, "autoencoders", networks, about, {})


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:2] or ("pneumoniamnist", "phantom"):
        data = datasets.load(name)
        chosen = [word if word == DENOISER else int(word) for word in sys.argv[2:]]
        for what in chosen or (*LATENT_DIMS, DENOISER):
            trained(data, what, EPOCHS)
        if not chosen:
            store(data)
