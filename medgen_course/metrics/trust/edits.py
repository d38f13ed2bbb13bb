"""Whether a counterfactual changes what it should: the lesion and nothing else, measured on healthy twins."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from medgen_course.batches.checks import describe
from medgen_course.metrics.reconstruction import bootstrap_interval
from medgen_course.metrics.shares import share_interval
from medgen_course.metrics.trust.counterfactuals import Path
from medgen_course.metrics.trust.explained import widened

Row = dict[str, float]
RESAMPLES, GREY = 400, 255


def against_twin(end: Tensor, x: Tensor, twin: Tensor, masks: np.ndarray) -> dict[str, Row]:
    """What a change did to lesions and to all else.

    Args:
        end: counterfactuals, (N, 1, H, W) in [0, 1].
        x: the slices with a lesion, the same shape.
        twin: the same slices without it.
        masks: uint8 (N, 1, H, W), none empty.
    Returns:
        Rows of "value", "low", "high" (bootstrap over slices):
        `removed`: share of the lesions' contrast inside the masks that is gone; 1 is all, 0 nothing, below 0
            it grew, above 1 the place is now beyond healthy.
        `inside`, `outside`: mean absolute change of pixels in the mask, and of those more than one pixel away
            from it, grey levels.
        `aimed`: share of the squared change that lies within one pixel of the mask; 0 where nothing changed.
        `to_twin`: RMSE to the twin, grey levels, over all pixels and slices.
    Raises:
        ValueError: the shapes differ or a mask is empty.
    """
    shapes = [tuple(t.shape) for t in (end, x, twin, masks)]
    inside = np.asarray(masks)[:, 0] != 0
    if len(set(shapes)) > 1 or shapes[0][1] != 1 or not inside.any((1, 2)).all():
        raise ValueError(
            f"found {', '.join(map(describe, (end, x, twin, masks)))}; expected four times (N, 1, H, W), and "
            "a pixel or more in every mask. What to do: leave out slices without a lesion."
        )
    near = np.stack([widened(mask, 1) for mask in inside])
    made, before, healthy = (t.detach().double().numpy()[:, 0] for t in (end, x, twin))
    change, n = made - before, inside.sum((1, 2))
    left, had = (((t - healthy) * inside).sum((1, 2)) for t in (made, before))
    squares = (change**2).sum((1, 2))
    at_it = np.divide((change**2 * near).sum((1, 2)), squares, out=np.zeros(len(n)), where=squares > 0)
    rows = {
        "removed": resampled(lambda i: 1 - left[i].sum(-1) / had[i].sum(-1), len(n)),
        "inside": bootstrap_interval(GREY * (np.abs(change) * inside).sum((1, 2)) / n),
        "outside": bootstrap_interval(GREY * (np.abs(change) * ~near).sum((1, 2)) / (~near).sum((1, 2))),
        "aimed": bootstrap_interval(at_it),
    }
    error = ((made - healthy) ** 2).mean((1, 2))
    return rows | {"to_twin": resampled(lambda i: GREY * np.sqrt(error[i].mean(-1)), len(n))}


def of_path(walked: Path, second: Callable[[Tensor], Tensor] | None = None) -> dict[str, Row]:
    """What can be said without a twin.

    Args:
        walked: paths of N images.
        second: logits of another network, trained from another start. An explanation of the images and not of
            one network should turn it as well.
    Returns:
        Rows: `flipped`, share of images that the classifier gives the other class at the end;
        `second_flipped`, the same of the other network (of those that it saw as the first did);
        `changed`, mean absolute change, grey levels.
    """
    rows = {"flipped": share_interval(walked.flipped.numpy())}
    if second is not None:
        with torch.no_grad():
            before, after = (second(t).argmax(1) for t in (walked.images[0], walked.end))
        agreed = before != walked.to
        rows["second_flipped"] = share_interval((after == walked.to)[agreed].numpy())
    change = (walked.end - walked.images[0]).abs().flatten(1).mean(1)
    return rows | {"changed": bootstrap_interval(GREY * change)}


def resampled(figure: Callable[[np.ndarray], np.ndarray], n: int, seed: int = 0) -> Row:
    """A figure of N images with its percentile bootstrap interval.

    Args:
        figure: indices (..., N) to numbers (...).
        n: images.
        seed: of the resampling.
    """
    drawn = figure(np.random.default_rng(seed).integers(n, size=(RESAMPLES, n)))
    low, high = np.quantile(drawn, [0.025, 0.975])
    value = float(figure(np.arange(n)))
    return {"value": value, "low": min(float(low), value), "high": max(float(high), value)}
