"""How good an enhanced image is: near the truth, like true images, and with the same lesions.

The first two pull apart (Blau & Michaeli 2018): the nearest answer is a mean of many images, and looks like
none of them. So every method has two coordinates, a distortion (reconstruction.py) and a distance between
sets of images in the features of a network (distances.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from medgen_course import pretrained
from medgen_course.batches.degradations import Degradation, Hole
from medgen_course.batches.transforms import to_uint8, to_unit
from medgen_course.datasets.domains import Truth
from medgen_course.datasets.sources import Dataset
from medgen_course.metrics.classification import embed, random_network
from medgen_course.metrics.distances import frechet, kernel
from medgen_course.metrics.reconstruction import bootstrap_interval, psnr, ssim, too_small_for_ssim
from medgen_course.metrics.shares import share_interval
from medgen_course.models.classifier import Classifier

Row = dict[str, Any]
Answer = Callable[[Tensor], Tensor]  # from a measurement, B first, to images (B, C, H, W) in [0, 1]
ROUNDS = 8  # subsets of half of the images, for a band
HALF = 0.5  # of a lesion's contrast, or of its area
AIR = 0.1  # darker is outside the head


class Eye:
    """The network whose features are compared, and what it saw of the training images.

    `about` says which network it is: the shipped classifier of these very images, or else a random one, whose
    figures compare with no other network's.
    """

    def __init__(self, data: Dataset):
        shipped = pretrained.fits(data, "classifier")
        self.network: Classifier = (
            pretrained.load_classifier(data.name) if shipped else random_network(data.train.images)
        )
        self.about = self.network.about
        self.train = embed(self.network, data.train.images)

    def distances(self, made: Tensor, seed: int = 0) -> dict[str, Row]:
        """Fréchet and kernel distance of images to the training images.

        Args:
            made: floats in [0, 1], (N, C, H, W), N at least 4.
            seed: of the subsets; the same one means the same images for every method.
        Returns:
            `frechet` and `kernel`: mean, smallest and largest over `ROUNDS` subsets of half of the images,
            each drawn without replacement; the number of images in one, `n`, and `features`.
        """
        seen, rng = embed(self.network, to_uint8(made).numpy()), np.random.default_rng(seed)
        parts = [rng.choice(len(seen), len(seen) // 2, replace=False) for _ in range(ROUNDS)]
        rows = {}
        for name, measure in {"frechet": frechet, "kernel": kernel}.items():
            values = [measure(self.train, seen[part]) for part in parts]
            rows[name] = {
                "value": float(np.mean(values)),
                "low": min(values),
                "high": max(values),
                "n": len(parts[0]),
                "features": self.about,
            }
        return rows


def distortion(made: Tensor, truth: np.ndarray) -> dict[str, Row]:
    """`psnr` in dB and `ssim` against the truth, uint8 (N, C, H, W), with intervals over images."""
    x = to_unit(torch.from_numpy(truth))
    rows = {"psnr": bootstrap_interval(psnr(made, x))}
    if not too_small_for_ssim(x.shape[-1]):
        rows["ssim"] = bootstrap_interval(ssim(made, x))
    return rows


def place(made: Tensor, truth: np.ndarray, eye: Eye) -> dict[str, Row]:
    """A method's place on the plane of perception and distortion: `distortion` and `Eye.distances`."""
    return distortion(made, truth) | eye.distances(made)


@dataclass(frozen=True)
class Fate:
    """What became of the lesions, one entry for each that counts, K in all.

    slices: indices of the slices that have one. area: pixels. kept: share of its contrast that is left, the
    mean over its mask of answer(slice) − answer(healthy twin), both measured with the same noise or the same
    hole; what a method does to every slice, as blurring a fold, drops out. drawn: mean over the same mask of
    answer(twin) − twin, in units of the lesion's contrast: what is drawn where no lesion is. Only there: what
    is drawn elsewhere in the head, or on slices that never had a lesion, is not looked for.
    """

    slices: np.ndarray
    area: np.ndarray
    kept: np.ndarray
    drawn: np.ndarray

    @property
    def erased(self) -> np.ndarray:
        """Less than half of the contrast is left, bool (K,)."""
        return self.kept < HALF

    @property
    def invented(self) -> np.ndarray:
        """A healthy place is answered with more than half of a lesion's contrast, bool (K,)."""
        return self.drawn > HALF

    def rows(self) -> dict[str, Row]:
        """`erased` and `invented`, shares of the lesions, and `kept`, the mean share of contrast.

        Intervals over lesions (Clopper–Pearson for the shares, bootstrap for the mean); each has `n`, how
        many count, and the value None where there are none.
        """
        if not len(self.kept):
            empty = {"value": None, "n": 0, "note": "no hole covers a lesion"}
            return dict.fromkeys(("erased", "invented", "kept"), empty)
        rows = {"erased": share_interval(self.erased), "invented": share_interval(self.invented)}
        rows["kept"] = bootstrap_interval(self.kept.astype(float))
        bests = {"erased": 0.0, "invented": 0.0, "kept": 1.0}
        return {name: row | {"best": bests[name], "n": len(self.kept)} for name, row in rows.items()}


