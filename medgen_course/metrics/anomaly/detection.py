"""How well a score tells anomalous images and pixels: AUROC, average precision, Dice, with intervals."""

from collections.abc import Callable

import numpy as np

from medgen_course.metrics.reconstruction import bootstrap_interval

RESAMPLES = 400
BINS = 1024  # of a map's values, for the resamples of `pixel_average_precision`

Row = dict[str, float]


def auroc(healthy: np.ndarray, anomalous: np.ndarray, seed: int = 0) -> Row:
    """Probability that an anomalous image scores higher than a healthy one, with a bootstrap interval.

    Args:
        healthy, anomalous: scores (N,) and (M,), higher is more anomalous.
        seed: of the resampling, which keeps N and M.
    Returns:
        {"value", "low", "high", "worst": 0.5, "best": 1.0}.
    Raises:
        ValueError: no scores, or NaN among them.
    """
    from sklearn.metrics import roc_auc_score  # here: it brings scipy.stats and pandas, 1 s

    return _interval(roc_auc_score, _areas, healthy, anomalous, seed) | {"worst": 0.5, "best": 1.0}


def average_precision(healthy: np.ndarray, anomalous: np.ndarray, seed: int = 0) -> Row:
    """Area under precision over recall, with a bootstrap interval; arguments as for `auroc`.

    Returns:
        {"value", "low", "high", "worst", "best": 1.0}; worst is what chance has, the share of anomalies.
    """
    from sklearn.metrics import average_precision_score

    chance = len(anomalous) / max(1, len(healthy) + len(anomalous))
    return _interval(average_precision_score, _precisions, healthy, anomalous, seed) | {
        "worst": chance,
        "best": 1.0,
    }


def _interval(
    measure: Callable, resampled: Callable, healthy: np.ndarray, anomalous: np.ndarray, seed: int
) -> Row:
    """A measure of scikit-learn on these scores, and the interval of the same on resamples of both groups."""
    scores = np.concatenate([np.asarray(healthy, float), np.asarray(anomalous, float)])
    n, m = len(healthy), len(anomalous)
    if not n or not m or not np.isfinite(scores).all():
        bad = int((~np.isfinite(scores)).sum())
        raise ValueError(
            f"found {n} healthy and {m} anomalous scores, {bad} of them NaN or infinite; expected numbers, "
            "at least one of each kind. What to do: look at what made the scores."
        )
    truth, rng = np.repeat([0, 1], [n, m]), np.random.default_rng(seed)
    order = np.argsort(-scores, kind="stable")  # from the highest down; equal scores count as one step
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))
    counts = np.zeros((2, RESAMPLES, n + m))  # how often each image was drawn
    counts[0, :, :n], counts[1, :, n:] = (rng.multinomial(k, np.full(k, 1 / k), RESAMPLES) for k in (n, m))
    low, high = np.quantile(resampled(*np.add.reduceat(counts[..., order], starts, axis=2)), [0.025, 0.975])
    return {"value": float(measure(truth, scores)), "low": float(low), "high": float(high)}


def _areas(healthy: np.ndarray, anomalous: np.ndarray) -> np.ndarray:
    """AUROC of each resample (R,), from how many of each kind stand at every step of the score (R, U)."""
    below = healthy.sum(1, keepdims=True) - np.cumsum(healthy, 1) + healthy / 2
    return (anomalous * below).sum(1) / (healthy.sum(1) * anomalous.sum(1))


def _precisions(healthy: np.ndarray, anomalous: np.ndarray) -> np.ndarray:
    """Average precision of each resample, from the same."""
    true, false = np.cumsum(anomalous, 1), np.cumsum(healthy, 1)
    return (anomalous * true / np.maximum(true + false, 1)).sum(1) / anomalous.sum(1)


def threshold_at(healthy: np.ndarray, false_alarms: float = 0.05) -> float:
    """The lowest score that no more than a share of the healthy images exceeds; choose it on validation.

    Args:
        healthy: scores of healthy images, (N,).
        false_alarms: share in [0, 1).
    """
    ranked = np.sort(healthy)
    return float(ranked[len(ranked) - 1 - int(false_alarms * len(ranked) + 1e-9)])


