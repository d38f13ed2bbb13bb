"""Train translators into a run folder, and load what lies in one."""

from pathlib import Path
from typing import Any, Literal

from medgen_course.checkpoints import RunError, RunFolder
from medgen_course.datasets import Dataset
from medgen_course.history import History
from medgen_course.models.cyclegan import CycleGANAlgorithm
from medgen_course.models.cyclegan_networks import PatchDiscriminator, ResNetGenerator
from medgen_course.models.pix2pix import Pix2PixAlgorithm, UNetGenerator
from medgen_course.npz import DatasetError
from medgen_course.runs import Plan, train_into
from medgen_course.translation import Domains, from_dataset, named_classes
from medgen_course.translation_sampling import PairedSampler, UnpairedSampler
from medgen_course.translators import Translators

WARMUP = 200  # steps over which the weight of the cycle rises


def train_cyclegan(
    dataset: str,
    out: Path,
    domains: str = "0,1",
    num_epochs: int = 12,
    seed: int = 0,
    size: int = 28,
    lambda_cycle: float = 10.0,
    lambda_identity: float | None = None,
    batch_size: int = 4,
    learning_rate: float = 1e-3,
    device: str = "auto",
    precision: str = "auto",
    devices: int = 1,
    resume: bool = False,
) -> History:
    """Train a CycleGAN into a run folder: unpaired translation, both ways.

    Args:
        dataset: a MedMNIST name, "phantom" (T1w to T2w), or the path of your own .npz.
        out: the run folder; made if it is not there.
        domains: two classes of labelled data, by number or name, A first; the phantom does without.
        num_epochs: epochs in all, earlier ones of a resumed run too; the step size falls in the second half.
        seed: of the first weights and the order of the images.
        size: side of the images in pixels (28, 64, 128); an own file keeps its own.
        lambda_cycle: weight of the cycle loss; it rises over the first 200 steps.
        lambda_identity: weight of the identity loss; by default 5, but 0 on the phantom, where bright and
            dark must be exchanged. 0 also saves time.
        batch_size: images of each domain in a batch, in each process.
        learning_rate: Adam's step size, for all networks.
        device: auto, cpu, cuda or mps.
        precision: auto, float32 or bfloat16.
        devices: processes on this machine; several machines run under torchrun.
        resume: go on with the run in the folder; without it an existing run is left alone.
    Returns:
        The history.
    Raises:
        ValueError: a setting is out of range, or the folder holds another run (RunError).
        DatasetError, DatasetUnavailable: see `datasets.load` and `translation.from_dataset`.
    """

    def plan(data: Dataset) -> Plan:
        two = from_dataset(data, named_classes(data, domains))
        sampler = UnpairedSampler(two.train.a, two.train.b, batch_size)
        (a, b), side = two.channels, two.size
        by_default = 0.0 if data.name == "phantom" else 5.0
        identity = by_default if lambda_identity is None else lambda_identity
        algorithm = CycleGANAlgorithm(
            ResNetGenerator(a, b, side),
            ResNetGenerator(b, a, side),
            PatchDiscriminator(a, side),
            PatchDiscriminator(b, side),
            lambda_cycle,
            identity,
            warmup_steps=WARMUP,
            learning_rate=learning_rate,
            decay_steps=num_epochs * len(sampler),
        )
        settings = {"lambda_cycle": lambda_cycle, "lambda_identity": identity}
        return Plan(algorithm, sampler, settings | _described(data, two, domains))

    return train_into(
        plan,
        dataset,
        out,
        num_epochs=num_epochs,
        seed=seed,
        size=size,
        batch_size=batch_size,
        learning_rate=learning_rate,
        device=device,
        precision=precision,
        devices=devices,
        resume=resume,
    )


