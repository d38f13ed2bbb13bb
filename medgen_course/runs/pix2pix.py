"""pix2pix as run folders: translation learnt from pairs, one way."""

from pathlib import Path
from typing import Any, Literal

from medgen_course.batches.domains import PairedSampler
from medgen_course.datasets import Dataset, DatasetError
from medgen_course.datasets.domains import from_dataset
from medgen_course.models.generators import build
from medgen_course.models.pix2pix import Pix2PixAlgorithm, UNetGenerator
from medgen_course.models.translators import Translators
from medgen_course.runs.schema import network
from medgen_course.runs.train import Plan, Settings, train_into
from medgen_course.runs.translation import (
    DOMAINS,
    INSTEAD,
    LEGEND,
    SHOWN,
    begun,
    described,
    evaluate,
    generator_config,
    judge,
    on_top_of,
    translate,
)
from medgen_course.training import History, RunFolder

__all__ = ["CONFIG", "INSTEAD", "LEGEND", "SETTINGS", "SHOWN", "evaluate", "load", "train", "translate"]

SETTINGS = Settings(num_epochs=12, batch_size=8, learning_rate=2e-3)

CONFIG = DOMAINS | {
    "to": {"enum": ["a", "b"]},
    "model": network(generator=generator_config("unet_generator", True)),
}


def train(
    dataset: str,
    out: Path,
    to: Literal["a", "b"] = "b",
    lambda_l1: float = 100.0,
    coarse: Path | None = None,
    **settings: Any,
) -> History:
    """Train a pix2pix into a run folder: translation learnt from pairs, one way.

    Args:
        dataset, out, settings: see `train.Settings`. The phantom (T1w to T2w) is the one data set of the
            course that has pairs. The step size falls in the second half of the epochs, so
            a run cannot be resumed with more of them.
        to: the domain to translate to.
        lambda_l1: weight of the mean absolute error.
        coarse: run folder of a pix2pix of half the side to the same domain; see `medgen train cyclegan`.
    Returns:
        The history.
    Raises:
        ValueError, DatasetUnavailable: see `train.train_into`.
        DatasetError: the images are not paired.
        RunError, RunNotFound: see `translation.on_top_of`.
    """

    def plan(data: Dataset, chosen: Settings) -> Plan:
        if not data.drawn:
            raise DatasetError(
                f"{data.name} has no pairs: pix2pix needs the same anatomy in both domains, which only the "
                "phantom has. Train a CycleGAN, which does without: medgen train cyclegan."
            )
        two = from_dataset(data)
        pairs = (two.train.truth.a, two.train.truth.b)
        source, target = pairs if to == "b" else pairs[::-1]
        sampler = PairedSampler(source, target, chosen.batch_size)
        known = begun(out, "pix2pix", chosen.resume).get("generator", {})
        if "coarse" in known:
            generator = build(known)
        elif coarse is not None:
            [generator] = on_top_of(coarse, "pix2pix", two, (to,))
        else:
            generator = UNetGenerator(source.shape[1], target.shape[1], two.size)
        networks = generator, judge(source.shape[1] + target.shape[1], generator)
        steps = chosen.num_epochs * len(sampler)
        about = {"lambda_l1": lambda_l1, "to": to} | described(data, two, "", chosen.num_epochs)
        algorithm = Pix2PixAlgorithm(*networks, lambda_l1, chosen.learning_rate, decay_steps=steps)
        return Plan(algorithm, sampler, about)

    return train_into(out, dataset, plan, SETTINGS, **settings)


def load(run: RunFolder, config: dict[str, Any]) -> Translators:
    """The averaged generator, one way; raises RunNotFound or RunError."""
    generator = build(config["model"]["generator"])
    run.load_model({"generator_ema": generator})
    return Translators(**{f"to_{config.get('to', 'b')}": generator.eval().requires_grad_(False)})