def confusion(healthy: np.ndarray, anomalous: np.ndarray, threshold: float) -> dict[str, int]:
    """Images above a threshold and not: `found`, `missed`, `false_alarms`, `left_alone`."""
    found, false = int((anomalous > threshold).sum()), int((healthy > threshold).sum())
    return {
        "found": found,
        "missed": len(anomalous) - found,
        "false_alarms": false,
        "left_alone": len(healthy) - false,
    }


def pixel_average_precision(maps: np.ndarray, masks: np.ndarray, seed: int = 0) -> Row:
    """Average precision over all pixels of all images, with an interval over resampled images.

    Args:
        maps: (N, H, W), higher is more anomalous.
        masks: (N, 1, H, W) or (N, H, W); non-zero where the anomaly is, with one such pixel at least.
        seed: of the resampling.
    Returns:
        {"value", "low", "high", "worst", "best": 1.0}; worst is the share of anomalous pixels. The resamples
        see the maps in 1,024 steps, the finer the higher.
    Raises:
        ValueError: shapes that do not fit, NaN, or no anomalous pixel.
    """
    from sklearn.metrics import average_precision_score

    maps, inside = _pixels(maps, masks)
    value = float(average_precision_score(inside.ravel(), maps.ravel()))
    edges = np.unique(np.quantile(maps, 1 - np.geomspace(1, 1 / maps.size, BINS)))
    step = np.searchsorted(edges, maps.reshape(len(maps), -1), side="right")  # (N, H * W)
    counts = np.zeros((2, len(maps), len(edges) + 1))
    for kind, chosen in enumerate((~inside, inside)):
        for i, row in enumerate(chosen.reshape(len(maps), -1)):
            counts[kind, i] = np.bincount(step[i][row], minlength=len(edges) + 1)
    rng, n = np.random.default_rng(seed), len(maps)
    weights = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES)  # (R, N)
    false, true = (np.cumsum((weights @ kind)[:, ::-1], axis=1) for kind in counts)
    gained = np.diff(true, axis=1, prepend=0) / np.maximum(true[:, -1:], 1)
    drawn = (gained * true / np.maximum(true + false, 1)).sum(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "value": value,
        "low": min(float(low), value),
        "high": max(float(high), value),
        "worst": float(inside.mean()),
        "best": 1.0,
    }


def dice(maps: np.ndarray, masks: np.ndarray, threshold: float) -> Row:
    """Overlap of what lies above a threshold with the mask, 2 |A and B| / (|A| + |B|), mean over images.

    Args:
        maps, masks: as for `pixel_average_precision`; images without an anomaly are left out.
        threshold: of the maps; choose it on validation images, with `dice_threshold`.
    Returns:
        {"value", "low", "high"}, bootstrap over images.
    """
    return bootstrap_interval(_overlap(*_sick(maps, masks), threshold))


def dice_threshold(maps: np.ndarray, masks: np.ndarray, count: int = 60) -> float:
    """The threshold with the highest mean Dice among `count` quantiles of the maps above their median."""
    candidates = np.quantile(maps, 1 - np.geomspace(0.5, 1e-4, count))
    maps, inside = _sick(maps, masks)
    return float(max(candidates, key=lambda threshold: _overlap(maps, inside, threshold).mean()))


def _overlap(maps: np.ndarray, inside: np.ndarray, threshold: float) -> np.ndarray:
    """Dice of each image, (N,)."""
    above = maps > threshold
    return 2 * (above & inside).sum((1, 2)) / (above.sum((1, 2)) + inside.sum((1, 2)))


def _sick(maps: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maps and masks, bool, of the images that have an anomaly."""
    maps, inside = _pixels(maps, masks)
    sick = inside.any((1, 2))
    return maps[sick], inside[sick]


def _pixels(maps: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inside = np.asarray(masks).reshape(len(masks), *np.shape(masks)[-2:]) != 0
    bad = int((~np.isfinite(maps)).sum())
    if inside.shape != np.shape(maps) or bad or not inside.any():
        raise ValueError(
            f"found maps {np.shape(maps)}, {bad} of their pixels NaN or infinite, and masks "
            f"{np.shape(masks)}, {int(inside.sum())} of their pixels marked; expected (N, H, W) and "
            "(N, 1, H, W), finite maps, and one marked pixel or more. What to do: look at what made them."
        )
    return np.asarray(maps), inside
