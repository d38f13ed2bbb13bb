"""Checks for notebook 12_few_labels: Dice where there is nothing to find, and the cost of M2."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from medgen_course.exercises.verdict import Finding, Verdict, call, hint, judge, not_attempted, number

MeanDice = Callable[[np.ndarray, np.ndarray], tuple[float, float]]
Cost = Callable[[Tensor, Tensor, Tensor, float], Tensor]


def check_mean_dice(fn: MeanDice) -> Verdict:
    """Check a measure of masks: mean Dice where there is something to find, and what is done elsewhere.

    Args:
        fn: (found, truth), bool (N, H, W) each -> two numbers: the mean of the Dice of those slices whose
            truth is not empty; and of the slices whose truth is empty, the share that is left empty. A number
            is NaN where there is no such slice.
    """
    praise = "Each slice counts once where there is something to find, and inventions are counted apart."
    return judge("Dice", fn, _examine_dice, praise)


def _masks(seed: int, sick: int, healthy: int) -> tuple[np.ndarray, np.ndarray]:
    """Masks found and true, (sick + healthy, 12, 12): one is missed, in two of three healthy one invented."""
    rng, found, truth = np.random.default_rng(seed), [], []
    for i in range(sick + healthy):
        true, made = np.zeros((2, 12, 12), bool)
        row, column, side = *rng.integers(0, 6, 2), rng.integers(2, 6)
        if i < sick:
            true[row : row + side, column : column + side] = True
            made = np.roll(true, rng.integers(0, 3, 2), (0, 1)) & (i > 0)
        elif i % 3:
            made[row : row + 2, column : column + 2] = True
        found.append(made)
        truth.append(true)
    order = rng.permutation(sick + healthy)
    return np.array(found)[order], np.array(truth)[order]


def _dice(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Dice of each slice, NaN where both masks are empty."""
    both, sizes = (found & truth).sum((1, 2)), found.sum((1, 2)) + truth.sum((1, 2))
    return np.where(sizes > 0, 2 * both / np.maximum(sizes, 1), np.nan)


def _examine_dice(fn: Callable) -> None:
    for sick, healthy in ((7, 9), (5, 0), (0, 6)):
        found, truth = _masks(sick, sick, healthy)
        pair = call(fn, found.copy(), truth.copy())
        if pair is None:
            raise not_attempted()
        try:
            dice, clean = (float(value) for value in pair)
        except (TypeError, ValueError) as error:
            raise Finding("Return two numbers: the mean Dice, and the share that is left empty.") from error
        told = f"For {sick} slices with something to find and {healthy} without"
        _compare_dice(told, dice, found, truth)
        _compare_clean(told, clean, found, truth)


def _compare_dice(told: str, given: float, found: np.ndarray, truth: np.ndarray) -> None:
    each, full = _dice(found, truth), truth.any((1, 2))
    wanted = float(each[full].mean()) if full.any() else float("nan")
    if np.isclose(given, wanted, atol=1e-4, equal_nan=True):
        return
    both, sizes = (found & truth).sum(), found.sum() + truth.sum()
    iou = each / (2 - each)
    usual = {
        "Slices in which nothing is to be found count as 1 where nothing is found, and lift the mean":
            float(np.nan_to_num(each, nan=1.0).mean()),
        "Slices in which nothing is to be found count as 0": float(np.nan_to_num(each).mean()),
        "Slices without anything to find, where something is invented, count as 0: count them apart":
            float(each[sized].mean()) if (sized := ~np.isnan(each)).any() else float("nan"),
        "All pixels of all slices are counted together, so that the large lesions decide": float(
            2 * both / max(sizes, 1)),
        "That is intersection over union; Dice divides twice the intersection by the sum of both": float(
            iou[full].mean()) if full.any() else float("nan"),
        "The intersection counts twice: both masks have it": float(each[full].mean() / 2)
            if full.any() else float("nan"),
    }  # fmt: skip
    why = hint(usual, lambda value: bool(np.isclose(value, given, atol=1e-4)))
    raise Finding(f"{told}, the mean Dice is {wanted:.3f}; yours is {given:.3f}.{why}")


