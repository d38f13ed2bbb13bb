"""Train the classifier that measures generated images, and say how well it tells the classes apart."""

import numpy as np
import torch

from medgen_course import pretrained
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.transforms import augment, to_unit
from medgen_course.datasets.sources import Dataset, Split
from medgen_course.models.classifier import Classifier, ClassifierAlgorithm
from medgen_course.training.loop import fit


def train_classifier(
    images: np.ndarray, labels: np.ndarray, num_classes: int, num_epochs: int = 10, seed: int = 0
) -> Classifier:
    """Train on labelled images, slightly turned, moved and brightened, in seconds.

    Args:
        images: uint8 (N, C, H, W).
        labels: int64 classes (N,), or zeros and ones (N, num_classes).
        num_classes: classes or labels.
        num_epochs: passes over the images.
        seed: of the first weights, the order and the augmentation.
    Returns:
        The classifier in evaluation mode, its features standardised on these images.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Classifier(images.shape[1], images.shape[-1], num_classes)
    sampler = Sampler(Split(images, labels), 128, transform=augment)
    algorithm = ClassifierAlgorithm(model, decay_steps=num_epochs * len(sampler))
    fit(algorithm, sampler, num_epochs, seed, device="cpu", precision="float32", progress=False)
    model.standardise(embed(model, images))
    return model.requires_grad_(False)


def feature_network(data: Dataset, seed: int = 0) -> Classifier:
    """The shipped classifier of a data set, or one trained now on its training split."""
    if pretrained.path(data.name, "classifier").is_file():
        model = pretrained.load_classifier(data.name)
        if (model.config["channels"], model.config["size"]) == (data.channels, data.size):
            return model
    return train_classifier(data.train.images, data.train.labels, len(data.label_names), seed=seed)


@torch.inference_mode()
def embed(model: Classifier, images: np.ndarray) -> torch.Tensor:
    """Features (N, num_features) of uint8 images (N, C, H, W), on the CPU."""
    parts = torch.from_numpy(np.ascontiguousarray(images)).split(256)
    return torch.cat([model.features(to_unit(part)) for part in parts]).clone()


@torch.inference_mode()
def probabilities(model: Classifier, images: np.ndarray, multi_label: bool = False) -> np.ndarray:
    """Probabilities (N, num_classes) of uint8 images (N, C, H, W)."""
    parts = torch.from_numpy(np.ascontiguousarray(images)).split(256)
    logits = torch.cat([model(to_unit(part)) for part in parts])
    return (logits.sigmoid() if multi_label else logits.softmax(1)).numpy()


def auc(model: Classifier, split: Split) -> float:
    """Area under the ROC curve; one class against the rest, averaged, where there are more than two."""
    from sklearn.metrics import roc_auc_score  # here: it brings scipy.stats and pandas, 1 s

    several = split.labels.ndim == 2
    found = probabilities(model, split.images, several)
    if several:
        return float(roc_auc_score(split.labels, found))
    if found.shape[1] == 2:
        return float(roc_auc_score(split.labels, found[:, 1]))
    return float(roc_auc_score(split.labels, found, multi_class="ovr", labels=range(found.shape[1])))
