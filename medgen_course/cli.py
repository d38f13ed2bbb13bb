"""`medgen`: the package's functions from a shell. What is heavy is imported by the command that needs it."""

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from json import dumps as dump_json
from pathlib import Path
from typing import Any, Literal

from docstring_parser import parse as parse_docstring
from jsonargparse import ArgumentParser

EXIT_CODES = "exit codes: 0 fine; 1 something failed or is missing; 2 wrong usage or input; 130 interrupted"


def doctor() -> int:
    """Check this machine: Python, packages, torch and its devices, image files, disk, browser.

    Returns:
        0, or 1 when the course cannot run as it is.
    """
    from medgen_course.doctor import examine

    findings = examine()
    width = max(len(finding.topic) for finding in findings)
    for finding in findings:
        print(f"{finding.mark:7}  {finding.topic:{width}}  {finding.text}")
        if finding.remedy:
            print(f"{'':7}  {'':{width}}  -> {finding.remedy}")
    return int(any(finding.mark == "PROBLEM" for finding in findings))


def data(name: str, size: int = 28, root: Path | None = None, json: bool = False) -> int:
    """Describe and audit images: counts, classes, grey levels, repeats, images shared between splits.

    Args:
        name: a MedMNIST name, "phantom", or the path of your own .npz.
        size: side of the images in pixels (28, 64, 128, 224).
        root: folder to look in first, before MEDMNIST_ROOT, data/ and ~/.medmnist.
        json: print JSON for scripts.
    """
    from medgen_course import datasets
    from medgen_course.datasets.audit import audit

    loaded = datasets.load(name, root=root, size=size)
    found = audit(loaded)
    if json:
        print(dump_json({"name": loaded.name, "source": loaded.source, **found}, indent=2))
        return 0
    print(loaded)
    for split, facts in found["splits"].items():
        grey = facts["grey"]
        classes = ", ".join(f"{label} {count:,}" for label, count in facts["classes"].items())
        print(f"\n{split}: {facts['count']:,} images; {classes}")
        print(f"  grey levels {grey['min']} to {grey['max']}, mean {grey['mean']:.1f}, std {grey['std']:.1f}")
        print(f"  exact repeats within: {found['audit']['repeats'][split]}")
    shared = ", ".join(f"{pair} {count}" for pair, count in found["audit"]["shared"].items())
    print(f"\ndistinct images shared between splits: {shared}")
    return 0


def evaluate(
    folder: Path,
    dataset: str | None = None,
    device: str = "auto",
    importance_samples: int = 200,
    json: bool = False,
) -> int:
    """Measure a trained model on the test split and write metrics.json into its run folder.

    Args:
        folder: the run folder that `medgen train` wrote.
        dataset: other images than those it was trained on, e.g. where the file has moved.
        device: auto, cpu, cuda or mps.
        importance_samples: draws for the importance-weighted likelihood of a VAE; 0 leaves it out.
        json: print JSON for scripts.
    """
    from medgen_course import runs

    measured = runs.measure(folder, dataset, device, importance_samples)
    if json:
        print(dump_json(measured, indent=2))
    else:
        _print_figures(measured, runs.kind_of(folder).LEGEND)
    runs.store(folder, measured)  # last: who cannot write there has seen the figures
    return 0


def _print_figures(measured: dict[str, dict[str, Any]], legend: str) -> None:
    ends = [name for name in ("worst", "blurred", "best") if any(name in row for row in measured.values())]
    print(f"{'test split':21}  {'mean':>9}  {'interval':>20}" + "".join(f"  {name:>9}" for name in ends))
    for name, row in measured.items():
        low_high = f"{_number(row['low'])} to {_number(row['high'])}" if "low" in row else "-"
        cells = "".join(f"  {_number(row.get(end)):>9}" for end in ends)
        print(f"{name:21}  {_number(row['value']):>9}  {low_high:>20}{cells}")
    print(legend.format(**measured))
    notes = {row["note"]: [n for n in measured if measured[n].get("note") == row["note"]]
             for row in measured.values() if "note" in row}  # fmt: skip
    for note, names in notes.items():
        print(f"{', '.join(names)}: {note}.")


def sample(folder: Path, n: int, out: Path, seed: int = 0, label: int | None = None) -> int:
    """Draw images from a trained generative model into an .npz.

    Args:
        folder: the run folder that `medgen train` wrote.
        n: number of images.
        out: the .npz to be written, with `images` in MedMNIST's layout, and `labels` where there are classes.
        seed: of the draws.
        label: the class wanted from a conditional GAN; by default as often as they were in training.
    """
    from medgen_course import runs

    images, _ = runs.sample(folder, n, out, seed, label)
    print(f"{len(images)} images, {images.dtype} {images.shape}, written to {out}")
    return 0