def _compare_clean(told: str, given: float, found: np.ndarray, truth: np.ndarray) -> None:
    full, left = truth.any((1, 2)), ~found.any((1, 2))
    wanted = float(left[~full].mean()) if (~full).any() else float("nan")
    if np.isclose(given, wanted, atol=1e-4, equal_nan=True):
        return
    usual = {
        "That is the share in which something is invented": 1 - wanted,
        "Divide by the slices without anything to find, not by all": float((left & ~full).mean()),
        "That is of all slices": float(left.mean()),
    }
    why = hint(usual, lambda value: bool(np.isclose(value, given, atol=1e-4)))
    raise Finding(f"{told}, {wanted:.3f} of the latter are left empty; yours is {given:.3f}.{why}")


def check_m2_cost(fn: Cost) -> Verdict:
    """Check what M2 minimises, from given bounds.

    Args:
        fn: (bounds, logits, label, alpha) -> a scalar. bounds (B, K): the bound on log p(x, y) of every image
            with every class, nats; logits (B, K): log q(y|x) up to a constant; label int64 (B,): the class,
            -1 where it is not known (some are, some are not); alpha: weight of the cross-entropy.
    Source: Kingma, Mohamed, Rezende & Welling 2014, equations 6 to 9; means as in models/semi_vae.py.
    """
    praise = "Known classes are put in, unknown ones summed out with their entropy, and q learns from labels."
    return judge("cost of M2", fn, _examine_m2, praise)


def _m2(bounds: Tensor, logits: Tensor, label: Tensor, alpha: float, **wrong: bool) -> float:
    """The cost, or with a mistake: `signs`, `entropy`, `alone`, `mixed`, `summed`, `everyone`, `most`."""
    known, log_q = label >= 0, logits.log_softmax(1)
    labelled = bounds[known].gather(1, label[known, None])[:, 0]
    q, of = log_q[~known].exp(), bounds[~known]
    if wrong.get("most"):
        q = torch.nn.functional.one_hot(q.argmax(1), q.shape[1]).float()
    sign = {"entropy": 0.0, "signs": -1.0}
    entropy = next((v for name, v in sign.items() if wrong.get(name)), 1.0)
    without = (q * (of - entropy * log_q[~known])).sum(1)
    if wrong.get("uniform"):
        without = of.logsumexp(1)
    cross = cross_entropy(logits[known], label[known])
    if wrong.get("alone"):
        cross = torch.zeros(())
    if wrong.get("mixed"):
        return float(alpha * cross - torch.cat([labelled, without]).mean())
    if wrong.get("summed"):
        return float(alpha * cross * known.sum() - labelled.sum() - without.sum())
    cost = alpha * cross - labelled.mean() - without.mean()
    return float(-cost if wrong.get("everyone") else cost)


def _examine_m2(fn: Callable) -> None:
    draws = torch.Generator().manual_seed(0)
    for labels, alpha in (((1, -1, 0, -1, -1, 2), 0.5), ((0, 2, 1, -1), 3.0), ((-1, 1), 0.0)):
        label = torch.tensor(labels)
        bounds = 10 * torch.randn(len(label), 3, generator=draws) - 40
        logits = 2 * torch.randn(len(label), 3, generator=draws)
        found = number(fn, bounds.clone(), logits.clone(), label.clone(), alpha)
        wanted = _m2(bounds, logits, label, alpha)
        if abs(found - wanted) < 1e-3:
            continue
        usual = {
            "This is to be minimised: bounds enter with a minus": "everyone",
            "Where the label is not known, q's own entropy is missing: - log q(y|x) beside each bound":
                "entropy",
            "The entropy has the wrong sign: it makes the bound higher where q is unsure": "signs",
            "Sum over all classes with their q(y|x), not over the likeliest one alone": "most",
            "The class is summed out exactly, without q: then the classifier learns nothing": "uniform",
            "The cross-entropy of the labelled images is missing: without it q learns from unlabelled ones":
                "alone",
            "Take two means, of labelled and of unlabelled images: otherwise the many drown the few": "mixed",
            "Means over images, not sums": "summed",
        }  # fmt: skip
        values = {text: _m2(bounds, logits, label, alpha, **{name: True}) for text, name in usual.items()}
        why = hint(values, lambda value, found=found: abs(value - found) < 1e-3)
        count = f"{sum(k >= 0 for k in labels)} images with a label and {sum(k < 0 for k in labels)} without"
        raise Finding(f"For {count}, alpha {alpha:g}, the cost is {wanted:.3f}; yours is {found:.3f}.{why}")
