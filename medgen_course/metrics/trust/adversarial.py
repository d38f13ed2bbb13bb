"""What a change too small to see does: to a classifier, to a translator, and to the likelihood of a VAE.

Every attack stands beside `noise` of the same size. Attacked images are rounded to whole grey levels before
they are measured, as a file would hold them; with whole epsilon no pixel leaves its interval by that.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medgen_course.batches.transforms import to_uint8, to_unit
from medgen_course.datasets.domains import Truth
from medgen_course.metrics.anomaly.detection import auroc
from medgen_course.metrics.anomaly.scores import negative_elbo
from medgen_course.metrics.classification import probabilities
from medgen_course.metrics.lesions import lesion_report
from medgen_course.metrics.shares import share_interval
from medgen_course.models.pgd import noise, pgd
from medgen_course.models.vae import VAE

EPSILONS = (0, 1, 2, 3, 4, 6, 8)  # grey levels of 255
STEPS = 20
CHUNK = 256
Attack = Callable[[float], np.ndarray]  # epsilon -> images uint8


def against_classifier(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, steps: int = STEPS, seed: int = 0
) -> dict[str, Attack]:
    """Attacks on a classifier: "PGD" raises the cross-entropy of the true class, "noise" is the control.

    Args:
        model: images to logits (N, num_classes), in evaluation mode.
        images: uint8 (N, C, H, W).
        labels: true classes (N,).
        steps: of PGD.
        seed: of random starts and of the noise.
    Returns:
        By name, functions of epsilon (grey levels) that give uint8 (N, C, H, W).
    """
    x, truth = _unit(images), torch.from_numpy(labels)

    def attacked(epsilon: float) -> Tensor:
        parts = zip(x.split(CHUNK), truth.split(CHUNK), strict=True)
        return torch.cat([pgd(_misled(model, y), part, epsilon, steps, seed=seed) for part, y in parts])

    return _both(attacked, x, seed)


def against_translator(
    translator: nn.Module, truth: Truth, steps: int = STEPS, seed: int = 0
) -> dict[str, Attack]:
    """Attacks on T1w slices with a lesion, after which the translator to T2w should draw none.

    "PGD" brings the translation inside the mask near that slice's healthy twin in T2w; so this attacker knows
    network, mask and twin, and its success is an upper bound.

    Args:
        translator: a generator with `translate`, in evaluation mode.
        truth: slices with a lesion each; see `Truth.at`.
        steps, seed: as for `against_classifier`.
    """
    x, twin, inside = _unit(truth.a), _unit(truth.healthy_b), torch.from_numpy(truth.masks != 0).float()

    def attacked(epsilon: float) -> Tensor:
        parts = zip(*(t.split(CHUNK) for t in (x, twin, inside)), strict=True)
        made = []
        for part, goal, mask in parts:

            def near(now: Tensor, goal: Tensor = goal, mask: Tensor = mask) -> Tensor:
                return -((translator.translate(now) - goal) * mask).square().sum((1, 2, 3))

            made.append(pgd(near, part, epsilon, steps, seed=seed))
        return torch.cat(made)

    return _both(attacked, x, seed)


def robustness(
    model: nn.Module, attacks: dict[str, Attack], labels: np.ndarray, epsilons: Sequence[float] = EPSILONS
) -> list[dict]:
    """Accuracy and AUC of a classifier over epsilon, with intervals.

    Returns:
        Rows with `attack`, `epsilon`, `images`, and `accuracy` and `auc`, each {"value", "low", "high"}.
    """
    rows = []
    for name, attack in attacks.items():
        for epsilon in epsilons:
            found = probabilities(model, attack(epsilon))
            area = auroc(found[labels == 0, 1], found[labels == 1, 1])
            rows.append(
                {
                    "attack": name,
                    "epsilon": epsilon,
                    "images": len(labels),
                    "accuracy": share_interval(found.argmax(1) == labels),
                    "auc": {end: area[end] for end in ("value", "low", "high")},
                }
            )
    return rows


def erasure(
    translator: nn.Module, attacks: dict[str, Attack], truth: Truth, epsilons: Sequence[float] = EPSILONS
) -> list[dict]:
    """Share of lesions that the translator erases over epsilon; erased as `lesion_report` counts it.

    Returns:
        Rows with `attack`, `epsilon`, `images` and `erased`, {"value", "low", "high"} (Clopper–Pearson).
    """
    rows = []
    for name, attack in attacks.items():
        for epsilon in epsilons:
            with torch.no_grad():
                made = torch.cat([translator.translate(part) for part in _unit(attack(epsilon)).split(CHUNK)])
            report = lesion_report(made, truth.b, truth.healthy_b, truth.masks)
            rows.append(
                {
                    "attack": name,
                    "epsilon": epsilon,
                    "images": len(truth),
                    "erased": share_interval(report.erased),
                }
            )
    return rows


def noticed(
    model: VAE, attacks: dict[str, Attack], images: np.ndarray, epsilons: Sequence[float] = EPSILONS
) -> list[dict]:
    """Whether the ELBO tells changed images from the same images as they were: AUROC over epsilon.

    Args:
        model: a VAE of such images.
        attacks: of these images.
        images: as they were, uint8 (N, C, H, W).
    Returns:
        Rows with `attack`, `epsilon`, `images` and `auroc`, {"value", "low", "high"}; an image and what
        became of it are drawn together.
    """
    before, rows = negative_elbo(model, images).image, []
    for name, attack in attacks.items():
        for epsilon in epsilons:
            area = auroc(before, negative_elbo(model, attack(epsilon)).image, twins=True)
            rows.append(
                {
                    "attack": name,
                    "epsilon": epsilon,
                    "images": len(images),
                    "auroc": {end: area[end] for end in ("value", "low", "high")},
                }
            )
    return rows


def kept(attacks: dict[str, Attack]) -> dict[str, Attack]:
    """The same attacks, each epsilon computed once."""

    def remembering(attack: Attack) -> Attack:
        made: dict[float, np.ndarray] = {}

        def again(epsilon: float) -> np.ndarray:
            if epsilon not in made:
                made[epsilon] = attack(epsilon)
            return made[epsilon]

        return again

    return {name: remembering(attack) for name, attack in attacks.items()}


def _misled(model: nn.Module, labels: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda now: F.cross_entropy(model(now), labels, reduction="none")


def _both(attacked: Callable[[float], Tensor], x: Tensor, seed: int) -> dict[str, Attack]:
    return {
        "PGD": lambda epsilon: to_uint8(attacked(epsilon)).numpy(),
        "noise": lambda epsilon: to_uint8(noise(x, epsilon, seed)).numpy(),
    }


def _unit(images: np.ndarray) -> Tensor:
    return to_unit(torch.from_numpy(np.ascontiguousarray(images)))
