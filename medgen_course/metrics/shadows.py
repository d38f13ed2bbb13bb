"""Shadow models: what an image's loss would be if a model had seen it, and if it had not.

An odd image has a high loss in every model and a plain one a low loss, so a threshold on the loss sorts odd
from plain rather than members from others. An attacker who can train models of the same kind on images of
the same kind compares each image with itself.

Source: Carlini et al. 2022, "Membership inference attacks from first principles", algorithm 1.
"""

import numpy as np

from medgen_course.metrics.membership import checked

SMALLEST = 1e-6  # of a standard deviation, in units of the losses


def lira(
    in_losses: np.ndarray | None, out_losses: np.ndarray, observed: np.ndarray, own_spread: bool = False
) -> np.ndarray:
    """The likelihood ratio of an image's loss: as models give that saw it, against models that did not.

    The losses of an image in models with it, and in models without it, are taken for Gaussian.

    Args:
        in_losses: losses (K, N) of N images in shadow models that were trained on them, NaN where there is
            none; None scores by how far the loss lies below what models without the image say.
        out_losses: the same in models that were not.
        observed: their losses in the model under attack, (N,).
        own_spread: each image has a standard deviation of its own. Off by default: from a handful of models
            one for all images is the better estimate.
    Returns:
        (N,), log of the ratio (without `in_losses`: standard deviations below the mean); higher is "more a
        member".
    Raises:
        ValueError: the shapes do not fit, or an image has no model on a side, or none has two.
    Source: Carlini et al. 2022, algorithm 1 and section 6.B; without `in_losses` their offline attack.
    """
    observed = checked(observed, "observed")
    mean_out, spread_out = _gaussian(out_losses, len(observed), "out_losses", own_spread)
    far_out = (observed - mean_out) / spread_out
    if in_losses is None:
        return -far_out
    mean_in, spread_in = _gaussian(in_losses, len(observed), "in_losses", own_spread)
    far_in = (observed - mean_in) / spread_in
    return 0.5 * (far_out**2 - far_in**2) + np.log(spread_out / spread_in)


def shadow_halves(n: int, models: int, seed: int = 0) -> np.ndarray:
    """Who trains which shadow model: bool (models, n); each has half of the images, each image half of them.

    Args:
        n: images of the pool, an even number.
        models: an even number; every second one has what the one before it has not.
    Raises:
        ValueError: a number is odd or too small.
    """
    if n < 2 or n % 2 or models < 2 or models % 2:
        raise ValueError(f"found {n} images and {models} models; expected even numbers from 2 on.")
    rng, rows = np.random.default_rng(seed), []
    for _ in range(models // 2):
        row = np.zeros(n, bool)
        row[rng.permutation(n)[: n // 2]] = True
        rows += [row, ~row]
    return np.stack(rows)


def leave_one_out(losses: np.ndarray, trained: np.ndarray, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Losses for `lira` where each model is attacked in turn and others are its shadows.

    Not all others: the one that has what the target has not is left out, for no attacker has it. Whatever
    sets that model apart would stand on one side for every member and on the other for everybody else, and
    tell them apart where nothing leaks. Those that are left saw members as often as others.

    Args:
        losses: (S, N) of every image in every model.
        trained: bool (S, N), `shadow_halves`.
        target: the model under attack.
    Returns:
        in_losses and out_losses, (S - 2, N), NaN where the model is of the other kind.
    """
    own = trained[target]
    chosen = (trained != ~own).any(1)
    chosen[target] = False
    losses, trained = losses[chosen], trained[chosen]
    return np.where(trained, losses, np.nan), np.where(trained, np.nan, losses)


def _gaussian(losses: np.ndarray, n: int, name: str, own: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column, NaN left out; (N,) each."""
    losses = np.asarray(losses, float)
    if losses.ndim != 2 or losses.shape[1] != n:
        raise ValueError(f"{name}: found shape {losses.shape}; expected (models, {n}), a column an image.")
    there = ~np.isnan(losses)
    count = there.sum(0)
    if not count.all():
        raise ValueError(
            f"{name}: {int((count == 0).sum())} of {n} images have no loss; expected one model at least for "
            "each. What to do: take more shadow models, or leave these images out."
        )
    mean = np.where(there, losses, 0).sum(0) / count
    squares = np.where(there, (losses - mean) ** 2, 0).sum(0)
    if own:
        if count.min() < 2:
            raise ValueError(f"{name}: an image with one loss has no spread; leave own_spread off.")
        spread = np.sqrt(squares / (count - 1))
    else:
        freedom = (count - 1).sum()
        if not freedom:
            raise ValueError(f"{name}: no image has two losses, so there is no spread; take more models.")
        spread = np.full(n, np.sqrt(squares.sum() / freedom))
    return mean, spread.clip(SMALLEST)
