"""The bug hunt of notebook 10: common mistakes around a detector, looked for by what they do."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted, remaining

Images = Mapping[str, np.ndarray]  # "images" uint8 (N, 1, 4, 4) and "labels" (N,), 0 is healthy
Pipeline = Callable[[Callable, Callable, Images, Images, Images], Mapping[str, np.ndarray]]
SHARE = 0.1  # of the healthy validation images that may be flagged


@dataclass(frozen=True)
class _Case:
    """Splits whose images tell by their grey level which split and class they are from."""

    train: Images
    val: Images
    test: Images

    @classmethod
    def make(cls, seed: int) -> "_Case":
        rng = np.random.default_rng(seed)

        def split(healthy: int, sick: int, low: int, high: int) -> Images:
            labels = rng.permutation(np.repeat([0, 1], [healthy, sick]))
            grey = np.where(labels == 0, rng.integers(low, low + 60, len(labels)),
                            rng.integers(high, high + 60, len(labels)))  # fmt: skip
            pattern = 1 + np.arange(16).reshape(1, 1, 4, 4) / 16
            images = grey[:, None, None, None] * pattern / 2
            return {"images": images.astype(np.uint8), "labels": labels}

        return cls(split(60, 24, 40, 190), split(120, 60, 50, 180), split(100, 140, 60, 150))


class _Detector:
    """A detector that notes what it is fitted on; its map of an image is the image's distance to that."""

    def __init__(self):
        self.fitted: list[np.ndarray] = []

    def fit(self, images: np.ndarray) -> float:
        """Images uint8 (N, 1, H, W) to a model."""
        self.fitted.append(np.array(images))
        return float(np.mean(images))

    def score(self, model: float, images: np.ndarray) -> np.ndarray:
        """A model and images to maps (N, H, W), higher is more anomalous."""
        return np.abs(np.asarray(images, dtype=float)[:, 0] - model) / 255 + 0.05


def check_anomaly_bug_hunt(pipeline: Pipeline) -> Verdict:
    """Look for each mistake of the pool (`hunts/anomaly.py`) by itself; three of them are planted.

    Args:
        pipeline: (fit, score, train, val, test) -> {"threshold": a number, "flagged": bool (N,) of the test
            images, "drawn": (N, H, W) in [0, 1], their maps as shown to a reader}. Splits are dictionaries of
            `images` and `labels`, 0 is healthy. `fit(images)` makes a model, `score(model, images)` maps
            (N, H, W), whose mean is an image's score. A tenth of the healthy images may be flagged.
    """
    praise = "Fitted on healthy images, a threshold from validation, and one scale for all maps."
    return judge("bug hunt", pipeline, _examine, praise)


def _examine(pipeline: Pipeline) -> None:
    for seed in (0, 1):
        case, detector = _Case.make(seed), _Detector()
        made = call(pipeline, detector.fit, detector.score, case.train, case.val, case.test)
        if made is None:
            raise not_attempted()
        if not isinstance(made, Mapping) or {"threshold", "flagged", "drawn"} - set(made):
            raise Finding("Return a dictionary with threshold, flagged and drawn.")
        if not detector.fitted:
            raise Finding("Nothing was fitted: call fit(images) on training images.")
        left = [
            *_leaked(case, detector),
            *_threshold(case, detector, float(made["threshold"])),
            *_flagged(case, detector, made),
            *_drawn(case, detector, np.asarray(made["drawn"], dtype=float)),
        ]
        if left:
            raise remaining(left)


def _healthy(split: Images) -> np.ndarray:
    return split["images"][split["labels"] == 0]


def _rows(images: np.ndarray) -> list[bytes]:
    return sorted(image.tobytes() for image in images)


