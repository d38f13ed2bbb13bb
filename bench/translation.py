"""The CycleGAN of the course beside a plain textbook step, same networks, same batches, one run.

The textbook step (the pattern of the public implementations) passes translation and identity through a
generator one after the other, judges real and translated images in two passes, and lets the generators'
losses leave gradients in the discriminators. Ours carries what it does not: averaged generators and logs.
"""

import time

import numpy as np
import torch
from timing import in_turn, latency, machine
from torch.nn.functional import l1_loss, mse_loss

from medgen_course import explorers
from medgen_course.batches.domains import UnpairedSampler
from medgen_course.datasets.domains import phantom_domains
from medgen_course.models.cyclegan import CycleGANAlgorithm
from medgen_course.models.cyclegan_networks import PatchDiscriminator, ResNetGenerator
from medgen_course.models.image_pool import ImagePool
from medgen_course.models.translators import Translators
from medgen_course.pictures import plots, render_translation
from medgen_course.training.loop import fit

SIZE, IMAGES = 32, 128


def networks() -> list:
    torch.manual_seed(0)
    made = [ResNetGenerator(1, 1, SIZE), ResNetGenerator(1, 1, SIZE)]
    return [*made, PatchDiscriminator(1, SIZE), PatchDiscriminator(1, SIZE)]


def textbook(sampler) -> None:
    g_ab, g_ba, d_a, d_b = networks()
    adam_g = torch.optim.Adam([*g_ab.parameters(), *g_ba.parameters()], 2e-4, (0.5, 0.999))
    adam_a, adam_b = (torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999)) for d in (d_a, d_b))
    pools = ImagePool(50), ImagePool(50)
    for batch in sampler.epoch(0, 0):
        a, b = batch["a"], batch["b"]
        adam_g.zero_grad()
        identity = l1_loss(g_ba.translate(a), a) + l1_loss(g_ab.translate(b), b)
        fake_b, fake_a = g_ab.translate(a), g_ba.translate(b)
        on_a, on_b = d_a(fake_a), d_b(fake_b)
        game = mse_loss(on_a, torch.ones_like(on_a)) + mse_loss(on_b, torch.ones_like(on_b))
        cycle = l1_loss(g_ba.translate(fake_b), a) + l1_loss(g_ab.translate(fake_a), b)
        (game + 10 * cycle + 5 * identity).backward()
        adam_g.step()
        for judge, adam, real, fake, pool in (
            (d_a, adam_a, a, fake_a, pools[0]),
            (d_b, adam_b, b, fake_b, pools[1]),
        ):
            adam.zero_grad()
            up, down = judge(real), judge(pool.swap(fake.detach()))
            loss = mse_loss(up, torch.ones_like(up)) + mse_loss(down, torch.zeros_like(down))
            (0.5 * loss).backward()
            adam.step()


def ours(sampler, precision: str = "float32", identity: float = 5.0) -> CycleGANAlgorithm:
    algorithm = CycleGANAlgorithm(*networks(), lambda_identity=identity)
    fit(algorithm, sampler, 1, 0, "cpu", precision, progress=False)
    return algorithm


def speed(domains, batch_size: int) -> None:
    sampler = UnpairedSampler(domains.train.a, domains.train.b, batch_size)
    sides = {
        "textbook": lambda: textbook(sampler),
        "ours": lambda: ours(sampler),
        "ours without identity loss": lambda: ours(sampler, identity=0.0),
    }
    times, images = in_turn(sides, rounds=5), len(sampler) * batch_size
    for name, value in times.items():
        print(f"batch {batch_size}, {name}: {images / value:.1f} images/s of each domain")
    ratio = times["textbook"] / times["ours"]
    print(f"batch {batch_size}: ours / textbook in float32 {ratio:.2f} x the images per second (target 1.1)")


def half_precision(domains, images: int = 32, batch_size: int = 4) -> None:
    """Apart and on few images: a processor without bfloat16 units emulates them."""
    sampler = UnpairedSampler(domains.train.a[:images], domains.train.b[:images], batch_size)
    sides = {name: lambda name=name: ours(sampler, name) for name in ("float32", "bfloat16")}
    times = in_turn(sides, rounds=3)
    print(f"bfloat16 / float32 {times['float32'] / times['bfloat16']:.2f} x")


def explorer(domains) -> None:
    pair = Translators(*(network.eval().requires_grad_(False) for network in networks()[:2]))
    shown = explorers.TranslationExplorer(pair, domains.val, ("T1w", "T2w"))
    latency("translation explorer, another image", lambda i: setattr(shown.index, "value", i % 40))
    for name in ("noise", "limit"):
        control = getattr(shown, name)

        def slide(i, control=control):
            control.value = control.min + i % 20 * control.step

        latency(f"translation explorer, {name}", slide)


def pictures() -> None:
    """The explorer's panels as an array beside a matplotlib figure of the same array."""
    images = np.random.default_rng(0).random((4, 1, SIZE, SIZE))
    mask = images[0, 0] > 0.98

    def panels():
        return render_translation.panels(*images, lesion=mask, invented=mask, scale=5)

    sheet = panels()
    times = in_turn({"panels": panels, "figure": lambda: plots.show(sheet)._repr_png_()}, rounds=9)
    ratio = times["figure"] / times["panels"]
    print(f"panels: {1000 * times['panels']:.1f} ms, a figure of them {ratio:.0f} x the time (target 20)")


if __name__ == "__main__":
    started, domains = time.perf_counter(), phantom_domains(SIZE, counts=(IMAGES, 64, 16))
    print(f"phantom, {SIZE} px; {machine()}")
    for size in (4, 16):
        speed(domains, size)
    half_precision(domains)
    explorer(domains)
    pictures()
    print(f"({time.perf_counter() - started:.0f} s)")
