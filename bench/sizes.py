"""Images a second in training, and the most memory, of every kind of model at 28, 64, 128 and 224 px.

Each line is a process of its own (its memory is no other's): a few steps on grey noise in batches of 16, the
first half of which warms up, or grows, and does not count. Prints the table of docs/real-sizes.md.
"""

import subprocess
import sys

import numpy as np
import torch
from timing import machine

from medgen_course.batches.domains import PairedSampler, UnpairedSampler
from medgen_course.batches.drawn import DrawnSampler
from medgen_course.batches.sampling import Sampler

SIZES, BATCH, STEPS = (28, 64, 128, 224), 16, 4
KINDS = (
    "autoencoder", "vae", "semi_vae", "gan", "progressive", "cyclegan", "pix2pix", "enhancer", "segmenter"
)  # fmt: skip


def made(kind: str, size: int):
    """An algorithm with the sizes that its kind has by default."""
    from medgen_course.batches.tasks import degradation
    from medgen_course.models import (
        autoencoder,
        cyclegan,
        cyclegan_networks,
        gan,
        pix2pix,
        progressive,
        segmenter,
        semi_vae,
        unet,
        vae,
    )
    from medgen_course.models import progressive_networks as growing

    judge, translator = cyclegan_networks.PatchDiscriminator, cyclegan_networks.ResNetGenerator
    return {
        "autoencoder": lambda: autoencoder.AutoencoderAlgorithm(autoencoder.Autoencoder(1, size)),
        "vae": lambda: vae.VAEAlgorithm(vae.VAE(1, size)),
        "semi_vae": lambda: semi_vae.SemiVAEAlgorithm(semi_vae.SemiVAE(1, size, 2)),
        "gan": lambda: gan.GANAlgorithm(gan.Generator(1, size), gan.Discriminator(1, size)),
        "progressive": lambda: progressive.ProgressiveAlgorithm(
            growing.ProgressiveGenerator(1, size), growing.ProgressiveDiscriminator(1, size), 0, 1
        ),
        "cyclegan": lambda: cyclegan.CycleGANAlgorithm(
            translator(1, 1, size), translator(1, 1, size), judge(1, size), judge(1, size)
        ),
        "pix2pix": lambda: pix2pix.Pix2PixAlgorithm(pix2pix.UNetGenerator(1, 1, size), judge(2, size)),
        "enhancer": lambda: unet.EnhancerAlgorithm(unet.UNet(1, size), degradation("denoise")),
        "segmenter": lambda: segmenter.SegmenterAlgorithm(segmenter.Segmenter(1, size)),
    }[kind]()


def one(kind: str, size: int) -> None:
    """Measure in this process and print: images/s, most memory in MB."""
    import resource
    import time

    from medgen_course import datasets
    from medgen_course.training import fit

    torch.manual_seed(0)
    images = torch.randint(0, 256, (BATCH * STEPS, 1, size, size), dtype=torch.uint8).numpy()
    split = datasets.Split(images, torch.zeros(len(images), dtype=torch.int64).numpy())
    samplers = {"cyclegan": UnpairedSampler, "pix2pix": PairedSampler}
    if kind == "semi_vae":  # beside each labelled image one without a label
        sampler = DrawnSampler(images, split.labels, STEPS, BATCH, unlabelled=images)
    elif kind == "segmenter":  # images and masks in one array
        masked = datasets.Split(np.concatenate([images, images // 128], 1), split.labels)
        sampler = Sampler(masked, BATCH)
    else:
        sampler = samplers[kind](images, images, BATCH) if kind in samplers else Sampler(split, BATCH)
    moments = []
    callback = lambda step, logs: moments.append(time.perf_counter())  # noqa: E731
    fit(made(kind, size), sampler, 4, device="cpu", precision="float32", progress=False, callback=callback)
    half = len(moments) // 2
    rate = BATCH * (len(moments) - 1 - half) / (moments[-1] - moments[half])
    print(rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)


def main() -> None:
    print(machine(), "\n")
    print("| kind |" + "".join(f" {size} px |" for size in SIZES) + "\n|---|" + "---|" * len(SIZES))
    for kind in KINDS:
        print(f"| {kind} |", end="", flush=True)
        for size in SIZES:
            done = subprocess.run(
                [sys.executable, __file__, kind, str(size)], capture_output=True, text=True, check=True
            )
            rate, memory = map(float, done.stdout.split())
            print(f" {rate:,.{0 if rate >= 10 else 1}f} ({memory / 1e3:.1f} GB) |", end="", flush=True)
        print()


if __name__ == "__main__":
    one(sys.argv[1], int(sys.argv[2])) if len(sys.argv) == 3 else main()
