"""Spoil real images in a known way and watch which measure notices."""

from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np
import torch

from medgen_course.batches.transforms import blur, to_uint8, to_unit
from medgen_course.explorers.parts.base import Explorer, one_thread, slider
from medgen_course.explorers.parts.picture import Picture
from medgen_course.metrics.fidelity import LOWER_IS_BETTER, MEASURES, Reference
from medgen_course.pictures import render

COUNT = 128  # images that are spoilt and measured at each move
SHOWN = 8
TRAINED = 1024  # training images that they are measured against


def spoil(
    images: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    sigma: float = 0.0,
    noise: float = 0.0,
    dropped: float = 0.0,
    copied: float = 0.0,
    seed: int = 0,
) -> np.ndarray:
    """Real images with known faults.

    Args:
        images: uint8 (N, C, H, W).
        labels: their classes (N,).
        train: training images, for copies, uint8 (M, C, H, W).
        sigma: standard deviation of a Gaussian blur, pixels.
        noise: standard deviation of added noise, on the [0, 1] scale.
        dropped: share of the rarest class's images that are replaced by ones of the other classes: a mode
            that is lost.
        copied: share of the images that are replaced by training images.
        seed: of all choices.
    Returns:
        uint8 (N, C, H, W).
    Raises:
        ValueError: not one class for each image.
    """
    if np.shape(labels) != (len(images),):
        raise ValueError(
            f"labels have the shape {np.shape(labels)}; a lost mode needs one class for each image, "
            f"({len(images)},). Of several labels give one: labels[:, 0]."
        )
    rng, spoilt = np.random.default_rng(seed), images.copy()
    classes, counts = np.unique(labels, return_counts=True)
    lost = np.flatnonzero(labels == classes[counts.argmin()])
    kept = np.flatnonzero(labels != classes[counts.argmin()])
    gone = lost[: round(dropped * len(lost))]
    if len(kept) and len(gone):
        spoilt[gone] = images[rng.choice(kept, len(gone), replace=len(gone) > len(kept))]
    replaced = rng.permutation(len(images))[: round(copied * len(images))]
    spoilt[replaced] = train[np.resize(rng.permutation(len(train)), len(replaced))]
    x = to_unit(torch.from_numpy(spoilt))
    if sigma:
        x = blur(x, sigma)
    if noise:
        x = x + noise * torch.from_numpy(rng.standard_normal(x.shape).astype(np.float32))
    return to_uint8(x.clamp(0, 1)).numpy()


class MetricSandbox(Explorer):
    """Four faults with a slider each; pictures of the spoilt images and every measure beside its usual value.

    It measures few images against part of the training split, so that a slider answers at once: compare
    the numbers with those of the unspoilt images, not with tables.
    """

    def __init__(self, against: Reference, labels: Sequence[int], train: np.ndarray):
        """Measure unspoilt images once.

        Args:
            against: see `fidelity.reference`; its held-out images are spoilt.
            labels: of the held-out images, integers (N,).
            train: training images, uint8 (M, C, H, W).
        """
        super().__init__(["worse than unspoilt images ← · → better"], "A bar for each measure")
        self.sheet = Picture(["real images, spoilt"], "Real images with the chosen faults")
        few = min(COUNT, len(labels))
        order = np.random.default_rng(0).permutation(len(labels))[:few]
        self._images, self._labels = against.heldout_images[order], np.asarray(labels)[order]
        self._train = train[:TRAINED]  # a copy must be one of those that are compared with
        self._against = against.thinned(TRAINED)
        self.sigma = slider("blur", 0, 2, 0, 0.1, "standard deviation in pixels")
        self.noise = slider("noise", 0, 0.2, 0, 0.01, "standard deviation on the [0, 1] scale")
        self.dropped = slider("lost mode", 0, 1, 0, 0.05, "share of the rarest class that is missing")
        self.copied = slider("copies", 0, 1, 0, 0.05, "share that are training images")
        self.observe_controls(self.sigma, self.noise, self.dropped, self.copied)
        with one_thread():
            self.usual = self._against.measure(self._images)
            noise = np.random.default_rng(0).integers(0, 256, self._images.shape, dtype=np.uint8)
            self._worst = self._against.measure(noise)
        self.measured = self.usual
        self.row_names = MEASURES
        controls = [self.sheet, self.sigma, self.noise, self.dropped, self.copied]
        left = widgets.VBox(controls, layout={"width": "450px"})
        right = widgets.VBox([self.picture], layout={"flex": "1 1 0", "min_width": "500px"})
        self.children = (widgets.HBox([left, right], layout={"flex_flow": "row wrap"}),)
        self.refresh()

    def draw(self) -> tuple[np.ndarray, str]:
        """A bar for each measure, and the numbers; the spoilt images go to `sheet`."""
        faults = {"sigma": self.sigma.value, "noise": self.noise.value}
        faults |= {"dropped": self.dropped.value, "copied": self.copied.value}
        spoilt = spoil(self._images, self._labels, self._train, **faults)
        self.measured = self._against.measure(spoilt)
        scale = max(1, 84 // spoilt.shape[-1])
        self.sheet.show(render.grid(spoilt[:SHOWN], columns=4, pad=4, scale=scale), "")
        told = [self._told(n) for n in MEASURES]
        return bars([self._badness(n) for n in MEASURES]), " · ".join(told[:4]) + "\n" + " · ".join(told[4:])

    def unspoilt(self, sets: int = 4) -> list[dict[str, float | None]]:
        """All measures of disjoint sets of held-out images, without a fault: what chance does to them.

        Each has as many images as are spoilt; there are fewer sets where the held-out images are too few.
        """
        heldout, size = self._against.heldout_images, len(self._images)
        order = np.random.default_rng(0).permutation(len(heldout))
        parts = [order[i * size : (i + 1) * size] for i in range(min(sets, len(heldout) // size))]
        with one_thread():
            return [self._against.measure(heldout[part]) for part in parts]

    def _told(self, name: str) -> str:
        if self.measured[name] is None:
            return f"{name} none: {self._against.missing(len(self._images))[name]}"
        return f"{name} {self.measured[name]:.3f} (usual {self.usual[name]:.3f})"

    def _badness(self, name: str) -> float:
        """0 as unspoilt images, 1 as noise (as copies for memorisation), below 0 better; 0 if unknown."""
        if self.measured[name] is None:
            return 0.0
        worst = 1.0 if name == "memorisation" else self._worst[name]
        sign = 1 if name in LOWER_IS_BETTER else -1
        span = abs(worst - self.usual[name])
        change = sign * (self.measured[name] - self.usual[name]) / max(span, 1e-9)
        # the distance to noise is thousands of times that to blur: the cube root shows both
        return float(np.cbrt(np.clip(change, -1, 1)))


def bars(badness: Sequence[float], width: int = 360, row: int = 28) -> np.ndarray:
    """Bars from the middle: to the left, orange, what got worse, to the right, blue, what got better.

    Args:
        badness: one for each row, in [-1, 1]; positive is worse.
        width: of the picture, in pixels.
        row: height of a row, in pixels.
    Returns:
        uint8 (row * len(badness), width, 3).
    """
    picture = np.full((row * len(badness), width, 3), 255, dtype=np.uint8)
    middle = width // 2
    for i, value in enumerate(badness):
        length = round(abs(value) * (middle - 4))
        rows = slice(i * row + 5, (i + 1) * row - 5)
        if value > 0:
            picture[rows, middle - length : middle] = render.rgb_of(render.PALETTE[1])
        else:
            picture[rows, middle : middle + length] = render.rgb_of(render.PALETTE[0])
    picture[:, middle] = 120
    return picture
