"""Weights that come with the course: `data/pretrained/DATASET/MODEL.safetensors`, a card beside each.

Weights are stored in half precision and used in single. The codes of the validation split (mu, logvar,
labels) are stored with the VAEs, so that their latent space can be walked without a single image at hand.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from medgen_course import home
from medgen_course.datasets import Dataset
from medgen_course.files import write_json
from medgen_course.models.autoencoder import Autoencoder
from medgen_course.models.classifier import Classifier
from medgen_course.models.cyclegan_networks import ResNetGenerator
from medgen_course.models.fanogan import FAnoGAN
from medgen_course.models.gan import Discriminator, Generator
from medgen_course.models.multirate import ConditionedVAE
from medgen_course.models.pix2pix import UNetGenerator
from medgen_course.models.progressive_networks import ProgressiveGenerator
from medgen_course.models.segmenter import Segmenter
from medgen_course.models.semi_vae import SemiVAE
from medgen_course.models.translators import Translators
from medgen_course.models.unet import UNet
from medgen_course.models.vae import VAE
from medgen_course.training.checkpoints import RunNotFound, load_tensors, read_json, save_tensors
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


def shelf() -> Path:
    """The folder of all that was trained for the course: a folder for each data set, tables of others."""
    return home.shipped("data/pretrained")


def path(dataset: str, model: str) -> Path:
    """Where the weights of a model on a data set rest."""
    return shelf() / dataset / f"{model}.safetensors"


def card(dataset: str, model: str) -> dict[str, Any]:
    """The card of a model: data, licence, attribution, recipe, test figures. Raises RunNotFound."""
    return read_json(_there(path(dataset, model).with_suffix(".json"), dataset))


def fits(data: Dataset, model: str) -> bool:
    """Whether weights of a model are shipped for just these images.

    Args:
        data: an official file (its checksum was compared) or the phantom; never an own file, whatever it is
            called, because its name says nothing about what it holds.
        model: such as "vae"; of a translator, domain A counts.
    """
    if data.source.startswith("own file") or not path(data.name, model).is_file():
        return False
    settings = card(data.name, model)["model"]
    channels = settings.get("channels", settings.get("in_channels"))
    return (channels, settings["size"]) == (data.channels, data.size)


def save(
    dataset: str, model: str, networks: dict[str, nn.Module], card: dict[str, Any], extra: dict[str, Tensor]
) -> None:
    """Store networks in half precision, buffers and `extra` (codes) beside them, and the card."""
    tensors = dict(extra)
    for name, network in networks.items():
        buffers = {key for key, _ in network.named_buffers()}
        for key, value in network.state_dict().items():
            tensors[f"{name}/{key}"] = value if key in buffers else value.half()
    target = path(dataset, model)
    save_tensors(target, tensors)
    write_json(target.with_suffix(".json"), card)


def load_autoencoder(dataset: str) -> Autoencoder:
    """The autoencoder of notebook 01; raises RunNotFound when there is none for this data set."""
    tensors, about = _read(dataset, "autoencoder")
    model = Autoencoder(**about["model"])
    return _fill(model, tensors, "autoencoder")


def load_autoencoders(dataset: str) -> tuple[dict[int, Autoencoder], Autoencoder]:
    """Autoencoders by the length of their codes, and the denoiser of notebook 01; raises RunNotFound."""
    tensors, about = _read(dataset, "autoencoders")
    recipe = about["recipe"]
    lengths = {name: int(name) for name in map(str, recipe["latent_dims"])}
    lengths["denoiser"] = recipe["denoiser"]["latent_dim"]
    made = {
        name: _fill(Autoencoder(**about["model"], latent_dim=length), tensors, name)
        for name, length in lengths.items()
    }
    denoiser = made.pop("denoiser")
    return {lengths[name]: model for name, model in made.items()}, denoiser


def load_vaes(dataset: str) -> dict[float, VAE]:
    """One VAE for each of `BETAS`, each trained at its own beta; raises RunNotFound."""
    tensors, about = _read(dataset, "vae")
    return {beta: _fill(VAE(**about["model"]), tensors, f"beta={beta:g}") for beta in BETAS}


def load_conditioned(dataset: str) -> ConditionedVAE:
    """One VAE for every beta from 0.1 to 300; raises RunNotFound."""
    tensors, about = _read(dataset, "conditioned_vae")
    return _fill(ConditionedVAE(**about["model"]), tensors, "conditioned_vae")


def load_classifier(dataset: str, model: str = "classifier") -> Classifier:
    """The classifier whose features measure generated images; raises RunNotFound.

    Args:
        dataset: name of the data set.
        model: "classifier"; of the phantom also "classifier_64", for slices of 64 pixels, and
            "translation_eye", which knows both contrasts.
    """
    tensors, about = _read(dataset, model)
    return _fill(Classifier(**about["model"]), tensors, "classifier")


def load_gan(dataset: str) -> tuple[Generator, Discriminator]:
    """The class-conditional GAN: the averaged generator, and the discriminator; raises RunNotFound."""
    tensors, about = _read(dataset, "gan")
    generator = _fill(Generator(**about["model"]), tensors, "generator")
    return generator, _fill(Discriminator(**about["discriminator"]), tensors, "discriminator")


def load_growing() -> dict[float, ProgressiveGenerator]:
    """The GAN that grew on 64-pixel phantom slices: level -> its averaged generator then; raises RunNotFound.

    Whole levels are ends of a side's training, the last one the shipped generator; between two of them lies
    the middle of the fade.
    """
    tensors, about = _read("phantom", "growing")
    made = {}
    for level in about["recipe"]["levels"]:
        made[level] = _fill(ProgressiveGenerator(**about["model"]), tensors, f"level={level:g}")
    return made


def load_growing_table(dataset: str = "phantom") -> dict[str, np.ndarray]:
    """Growing against training at full size, over time, as columns; raises RunNotFound.

    `way` is 0 for runs that grew and -1 for real images. Of the phantom, 64 pixels, 1 and 2 are a DCGAN with
    small and with large steps; of PneumoniaMNIST 1 are the same networks at full size, 2 is a DCGAN.
    """
    return _columns(_there(growing_path(dataset), dataset))


def load_codes(dataset: str, model: str = "vae") -> dict[float, Codes]:
    """Codes of the validation split at each of `BETAS`, of "vae", one a beta, or of "conditioned_vae"."""
    tensors, _ = _read(dataset, model)
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
    runs = [Recording.load(_there(recording_path(dataset, run), dataset)) for run in RUNS]
    return {run.about["title"]: run for run in runs}


def load_few(dataset: str = "pneumoniamnist") -> dict[str, Recording]:
    """Two recorded runs on few images by their titles, plain and with differentiable augmentation."""
    runs = [Recording.load(_there(recording_path(dataset, run), dataset)) for run in FEW_RUNS]
    return {run.about["title"]: run for run in runs}


def sweep_path(dataset: str) -> Path:
    """Where the recorded sweep over beta and seeds of a data set rests."""
    return shelf() / dataset / "sweep.csv"


def load_sweep(dataset: str) -> dict[str, np.ndarray]:
    """The recorded sweep as columns, one entry for each beta and seed; raises RunNotFound."""
    return _columns(_there(sweep_path(dataset), dataset))


def one_network_path(dataset: str) -> Path:
    """Where the curves of the one VAE for every beta rest, at two budgets."""
    return shelf() / dataset / "one_network.csv"


def load_one_network(dataset: str) -> dict[str, np.ndarray]:
    """Columns epochs (as one VAE had, and as shipped), beta, rate, rmse, elbo on val; raises RunNotFound."""
    return _columns(_there(one_network_path(dataset), dataset))


def load_translators(dataset: str) -> dict[int, Translators]:
    """The CycleGAN of a task after some steps of its training, the shipped one last; raises RunNotFound."""
    tensors, about = _read(dataset, "cyclegan")
    return {step: _translators(tensors, about, f"{step}/") for step in about["recipe"]["moments"]}


def translators_for(data: Dataset) -> dict[int, Translators] | None:
    """`load_translators`, where they were trained on these very images (`fits`); None otherwise."""
    return load_translators(data.name) if fits(data, "cyclegan") else None


def load_pix2pix() -> Translators:
    """pix2pix between the phantom's contrasts, both ways; raises RunNotFound."""
    tensors, about = _read("phantom", "pix2pix")
    return Translators(*(_fill(UNetGenerator(**about["model"]), tensors, way) for way in ("to_b", "to_a")))