def translate(folder: Path, images: Path, to: Literal["a", "b"], out: Path) -> int:
    """Translate images with a trained CycleGAN or pix2pix.

    Args:
        folder: the run folder that `medgen train` wrote.
        images: the .npz to be translated, with `images`, or with train_images, val_images, test_images.
        to: the domain wanted; a run's config.json names a and b.
        out: the .npz to be written, with arrays of the same names.
    """
    from medgen_course import runs

    for name, array in runs.translate(folder, images, to, out).items():
        print(f"{name}: {len(array)} images, {array.dtype} {array.shape}, written to {out}")
    return 0


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def run(
    notebooks: Sequence[str] = (),
    profile: Literal["standard", "quick"] = "standard",
    dataset: str | None = None,
    out: Path = Path("build/course"),
    in_place: bool = False,
    jobs: int | None = None,
) -> int:
    """Execute notebooks; write them, an HTML page each and an index with a table.

    Args:
        notebooks: numbers (1), names (autoencoder) or files; none runs the whole course.
        profile: standard, or quick for a check in seconds.
        dataset: images for every notebook in place of its own choice.
        out: folder for what is written.
        in_place: store the executed notebooks where they lie, to be committed; standard profile, real images.
        jobs: notebooks at a time, each with its share of the cores; by default what cores and memory allow.
    """
    from medgen_course import course

    if in_place:
        if profile != "standard" or dataset is not None:
            raise ValueError("--in-place stores the standard profile on a notebook's own images.")
        left = course.refresh(notebooks, jobs=jobs)
        for line in left:
            print(f"medgen: {line}", file=sys.stderr)
        return int(bool(left))
    return int(any(result.errors for result in course.run(notebooks, profile, dataset, out, jobs=jobs)))


def train(model: str, **settings: Any) -> int:
    """Train a model into a run folder."""
    from medgen_course.runs import kind_named

    history = kind_named(model).train(**settings)
    if os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) == "0":
        print(f"{history!r}\nWritten to {settings['out']}. Measure it: medgen evaluate {settings['out']}")
    return 130 if history.interrupted else 0


def parser(training: bool = True) -> ArgumentParser:
    """The command line; help texts are those of the docstrings.

    Args:
        training: whether the options of `medgen train` are wanted: they are those of functions whose import
            brings torch, which takes seconds.
    """
    purpose = "A course on deep generative models for medical images, from the shell."
    top = ArgumentParser(prog="medgen", description=purpose, epilog=EXIT_CODES)
    commands = top.add_subcommands(dest="command")
    for function, positional in (
        (doctor, ()),
        (data, ("name",)),
        (evaluate, ("folder",)),
        (sample, ("folder",)),
        (translate, ("folder", "images")),
        (run, ("notebooks",)),
    ):
        about = parse_docstring(function.__doc__).short_description
        commands.add_subcommand(function.__name__, _options(function, positional), help=about)
    trainers = ArgumentParser(description=train.__doc__)
    commands.add_subcommand("train", trainers, help=train.__doc__)
    models = trainers.add_subcommands(dest="model")
    if training:
        from medgen_course.runs.kinds import kinds_with

        for model, kind in kinds_with("train").items():
            options = _options(kind.train, shared=kind.SETTINGS)
            models.add_subcommand(model, options, help=options.description)
    return top


def _options(function: Callable, positional: Sequence[str] = (), shared: Any = None) -> ArgumentParser:
    """A parser with an option for each parameter of a function, but those of `positional` without dashes.

    Args:
        function: whose docstring has the help texts.
        positional: its parameters that are named by their place.
        shared: a dataclass object; its fields take the place of `**settings`, its values are the defaults.
    """
    about = parse_docstring(function.__doc__)
    documented = [*about.params, *(parse_docstring(shared.__doc__).params if shared else ())]
    helps = {parameter.arg_name: parameter.description for parameter in documented}
    made = ArgumentParser(description=about.short_description)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            for field in fields(shared):
                _add(made, field.name, field.type, getattr(shared, field.name), helps[field.name])
        else:
            _add(made, name, parameter.annotation, parameter.default, helps[name], name in positional)
    return made


def _add(
    made: ArgumentParser, name: str, kind: Any, default: Any, told: str, positional: bool = False
) -> None:
    """One option; one without a default must be given."""
    required = default is inspect.Parameter.empty
    settings: dict[str, Any] = {"help": told}
    if kind is bool:
        settings["action"] = "store_true"
    elif positional and not required:
        settings |= {"nargs": "*", "type": str, "default": default}
    else:
        settings |= {"type": kind}
        if not required:
            settings["default"] = default
        elif not positional:
            settings["required"] = True
    made.add_argument(name if positional else f"--{name.replace('_', '-')}", **settings)


def main(words: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        words: the command line after `medgen`; None takes the process's own.
    Returns:
        The exit code. What a user can get wrong is one line on stderr and code 2; `python -X dev -m
        medgen_course.cli` shows the traceback.
    """
    words = list(sys.argv[1:] if words is None else words)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console may lack a letter
    arguments = parser(training=words[:1] == ["train"]).parse_args(words).as_dict()
    command = arguments.pop("command")
    settings = arguments[command] if command != "train" else None
    try:
        if command == "train":
            model = arguments["train"]["model"]
            return train(model, **arguments["train"][model])
        return {f.__name__: f for f in (doctor, data, evaluate, sample, translate, run)}[command](**settings)
    except (ValueError, OSError) as error:
        if sys.flags.dev_mode:
            raise
        print(f"medgen: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("medgen: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
