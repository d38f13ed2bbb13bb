"""Networks that come with the course, codes, recordings and masks: a loader for each; see translators.py too.

Weights are stored in half precision and used in single. The codes of the validation split (mu, logvar,
labels) are stored with the VAEs, so that their latent space can be walked without a single image at hand.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from medgen_course.models.autoencoder import Autoencoder
from medgen_course.models.classifier import Classifier
from medgen_course.models.fanogan import FAnoGAN
from medgen_course.models.gan import Discriminator, Generator
from medgen_course.models.multirate import ConditionedVAE
from medgen_course.models.progressive_networks import ProgressiveGenerator
from medgen_course.models.segmenter import Segmenter
from medgen_course.models.semi_vae import SemiVAE
from medgen_course.models.unet import UNet
from medgen_course.models.vae import VAE
from medgen_course.pretrained.filling import fill, read
from medgen_course.pretrained.places import shelf, there
from medgen_course.training.recorder import Recording

BETAS = (0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
RUNS, FEW_RUNS = ("healthy", "collapse", "winner", "oscillation"), ("few_plain", "few_augmented")


@dataclass(frozen=True)
class Codes:
    """Posteriors of the validation split at one beta.

    mu, logvar: float32 (N, latent_dim).
    labels: int64 (N,).
    """

    mu: Tensor
    logvar: Tensor
    labels: Tensor


@dataclass(frozen=True)
class FewMasks:
    """What each method found in some validation slices of the phantom, 64 pixels, T2w.

    methods: names (M,). labels: numbers of labelled slices (L,). images: uint8 (S, 1, H, W). truth, found:
    uint8 (S, H, W) and (M, L, S, H, W), 0 outside, 1 lesion, 2 ventricles. area: pixels of the lesions, (S,).
    drawn, drawn_maps: slices at half the side that the GAN of ten labelled slices drew, uint8 (D, 1, H / 2,
    W / 2), and its masks for them, (D, H / 2, W / 2).
    """

    methods: tuple[str, ...]
    labels: tuple[int, ...]
    images: np.ndarray
    truth: np.ndarray
    found: np.ndarray
    drawn: np.ndarray
    drawn_maps: np.ndarray

    @property
    def area(self) -> np.ndarray:
        """Pixels of the lesion in each slice, (S,)."""
        return (self.truth == 1).sum((1, 2))


def load_autoencoder(dataset: str) -> Autoencoder:
    """The autoencoder of notebook 01; raises RunNotFound when there is none for this data set."""
    tensors, about = read(dataset, "autoencoder")
    model = Autoencoder(**about["model"])
    return fill(model, tensors, "autoencoder")


def load_autoencoders(dataset: str) -> tuple[dict[int, Autoencoder], Autoencoder]:
    """Autoencoders by the length of their codes, and the denoiser of notebook 01; raises RunNotFound."""
    tensors, about = read(dataset, "autoencoders")
    recipe = about["recipe"]
    lengths = {name: int(name) for name in map(str, recipe["latent_dims"])}
    lengths["denoiser"] = recipe["denoiser"]["latent_dim"]
    made = {
        name: fill(Autoencoder(**about["model"], latent_dim=length), tensors, name)
        for name, length in lengths.items()
    }
    denoiser = made.pop("denoiser")
    return {lengths[name]: model for name, model in made.items()}, denoiser


def load_vaes(dataset: str) -> dict[float, VAE]:
    """One VAE for each of `BETAS`, each trained at its own beta; raises RunNotFound."""
    tensors, about = read(dataset, "vae")
    return {beta: fill(VAE(**about["model"]), tensors, f"beta={beta:g}") for beta in BETAS}


def load_conditioned(dataset: str) -> ConditionedVAE:
    """One VAE for every beta from 0.1 to 300; raises RunNotFound."""
    tensors, about = read(dataset, "conditioned_vae")
    return fill(ConditionedVAE(**about["model"]), tensors, "conditioned_vae")


def load_classifier(dataset: str, model: str = "classifier") -> Classifier:
    """The classifier whose features measure generated images; raises RunNotFound.

    Args:
        dataset: name of the data set.
        model: "classifier"; of the phantom also "classifier_64", for slices of 64 pixels, and
            "translation_eye" and "translation_eye_64", which know both contrasts.
    """
    tensors, about = read(dataset, model)
    return fill(Classifier(**about["model"]), tensors, "classifier")


def load_gan(dataset: str) -> tuple[Generator, Discriminator]:
    """The class-conditional GAN: the averaged generator, and the discriminator; raises RunNotFound."""
    tensors, about = read(dataset, "gan")
    generator = fill(Generator(**about["model"]), tensors, "generator")
    return generator, fill(Discriminator(**about["discriminator"]), tensors, "discriminator")


def load_growing() -> dict[float, ProgressiveGenerator]:
    """The GAN that grew on 64-pixel phantom slices: level -> its averaged generator then; raises RunNotFound.

    Whole levels are ends of a side's training, the last one the shipped generator; between two of them lies
    the middle of the fade.
    """
    tensors, about = read("phantom", "growing")
    made = {}
    for level in about["recipe"]["levels"]:
        made[level] = fill(ProgressiveGenerator(**about["model"]), tensors, f"level={level:g}")
    return made


def load_codes(dataset: str, model: str = "vae") -> dict[float, Codes]:
    """Codes of the validation split at each of `BETAS`, of "vae", one a beta, or of "conditioned_vae"."""
    tensors, _ = read(dataset, model)
    labels = tensors["val/labels"].long()
    return {
        beta: Codes(tensors[f"val/mu/{beta:g}"].float(), tensors[f"val/logvar/{beta:g}"].float(), labels)
        for beta in BETAS
    }


def recording_path(dataset: str, run: str) -> Path:
    """Where the flight recording of a GAN run rests."""
    return shelf() / dataset / "recordings" / f"{run}.safetensors"


def load_recordings(dataset: str = "pneumoniamnist") -> dict[str, Recording]:
    """The recorded runs by their titles, the healthy one first; raises RunNotFound."""
    runs = [Recording.load(there(recording_path(dataset, run), dataset)) for run in RUNS]
    return {run.about["title"]: run for run in runs}


def load_few(dataset: str = "pneumoniamnist") -> dict[str, Recording]:
    """Two recorded runs on few images by their titles, plain and with differentiable augmentation."""
    runs = [Recording.load(there(recording_path(dataset, run), dataset)) for run in FEW_RUNS]
    return {run.about["title"]: run for run in runs}


def load_anomaly(dataset: str, model: str) -> Autoencoder | VAE | Segmenter:
    """A network of notebook 10, trained on normal images alone (but for the ceiling); raises RunNotFound.

    Args:
        dataset: "phantom" (64 px) or "pneumoniamnist".
        model: "anomaly_small" or "anomaly_big", autoencoders by their code; "anomaly_vae", of the phantom
            "anomaly_vae_t2w" and "anomaly_vae_t1w"; "anomaly_ceiling", a U-Net that was told all.
    """
    tensors, about = read(dataset, model)
    kinds = {"autoencoder": Autoencoder, "vae": VAE, "segmenter": Segmenter}
    return fill(kinds[about["kind"]](**about["model"]), tensors, "network")


def load_fanogan(dataset: str = "pneumoniamnist") -> FAnoGAN:
    """The shipped GAN with an encoder for its normal class; raises RunNotFound."""
    tensors, about = read(dataset, "anomaly_encoder")
    settings = about["model"]
    model = FAnoGAN(*load_gan(dataset), settings["label"], settings["width"])
    fill(model.encoder, tensors, "network")
    return model.eval()


def load_enhancers() -> dict[str, dict[str, UNet]]:
    """The U-Nets of notebook 11, phantom, 64 pixels: task -> how it learnt -> network; raises RunNotFound."""
    tensors, about = read("phantom", "enhancers")
    made: dict[str, dict[str, UNet]] = {}
    for name in about["test"]:
        task, _, how = name.partition("/")
        made.setdefault(task, {})[how] = fill(UNet(**about["model"]), tensors, name)
    return made


def load_enhancement_prior() -> VAE:
    """The VAE of 64-pixel phantom slices that notebook 11 searches; raises RunNotFound."""
    tensors, about = read("phantom", "enhancement_prior")
    return fill(VAE(**about["model"]), tensors, "vae")


def load_semi_vae(dataset: str) -> SemiVAE:
    """M2 of notebook 12, which saw 100 labels (`recipes/few_recognition.py`); raises RunNotFound."""
    tensors, about = read(dataset, "semi_vae")
    return fill(SemiVAE(**about["model"]), tensors, "semi_vae")


def load_few_gan(dataset: str) -> Generator:
    """A small conditional generator that learnt from the same 100 labelled images; raises RunNotFound."""
    tensors, about = read(dataset, "few_gan")
    return fill(Generator(**about["model"]), tensors, "generator")


def load_few_masks() -> FewMasks:
    """What the methods of that table found in eight slices, of seed 0, and pairs drawn; or RunNotFound."""
    tensors, about = read("phantom", "few_masks")
    bits = {name: np.unpackbits(tensors[name].numpy(), axis=-1) for name in ("truth", "found", "drawn_maps")}
    maps = {
        k: np.where(m[..., 0, :, :] > 0, 1, 2 * m[..., 1, :, :]).astype(np.uint8) for k, m in bits.items()
    }
    images, recipe = {name: tensors[name].numpy() for name in ("images", "drawn")}, about["recipe"]
    return FewMasks(tuple(recipe["methods"]), tuple(recipe["labels"]), **images, **maps)


def load_segmenter() -> Segmenter:
    """The network of notebook 12 that learnt lesions and ventricles from a hundred slices; RunNotFound."""
    tensors, about = read("phantom", "segmenter")
    return fill(Segmenter(**about["model"]), tensors, "network")