def load_lab() -> dict[float, dict[int, Translators]]:
    """The hallucination lab: share of lesions in T2w while training -> steps -> translators; RunNotFound."""
    tensors, about = _read("phantom", "lab")
    recipe = about["recipe"]
    return {
        share: {recipe["steps"]: _translators(tensors, about, f"{share:g}/")}
        for share in recipe["prevalences_b"]
    }


def lab_path() -> Path:
    """Where the table of the hallucination lab rests."""
    return shelf() / "phantom" / "lab.csv"


def load_lab_table() -> dict[str, np.ndarray]:
    """That table as columns, one entry for each prevalence and seed; raises RunNotFound."""
    return _columns(_there(lab_path(), "phantom"))


def _translators(tensors: dict[str, Tensor], about: dict[str, Any], prefix: str) -> Translators:
    settings = about["model"]
    back = {"in_channels": settings["out_channels"], "out_channels": settings["in_channels"]}
    made = ResNetGenerator(**settings), ResNetGenerator(**settings | back)
    ways = zip(made, ("to_b", "to_a"), strict=True)
    return Translators(*(_fill(generator, tensors, prefix + way) for generator, way in ways))


def load_anomaly(dataset: str, model: str) -> Autoencoder | VAE | Segmenter:
    """A network of notebook 10, trained on normal images alone (but for the ceiling); raises RunNotFound.

    Args:
        dataset: "phantom" (64 px) or "pneumoniamnist".
        model: "anomaly_small" or "anomaly_big", autoencoders by their code; "anomaly_vae", of the phantom
            "anomaly_vae_t2w" and "anomaly_vae_t1w"; "anomaly_ceiling", a U-Net that was told all.
    """
    tensors, about = _read(dataset, model)
    kinds = {"autoencoder": Autoencoder, "vae": VAE, "segmenter": Segmenter}
    return _fill(kinds[about["kind"]](**about["model"]), tensors, "network")


