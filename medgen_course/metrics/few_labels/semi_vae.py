"""What M2 is worth: as a classifier, and as a density of images."""

from typing import Any

import numpy as np
import torch

from medgen_course.batches.transforms import to_unit
from medgen_course.datasets.sources import Split
from medgen_course.metrics.likelihood import bits_per_dim, dequantise, drawn_together
from medgen_course.metrics.reconstruction import bootstrap_interval
from medgen_course.models.semi_vae import SemiVAE, elbo

RESAMPLES = 400


@torch.no_grad()
def evaluate_semi_vae(model: SemiVAE, split: Split, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Figures of M2 on some images and their classes.

    Args:
        model: in evaluation mode, on any device.
        split: images uint8 (N, C, H, W) and labels (N,).
        seed: of the dequantisation, the draws of z and the bootstrap.
    Returns:
        `auc` (one class against the rest, averaged, where there are more than two), `accuracy`, `elbo` (nats
        per image, the class summed out) and `bits_per_dim`, each with `value`, `low` and `high`. Where a
        class has no image, {"value": None, "note": why} for `auc`.
    """
    device, found, bounds = model.variance.device, [], []
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        images = torch.from_numpy(np.ascontiguousarray(split.images))
        for part in images.split(max(1, drawn_together(images) // 4)):
            found.append(model(to_unit(part).to(device)).softmax(1).cpu())
            bounds.append(elbo(model, dequantise(part).to(device)).cpu())
    told, dimensions = torch.cat(found).numpy(), split.images[0].size
    right = (told.argmax(1) == split.labels).astype(float)
    counts = np.bincount(split.labels, minlength=model.num_classes)
    rows = {"auc": _auc(told, split.labels, seed), "accuracy": bootstrap_interval(right)}
    rows["accuracy"] |= {"worst": float(counts.max() / counts.sum()), "best": 1.0}
    rows["elbo"] = bound = bootstrap_interval(torch.cat(bounds).numpy())
    low, high = bits_per_dim(bound["high"], dimensions), bits_per_dim(bound["low"], dimensions)
    rows["bits_per_dim"] = {"value": bits_per_dim(bound["value"], dimensions), "low": low, "high": high}
    return rows


def _auc(told: np.ndarray, labels: np.ndarray, seed: int) -> dict[str, Any]:
    """Mean over classes of the area under the ROC curve, with a bootstrap within the classes."""
    from sklearn.metrics import roc_auc_score  # here: it brings scipy.stats and pandas, 1 s

    of_class = [np.flatnonzero(labels == c) for c in range(told.shape[1])]
    if missing := [c for c, own in enumerate(of_class) if not len(own)]:
        return {"value": None, "note": f"no image of class {missing[0]}; every class needs one"}

    def area(pick: np.ndarray) -> float:
        truth, score = labels[pick], told[pick]
        if score.shape[1] == 2:
            return float(roc_auc_score(truth, score[:, 1]))
        return float(np.mean([roc_auc_score(truth == c, score[:, c]) for c in range(score.shape[1])]))

    rng = np.random.default_rng(seed)
    drawn = [area(np.concatenate([rng.choice(own, len(own)) for own in of_class])) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": area(np.arange(len(labels))), "low": float(low), "high": float(high), "worst": 0.5,
            "best": 1.0}  # fmt: skip
