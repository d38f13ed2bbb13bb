"""The network that measures generated images: a classifier, or a random one where there are no classes."""

import numpy as np
import torch
from torch import nn

from medgen_course import pretrained
from medgen_course.batches.parts import parts
from medgen_course.batches.sampling import Sampler
from medgen_course.batches.transforms import augment, to_unit
from medgen_course.datasets.sources import Dataset, Split
from medgen_course.models.classifier import Classifier, ClassifierAlgorithm, RandomFeatures
from medgen_course.training.loop import fit

EPOCHS = 10
ENOUGH = 50_000  # images shown in all: what ten epochs of PneumoniaMNIST are, and as many for a larger set
SHIPPED = ("classifier", "classifier_64")  # by the side of their images
CALIBRATION = 2048  # images from which a random network takes the means and variances of its layers


def train_classifier(
    images: np.ndarray, labels: np.ndarray, num_classes: int, num_epochs: int = EPOCHS, seed: int = 0
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


def random_network(images: np.ndarray, seed: int = 0) -> RandomFeatures:
    """Features without training, for images without classes.

    The weights are drawn, the normalisation of every layer is that of these images, the features are
    standardised on them. It ranks known damage as the shipped classifiers do: of 52 steps up seven ladders
    (blur, noise, contrast, shifts, holes, a lost class, fewer distinct images; PneumoniaMNIST and the
    phantom) the Frechet distance took 51 or 52 upwards, with each of three seeds; the classifiers' took 52,
    that of 64 principal components 50. A lost class it sees late: a quarter of the rarer class gone stood out
    by 1 to 2 standard deviations, by 8 to 20 with the classifiers. Its figures compare with no other
    network's.

    Args:
        images: training images, uint8 (N, C, H, W).
        seed: of the weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = RandomFeatures(images.shape[1], images.shape[-1])
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # the plain mean over the batches
    few = images[np.random.default_rng(seed).permutation(len(images))[:CALIBRATION]]
    with torch.no_grad():
        for part in torch.from_numpy(few).tensor_split(-(-len(few) // 256)) if len(few) > 1 else ():
            model.features(to_unit(part))
    model.eval().standardise(embed(model, images))
    return model.requires_grad_(False)


def feature_network(data: Dataset, seed: int = 0) -> Classifier:
    """The shipped classifier of a data set, or one trained now on its training split.

    Where that has one class only there is nothing to learn: then `random_network`. `about` of the result says
    which it is.
    """
    for model in SHIPPED:
        if pretrained.fits(data, model):
            return pretrained.load_classifier(data.name, model)
    images, labels = data.train.images, data.train.labels
    if (labels == labels[0]).all():
        return random_network(images, seed)
    num_epochs = max(1, min(EPOCHS, ENOUGH // len(images)))
    return train_classifier(images, labels, len(data.label_names), num_epochs, seed)


@torch.inference_mode()
def embed(model: Classifier, images: np.ndarray) -> torch.Tensor:
    """Features (N, num_features) of uint8 images (N, C, H, W), on the CPU."""
    return torch.cat([model.features(to_unit(part)) for part in parts(images)]).clone()


@torch.inference_mode()
def probabilities(model: Classifier, images: np.ndarray, multi_label: bool = False) -> np.ndarray:
    """Probabilities (N, num_classes) of uint8 images (N, C, H, W)."""
    logits = torch.cat([model(to_unit(part)) for part in parts(images)])
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