def load_fanogan(dataset: str = "pneumoniamnist") -> FAnoGAN:
    """The shipped GAN with an encoder for its normal class; raises RunNotFound."""
    tensors, about = _read(dataset, "anomaly_encoder")
    settings = about["model"]
    model = FAnoGAN(*load_gan(dataset), settings["label"], settings["width"])
    _fill(model.encoder, tensors, "network")
    return model.eval()


def anomaly_sweep_path(dataset: str) -> Path:
    """Where AUROC over the length of the code, seeds and hidden anomalies rests (recipes/anomaly.py)."""
    return shelf() / dataset / "anomaly_sweep.csv"


def load_anomaly_sweep(dataset: str) -> dict[str, np.ndarray]:
    """That sweep as columns, one entry for each length, seed and share of hidden anomalies; RunNotFound."""
    return _columns(_there(anomaly_sweep_path(dataset), dataset))


def load_enhancers() -> dict[str, dict[str, UNet]]:
    """The U-Nets of notebook 11, phantom, 64 pixels: task -> how it learnt -> network; raises RunNotFound."""
    tensors, about = _read("phantom", "enhancers")
    made: dict[str, dict[str, UNet]] = {}
    for name in about["test"]:
        task, _, how = name.partition("/")
        made.setdefault(task, {})[how] = _fill(UNet(**about["model"]), tensors, name)
    return made


def load_enhancement_prior() -> VAE:
    """The VAE of 64-pixel phantom slices that notebook 11 searches; raises RunNotFound."""
    tensors, about = _read("phantom", "enhancement_prior")
    return _fill(VAE(**about["model"]), tensors, "vae")


