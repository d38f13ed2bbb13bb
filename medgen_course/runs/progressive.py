"""GANs that grow (Karras et al. 2018) as run folders."""

from pathlib import Path
from typing import Any, Literal

from medgen_course.batches.sampling import Sampler
from medgen_course.datasets import Dataset
from medgen_course.models.progressive import ProgressiveAlgorithm
from medgen_course.models.progressive_networks import ProgressiveDiscriminator, ProgressiveGenerator
from medgen_course.runs import gan
from medgen_course.runs.gan import LEGEND, SHOWN, class_counts, load_average, sample
from medgen_course.runs.schema import integer
from medgen_course.runs.train import Plan, Settings, train_into
from medgen_course.training import History, RunError, RunFolder

__all__ = ["CONFIG", "LEGEND", "SETTINGS", "SHOWN", "evaluate", "load", "sample", "train"]

SETTINGS = Settings(num_epochs=60, batch_size=32, learning_rate=1e-3)
CONFIG = gan.CONFIG | {"level_epochs": integer(1, 2**31)}


def train(
    dataset: str,
    out: Path,
    objective: Literal["wasserstein_gp", "hinge"] = "wasserstein_gp",
    conditional: bool = False,
    latent_dim: int = 64,
    width: int = 16,
    level_epochs: int = 6,
    **settings: Any,
) -> History:
    """Train a GAN that grows from 7 or 8 pixels to the images' side, into a run folder.

    Args:
        dataset, out, settings: see `train.Settings`. The side must be 7 or 8, doubled some times: 28, 56,
            112, 224 or 16, 32, 64, 128.
        objective: the game that is played; see models/gan_objectives.py.
        conditional: give both players the class of the image, so that a class can be asked for.
        latent_dim: length of the noise.
        width: channels at the largest side; twice as many at the next, four times at smaller ones.
        level_epochs: epochs that a side is trained for, and as many over which the next one fades in.
    Returns:
        The history.
    Raises:
        ValueError: a side that cannot be grown to, or too few epochs to grow; and see `train.train_into`.
        DatasetError, DatasetUnavailable: see `train.train_into`.
    """
    if level_epochs < 1:
        raise ValueError(f"level_epochs is {level_epochs}; give at least 1.")

    def plan(data: Dataset, chosen: Settings) -> Plan:
        classes = class_counts(data) if conditional else []
        generator = ProgressiveGenerator(data.channels, data.size, latent_dim, len(classes), width)
        grown = level_epochs * 2 * (len(generator.sizes) - 1)
        if chosen.num_epochs <= grown:
            raise ValueError(
                f"num_epochs is {chosen.num_epochs}; growing over {', '.join(map(str, generator.sizes))} "
                f"pixels takes {grown}: give more, or fewer level_epochs."
            )
        sampler = Sampler(data.train, chosen.batch_size)
        steps = level_epochs * len(sampler)
        judge = ProgressiveDiscriminator(data.channels, data.size, len(classes), width)
        algorithm = ProgressiveAlgorithm(generator, judge, steps, steps, objective, chosen.learning_rate)
        about = {"objective": objective, "class_counts": classes, "level_epochs": level_epochs}
        return Plan(algorithm, sampler, about)

    return train_into(out, dataset, plan, SETTINGS, **settings)


def load(run: RunFolder, config: dict[str, Any]) -> ProgressiveGenerator:
    """The averaged generator, grown as far as it was trained; raises RunNotFound or RunError."""
    try:
        model = ProgressiveGenerator(**config["model"])
    except ValueError as error:
        raise RunError(f"{run.path}/config.json: {error}") from error
    load_average(run, config, model)
    return model.eval()


def evaluate(
    model: ProgressiveGenerator, config: dict[str, Any], data: Dataset, **options: Any
) -> dict[str, dict[str, Any]]:
    """As `gan.evaluate`, once all has grown; raises ValueError before."""
    if model.level < len(model.sizes) - 1:
        side = model.sizes[model.stage()[0]]
        raise ValueError(
            f"this generator has grown to {side} px of {data.size}: "
            "go on training it with --resume, then measure."
        )
    return gan.evaluate(model, config, data, **options)
