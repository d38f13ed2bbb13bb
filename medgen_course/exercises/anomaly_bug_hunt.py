"""The bug hunt of notebook 10: three common mistakes around a detector, looked for by what they do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from medgen_course.exercises.verdict import WRONG, Finding, Verdict, call, judge, not_attempted

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
            grey = np.where(labels == 0, rng.integers(low, low + 30, len(labels)),
                            rng.integers(high, high + 30, len(labels)))  # fmt: skip
            pattern = 1 + np.arange(16).reshape(1, 1, 4, 4) / 16
            images = grey[:, None, None, None] * pattern / 2
            return {"images": images.astype(np.uint8), "labels": labels}

        return cls(split(20, 8, 40, 200), split(20, 10, 50, 160), split(16, 24, 60, 140))


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
    """Look for each of the three mistakes by itself.

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
        looks = (_leaked(case, detector), _threshold(case, detector, made), _drawn(case, detector, made))
        left = [text for text in looks if text]
        if left:
            told = "\n".join(f"- {text}" for text in left)
            raise Finding(f"{len(left)} of 3 mistakes remain.\n{told}", WRONG)


def _healthy(split: Images) -> np.ndarray:
    return split["images"][split["labels"] == 0]


def _rows(images: np.ndarray) -> list[bytes]:
    return sorted(image.tobytes() for image in images)


def _leaked(case: _Case, detector: _Detector) -> str:
    """Whether the model saw anything but healthy training images."""
    if all(_rows(images) == _rows(_healthy(case.train)) for images in detector.fitted):
        return ""
    return (
        "The model is fitted on other images than the healthy ones of train. What it has seen it rebuilds, "
        "so anomalies that leak into training are no anomalies any more."
    )


def _threshold(case: _Case, detector: _Detector, made: Mapping) -> str:
    """Whether the threshold is that of healthy validation images, and the test images are held against it."""
    model = float(np.mean(detector.fitted[-1]))
    val, test = (detector.score(model, split["images"]).mean((1, 2)) for split in (case.val, case.test))
    scores, threshold = np.sort(val[case.val["labels"] == 0]), float(made["threshold"])
    allowed = int(SHARE * len(scores))
    low, high = scores[-allowed - 2], scores[-max(allowed - 1, 1)]  # any sensible quantile lies here
    if not low - 1e-9 <= threshold <= high + 1e-9:
        return (
            f"The threshold is {threshold:.4g}; a tenth of the healthy images of val exceeds "
            f"{scores[-allowed - 1]:.4g}. A threshold that knows the test images is tuned to them, and one "
            "that knows anomalies asks for what you do not have when you train on healthy images."
        )
    flagged = np.asarray(made["flagged"])
    if flagged.shape != test.shape or not np.array_equal(flagged.astype(bool), test > threshold):
        return "`flagged` is not which test scores exceed the threshold: the mean of each map, of test."
    return ""


def _drawn(case: _Case, detector: _Detector, made: Mapping) -> str:
    """Whether one colour means one value in all maps; what exceeds the scale may be cut off."""
    model = float(np.mean(detector.fitted[-1]))
    maps, drawn = detector.score(model, case.test["images"]), np.asarray(made["drawn"], dtype=float)
    if drawn.shape != maps.shape or not np.isfinite(drawn).all():
        return f"`drawn` has the shape {drawn.shape}; expected the maps of test, {maps.shape}."
    inside = (drawn > 1e-6) & (drawn < drawn.max() - 1e-6)
    if inside.any():
        slope, offset = np.polyfit(maps[inside], drawn[inside], 1)
        if slope > 0 and np.abs(slope * maps[inside] + offset - drawn[inside]).max() < 1e-3:
            return ""
    return (
        "In `drawn` the same colour means different values in different images. Scaled by its own highest "
        "pixel, every map has a glowing spot, that of a healthy image too. Divide all by one number."
    )