def load_semi_vae(dataset: str) -> SemiVAE:
    """M2 of notebook 12, which saw 100 labels (`recipes/few_recognition.py`); raises RunNotFound."""
    tensors, about = _read(dataset, "semi_vae")
    return _fill(SemiVAE(**about["model"]), tensors, "semi_vae")


def load_few_gan(dataset: str) -> Generator:
    """A small conditional generator that learnt from the same 100 labelled images; raises RunNotFound."""
    tensors, about = _read(dataset, "few_gan")
    return _fill(Generator(**about["model"]), tensors, "generator")


def few_recognition_path(dataset: str) -> Path:
    """Where AUC by the number of labelled images rests (`recipes/few_recognition.py`)."""
    return shelf() / dataset / "few_recognition.csv"


def load_few_recognition(dataset: str) -> dict[str, np.ndarray]:
    """That table as columns: `method` (names), `labels`, `seed` and figures; raises RunNotFound."""
    return _named_columns(_there(few_recognition_path(dataset), dataset))


def ledger_path(dataset: str) -> Path:
    """Where the ledger of synthetic data rests (`recipes/few_recognition.py`)."""
    return shelf() / dataset / "ledger.csv"


def load_ledger(dataset: str) -> dict[str, np.ndarray]:
    """The ledger as columns: `method` (names), `labels`, `seed` and figures; raises RunNotFound."""
    return _named_columns(_there(ledger_path(dataset), dataset))


def enhancement_curve_path() -> Path:
    """Where the table over adversarial weights rests (`recipes/enhancement.py`)."""
    return shelf() / "phantom" / "enhancement_curve.csv"


def load_enhancement_seeds(split: str) -> dict[float, dict[str, list[float]]]:
    """That table on "val" or "test": weight -> figure -> one value for each seed, in the same order for all.

    Raises RunNotFound.
    """
    with _there(enhancement_curve_path(), "phantom").open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["split"] == split]
    lines.sort(key=lambda line: (float(line["lambda"]), int(line["seed"])))
    made: dict[float, dict[str, list[float]]] = {}
    for line in lines:
        figures = made.setdefault(float(line["lambda"]), {name: [] for name in list(line)[3:]})
        for name, values in figures.items():
            values.append(float(line[name]))
    return made


def load_enhancement_curve(split: str) -> dict[float, dict[str, dict[str, float]]]:
    """The same with `value`, the mean over seeds, `low` and `high` for each figure; raises RunNotFound."""
    return {
        weight: {
            name: {"value": sum(values) / len(values), "low": min(values), "high": max(values)}
            for name, values in figures.items()
        }
        for weight, figures in load_enhancement_seeds(split).items()
    }


def few_segmentation_path() -> Path:
    """Where the table of masks learnt from few labelled slices rests (`recipes/few_segmentation.py`)."""
    return shelf() / "phantom" / "few_segmentation.csv"


def load_few_segmentation() -> list[dict[str, Any]]:
    """That table, a row for each training and split: text, whole numbers and figures; RunNotFound.

    `part` is "labels" (64 pixels, equal updates), "budget" (64 pixels, more of them) or "contrasts" (32
    pixels); then method, labels, seed, split ("val" or "test"), figures of lesions but for dice_ventricles
    (nan where there was nothing to count), updates of the network that gives masks, those of the GAN that
    drew pairs for it, seconds.
    """
    with _there(few_segmentation_path(), "phantom").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    words, whole = ("part", "method", "split"), ("labels", "seed", "updates", "gan_updates")
    kinds = dict.fromkeys(words, str) | dict.fromkeys(whole, int)
    return [{name: kinds.get(name, float)(text or "nan") for name, text in row.items()} for row in rows]


