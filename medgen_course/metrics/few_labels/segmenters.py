"""Ways to learn masks from a few labelled slices, all with the same number of updates.

What a generative model adds is learnt from the same few slices as the rest: the honest case. Only the
translator between contrasts has seen more, and that without a single label.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from medgen_course.batches.domains import PairedSampler
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.transforms import augment
from medgen_course.datasets import Split
from medgen_course.datasets.labelled import Labelled
from medgen_course.models.algorithm import Algorithm
from medgen_course.models.cyclegan_networks import PatchDiscriminator
from medgen_course.models.diff_augment import jitter, shift
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.models.pix2pix import Pix2PixAlgorithm, UNetGenerator
from medgen_course.models.samples import generate
from medgen_course.models.segmenter import Segmenter, SegmenterAlgorithm
from medgen_course.training.loop import fit

UPDATES, BATCH, WIDTH = 300, 8, 8
RATE, PRIOR = 1e-2, 0.02  # Adam's first step size; how likely a structure is before anything is learnt
MOVES = {"rotation": 0.04, "shift": 0.05, "brightness": 0.2, "flip": True}  # the phantom has no left or right
GAN = {"updates": 1500, "batch": 8, "width": 16, "latent_dim": 32, "rate": 1e-3, "ema": 0.995}
PIX2PIX = {"width": 4, "rate": 2e-3}  # its networks work on whole pixels: a few channels cost as much
PLAIN, MOVED, TRANSLATED, DRAWN, ATLAS = "U-Net", "U-Net, augmented", "pix2pix", "U-Net, drawn pairs", "atlas"
METHODS = (ATLAS, PLAIN, MOVED, TRANSLATED, DRAWN)
LONGER = "pix2pix, 5 × the updates"  # in the recorded table: what its budget alone explains


@dataclass(frozen=True)
class Learnt:
    """What a method has learnt.

    masks: images uint8 (N, C, H, W) -> uint8 {0, 1} (N, K, H, W). network: where it has one. seconds: of the
    processor, the generative model's included.
    """

    masks: Callable[[np.ndarray], np.ndarray]
    network: torch.nn.Module | None
    seconds: float


def learn(train: Labelled, method: str = PLAIN, updates: int = UPDATES, seed: int = 0) -> Learnt:
    """Learn masks from labelled slices.

    Args:
        train: the labelled slices, one or more.
        method: one of `METHODS`. "atlas" takes the pixels that lie inside in half of the slices, and never
            looks at an image: what has to be beaten.
        updates: of the network that gives the masks, `BATCH` slices each; few slices come round often.
        seed: of first weights, order and draws; the caller's random state is left as it was.
    Raises:
        ValueError: there is no such method.
    """
    ways = {ATLAS: _atlas, PLAIN: _unet, MOVED: partial(_unet, moved=True),
            TRANSLATED: _pix2pix, DRAWN: _with_drawn}  # fmt: skip
    if method not in ways:
        raise ValueError(f"method is {method!r}; give one of {', '.join(ways)}.")
    started = time.process_time()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        masks, network = ways[method](train, updates, seed)
    return Learnt(masks, network, time.process_time() - started)


def drawn_pairs(train: Labelled, count: int, seed: int = 0) -> Labelled:
    """Slices with their masks, drawn by a GAN at half the side (`half_pairs`) and enlarged.

    Args:
        train: what it learns from.
        count: slices to draw.
        seed: of first weights, order and draws.
    Returns:
        Slices that nobody labelled: the masks are drawn, too, and may be wrong.
    Source: the idea of Bowles et al. 2018, "GAN augmentation".
    """
    colours, size = train.images.shape[1:3]
    drawn = torch.from_numpy(half_pairs(train, count, seed)).float()
    drawn = interpolate(drawn, (size, size), mode="bilinear").round().byte().numpy()
    return Labelled(drawn[:, :colours], (drawn[:, colours:] >= 128).astype(np.uint8), train.names)


def half_pairs(train: Labelled, count: int, seed: int = 0) -> np.ndarray:
    """Slices and masks at half the side, drawn by a GAN that has learnt both together from labelled slices.

    Half the side is what a short training can fill. The discriminator sees images and masks through the same
    random shift, and images brighter or darker (Zhao et al. 2020), without which it would know a few slices
    by heart.

    Args:
        train, count, seed: as in `drawn_pairs`.
    Returns:
        uint8 (count, C + K, H / 2, W / 2).
    """
    colours = train.images.shape[1]
    small = avg_pool2d(torch.from_numpy(train.pairs).float(), 2).round().byte().numpy()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = Generator(small.shape[1], small.shape[2], GAN["latent_dim"], width=GAN["width"])
        discriminator = Discriminator(small.shape[1], small.shape[2], width=GAN["width"], spectral_norm=True)
        algorithm = GANAlgorithm(
            generator, discriminator, "hinge", GAN["rate"], ema=GAN["ema"],
            augment=lambda x: shift(torch.cat([jitter(x[:, :colours]), x[:, colours:]], 1)),
        )  # fmt: skip
        run(algorithm, small, GAN["updates"], seed, GAN["batch"])
    return generate(algorithm.average.eval(), count, seed)


def run(algorithm: Algorithm, pairs: np.ndarray, updates: int, seed: int, batch: int = BATCH) -> None:
    """Fit to images and masks, uint8 (N, C + K, H, W), in so many updates, whatever N is."""
    many = _repeated(pairs, updates * batch)
    fit(algorithm, Sampler(Split(many, np.zeros(len(many), np.int64)), batch), 1, seed,
        "cpu", "float32", progress=False)  # fmt: skip


def _repeated(array: np.ndarray, count: int) -> np.ndarray:
    """An array (N, ...) again and again, to `count` rows."""
    return array[np.arange(count) % len(array)]


def atlas(train: Labelled, count: int) -> np.ndarray:
    """Where half of the labelled slices have a structure, `count` times: uint8 {0, 1} (count, K, H, W)."""
    return np.repeat((train.masks.mean(0, keepdims=True) >= 0.5).astype(np.uint8), count, 0)


def _atlas(train: Labelled, updates: int, seed: int) -> tuple[Callable, None]:
    return lambda images: atlas(train, len(images)), None


def _unet(train: Labelled, updates: int, seed: int, moved: bool = False, drawn: Labelled | None = None):
    kinds, pairs = train.masks.shape[1], train.pairs
    model = Segmenter(train.images.shape[1], train.images.shape[-1], kinds, WIDTH, prior=PRIOR)
    change: Callable[[Tensor], Tensor] | None = partial(augment, **MOVES, masks=kinds) if moved else None
    algorithm = SegmenterAlgorithm(model, RATE, updates, change, lambda_dice=1.0)
    if drawn is not None:
        pairs = np.concatenate([_repeated(pairs, len(drawn)), drawn.pairs])
    run(algorithm, pairs, updates, seed)
    return model.masks, model


def _with_drawn(train: Labelled, updates: int, seed: int):
    """As many drawn slices as labelled ones; each drawn slice comes once, the labelled ones come round."""
    return _unet(train, updates, seed, drawn=drawn_pairs(train, updates * BATCH // 2, seed))


def _pix2pix(train: Labelled, updates: int, seed: int):
    channels, kinds, size = train.images.shape[1], train.masks.shape[1], train.images.shape[-1]
    generator = UNetGenerator(channels, kinds, size, PIX2PIX["width"])
    judge = PatchDiscriminator(channels + kinds, size, width=PIX2PIX["width"])
    algorithm = Pix2PixAlgorithm(generator, judge, learning_rate=PIX2PIX["rate"], decay_steps=updates)
    many = _repeated(train.pairs, updates * BATCH)
    sampler = PairedSampler(many[:, :channels], many[:, channels:], BATCH)
    fit(algorithm, sampler, 1, seed, "cpu", "float32", progress=False)
    network = algorithm.average.eval()

    @torch.inference_mode()
    def masks(images: np.ndarray) -> np.ndarray:
        parts = torch.from_numpy(np.ascontiguousarray(images)).split(128)
        return torch.cat([network.translate(part / 255) > 0.5 for part in parts]).numpy().astype(np.uint8)

    return masks, network
