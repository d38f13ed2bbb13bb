"""What a model has to beat: scores that need no generative network. Higher is more anomalous."""

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from medgen_course.metrics.anomaly.scores import Scored, png_bits, smooth
from medgen_course.metrics.classification import embed, probabilities, random_network
from medgen_course.models.classifier import Classifier

NEIGHBOURS = 5
ROUNDING = 1 / 255**2 / 12  # variance of what rounding to grey levels takes from a pixel in [0, 1]


def brightness(images: np.ndarray, sign: int = 1) -> Scored:
    """The grey level itself: in T2w and FLAIR many lesions are simply bright.

    Args:
        images: uint8 (N, C, H, W).
        sign: 1 where anomalies are expected to be bright, -1 where dark.
    Source: Meissen, Kaissis & Rueckert 2021, "Challenging current semi-supervised anomaly segmentation
        methods for brain MRI".
    """
    grey = sign * images.astype(np.float32).mean(1) / 255
    return Scored(grey.mean((1, 2)).astype(np.float64), smooth(grey))


def simplicity(images: np.ndarray) -> Scored:
    """Minus the length of the image as a PNG file, bits: what `complexity_corrected` adds, alone; no map."""
    return Scored(-png_bits(images))


@dataclass(frozen=True)
class PixelGaussian:
    """Mean and standard deviation of every pixel over normal images, float32 (H, W), in [0, 1]."""

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def fit(cls, images: np.ndarray) -> "PixelGaussian":
        """Of normal images, uint8 (N, C, H, W); no pixel's spread counts as less than one grey level."""
        grey = images.astype(np.float32).mean(1) / 255
        return cls(grey.mean(0), grey.std(0).clip(min=1 / 255))

    def score(self, images: np.ndarray) -> Scored:
        """|x - mean| / std of every pixel; the image's score is the mean of the squares."""
        z = np.abs(images.astype(np.float32).mean(1) / 255 - self.mean) / self.std
        return Scored((z**2).mean((1, 2)).astype(np.float64), smooth(z))


@dataclass(frozen=True)
class Subspace:
    """Principal components of normal images, and the variance beside them.

    With them the probabilistic PCA of Tipping & Bishop 1999 is known: -log p(x) is half of the residual over
    the noise's variance, plus half of the Mahalanobis distance in the subspace, plus a constant.
    """

    pca: PCA

    @classmethod
    def fit(cls, images: np.ndarray, components: int = 32, seed: int = 0) -> "Subspace":
        """Of normal images, uint8 (N, C, H, W); components are cut to what N images have."""
        count = min(components, len(images) - 1, images[0].size - 1)
        return cls(PCA(count, svd_solver="randomized", random_state=seed).fit(_flat(images)))

    def rebuilt(self, images: np.ndarray) -> np.ndarray:
        """The nearest points of the subspace, float32 (N, C, H, W)."""
        nearest = self.pca.inverse_transform(self.pca.transform(_flat(images)))
        return nearest.reshape(images.shape).astype(np.float32)

    def residual(self, images: np.ndarray) -> Scored:
        """|x - x_hat| with x_hat the nearest point of the subspace; the image's score is the mean square."""
        error = images / np.float32(255) - self.rebuilt(images)
        maps = smooth(np.abs(error).mean(1))
        return Scored((error**2).mean((1, 2, 3)).astype(np.float64), maps)

    def mahalanobis(self, images: np.ndarray) -> Scored:
        """Squared distance from the mean inside the subspace, in standard deviations; no map."""
        codes = self.pca.transform(_flat(images))
        return Scored((codes**2 / self.pca.explained_variance_).sum(1).astype(np.float64))

    def likelihood(self, images: np.ndarray) -> Scored:
        """-log p(x) of probabilistic PCA, nats of [0, 1] pixels: residual and Mahalanobis in one; no map.

        No pixel is known better than its rounding to 255 grey levels, so the noise has that much variance.
        """
        x = _flat(images)
        codes = self.pca.transform(x)
        kept = self.pca.explained_variance_.astype(np.float64)
        noise = max(float(self.pca.noise_variance_), ROUNDING)  # with N - 1 components only error is left
        outside = ((x - self.pca.mean_) ** 2).sum(1) - (codes**2).sum(1)
        constant = np.log(2 * np.pi * kept).sum() + (x.shape[1] - len(kept)) * np.log(2 * np.pi * noise)
        return Scored(0.5 * ((codes**2 / kept).sum(1) + outside / noise + constant).astype(np.float64))


@dataclass(frozen=True)
class Neighbours:
    """Normal images in the features of a network that never saw an anomaly."""

    network: Classifier
    index: NearestNeighbors

    @classmethod
    def fit(cls, images: np.ndarray, network: Classifier | None = None, k: int = NEIGHBOURS) -> "Neighbours":
        """Of normal images, uint8 (N, C, H, W); without a network, a random one that is calibrated on them.

        A classifier of the classes in question has seen the anomaly, and is no baseline.
        """
        network = network or random_network(images)
        index = NearestNeighbors(n_neighbors=min(k, len(images))).fit(embed(network, images).numpy())
        return cls(network, index)

    def score(self, images: np.ndarray) -> Scored:
        """Mean distance to the nearest normal images; no map.

        Source: Bergman, Cohen & Hoshen 2020, "Deep nearest neighbor anomaly detection".
        """
        distance, _ = self.index.kneighbors(embed(self.network, images).numpy())
        return Scored(distance.mean(1).astype(np.float64))


def supervised(classifier: Classifier, images: np.ndarray, normal: int) -> Scored:
    """The ceiling: 1 - p(normal) of a classifier that was told what the anomalies look like; no map."""
    return Scored(1.0 - probabilities(classifier, images)[:, normal].astype(np.float64))


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / 255