def _leaked(case: _Case, detector: _Detector) -> Iterator[str]:
    """Whether the model saw anything but healthy training images."""
    if any(_rows(images) != _rows(_healthy(case.train)) for images in detector.fitted):
        yield (
            "The model is fitted on other images than the healthy ones of train. What it has seen it "
            "rebuilds, so anomalies that leak into training are no anomalies any more."
        )


def _scores(detector: _Detector, split: Images) -> np.ndarray:
    """The scores of a split's images, by the model that was fitted last: (N,)."""
    return detector.score(float(np.mean(detector.fitted[-1])), split["images"]).mean((1, 2))


def _fits(scores: np.ndarray, threshold: float) -> bool:
    """Whether a threshold is any sensible quantile that a tenth of these scores exceeds."""
    ordered, allowed = np.sort(scores), int(SHARE * len(scores))
    return bool(ordered[-allowed - 2] - 1e-9 <= threshold <= ordered[-max(allowed - 1, 1)] + 1e-9)


def _threshold(case: _Case, detector: _Detector, threshold: float) -> Iterator[str]:
    """Whether the threshold is that of healthy validation images; if not, which mistakes make it."""
    splits = {"val": case.val, "test": case.test}
    scores = {name: _scores(detector, split) for name, split in splits.items()}
    healthy = {name: scores[name][split["labels"] == 0] for name, split in splits.items()}
    if _fits(healthy["val"], threshold):
        return
    wanted = np.quantile(healthy["val"], 1 - SHARE)
    found = f"The threshold is {threshold:.4g}; a tenth of the healthy images of val exceeds {wanted:.4g}."
    from_test = f"{found} One that knows the test images is tuned to them."
    with_sick = f"{found} One that counts sick images as healthy lies so high that most sick ones pass below."
    usual = {(from_test,): healthy["test"], (with_sick,): scores["val"]}
    usual[from_test, with_sick] = scores["test"]
    exact = [texts for texts, known in usual.items() if np.isclose(threshold, np.quantile(known, 1 - SHARE))]
    near = [texts for texts, known in usual.items() if _fits(known, threshold)]
    yield from next(iter(exact + near), (found,))


def _flagged(case: _Case, detector: _Detector, made: Mapping) -> Iterator[str]:
    """Whether the test images are held against the threshold, whatever it is."""
    test, flagged = _scores(detector, case.test), np.asarray(made["flagged"])
    expected = test > float(made["threshold"])
    if flagged.shape == test.shape and np.array_equal(flagged.astype(bool), expected):
        return
    if flagged.shape == test.shape and np.array_equal(flagged.astype(bool), test < float(made["threshold"])):
        yield f"Of the test images {flagged.sum()} are flagged: the ones that the model rebuilds best."
    else:
        yield "`flagged` is not which test scores exceed the threshold: the mean of each map, of test."


def _drawn(case: _Case, detector: _Detector, drawn: np.ndarray) -> Iterator[str]:
    """Whether bright means anomalous, and one colour one value in all maps; what is above may be cut off."""
    maps = detector.score(float(np.mean(detector.fitted[-1])), case.test["images"])
    if drawn.shape != maps.shape or not np.isfinite(drawn).all():
        yield f"`drawn` has the shape {drawn.shape}; expected the maps of test, {maps.shape}, all finite."
        return
    within = [m - m.mean((1, 2), keepdims=True) for m in (maps, drawn)]
    if (within[0] * within[1]).sum() < 0:
        yield "In `drawn` the pixels that the model rebuilds best are the brightest, and readers look there."
        drawn = drawn.max() - drawn
    inside = (drawn > 1e-6) & (drawn < drawn.max() - 1e-6)
    if inside.any():
        slope, offset = np.polyfit(maps[inside], drawn[inside], 1)
        if slope > 0 and np.abs(slope * maps[inside] + offset - drawn[inside]).max() < 1e-3:
            return
    yield (
        "In `drawn` the same colour means different values in different images. Scaled by its own highest "
        "pixel, every map has a glowing spot, that of a healthy image too. Divide all by one number."
    )
