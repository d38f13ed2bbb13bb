"""The detectors of notebook 10 by name: baselines, what the course ships, and the tables of both."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from torch import nn

from medgen_course import pretrained
from medgen_course.datasets import Dataset
from medgen_course.datasets.anomalies import Trial
from medgen_course.metrics.anomaly import baselines, scores
from medgen_course.metrics.anomaly.detection import (
    Drawn,
    Row,
    auroc,
    average_precision,
    dice,
    dice_threshold,
    difference,
    pixel_average_precision,
)
from medgen_course.metrics.anomaly.scores import Detector, Scored
from medgen_course.models.classifier import Classifier
from medgen_course.models.segmenter import Segmenter
from medgen_course.models.vae import VAE

Pair = tuple[Scored, Scored]  # of healthy images, of anomalous ones
CHOSEN = ("mean", "peak")
BORROWED = ("VAE, ELBO",)  # its map is a squared error, which counts under its own name
COMPONENTS = (8, 16, 32, 64, 128, 256, 512)  # of the PCA, to choose from


def simple(train: np.ndarray, components: int = 32, sign: int = 1) -> dict[str, Detector]:
    """What needs no generative network, fitted on normal images, uint8 (N, C, H, W).

    Args:
        train: normal images alone.
        components: of the PCA.
        sign: -1 where anomalies are expected to be dark.
    """
    gaussian = baselines.PixelGaussian.fit(train)
    subspace = baselines.Subspace.fit(train, components)
    neighbours = baselines.Neighbours.fit(train)
    return {
        "brightness": Detector(lambda images: baselines.brightness(images, sign)),
        "simplicity (PNG)": Detector(baselines.simplicity),
        "pixel-wise Gaussian": Detector(gaussian.score),
        "PCA residual": Detector(subspace.residual, subspace.rebuilt),
        "PCA likelihood": Detector(subspace.likelihood, subspace.rebuilt),
        "Mahalanobis in PCA": Detector(subspace.mahalanobis),
        "nearest neighbours": Detector(neighbours.score),
    }


def by_components(train: np.ndarray, val: Trial, counts: Sequence[int] = COMPONENTS) -> dict[int, float]:
    """AUROC of the PCA residual on validation images by the number of components; mean or peak, the better.

    Args:
        train: normal images alone, uint8 (N, C, H, W).
        val: the validation trial.
        counts: numbers of components.
    """
    found = {}
    for count in counts:
        residual = Detector(baselines.Subspace.fit(train, count).residual)
        pair = scored({"": residual}, val)[""]
        found[count] = max(_plain_auroc(*counting(pair, how)) for how in CHOSEN)
    return found


def of_vae(model: VAE, samples: int = 16) -> dict[str, Detector]:
    """All that a VAE says of an image; `samples` are the draws of the importance-weighted likelihood."""
    rebuild = lambda images: scores.rebuilt(scores.vae_mean(model), images)  # noqa: E731

    def corrected(images: np.ndarray) -> Scored:
        return scores.complexity_corrected(scores.negative_elbo(model, images), images)

    return {
        "VAE, reconstruction": scores.by_reconstruction(scores.vae_mean(model)),
        "VAE, squared error": Detector(
            lambda images: scores.squared_error(scores.vae_mean(model), images), rebuild
        ),
        "VAE, ELBO": Detector(lambda images: scores.negative_elbo(model, images), rebuild),
        "VAE, KL": Detector(lambda images: scores.kl(model, images)),
        f"VAE, likelihood, K = {samples}": Detector(
            lambda images: scores.importance_weighted(model, images, samples)
        ),
        "VAE, ELBO - complexity": Detector(corrected),
    }


def told(model: Segmenter) -> dict[str, Detector]:
    """The ceiling: a U-Net that was told where lesions are."""
    return {"supervised U-Net": Detector(lambda images: scores.told_where(model, images))}


def of_autoencoder(model: nn.Module) -> dict[str, Detector]:
    """The reconstruction error of an autoencoder, by the length of its code."""
    return {f"autoencoder, code {model.config['latent_dim']}": scores.by_reconstruction(model)}


def shipped(data: Dataset, samples: int = 16) -> dict[str, Detector]:
    """Generative detectors that the course ships for just these images; none for others. `samples`: see
    `of_vae`."""
    if not pretrained.fits(data, "anomaly_vae"):
        return {}
    made = of_autoencoder(pretrained.load_anomaly(data.name, "anomaly_small"))
    made |= of_vae(pretrained.load_anomaly(data.name, "anomaly_vae"), samples)
    network = pretrained.load_fanogan(data.name)
    return made | {"f-AnoGAN": Detector(lambda images: scores.fanogan(network, images),
                                        lambda images: scores.rebuilt(network, images))}  # fmt: skip


def scored(detectors: Mapping[str, Detector], trial: Trial) -> dict[str, Pair]:
    """Every detector's scores of the healthy and the anomalous images of a trial."""
    return {name: (d.score(trial.healthy), d.score(trial.anomalous)) for name, d in detectors.items()}


