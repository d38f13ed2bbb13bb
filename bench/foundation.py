"""Speed of what every notebook stands on. Both sides of a ratio run in turn, in one process; medians.

Run with `make bench`. The machine should be idle: a ratio survives a busy machine, a rate does not.
"""

import itertools

import torch
from timing import in_turn, latency, machine

from medgen_course import datasets, explorers, phantom, pretrained
from medgen_course.batches.sampling import Sampler, derive_seed
from medgen_course.models.autoencoder import Autoencoder, AutoencoderAlgorithm
from medgen_course.training.loop import fit


def autoencoder(data) -> AutoencoderAlgorithm:
    torch.manual_seed(0)
    return AutoencoderAlgorithm(Autoencoder(data.channels, data.size))


def sampling(data) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    sampler = Sampler(data.train)
    epochs = 20
    elapsed = in_turn({"draw": lambda: [len(b) for e in range(epochs) for b in sampler.epoch(e, seed=0)]})[
        "draw"
    ]
    torch.set_num_threads(threads)
    images = epochs * len(sampler) * sampler.batch_size
    print(f"batches, one core: {images / elapsed:,.0f} images/s (target 500,000)")


def loop_overhead(data) -> None:
    sampler, steps = Sampler(data.train), {}

    def bare():
        algorithm = autoencoder(data)
        for network in algorithm.networks.values():
            network.train().to(memory_format=torch.channels_last)
        torch.manual_seed(derive_seed(0, 0, 1))
        for batch in sampler.epoch(0, 0):
            algorithm.step(batch, lambda loss: loss.backward())
        steps["bare"] = algorithm

    def fitted(precision="float32"):
        algorithm = autoencoder(data)
        fit(algorithm, sampler, 1, device="cpu", precision=precision, progress=False)
        steps["fit"] = algorithm

    times = in_turn({"bare": bare, "fit": fitted, "bfloat16": lambda: fitted("bfloat16")})
    fitted()
    pairs = zip(steps["bare"].model.parameters(), steps["fit"].model.parameters(), strict=True)
    same = all(torch.equal(a, b) for a, b in pairs)
    count = len(sampler) * sampler.batch_size
    print(f"bare loop: {count / times['bare']:,.0f} images/s in float32, {torch.get_num_threads()} threads")
    print(
        f"fit / bare loop: {times['fit'] / times['bare']:.3f} x the time (target 1.05); same weights: {same}"
    )
    print(f"bfloat16 / float32 in fit: {times['fit'] / times['bfloat16']:.2f} x the images per second")


def sliders(data) -> None:
    model = autoencoder(data).model.eval()
    images, labels = data.train.images[:512], data.train.labels[:512]
    walk = explorers.LatentExplorer(model.encode, model.decode, images, labels, data.label_names)
    browse = explorers.DataExplorer(data)

    def slide(i):
        walk.sliders.values = [v + 0.01 * (i + 1) for v in walk.sliders.values]

    def drag(i):
        walk.map.position = (0.2 + 0.003 * i, 0.5)

    def turn(i):
        browse.augmentation.value = 0.05 * (1 + i % 19)

    for name, move in (("latent slider", slide), ("map drag", drag), ("augmentation slider", turn)):
        latency(name, move)


def vae_sliders() -> None:
    """The explorers of notebook 02, on the phantom's pretrained models."""
    data, vaes = datasets.load("phantom"), pretrained.load_vaes("phantom")
    codes = pretrained.load_codes("phantom")
    betas = explorers.BetaExplorer(vaes, data, codes)
    split = data.train
    walk = explorers.VAELatentExplorer(
        vaes[1.0],
        data.val.images,
        data.val.labels,
        data.label_names,
        codes[1.0],
        split.images,
        split.labels,
    )

    def step(i):
        betas.beta.value = betas.betas[i % len(betas.betas)]

    def slide(i):
        walk.sliders.move(0, -1.0 + 0.009 * i)

    def drag(i):
        walk.map.position = (0.2 + 0.003 * i, 0.5)

    for name, move in (("beta slider", step), ("VAE latent slider", slide), ("VAE map drag", drag)):
        latency(name, move)


if __name__ == "__main__":
    data = datasets.load("pneumoniamnist", fallback="phantom")
    print(f"images: {data.name}, {data.size} px; {machine()}")
    sampling(data)
    loop_overhead(data)
    sliders(data)
    vae_sliders()
    seeds = itertools.count(1)  # a new one each time: what was drawn lately is handed out again
    draw = {size: lambda size=size: phantom.generate(1000, size=size, seed=next(seeds)) for size in (28, 64)}
    for size, elapsed in in_turn(draw, rounds=3).items():
        print(f"phantom at {size} px, first drawing: {1000 / elapsed:,.0f} pairs/s (target 2,000)")
