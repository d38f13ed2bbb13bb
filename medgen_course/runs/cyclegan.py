"""CycleGANs as run folders: unpaired translation, both ways."""

from pathlib import Path
from typing import Any

from torch import nn

from medgen_course.batches.domains import UnpairedSampler
from medgen_course.datasets import Dataset
from medgen_course.datasets.domains import from_dataset, named_classes
from medgen_course.models.cyclegan import CycleGANAlgorithm
from medgen_course.models.cyclegan_networks import ResNetGenerator
from medgen_course.models.generators import build, turned
from medgen_course.models.local_enhancer import LocalEnhancer
from medgen_course.models.translators import Translators
from medgen_course.runs.schema import integer
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

SETTINGS = Settings(num_epochs=12, batch_size=4, learning_rate=1e-3)
CONFIG = DOMAINS | {"model": generator_config("resnet_generator", False, blocks=integer(0, 64))}
WARMUP = 200  # steps over which the weight of the cycle rises


def train(
    dataset: str,
    out: Path,
    domains: str = "0,1",
    lambda_cycle: float = 10.0,
    lambda_identity: float | None = None,
    coarse: Path | None = None,
    **settings: Any,
) -> History:
    """Train a CycleGAN into a run folder: unpaired translation, both ways.

    Args:
        dataset, out, settings: see `train.Settings`. The phantom is T1w to T2w. The step size falls in the
            second half of the epochs, so a run cannot be resumed with more of them.
        domains: two classes of labelled data, by number or name, A first, with a comma between them; numbers
            always work. The phantom does without.
        lambda_cycle: weight of the cycle loss; it rises over the first 200 steps, with `coarse` it does not.
        lambda_identity: weight of the identity loss; by default 5, but 0 on the phantom, where bright and
            dark must be exchanged. 0 also saves time.
        coarse: run folder of a CycleGAN of half the side. Its networks stay as they are; a few convolutions
            at full size are learnt on top of them, which needs far fewer steps than from nothing. On the
            phantom half of the usual learning rate was better, 5e-4. To resume, the run needs it no longer.
    Returns:
        The history.
    Raises:
        ValueError, DatasetError, DatasetUnavailable: see `train.train_into` and `domains.from_dataset`.
        RunError, RunNotFound: see `translation.on_top_of`.
    """

    def plan(data: Dataset, chosen: Settings) -> Plan:
        classes = named_classes(data, domains)
        two, numbers = from_dataset(data, classes), ",".join(map(str, classes))
        sampler = UnpairedSampler(two.train.a, two.train.b, chosen.batch_size)
        (a, b), side = two.channels, two.size
        by_default = 0.0 if data.drawn else 5.0
        identity = by_default if lambda_identity is None else lambda_identity
        known = begun(out, "cyclegan", chosen.resume)
        if "coarse" in known:
            generators = _pair(known)
        elif coarse is not None:
            generators = on_top_of(coarse, "cyclegan", two, ("b", "a"))
        else:
            generators = [ResNetGenerator(a, b, side), ResNetGenerator(b, a, side)]
        algorithm = CycleGANAlgorithm(
            *generators,
            judge(a, generators[1]),
            judge(b, generators[0]),
            lambda_cycle,
            identity,
            warmup_steps=0 if isinstance(generators[0], LocalEnhancer) else WARMUP,
            learning_rate=chosen.learning_rate,
            decay_steps=chosen.num_epochs * len(sampler),
        )
        weights = {"lambda_cycle": lambda_cycle, "lambda_identity": identity}
        return Plan(algorithm, sampler, weights | described(data, two, numbers, chosen.num_epochs))

    return train_into(out, dataset, plan, SETTINGS, **settings)


def load(run: RunFolder, config: dict[str, Any]) -> Translators:
    """The averaged generators, both ways; raises RunNotFound or RunError."""
    there, again = _pair(config["model"])
    run.load_model({"generator_ab_ema": there, "generator_ba_ema": again})
    return Translators(*(generator.eval().requires_grad_(False) for generator in (there, again)))


def _pair(about: dict[str, Any]) -> list[nn.Module]:
    """New generators to B and to A."""
    about = about | {"kind": "local_enhancer" if "coarse" in about else "resnet_generator"}
    return [build(about), build(turned(about))]
