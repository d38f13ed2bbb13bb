"""The GAN of the course beside a plain textbook loop, same networks, same batches, one run.

The textbook loop (the pattern of Radford et al. 2015 that most tutorials follow) judges real and generated
images in two passes, lets the generator's loss leave gradients in the discriminator, and keeps the default
memory layout. Ours carries what the textbook loop does not: the averaged generator, and gradient norms.
"""

import time

import torch
from timing import in_turn, latency, machine, seconds
from torch.nn.functional import binary_cross_entropy_with_logits as entropy

from medgen_course import datasets, explorers, pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.metrics import classification, fidelity
from medgen_course.models import samples
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.training.loop import fit

BATCH = 64


def networks(data) -> tuple[Generator, Discriminator]:
    torch.manual_seed(0)
    return Generator(data.channels, data.size), Discriminator(data.channels, data.size)


def textbook(data, sampler) -> None:
    generator, discriminator = networks(data)
    adam_g = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999))
    adam_d = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999))
    one, zero = torch.ones(BATCH), torch.zeros(BATCH)
    for batch in sampler.epoch(0, 0):
        fake = generator.sample(torch.randn(BATCH, generator.latent_dim))
        adam_d.zero_grad()
        loss = entropy(discriminator(batch["x"]), one) + entropy(discriminator(fake.detach()), zero)
        loss.backward()
        adam_d.step()
        adam_g.zero_grad()
        entropy(discriminator(fake), one).backward()
        adam_g.step()


def ours(data, sampler, precision: str = "float32") -> GANAlgorithm:
    algorithm = GANAlgorithm(*networks(data), "non_saturating")
    fit(algorithm, sampler, 1, 0, "cpu", precision, progress=False)
    return algorithm


def speed(data) -> None:
    sampler = Sampler(data.train, BATCH)
    sides = {
        "textbook": lambda: textbook(data, sampler),
        "ours": lambda: ours(data, sampler),
        "bfloat16": lambda: ours(data, sampler, "bfloat16"),
    }
    times, images = in_turn(sides, rounds=5), len(sampler) * BATCH
    for name, value in times.items():
        print(f"{name}: {images / value:,.0f} images/s, {torch.get_num_threads()} threads")
    print(f"an epoch of the default GAN: {times['ours']:.1f} s (target 8)")
    ratio = times["textbook"] / times["ours"]
    print(f"ours / textbook in float32: {ratio:.2f} x the images per second (target 1.1)")
    print(f"bfloat16 / float32: {times['ours'] / times['bfloat16']:.2f} x")


def metrics_and_replay(data) -> None:
    against = fidelity.reference(data, classification.feature_network(data))
    elapsed = seconds(lambda: against.measure(data.train.images))
    print(f"all measures on {len(data.train):,} images: {elapsed:.1f} s (target 15)")
    replay = explorers.GANExplorer(pretrained.load_recordings())
    latency("replay step", lambda i: setattr(replay.moment, "value", i % 40))


def time_to_coverage(data, rate: float = 4e-4, most: int = 30) -> None:
    """Seconds of training from scratch until coverage reaches half of what real images reach."""
    against = fidelity.reference(data, classification.feature_network(data))
    best, n = against.measure(data.val.images)["coverage"], len(data.val)
    algorithm, sampler = GANAlgorithm(*networks(data), learning_rate=rate), Sampler(data.train, BATCH)
    spent = 0.0
    for epoch in range(most):
        one = seconds(lambda epoch=epoch: fit(algorithm, sampler, 1, epoch, "cpu", "float32", progress=False))
        spent += one
        found = against.measure(samples.generate(algorithm.average.eval(), n))["coverage"]
        if found >= 0.5 * best:
            print(f"coverage {found:.3f} (best {best:.3f}): {epoch + 1} epochs, {spent:.0f} s of training")
            return
    print(f"coverage {found:.3f} of {best:.3f} after {most} epochs, {spent:.0f} s: half was not reached")


if __name__ == "__main__":
    data = datasets.load("pneumoniamnist", fallback="phantom")
    print(f"images: {data.name}, {data.size} px; {machine()}")
    started = time.perf_counter()
    speed(data)
    metrics_and_replay(data)
    time_to_coverage(data)
    print(f"({time.perf_counter() - started:.0f} s)")
