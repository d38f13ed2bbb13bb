"""What the translation explorer shows: pairs of translators, an image's way there and back, the truth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.transforms import to_unit
from medgen_course.datasets.domains import Part
from medgen_course.metrics.lesions import LesionReport, lesion_report
from medgen_course.models.translators import Direction, Translators

Moments = Mapping[int, Translators]  # by moment of training


@dataclass(frozen=True)
class Journey:
    """An image's way to the other domain and back.

    source: uint8 (1, C, H, W). translated: floats in [0, 1], (1, C', H, W). back: (1, C, H, W), after the
    noise if there was any.
    noise: standard deviation of what was added on the way back.
    clean_error, cycle_error: mean |back − source| without the noise and with it.
    """

    source: np.ndarray
    translated: Tensor
    back: Tensor
    noise: float
    clean_error: float
    cycle_error: float


def travel(translators: Translators, source: np.ndarray, to: Direction, noise: float = 0.0) -> Journey:
    """To domain `to` and back again, with Gaussian noise, always the same, added before the way back.

    A generator that hides the source in its translation does so in faint patterns; noise much fainter than
    the image drowns them, and the way back is lost.

    Args:
        translators: of both directions.
        source: of the other domain, uint8 (1, C, H, W).
        to: where it goes.
        noise: standard deviation, on the [0, 1] scale.
    Source: Chu, Zhmoginov & Sandler 2017, "CycleGAN, a master of steganography".
    """
    translated = translators.translate(source, to)
    draws = torch.randn(translated.shape, generator=torch.Generator().manual_seed(0))
    sent = torch.cat([translated, translated + noise * draws]) if noise else translated
    returned = translators.apply(sent, "a" if to == "b" else "b")
    errors = (returned - to_unit(torch.from_numpy(source))).abs().mean((1, 2, 3)).tolist()
    return Journey(source, translated, returned[-1:], noise, errors[0], errors[-1])


@dataclass(frozen=True)
class Known:
    """What is known about the images of one direction; index i is one slice.

    truth: the slices in the target domain, uint8 (N, C, H, W). masks: uint8 (N, 1, H, W).
    healthy: as the truth, without lesions; None where lesions cannot be judged.
    threshold, smallest: what counts as a large error, from all slices: see `lesion_report`.
    """

    truth: np.ndarray
    masks: np.ndarray
    healthy: np.ndarray | None = None
    threshold: float = 0.0
    smallest: int = 0

    @classmethod
    def of(cls, part: Part, to: Direction) -> "Known | None":
        """What a part knows about translating to a domain; None where its images have no counterparts."""
        known = part.truth
        if known is None:
            return None
        images, same = (part.a, known.a) if to == "b" else (part.b, known.b)
        if not np.array_equal(images, same):
            return None  # in training the images of b belong to other slices
        truth, healthy = (known.b, known.healthy_b) if to == "b" else (known.a, known.healthy_a)
        if healthy is None or truth.shape[1] != 1 or not known.masks.any():
            return cls(truth, known.masks)
        ideal = lesion_report(to_unit(torch.from_numpy(truth)), truth, healthy, known.masks)
        return cls(truth, known.masks, healthy, ideal.threshold, ideal.smallest)

    def report(self, translated: Tensor, index: int) -> LesionReport | None:
        """What became of the lesion of a slice, translated (1, 1, H, W), by the measure of all slices."""
        if self.healthy is None:
            return None
        slices = (array[index : index + 1] for array in (self.truth, self.healthy, self.masks))
        return lesion_report(translated, *slices, smallest=self.smallest, threshold=self.threshold)


def by_share(
    translators: Translators | Moments | Mapping[float, Moments],
) -> dict[float, dict[int, Translators]]:
    """Any of the three forms as the largest, in order: share of lesions -> moment -> translators.

    What is not given is 0: a single key is no choice, and is neither offered nor spoken of.

    Raises:
        ValueError: there are none.
    """
    if isinstance(translators, Translators):
        translators = {0: translators}
    if all(isinstance(pair, Translators) for pair in translators.values()):
        translators = {0: translators}
    runs = {share: dict(sorted(moments.items())) for share, moments in sorted(translators.items())}
    if not all(runs.values()):
        raise ValueError("there are no translators to show; `medgen train cyclegan` makes some.")
    return runs


def check(runs: Mapping[float, Moments], part: Part, names: tuple[str, ...]) -> None:
    """Raises ValueError unless all translators take the images of a part."""
    for name, images, domain in zip(names, (part.a, part.b), (0, 1), strict=True):
        if not len(images):
            raise ValueError(f"there are no images of {name}; give a part that holds some of both domains.")
        found = images.shape[1], images.shape[-1]
        for pair in (pair for moments in runs.values() for pair in moments.values()):
            wanted = pair.channels[domain], pair.size
            if found != wanted:
                raise ValueError(
                    f"images of {name} have {found[0]} channels and {found[1]} pixels a side, translators "
                    f"for {wanted[0]} channels and {wanted[1]} pixels; load the data they were trained on."
                )
