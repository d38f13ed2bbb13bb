"""How well a score tells anomalous images and pixels: AUROC, average precision, Dice, with intervals."""

from dataclasses import dataclass

import numpy as np

from medgen_course.metrics.reconstruction import bootstrap_interval

RESAMPLES = 400
MOST = 200_000  # numbers that the resamples of one step hold, so that they stay near the processor
BINS = 1024  # of a map's values, for the resamples of `pixel_average_precision`

Row = dict[str, float]
Two = tuple[np.ndarray, np.ndarray]  # scores of healthy images (N,), of anomalous ones (M,)


def auroc(healthy: np.ndarray, anomalous: np.ndarray, seed: int = 0, twins: bool = False) -> Row:
    """Probability that an anomalous image scores higher than a healthy one, with a bootstrap interval.

    Args:
        healthy, anomalous: scores (N,) and (M,), higher is more anomalous.
        seed: of the resampling, which keeps N and M.
        twins: healthy[i] is anomalous[i] without its anomaly, N = M: the two are drawn together.
    Returns:
        {"value", "low", "high", "worst": 0.5, "best": 1.0}.
    Raises:
        ValueError: no scores, NaN among them, or twins of two numbers.
    """
    return _interval("auroc", (healthy, anomalous), seed, twins) | {"worst": 0.5, "best": 1.0}


def average_precision(healthy: np.ndarray, anomalous: np.ndarray, seed: int = 0, twins: bool = False) -> Row:
    """Area under precision over recall, with a bootstrap interval; arguments as for `auroc`.

    Returns:
        {"value", "low", "high", "worst", "best": 1.0}; worst is what chance has, the share of anomalies.
    """
    chance = len(anomalous) / max(1, len(healthy) + len(anomalous))
    found = _interval("average_precision", (healthy, anomalous), seed, twins)
    return found | {"worst": chance, "best": 1.0}


def difference(
    first: Two, second: Two, twins: bool = False, measure: str = "auroc", seed: int = 0
) -> Row:
    """What one score has more than another on the same images, with the interval of this difference.

    Both are measured on the same resamples. What makes an image hard for one score makes it hard for the
    other, and drops out; whether two separate intervals overlap says little about the difference.

    Args:
        first, second: scores of the same healthy and anomalous images, in the same order.
        twins: as for `auroc`: a slice and its healthy twin are drawn together.
        measure: "auroc" or "average_precision".
        seed: of the resampling.
    Returns:
        {"value", "low", "high"} of first minus second; a tie where the interval holds zero.
    Raises:
        ValueError: other numbers of images in the second, or what `auroc` refuses.
    Source: Efron & Tibshirani 1993, chapter 8; DeLong, DeLong & Clarke-Pearson 1988 for the covariance.
    """
    if [len(part) for part in first] != [len(part) for part in second]:
        raise ValueError(
            f"found scores of {[len(p) for p in first]} and of {[len(p) for p in second]} healthy and "
            "anomalous images; expected the same images for both scores."
        )
    values, drawn = zip(*(_resampled(measure, two, seed, twins) for two in (first, second)), strict=True)
    return _row(values[0] - values[1], drawn[0] - drawn[1])


def change(before: Two, after: Two, measure: str = "auroc", seed: int = 0) -> Row:
    """What one score has more on other images, such as those of test after those of val.

    Nothing is shared, so each set is resampled by itself.

    Returns:
        {"value", "low", "high"} of after minus before.
    """
    values, drawn = zip(
        *(_resampled(measure, two, seed + i, False) for i, two in enumerate((before, after))), strict=True
    )
    return _row(values[1] - values[0], drawn[1] - drawn[0])


def _row(value: float, drawn: np.ndarray) -> Row:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": float(value), "low": min(float(low), value), "high": max(float(high), value)}


def _interval(measure: str, two: Two, seed: int, twins: bool) -> Row:
    return _row(*_resampled(measure, two, seed, twins))


def _resampled(measure: str, two: Two, seed: int, twins: bool) -> tuple[float, np.ndarray]:
    """A measure on these scores, and on each resample of the images, (RESAMPLES,)."""
    healthy, anomalous = two
    scores = np.concatenate([np.asarray(healthy, float), np.asarray(anomalous, float)])
    n, m = len(healthy), len(anomalous)
    if not n or not m or not np.isfinite(scores).all():
        bad = int((~np.isfinite(scores)).sum())
        raise ValueError(
            f"found {n} healthy and {m} anomalous scores, {bad} of them NaN or infinite; expected numbers, "
            "at least one of each kind. What to do: look at what made the scores."
        )
    if twins and n != m:
        raise ValueError(f"found {n} healthy and {m} anomalous scores; twins come in equal numbers.")
    order = np.argsort(-scores, kind="stable")  # from the highest down; equal scores count as one step
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))
    compute = {"auroc": _areas, "average_precision": _precisions}[measure]

    def steps(counts: np.ndarray) -> np.ndarray:
        return np.add.reduceat(counts[:, order], starts, axis=1)

    def measured(of_healthy: np.ndarray, of_sick: np.ndarray) -> np.ndarray:
        """For each line, how often each image was drawn: (R, N) and (R, M)."""
        none = np.zeros((len(of_healthy), max(n, m)))
        kinds = [of_healthy, none[:, :m]], [none[:, :n], of_sick]
        return compute(*(steps(np.concatenate(kind, 1)) for kind in kinds))

    rng, drawn = np.random.default_rng(seed), []
    at_once = max(1, MOST // (n + m))
    for count in [at_once] * (RESAMPLES // at_once) + [RESAMPLES % at_once]:
        of_healthy = rng.multinomial(n, np.full(n, 1 / n), count)
        of_sick = of_healthy if twins else rng.multinomial(m, np.full(m, 1 / m), count)
        drawn.append(measured(of_healthy, of_sick))
    return float(measured(np.ones((1, n)), np.ones((1, m)))[0]), np.concatenate(drawn)


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


@dataclass(frozen=True)
class Drawn:
    """A figure, and the same on each resample of the images, so that two can be compared on shared ones.

    value: the figure. draws: (RESAMPLES,). worst: what chance has.
    """

    value: float
    draws: np.ndarray
    worst: float

    @property
    def row(self) -> Row:
        """{"value", "low", "high", "worst", "best": 1.0}."""
        return _row(self.value, self.draws) | {"worst": self.worst, "best": 1.0}

    def minus(self, other: "Drawn") -> Row:
        """{"value", "low", "high"} of the difference, of the same images drawn with the same seed."""
        return _row(self.value - other.value, self.draws - other.draws)


def pixel_average_precision(maps: np.ndarray, masks: np.ndarray, seed: int = 0) -> Drawn:
    """Average precision over all pixels of all images, and on resampled images.

    Args:
        maps: (N, H, W), higher is more anomalous.
        masks: (N, 1, H, W) or (N, H, W); non-zero where the anomaly is, with one such pixel at least.
        seed: of the resampling.
    Returns:
        `worst` is the share of anomalous pixels. The resamples see the maps in 1,024 steps, the finer the
        higher.
    Raises:
        ValueError: shapes that do not fit, NaN, or no anomalous pixel.
    """
    from sklearn.metrics import average_precision_score  # here: it brings scipy.stats and pandas, 1 s

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
    return Drawn(value, drawn, float(inside.mean()))


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