def counting(pair: Pair, how: str) -> tuple[np.ndarray, np.ndarray]:
    """An image's number: its score ("mean"), or the mean of the highest percent of its map ("peak")."""
    return tuple(s.image if how == "mean" else s.peak().image for s in pair)


def choose(val: Mapping[str, Pair]) -> dict[str, str]:
    """For every detector "mean" or "peak", whichever has the higher AUROC on validation images."""
    chosen = {}
    for name, pair in val.items():
        ways = CHOSEN if pair[0].map is not None and pair[0].local else CHOSEN[:1]
        chosen[name] = max(ways, key=lambda how, pair=pair: _plain_auroc(*counting(pair, how)))
    return chosen


def _plain_auroc(healthy: np.ndarray, anomalous: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    truth = np.repeat([0, 1], [len(healthy), len(anomalous)])
    return float(roc_auc_score(truth, np.concatenate([healthy, anomalous])))


def image_rows(
    found: Mapping[str, Pair], chosen: Mapping[str, str], twins: bool = False
) -> dict[str, dict[str, Row]]:
    """AUROC and average precision of every detector, counted as it was chosen; `twins` as for `auroc`."""
    rows = {}
    for name, pair in found.items():
        two = counting(pair, chosen[name])
        rows[name] = {
            "auroc": auroc(*two, twins=twins),
            "average_precision": average_precision(*two, twins=twins),
        }
    return rows


def beside(
    found: Mapping[str, Pair], chosen: Mapping[str, str], rival: str, twins: bool = False
) -> dict[str, Row]:
    """AUROC of every detector minus that of one of them, on shared resamples (`detection.difference`)."""
    two = counting(found[rival], chosen[rival])
    return {
        name: difference(counting(pair, chosen[name]), two, twins)
        for name, pair in found.items()
        if name != rival
    }


def best_simple(rows: Mapping[str, Mapping[str, Row]], names: Iterable[str]) -> str:
    """Of some scores, the one with the highest AUROC."""
    return max(names, key=lambda name: rows[name]["auroc"]["value"])


def both(pair: Pair, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maps of anomalous and healthy images in one array (M + N, H, W), and their masks."""
    sick, healthy = pair[1].map, pair[0].map
    none = np.zeros((len(healthy), *masks.shape[1:]), masks.dtype)
    return np.concatenate([sick, healthy]), np.concatenate([masks, none])


def pixels(found: Mapping[str, Pair], masks: np.ndarray) -> dict[str, Drawn]:
    """Pixel average precision of every detector that has a map of its own."""
    return {
        name: pixel_average_precision(*both(pair, masks))
        for name, pair in found.items()
        if pair[0].map is not None and name not in BORROWED
    }


def tested(
    detectors: Mapping[str, Detector],
    val: Mapping[str, Pair],
    trial: Trial,
    simple: Iterable[str],
    val_masks: np.ndarray | None = None,
) -> tuple[dict[str, dict[str, Row]], dict[str, Pair], dict[str, tuple[str, dict[str, Row]]]]:
    """Figures on a test trial with all choices made on validation images.

    Args:
        detectors: by name.
        val: their scores of the validation trial; mean or peak, the threshold for Dice, and the rival, the
            best simple score, come from these.
        trial: the test trial.
        simple: names of the scores that need no generative network.
        val_masks: of the validation lesions; with them, and the trial's own, `pixel` and `dice` are added.
    Returns:
        Figures by detector; the scores of the trial; and for "AUROC" (and "pixel AP") the rival's name and
        what each other detector has more than it.
    """
    found, chosen, twins = scored(detectors, trial), choose(val), trial.grid is not None
    rows, before = image_rows(found, chosen, twins), image_rows(val, chosen, twins)
    rival = best_simple(before, simple)
    gaps = {"AUROC": (rival, beside(found, chosen, rival, twins))}
    if twins and val_masks is not None:
        drawn = pixels(found, trial.grid.masks)
        rival = best_simple(before, set(simple) & set(drawn))
        more = {name: each.minus(drawn[rival]) for name, each in drawn.items() if name != rival}
        gaps["pixel AP"] = (rival, more)
        for name, each in drawn.items():
            threshold = dice_threshold(val[name][1].map, val_masks)
            rows[name] |= {
                "pixel": each.row,
                "dice": dice(found[name][1].map, trial.grid.masks, threshold),
            }
    return rows, found, gaps


def ceiling(classifier: Classifier, normal: int, trial: Trial) -> dict[str, Pair]:
    """The scores of a classifier that was told what the anomalies look like, under its name."""
    parts = (baselines.supervised(classifier, part, normal) for part in (trial.healthy, trial.anomalous))
    return {"supervised classifier": tuple(parts)}