def load_few_masks() -> FewMasks:
    """What the methods of that table found in eight slices, of seed 0, and pairs drawn; or RunNotFound."""
    tensors, about = _read("phantom", "few_masks")
    bits = {name: np.unpackbits(tensors[name].numpy(), axis=-1) for name in ("truth", "found", "drawn_maps")}
    maps = {
        k: np.where(m[..., 0, :, :] > 0, 1, 2 * m[..., 1, :, :]).astype(np.uint8) for k, m in bits.items()
    }
    images, recipe = {name: tensors[name].numpy() for name in ("images", "drawn")}, about["recipe"]
    return FewMasks(tuple(recipe["methods"]), tuple(recipe["labels"]), **images, **maps)


def load_segmenter() -> Segmenter:
    """The network of notebook 12 that learnt lesions and ventricles from a hundred slices; RunNotFound."""
    tensors, about = _read("phantom", "segmenter")
    return _fill(Segmenter(**about["model"]), tensors, "network")


def results_path() -> Path:
    """Where the figures of README's table rest (`make report`)."""
    return shelf() / "results.json"


def known_map_path() -> Path:
    """Where the ablations of CycleGAN's losses on a known map rest (`recipes/known_map.py`)."""
    return shelf() / "known_map.json"


def load_known_map() -> dict[str, Any]:
    """These ablations: `recipe`, and `runs`, one entry for each number of steps, seed and ablation."""
    return read_json(_there(known_map_path(), "the known map"))


def tell_apart_path() -> Path:
    """Where it rests how well classifiers tell real slices from translated ones (`recipes/tell_apart.py`)."""
    return shelf() / "tell_apart.json"


def load_tell_apart() -> dict[str, Any]:
    """That: `recipe`, and `runs`, an AUC for each translator and seed; raises RunNotFound."""
    return read_json(_there(tell_apart_path(), "real and translated slices"))


def games_path() -> Path:
    """Where the games on eight Gaussians rest (recipes/games.py)."""
    return shelf() / "games.json"


def load_games() -> list[dict[str, Any]]:
    """One row for each game and seed, with its budget, modes found and share near one; raises RunNotFound."""
    return read_json(_there(games_path(), "eight Gaussians"))["rows"]


def growing_path(dataset: str = "phantom") -> Path:
    """Where the table of growing against full size of a data set rests (`recipes/growing.py`)."""
    return shelf() / dataset / "growing.csv"


def seeds_path() -> Path:
    """Where comparisons of notebooks 02 and 03 rest, repeated with several seeds (`recipes/seeds.py`)."""
    return shelf() / "seeds.json"


def load_seeds() -> dict[str, Any]:
    """These: `generators` and `cures`, a row for each way to draw or training, and seed; RunNotFound."""
    return read_json(_there(seeds_path(), "several seeds"))


def _columns(file: Path) -> dict[str, np.ndarray]:
    table = np.genfromtxt(file, delimiter=",", names=True, deletechars="")
    return {name: table[name] for name in table.dtype.names}


def _named_columns(file: Path) -> dict[str, np.ndarray]:
    """Columns of a table whose `method` is a name and all else a number."""
    with file.open(encoding="utf-8", newline="") as opened:
        lines = list(csv.DictReader(opened))
    return {
        name: np.array([line[name] for line in lines], dtype=str if name == "method" else float)
        for name in lines[0]
    }


def _there(file: Path, dataset: str) -> Path:
    if not file.is_file():
        raise RunNotFound(
            f"{file}: nothing pretrained is there for {dataset!r}. The course has it for pneumoniamnist "
            "and phantom; for other images train your own: `medgen train --help`."
        )
    return file


def _read(dataset: str, model: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors, _ = load_tensors(_there(path(dataset, model), dataset))
    return tensors, card(dataset, model)


def _fill(model: nn.Module, tensors: dict[str, Tensor], name: str) -> Any:
    own = {
        key.removeprefix(f"{name}/"): t if t.dtype == torch.int64 else t.float()
        for key, t in tensors.items()
        if key.startswith(f"{name}/")
    }
    model.load_state_dict(own)
    return model.eval().requires_grad_(False)


def half(model: nn.Module) -> nn.Module:
    """Round the weights in place to what half precision keeps: figures of a card are those of its weights."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())
    return model