def fate(answer: Answer, worse: Degradation, truth: Truth, seed: int = 0) -> Fate:
    """What a method makes of slices with a lesion and of their healthy twins.

    Where a hole is cut, only lesions count of which more than half lies in it, and there may be none: the
    others are measured.

    Args:
        answer: from a measurement to images (B, C, H, W) in [0, 1].
        worse: the degradation that is undone.
        truth: at least one slice has a lesion.
        seed: of the noise or the holes, the same for a slice and its twin.
    Raises:
        ValueError: no mask holds a lesion.
    Source: the question of Cohen, Luck & Honari 2018; paired with the twin that only a phantom has.
    """
    slices = np.flatnonzero(truth.masks.any((1, 2, 3)))
    if not len(slices):
        raise ValueError("no mask holds a lesion, so none can be erased; give slices with lesions.")
    known = truth.at(slices)
    x, twin = (to_unit(torch.from_numpy(np.ascontiguousarray(part))) for part in (known.a, known.healthy_a))
    y, y_twin = (worse.measure(part, torch.Generator().manual_seed(seed)) for part in (x, twin))
    if isinstance(worse, Hole):
        hidden = (_over(1 - y[:, -1:], torch.from_numpy(known.masks != 0)) > HALF).numpy()
        slices, known, y, y_twin, x, twin = (
            slices[hidden], known.at(hidden), y[hidden], y_twin[hidden], x[hidden], twin[hidden],
        )  # fmt: skip
    made, made_twin = (answer(part) if len(slices) else x for part in (y, y_twin))
    kept = kept_share(made, made_twin, known)
    drawn = kept_share(made_twin, twin, known)
    return Fate(slices, known.masks.astype(bool).sum((1, 2, 3)), kept, drawn)


def kept_share(made: Tensor, made_twin: Tensor, truth: Truth) -> np.ndarray:
    """Share of each lesion's contrast that answers have, (K,): mean of made − made_twin over its mask.

    Args:
        made, made_twin: answers to the slices of `truth` and to their healthy twins, (N, 1, H, W).
    """
    ill = np.flatnonzero(truth.masks.any((1, 2, 3)))
    known = truth.at(ill)
    x, twin = (to_unit(torch.from_numpy(np.ascontiguousarray(part))) for part in (known.a, known.healthy_a))
    mask = torch.from_numpy(known.masks != 0)
    return (_over(made[ill] - made_twin[ill], mask) / _over(x - twin, mask)).numpy()


def fine(images: Tensor) -> Tensor:
    """The finest detail: what a mean of 3 × 3 pixels takes away, the shape of images (N, C, H, W)."""
    return images - avg_pool2d(images, 3, 1, 1, count_include_pad=False)


def fine_detail(made: Tensor, x: Tensor) -> dict[str, np.ndarray]:
    """How much of the finest detail there is, and how much of that is true.

    Args:
        made, x: answers and truth, floats in [0, 1], (N, C, H, W); counted inside the head, x > `AIR`.
    Returns:
        For each image, (N,): `amount`, its standard deviation over the truth's, and `agreement`, its
        correlation with the truth's. Detail that is made up adds to the first and not to the second.
    """
    rows: dict[str, list[float]] = {"amount": [], "agreement": []}
    for one, other, inside in zip(fine(made), fine(x), x > AIR, strict=True):
        pair = torch.stack([one[inside], other[inside]]).double()
        rows["amount"].append(float(pair[0].std() / pair[1].std()))
        rows["agreement"].append(float(torch.corrcoef(pair)[0, 1]))
    return {name: np.array(values) for name, values in rows.items()}


def _over(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over each mask, (B,)."""
    return (values * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3))


def other_kind(truth: Truth) -> Truth:
    """The same slices with lesions of the opposite contrast: as much brighter as they were darker.

    No training slice has such a lesion; the place, size and strength are those of the usual ones.
    """
    healthy = truth.healthy_a.astype(np.int16)
    images = np.clip(2 * healthy - truth.a, 0, 255).astype(np.uint8)
    return Truth(images, truth.b, truth.masks, truth.healthy_a, truth.healthy_b)


def best_strength(
    method: Callable[[Tensor, float], Tensor], grid: Sequence[float], guess: Tensor, truth: Tensor
) -> float:
    """The strength of a classic method with the highest mean PSNR; give it images that measure nothing else.

    Args:
        method: (images (N, C, H, W), strength) to images.
        grid: strengths to try.
        guess, truth: floats in [0, 1], (N, C, H, W).
    """
    return max(grid, key=lambda strength: float(psnr(method(guess, strength), truth).mean()))
