"""Whether an explanation points where the truth is: beside maps that know no classifier, and new weights."""

import copy
from collections.abc import Iterable

import numpy as np
import torch
from scipy.ndimage import binary_dilation, sobel
from scipy.stats import rankdata
from torch import Tensor, nn

from medgen_course.batches.checks import describe
from medgen_course.metrics.trust.saliency import Explain
from medgen_course.models.classifier import Classifier

TOLERANCE = 1  # pixels around the mask that count as a hit: a lesion's edge is blurred over one of them


def pointing(maps: np.ndarray, masks: np.ndarray, tolerance: int = TOLERANCE) -> np.ndarray:
    """Whether the highest pixel of each map lies in the mask, (N,): the pointing game.

    Where several pixels are equally high it is the share of them that does: a map that is the same
    everywhere points nowhere, and has what chance has.

    Args:
        maps: (N, H, W).
        masks: (N, 1, H, W) or (N, H, W), non-zero inside; each with a pixel or more.
        tolerance: pixels by which the masks are widened.
    Returns:
        Numbers in [0, 1], 1 is a hit.
    Raises:
        ValueError: shapes that do not fit, NaN, or an empty mask.
    Source: Zhang et al. 2016, "Top-down neural attention by excitation backprop", section 4.2.
    """
    maps, inside = _fitting(maps, masks)
    inside = np.stack([widened(mask, tolerance) for mask in inside])
    highest = maps == maps.max((1, 2), keepdims=True)
    return (highest & inside).sum((1, 2)) / highest.sum((1, 2))


def widened(mask: np.ndarray, pixels: int) -> np.ndarray:
    """A mask (H, W) with so many pixels more in every direction, corners too."""
    return binary_dilation(mask, np.ones((3, 3)), pixels) if pixels else mask != 0


def precision(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Average precision over the pixels of each image, (N,); chance has the mask's share of the image.

    Args:
        maps, masks: as for `pointing`.
    """
    from sklearn.metrics import average_precision_score  # here: it brings scipy.stats and pandas, 1 s

    maps, inside = _fitting(maps, masks)
    pairs = zip(inside, maps, strict=True)
    return np.array([average_precision_score(i.ravel(), m.ravel()) for i, m in pairs])


def controls(x: Tensor, seed: int = 0) -> dict[str, np.ndarray]:
    """Maps (N, H, W) that no classifier has seen: random, the image dark and bright, and its edges.

    Source: Adebayo et al. 2018, section 5 (an edge detector looks like an explanation).
    """
    grey = x.mean(1).double().numpy()
    edges = np.hypot(sobel(grey, 1), sobel(grey, 2))
    head = grey > 0.1  # darkness of what is not air
    return {
        "random": np.random.default_rng(seed).random(grey.shape),
        "darkness": np.where(head, 1 - grey, 0.0),
        "brightness": grey,
        "edges": edges,
    }


def rank_correlation(maps: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Spearman's correlation between the pixels of two maps of each image, (N,); 0 where one is constant."""
    if maps.shape != others.shape or maps.ndim != 3:
        raise ValueError(f"found {describe(maps)} and {describe(others)}; expected (N, H, W) twice.")
    a, b = (rankdata(m.reshape(len(m), -1), axis=1) for m in (maps, others))
    a, b = (r - r.mean(1, keepdims=True) for r in (a, b))
    length = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return np.divide((a * b).sum(1), length, out=np.zeros(len(a)), where=length > 0)


def randomised(model: Classifier, x: Tensor, depth: int, seed: int = 0) -> Classifier:
    """A copy whose last `depth` blocks have new weights: the head first, then the stages from the top.

    BatchNorm of these blocks takes its means and variances from x, so that a network without training still
    has activations of a usual size.

    Args:
        model: a trained classifier, which stays as it is.
        x: images (N, C, H, W) in [0, 1].
        depth: 0 for none, 1 for the head, up to 1 + the number of stages for all.
        seed: of the new weights; the caller's random state is left as it was.
    Source: Adebayo et al. 2018, section 4 (cascading randomisation).
    """
    blocks: list[nn.Module] = [model.head, *reversed(model.stages)]
    if not 0 <= depth <= len(blocks):
        raise ValueError(f"depth is {depth}; this network has {len(blocks)} blocks, give 0 to {len(blocks)}.")
    made = copy.deepcopy(model).requires_grad_(False)
    fresh = [made.head, *reversed(made.stages)][:depth]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in (layer for block in fresh for layer in block.modules()):
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
    norms = [layer for block in fresh for layer in block.modules() if isinstance(layer, nn.BatchNorm2d)]
    made.eval()
    for layer in norms:
        layer.momentum = None
        layer.train()
    with torch.no_grad():
        made(x)
    return made.eval()


def with_new_weights(
    model: Classifier,
    explain: Explain,
    x: Tensor,
    masks: np.ndarray,
    draws: Iterable[int] = range(5),
) -> dict[str, dict[int, list[float]]]:
    """What is left of maps for class 1 where the last blocks have new weights: one number for each draw.

    Args:
        model: a trained classifier.
        explain: see `saliency`.
        x: images (N, C, H, W) in [0, 1].
        masks: (N, 1, H, W).
        draws: seeds of the new weights.
    Returns:
        "alike", "alike in size", "pointing" -> depth (see `randomised`) -> means over the images: rank
        correlation with the map of the trained network, the same of absolute values, pointing game.
    """
    usual, draws = explain(model, x, 1), list(draws)
    made: dict[str, dict[int, list[float]]] = {"alike": {}, "alike in size": {}, "pointing": {}}
    for depth in range(1, 2 + len(model.stages)):
        maps = [explain(randomised(model, x, depth, seed), x, 1) for seed in draws]
        made["alike"][depth] = [float(rank_correlation(usual, each).mean()) for each in maps]
        sizes = (rank_correlation(abs(usual), abs(each)) for each in maps)
        made["alike in size"][depth] = [float(each.mean()) for each in sizes]
        made["pointing"][depth] = [float(pointing(each, masks).mean()) for each in maps]
    return made


def _fitting(maps: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inside = np.asarray(masks).reshape(len(masks), *np.shape(masks)[-2:]) != 0
    maps = np.asarray(maps)
    bad = int((~np.isfinite(maps)).sum())
    if maps.shape != inside.shape or bad or not inside.any((1, 2)).all():
        raise ValueError(
            f"found maps {maps.shape}, {bad} of their pixels NaN or infinite, and masks {np.shape(masks)}, "
            f"{int((~inside.any((1, 2))).sum())} of them empty; expected (N, H, W) and (N, 1, H, W), finite "
            "maps, and a pixel or more in every mask. What to do: leave out images without a lesion."
        )
    return maps, inside