def train_pix2pix(
    dataset: str,
    out: Path,
    to: Literal["a", "b"] = "b",
    num_epochs: int = 12,
    seed: int = 0,
    size: int = 28,
    lambda_l1: float = 100.0,
    batch_size: int = 8,
    learning_rate: float = 2e-3,
    device: str = "auto",
    precision: str = "auto",
    devices: int = 1,
    resume: bool = False,
) -> History:
    """Train a pix2pix into a run folder: translation learnt from pairs, one way.

    Args:
        dataset: "phantom" (T1w to T2w), the one data set of the course that has pairs.
        out: the run folder; made if it is not there.
        to: the domain to translate to.
        num_epochs: epochs in all, earlier ones of a resumed run too; the step size falls in the second half.
        seed: of the first weights and the order of the images.
        size: side of the images in pixels.
        lambda_l1: weight of the mean absolute error.
        batch_size: pairs in a batch, in each process.
        learning_rate: Adam's step size, for both networks.
        device: auto, cpu, cuda or mps.
        precision: auto, float32 or bfloat16.
        devices: processes on this machine; several machines run under torchrun.
        resume: go on with the run in the folder; without it an existing run is left alone.
    Returns:
        The history.
    Raises:
        ValueError: a setting is out of range, or the folder holds another run (RunError).
        DatasetError: the images are not paired.
    """

    def plan(data: Dataset) -> Plan:
        if data.name != "phantom":
            raise DatasetError(
                f"{data.name} has no pairs: pix2pix needs the same anatomy in both domains, which only the "
                "phantom has. Train a CycleGAN, which does without: medgen train cyclegan."
            )
        two = from_dataset(data)
        pairs = (two.train.truth.a, two.train.truth.b)
        source, target = pairs if to == "b" else pairs[::-1]
        sampler = PairedSampler(source, target, batch_size)
        generator = UNetGenerator(source.shape[1], target.shape[1], two.size)
        judge = PatchDiscriminator(source.shape[1] + target.shape[1], two.size)
        steps = num_epochs * len(sampler)
        algorithm = Pix2PixAlgorithm(generator, judge, lambda_l1, learning_rate, decay_steps=steps)
        return Plan(algorithm, sampler, {"lambda_l1": lambda_l1, "to": to} | _described(data, two, ""))

    return train_into(
        plan,
        dataset,
        out,
        num_epochs=num_epochs,
        seed=seed,
        size=size,
        batch_size=batch_size,
        learning_rate=learning_rate,
        device=device,
        precision=precision,
        devices=devices,
        resume=resume,
    )


def _described(data: Dataset, two: Domains, domains: str) -> dict[str, Any]:
    """What the run folder tells of its domains."""
    return {"domains": "" if data.name == "phantom" else domains, "names": [two.name_a, two.name_b]}


def load_translators(folder: Path) -> tuple[Translators, dict[str, Any]]:
    """The trained translators of a run folder, in evaluation mode on the CPU, and its `config.json`.

    Raises:
        RunNotFound, RunError: there is no run, it translates nothing, or it cannot be used.
    """
    run = RunFolder(folder)
    config = run.load_config()
    about = config.get("model", {})
    if about.get("kind") == "pix2pix":
        generator = UNetGenerator(**without_kind(about["generator"]))
        run.load_model({"generator_ema": generator})
        ready = generator.eval().requires_grad_(False)
        return Translators(**{f"to_{config['to']}": ready}), config
    if about.get("kind") != "cyclegan":
        raise RunError(f"{folder} holds a model of kind {about.get('kind')!r}, which translates nothing.")
    there = ResNetGenerator(**without_kind(about))
    back = {"in_channels": about["out_channels"], "out_channels": about["in_channels"]}
    again = ResNetGenerator(**without_kind(about | back))
    run.load_model({"generator_ab_ema": there, "generator_ba_ema": again})
    return Translators(*(g.eval().requires_grad_(False) for g in (there, again))), config


def without_kind(config: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a network's constructor out of its `config`."""
    return {key: value for key, value in config.items() if key != "kind"}
